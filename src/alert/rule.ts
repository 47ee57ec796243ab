// What a rule may say: the one schema for the API, for files of rules and for what is stored.
import { z } from "zod";
import { eventTypes, statuses } from "../event.ts";
import { limits } from "../limits.ts";

export const ruleBounds = {
  nameCharactersMax: 200,
  textCharactersMax: 4000,
  sqlCharactersMax: 20_000,
  windowMinutesMax: 30 * 24 * 60,
  durationMinutesMax: 7 * 24 * 60,
  channelsMax: 20,
  filterValuesMax: 100,
  muteWindowsMax: 20,
  stepsMax: 30,
  actionsMax: 10,
  labelsMax: 30,
  /** Series of one rule that are followed; the furthest beyond the threshold come first. */
  seriesMax: 1000,
} as const;

/** Those of /api/metrics, and the largest call. */
export const alertMetrics = [
  "requests",
  "errors",
  "error_rate",
  "tokens_input",
  "tokens_output",
  "tokens_total",
  "tokens_call_max",
  "cost_usd",
  "unpriced",
  "latency_avg_ms",
  "latency_p50_ms",
  "latency_p95_ms",
  "latency_p99_ms",
  "ttft_p50_ms",
] as const;

/** As in src/query, which stands above this folder; a test holds the lists together. */
export const ruleFilterFields = [
  "event_type",
  "status",
  "model",
  "provider",
  "user_id",
  "run_id",
  "session_id",
  "tag",
  "release",
  "env",
  "name",
  "tool_name",
  "service",
  "agent_name",
] as const;
export type RuleFilterField = (typeof ruleFilterFields)[number];

export const ruleGroupings = [
  "model",
  "provider",
  "env",
  "release",
  "user_id",
  "name",
  "tag",
  "event_type",
  "status",
  "tool_name",
  "service",
  "agent_name",
] as const;

export const operators = [">", ">=", "<", "<="] as const;
export type Operator = (typeof operators)[number];

export const levels = ["warning", "critical"] as const;
export type Level = (typeof levels)[number];

const text = (max: number) => z.string().max(max);
const minutes = z.number().min(0).max(ruleBounds.durationMinutesMax);
const known: Partial<Record<RuleFilterField, readonly string[]>> = {
  event_type: eventTypes,
  status: statuses,
};

const filterValue = (field: RuleFilterField) => {
  const values = known[field];
  const one = values === undefined
    ? z.string().min(1).max(limits.labelCharactersMax)
    : z.enum(values as [string, ...string[]]);
  return z.union([one, z.array(one).min(1).max(ruleBounds.filterValuesMax)]).optional();
};

const filter = z.strictObject(
  Object.fromEntries(ruleFilterFields.map((field) => [field, filterValue(field)])) as Record<
    RuleFilterField,
    ReturnType<typeof filterValue>
  >,
).describe("A value, or a list of which any will do, for each field.");

const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$|^24:00$/, "a time such as 09:30");

const timezone = z.string().max(64).refine(isTimezone, "a name such as Europe/Berlin");

const muteWindow = z.strictObject({
  days: z.array(z.enum(["mon", "tue", "wed", "thu", "fri", "sat", "sun"])).min(1).max(7).optional()
    .describe("Every day when left out; a window past midnight belongs to the day it begins on."),
  from: clockTime,
  until: clockTime,
  timezone: timezone.default("UTC"),
}).describe("Nobody is told in it; what still fires at its end is told then.");
export type MuteWindow = z.infer<typeof muteWindow>;

const action = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("mute"),
    label: text(80).optional(),
    minutes: z.number().min(1).max(ruleBounds.durationMinutesMax),
  }),
  z.strictObject({ type: z.literal("resolve"), label: text(80).optional() }),
  z.strictObject({
    type: z.literal("page"),
    label: text(80).optional(),
    channel: z.string().max(limits.idCharactersMax).describe("Channel that is told once more."),
  }),
  z.strictObject({
    type: z.literal("webhook"),
    label: text(80).optional(),
    channel: z.string().max(limits.idCharactersMax).describe("A webhook channel to call."),
  }),
]);
export type RunbookAction = z.infer<typeof action>;

