// A rule as it is typed into the form, and back. Pure.
import type { RuleFields } from "./alert.ts";
import { parseFilter, problemOf, writeFilter } from "./filter.ts";

export interface TypedRule {
  name: string;
  description: string;
  by: "metric" | "sql";
  metric: string;
  filter: string;
  group_by: string;
  sql: string;
  window_minutes: string;
  operator: string;
  warning: string;
  critical: string;
  recovery: string;
  isSpike: boolean;
  baseline_days: string;
  /** Percent. */
  baseline_change: string;
  min_requests: string;
  for_minutes: string;
  keep_firing_minutes: string;
  no_data: RuleFields["no_data"];
  channels: string[];
  repeat_minutes: string;
  group_interval_minutes: string;
  delay_seconds: string;
  notify_resolved: boolean;
  mute: { days: string[]; from: string; until: string; timezone: string }[];
  steps: string;
  url: string;
  actions: RuleAction[];
}

export type RuleAction = NonNullable<RuleFields["runbook"]>["actions"][number];

/** Which field is not right, by its name in the API, and why. */
export interface Wrong {
  field: string | null;
  text: string;
}

/** Something that was typed cannot be read. */
export class Slip extends Error {
  constructor(readonly field: keyof TypedRule, message: string) {
    super(message);
  }
}

/** What a part of the form is given. */
export interface RulePart {
  typed: TypedRule;
  change: (part: Partial<TypedRule>) => void;
  wrong: Wrong | null;
}

/** Metrics of which a share is typed as a percentage. */
export const isShare = (metric: string) => metric === "error_rate";

const shown = (value: number | undefined, scale = 1) =>
  value === undefined ? "" : String(Number((value * scale).toPrecision(12)));

export function typedOf(rule: RuleFields): TypedRule {
  const scale = rule.baseline === undefined && isShare(rule.metric ?? "") ? 100 : 1;
  const values = Object.fromEntries(
    Object.entries(rule.filter ?? {}).map((
      [name, value],
    ) => [name, Array.isArray(value) ? value : [value]]),
  );
  return {
    name: rule.name,
    description: rule.description ?? "",
    by: rule.sql === undefined ? "metric" : "sql",
    metric: rule.metric ?? "error_rate",
    filter: writeFilter({ values, text: "" }),
    group_by: rule.group_by ?? "",
    sql: rule.sql ?? "",
    window_minutes: String(rule.window_minutes),
    operator: rule.operator,
    warning: shown(rule.warning, scale),
    critical: shown(rule.critical, scale),
    recovery: shown(rule.recovery, scale),
    isSpike: rule.baseline !== undefined,
    baseline_days: String(rule.baseline?.days ?? 7),
    baseline_change: shown(rule.baseline?.min_change ?? 0.3, 100),
    min_requests: String(rule.min_requests),
    for_minutes: String(rule.for_minutes),
    keep_firing_minutes: String(rule.keep_firing_minutes),
    no_data: rule.no_data,
    channels: rule.channels,
    repeat_minutes: String(rule.repeat_minutes),
    group_interval_minutes: String(rule.group_interval_minutes),
    delay_seconds: String(rule.delay_seconds),
    notify_resolved: rule.notify_resolved,
    mute: rule.mute.map(({ days = [], from, until, timezone = "UTC" }) => ({
      days,
      from,
      until,
      timezone,
    })),
    steps: (rule.runbook?.steps ?? []).join("\n"),
    url: rule.runbook?.url ?? "",
    actions: rule.runbook?.actions ?? [],
  };
}

/**
 * What is sent; what the form does not show stays as it was. Throws a slip, in words, when something
 * typed cannot be read.
 */
export function fieldsOf(typed: TypedRule, before: RuleFields | null): Record<string, unknown> {
  const isSql = typed.by === "sql";
  const spike = typed.isSpike && !isSql;
  const scale = !isSql && !spike && isShare(typed.metric) ? 100 : 1;
  const threshold = (name: "warning" | "critical" | "recovery") => {
    const text = typed[name].trim();
    return text === "" ? {} : { [name]: numberOf(text, name) / scale };
  };
  const steps = typed.steps.split("\n").map((step) => step.trim()).filter((step) => step !== "");
  const { actions } = typed;
  const url = typed.url.trim();
  return {
    ...kept(before),
    name: typed.name.trim(),
    ...typed.description.trim() === "" ? {} : { description: typed.description.trim() },
    ...isSql ? { sql: typed.sql } : {
      metric: typed.metric,
      ...filterOf(typed.filter),
      ...typed.group_by === "" ? {} : { group_by: typed.group_by },
      ...spike
        ? {
          baseline: {
            ...before?.baseline,
            days: numberOf(typed.baseline_days, "baseline_days"),
            min_change: numberOf(typed.baseline_change, "baseline_change") / 100,
          },
        }
        : {},
    },
    window_minutes: numberOf(typed.window_minutes, "window_minutes"),
    operator: typed.operator,
    ...threshold("warning"),
    ...threshold("critical"),
    ...threshold("recovery"),
    min_requests: numberOf(typed.min_requests, "min_requests"),
    for_minutes: numberOf(typed.for_minutes, "for_minutes"),
    keep_firing_minutes: numberOf(typed.keep_firing_minutes, "keep_firing_minutes"),
    no_data: typed.no_data,
    channels: typed.channels,
    repeat_minutes: numberOf(typed.repeat_minutes, "repeat_minutes"),
    group_interval_minutes: numberOf(typed.group_interval_minutes, "group_interval_minutes"),
    delay_seconds: numberOf(typed.delay_seconds, "delay_seconds"),
    notify_resolved: typed.notify_resolved,
    mute: typed.mute.map(({ days, ...window }) => ({
      ...window,
      ...days.length === 0 ? {} : { days },
    })),
    ...steps.length === 0 && url === "" && actions.length === 0
      ? {}
      : { runbook: { ...url === "" ? {} : { url }, steps, actions } },
  };
}

/** What the form has no place for. */
function kept(before: RuleFields | null): Record<string, unknown> {
  if (before === null) return {};
  const { enabled, snoozed_until, labels } = before;
  return { enabled, snoozed_until, labels };
}

function numberOf(text: string, field: keyof TypedRule): number {
  const value = Number(text.trim());
  if (text.trim() === "" || !Number.isFinite(value)) {
    throw new Slip(field, text.trim() === "" ? "A number is needed." : `"${text}" is no number.`);
  }
  return value;
}

function filterOf(text: string): { filter?: Record<string, string | string[]> } {
  const filter = parseFilter(text);
  const problem = problemOf(filter);
  if (problem !== null) throw new Slip("filter", problem);
  if (filter.text !== "") {
    throw new Slip(
      "filter",
      `"${filter.text}" is not of the form field:value, such as env:production.`,
    );
  }
  const fields = Object.fromEntries(
    Object.entries(filter.values).flatMap(([key, list = []]) =>
      list.length === 0 ? [] : [[key, list.length === 1 ? list[0]! : list]]
    ),
  );
  return Object.keys(fields).length === 0 ? {} : { filter: fields };
}

/** Of the thresholds, behind their names. */
export function unitOf({ by, metric, isSpike }: TypedRule): string {
  if (by === "sql") return "";
  if (isSpike) return ", deviations";
  if (isShare(metric)) return ", %";
  if (metric === "cost_usd") return ", US dollars";
  if (metric.endsWith("_ms")) return ", ms";
  return "";
}
