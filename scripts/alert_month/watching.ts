// The rules that watch the month, each beside the fixed threshold that somebody would have set in its
// place; and what each of them told, by the questions and decisions of the product.
import { decide } from "../../src/alert/decide.ts";
import { type Rule, ruleSchema } from "../../src/alert/rule.ts";
import { type Alert, newState } from "../../src/alert/state.ts";
import { tell } from "../../src/alert/tell.ts";
import { templates } from "../../src/alert/templates.ts";
import { valuesInPast } from "../../src/query/alerts.ts";
import type { Reader } from "../../src/query/question.ts";
import { withUsual } from "../../src/watch/baselines.ts";
import { baselinesOfPast } from "../../src/watch/baselines_past.ts";
import { askOf, pointsOf, seriesAsked } from "../../src/watch/look.ts";
import { dayMs, type IncidentKind, minuteMs } from "./traffic.ts";

export interface Watched {
  rule: Rule;
  /** Incidents that it is there to find. */
  finds: readonly IncidentKind[];
  /** And those that move its metric too: an alert in them is no false one. */
  alsoMoves: readonly IncidentKind[];
}

const template = (id: string) => templates.find((one) => one.id === id)!.rule;

export const watched: readonly Watched[] = [
  { rule: template("error_rate_spike"), finds: ["errors"], alsoMoves: ["model_errors"] },
  {
    rule: ruleSchema.parse({
      ...template("error_rate_spike"),
      name: "Error rate spike of a model",
      group_by: "model",
      // One model has a tenth of the calls: ten minutes of the night hold too few.
      window_minutes: 30,
    }),
    finds: ["model_errors"],
    alsoMoves: ["errors"],
  },
  { rule: template("latency_spike"), finds: ["latency"], alsoMoves: [] },
  {
    rule: template("cost_spike"),
    finds: ["cost"],
    alsoMoves: ["user_spend", "large_call", "drop", "silence"],
  },
  { rule: template("traffic_drop"), finds: ["drop", "silence"], alsoMoves: [] },
  {
    rule: ruleSchema.parse({ ...template("user_budget"), warning: undefined, critical: 18 }),
    finds: ["user_spend"],
    alsoMoves: ["cost", "large_call"],
  },
  {
    rule: template("token_limit"),
    finds: ["large_call"],
    alsoMoves: ["cost", "user_spend"],
  },
];

export interface Told {
  alerts: Alert[];
  notifications: number;
}

/** Plays the rule over the time, as the server would have, but for the width of a step. */
export async function play(
  reader: Reader,
  project_id: string,
  rule: Rule,
  { sinceMs, untilMs }: { sinceMs: number; untilMs: number },
): Promise<Told> {
  const state = newState();
  const alerts = new Map<string, Alert>();
  let notifications = 0;
  const usual = await baselinesOfPast(reader, project_id, rule, { sinceMs, untilMs });
  for await (const { at, values } of looks(reader, project_id, rule, { sinceMs, untilMs })) {
    const found = { project_id, rule, at };
    const points = usual === null
      ? pointsOf(rule, values)
      : await withUsual(usual, pointsOf(rule, values), values, found);
    for (const alert of decide("month", rule, state, { at, points })) {
      // As it began: that is what was told first.
      if (!alerts.has(alert.id)) alerts.set(alert.id, { ...alert });
    }
    notifications += tell(rule, state, at).length;
  }
  return { alerts: [...alerts.values()], notifications };
}

/** A wide window moves slowly: it is looked at less often. */
function stepOf({ window_minutes }: Rule): number {
  return (window_minutes > 600 ? 30 : window_minutes > 30 ? 5 : 1) * minuteMs;
}

async function* looks(
  reader: Reader,
  project_id: string,
  rule: Rule,
  { sinceMs, untilMs }: { sinceMs: number; untilMs: number },
) {
  const stepMs = stepOf(rule);
  for (let dayStart = sinceMs; dayStart < untilMs; dayStart += dayMs) {
    const steps = Math.min(dayMs, untilMs - dayStart) / stepMs;
    const past = {
      firstMs: dayStart + stepMs,
      stepMs,
      windowMs: rule.window_minutes * minuteMs,
      steps,
    };
    const ask = askOf(rule);
    const answers = await valuesInPast(reader, {
      project_id,
      ask,
      seriesMax: seriesAsked(steps),
      past,
    });
    for (const [step, values] of answers.entries()) {
      yield { at: past.firstMs + step * stepMs, values };
    }
  }
}

export const naiveKinds = ["mean and 3 deviations", "the week's extreme"] as const;
export type NaiveKind = (typeof naiveKinds)[number];

/** The rule with a fixed threshold that is taken from the values of an earlier time. */
export async function naive(
  reader: Reader,
  project_id: string,
  rule: Rule,
  kind: NaiveKind,
  before: { sinceMs: number; untilMs: number },
): Promise<Rule> {
  if (rule.baseline === undefined) return rule;
  const found: number[] = [];
  for await (const { values } of looks(reader, project_id, rule, before)) {
    for (const { value, requests } of values.values) {
      if (value !== null && requests >= rule.min_requests) found.push(value);
    }
  }
  const mean = found.reduce((sum, value) => sum + value, 0) / found.length;
  const square = found.reduce((sum, value) => sum + (value - mean) ** 2, 0) / found.length;
  const isUp = rule.operator === ">";
  const critical = kind === "mean and 3 deviations"
    ? mean + (isUp ? 3 : -3) * Math.sqrt(square)
    : found.reduce((one, other) => isUp ? Math.max(one, other) : Math.min(one, other), mean);
  const { name, metric, group_by, window_minutes, operator, min_requests } = rule;
  return ruleSchema.parse({
    name,
    metric,
    ...group_by === undefined ? {} : { group_by },
    window_minutes,
    operator,
    min_requests,
    critical,
  });
}