export const ruleShape = {
  name: z.string().min(1).max(ruleBounds.nameCharactersMax),
  description: text(ruleBounds.textCharactersMax).optional(),
  enabled: z.boolean().default(true),
  metric: z.enum(alertMetrics).optional().describe("As in /api/metrics. This or `sql`."),
  filter: filter.optional(),
  group_by: z.enum(ruleGroupings).optional().describe("Each value is watched for itself."),
  sql: z.string().min(1).max(ruleBounds.sqlCharactersMax).optional().describe(
    "A SELECT over `events`. Each row is a series: its column `value` is held against the " +
      "thresholds, the others name it. Without thresholds every row fires. $since and $until " +
      "stand for the ends of the window.",
  ),
  window_minutes: z.number().min(1).max(ruleBounds.windowMinutesMax).default(5),
  delay_seconds: z.number().min(0).max(3600).default(0)
    .describe("How long the window's end stays behind the clock, for events that come late."),
  operator: z.enum(operators).default(">"),
  warning: z.number().optional(),
  critical: z.number().optional(),
  recovery: z.number().optional()
    .describe(
      "What fires goes on until the value is back at this. The lower threshold if not set.",
    ),
  baseline: z.strictObject({
    days: z.int().min(2).max(28).default(7).describe("Earlier days whose same hour is looked at."),
    min_change: z.number().min(0).max(100).default(0.3)
      .describe("Share of the usual value that the value must differ by."),
    timezone: timezone.default("UTC")
      .describe("Where weekends are told from working days, which are compared with their like."),
  }).optional().describe(
    "Compares with the same hour of earlier days: thresholds then count robust deviations from " +
      "the usual value, such as 6.",
  ),
  min_requests: z.int().min(0).max(1_000_000_000).default(0)
    .describe("A window, or group, with fewer events says nothing."),
  for_minutes: minutes.default(0).describe("How long it must hold before it fires."),
  keep_firing_minutes: minutes.default(0).describe("How long it must be well before it resolves."),
  no_data: z.enum(["keep", "resolve", "alert"]).default("keep").describe(
    "When the value is not known: stay as it is (at most an hour, or four windows), resolve, or fire.",
  ),
  channels: z.array(z.string().max(limits.idCharactersMax)).max(ruleBounds.channelsMax).default([]),
  notify_resolved: z.boolean().default(true),
  repeat_minutes: z.number().min(0).max(30 * 24 * 60).default(240)
    .describe("What still fires is told again after so long; 0 is never."),
  group_interval_minutes: minutes.default(0)
    .describe("Further groups that begin or end are told together, at most this often."),
  mute: z.array(muteWindow).max(ruleBounds.muteWindowsMax).default([]),
  snoozed_until: z.iso.datetime({ offset: true }).nullable().default(null)
    .describe("Nobody is told before."),
  labels: z.record(z.string().min(1).max(100), text(500)).default({})
    .refine((labels) => Object.keys(labels).length <= ruleBounds.labelsMax, "30 labels at most")
    .describe("Sent with every notification."),
  runbook: z.strictObject({
    url: z.url({ protocol: /^https?$/ }).max(2000).optional(),
    steps: z.array(text(ruleBounds.textCharactersMax)).max(ruleBounds.stepsMax).default([]),
    actions: z.array(action).max(ruleBounds.actionsMax).default([]),
  }).optional(),
};

const unchecked = z.object(ruleShape);

/** What a schema of fields cannot say. */
export function checkRule(
  rule: z.infer<typeof unchecked>,
  context: z.core.$RefinementCtx<unknown>,
): void {
  const wrong = (path: keyof typeof ruleShape, message: string) =>
    context.addIssue({ code: "custom", path: [path], message });
  if ((rule.metric === undefined) === (rule.sql === undefined)) {
    wrong("metric", "name either a metric or sql");
  }
  if (rule.sql !== undefined) {
    for (const name of ["filter", "group_by", "baseline"] as const) {
      if (rule[name] !== undefined) wrong(name, "an sql rule says this in its sql");
    }
  }
  const lowest = rule.warning ?? rule.critical;
  if (lowest === undefined && rule.sql === undefined) {
    wrong("critical", "a threshold is needed: warning, critical or both");
  }
  const { warning, critical, recovery } = rule;
  // With a baseline they count deviations: more of them is further out, upwards and downwards.
  const operator = rule.baseline === undefined ? rule.operator : ">";
  if (rule.baseline !== undefined && lowest !== undefined && lowest <= 0) {
    wrong(rule.warning === undefined ? "critical" : "warning", "deviations are more than 0");
  }
  if (warning !== undefined && critical !== undefined && warning !== critical) {
    if (!beyond(critical, operator, warning)) {
      wrong("warning", `the critical value must be further out than the warning (${operator})`);
    }
  }
  if (recovery === undefined) return;
  if (lowest === undefined) wrong("recovery", "there is no threshold to recover from");
  else if (recovery !== lowest && beyond(recovery, operator, lowest)) {
    wrong("recovery", "must not be beyond the threshold");
  }
}

export const ruleSchema = z.strictObject(ruleShape).superRefine(checkRule);
export type Rule = z.infer<typeof ruleSchema>;

export function beyond(value: number, operator: Operator, threshold: number): boolean {
  switch (operator) {
    case ">":
      return value > threshold;
    case ">=":
      return value >= threshold;
    case "<":
      return value < threshold;
    case "<=":
      return value <= threshold;
  }
}

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** Changes of these make another question of a rule: what fired by the old one is closed. */
const asking = [
  "metric",
  "filter",
  "group_by",
  "sql",
  "window_minutes",
  "operator",
  "baseline",
] as const satisfies readonly (keyof Rule)[];

export function asksTheSame(one: Rule, other: Rule): boolean {
  return asking.every((name) => JSON.stringify(one[name]) === JSON.stringify(other[name]));
}

/** The filter as the questions take it: a list for each field. */
export function filterValues(
  rule: Pick<Rule, "filter">,
): Partial<Record<RuleFilterField, string[]>> {
  const values: Partial<Record<RuleFilterField, string[]>> = {};
  for (const field of ruleFilterFields) {
    const given = rule.filter?.[field];
    if (given !== undefined) values[field] = Array.isArray(given) ? given : [given];
  }
  return values;
}
