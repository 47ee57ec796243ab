// What people read: a notice of a rule in words, in the manner of an issue tracker: what, where, how
// much, since when.
import { type Level, levels, type Rule } from "../alert/rule.ts";
import type { Alert, ResolvedReason } from "../alert/state.ts";
import type { Notice } from "../alert/tell.ts";
import { type Notification, numberText, type ToldAlert } from "./channel.ts";

/** Alerts that one notification names. */
const alertsToldMax = 50;

const metricNames: Record<string, string> = {
  requests: "Requests",
  errors: "Errors",
  error_rate: "Error rate",
  tokens_input: "Input tokens",
  tokens_output: "Output tokens",
  tokens_total: "Tokens",
  tokens_call_max: "Tokens of the largest call",
  cost_usd: "Cost",
  unpriced: "Calls without a price",
  latency_avg_ms: "Average latency",
  latency_p50_ms: "Median latency",
  latency_p95_ms: "p95 latency",
  latency_p99_ms: "p99 latency",
  ttft_p50_ms: "Median time to first token",
};

const reasons: Record<ResolvedReason, string> = {
  recovered: "is back to normal",
  no_data: "has no data any more",
  resolved_by_hand: "was resolved by hand",
  rule_changed: "ended: its rule asks something else now",
  rule_disabled: "ended: its rule is disabled",
  rule_deleted: "ended: its rule was deleted",
};

export interface Told {
  id: string;
  project_id: string;
  rule_id: string;
  rule: Rule;
}

export function notificationOf(
  { id, project_id, rule_id, rule }: Told,
  notice: Omit<Notice, "kind"> & { kind: Notification["kind"] },
): Notification {
  const told = notice.alerts.slice(0, alertsToldMax).map((alert) => toldAlert(rule, alert));
  const [first] = told;
  const more = notice.alerts.length - 1;
  return {
    id,
    kind: notice.kind,
    at: new Date(notice.at).toISOString(),
    project_id,
    rule: {
      id: rule_id,
      name: rule.name,
      description: rule.description ?? null,
      metric: rule.metric ?? null,
      window_minutes: rule.window_minutes,
      labels: rule.labels,
      runbook: {
        url: rule.runbook?.url ?? null,
        steps: rule.runbook?.steps ?? [],
        actions: rule.runbook?.actions ?? [],
      },
    },
    level: highest(notice.alerts),
    title: titleOf(rule, notice.kind, notice.alerts),
    text: (first?.text ?? "") + (more > 0 ? ` And ${more} more.` : ""),
    alerts: told,
    alerts_total: notice.alerts.length,
  };
}

function highest(alerts: readonly Alert[]): Level {
  return levels.findLast((level) => alerts.some((alert) => alert.level === level)) ?? "warning";
}

function titleOf(rule: Rule, kind: Notification["kind"], alerts: readonly Alert[]): string {
  const level = highest(alerts);
  const word = {
    firing: level === "critical" ? "Critical" : "Warning",
    escalated: "Now critical",
    reminder: `Still ${level}`,
    resolved: "Resolved",
    test: "Test",
    page: "Paged",
  }[kind];
  const [first] = alerts;
  const where = first === undefined ? "" : labelsText(first.labels);
  const more = alerts.length > 1 ? ` and ${alerts.length - 1} more` : "";
  return `${word}: ${rule.name}${where === "" ? "" : ` (${where}${more})`}`;
}

function toldAlert(rule: Rule, alert: Alert): ToldAlert {
  const { id, labels, level, value, threshold, expected, resolved_reason } = alert;
  const iso = (ms: number) => new Date(ms).toISOString();
  return {
    id,
    labels,
    level,
    value,
    threshold,
    expected,
    started_at: iso(alert.started_at),
    fired_at: iso(alert.fired_at),
    resolved_at: alert.resolved_at === null ? null : iso(alert.resolved_at),
    resolved_reason,
    text: sentenceOf(rule, alert),
  };
}

/** "Error rate for env production is 12 % over 5 minutes; the critical threshold is 5 %." */
export function sentenceOf(rule: Rule, alert: Alert): string {
  const subject = subjectOf(rule, alert.labels);
  if (alert.resolved_reason !== null) {
    const since = new Date(alert.started_at).toISOString();
    return `${subject} ${reasons[alert.resolved_reason]}; it began at ${since}.`;
  }
  const value = valueText(rule.metric, alert.value);
  const over = rule.metric === undefined ? "" : ` over ${durationText(rule.window_minutes)}`;
  if (alert.value === null) return `${subject} has no data${over}.`;
  const limit = alert.threshold === null
    ? ""
    : `; the ${alert.level} threshold is ${valueText(rule.metric, alert.threshold)}`;
  const usual = alert.expected === null
    ? ""
    : `, usual is ${valueText(rule.metric, alert.expected)}`;
  return `${subject} is ${value}${over}${limit}${usual}.`;
}

function subjectOf(rule: Rule, labels: Record<string, string>): string {
  const name = rule.metric === undefined ? "The query's value" : metricNames[rule.metric]!;
  const filter = Object.entries(rule.filter ?? {}).map(([field, value]) =>
    `${field} ${Array.isArray(value) ? value.join(" or ") : value}`
  );
  const parts = [...filter, labelsText(labels)].filter((part) => part !== "");
  return parts.length === 0 ? name : `${name} for ${parts.join(", ")}`;
}

/** What events say of themselves does not begin lines of ours. */
function oneLine(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replaceAll(/[\x00-\x1f\x7f\u2028\u2029]+/g, " ");
}

export function labelsText(labels: Record<string, string>): string {
  return Object.entries(labels).map(([name, value]) => `${name} ${oneLine(value) || "(none)"}`)
    .join(", ");
}

export function valueText(metric: string | undefined, value: number | null): string {
  if (value === null) return "no data";
  if (metric === "error_rate") return `${numberText(Number((value * 100).toPrecision(4)))} %`;
  if (metric === "cost_usd") return `$${numberText(value)}`;
  return metric?.endsWith("_ms") ? `${numberText(value)} ms` : numberText(value);
}

function durationText(minutes: number): string {
  if (minutes % 1440 === 0) return minutes === 1440 ? "a day" : `${minutes / 1440} days`;
  if (minutes % 60 === 0) return minutes === 60 ? "an hour" : `${minutes / 60} hours`;
  return minutes === 1 ? "a minute" : `${minutes} minutes`;
}

/** Alerts that a message for people spells out. */
const alertsSpeltMax = 10;

/** What a chat or a mail says below the title: alerts, then what to do. */
export function bodyLines({ text, alerts, alerts_total, rule }: Notification): string[] {
  const shown = alerts.slice(0, alertsSpeltMax).map((alert) => alert.text);
  const lines = shown.length === 0 ? [text] : shown;
  const more = alerts_total - shown.length;
  if (shown.length > 0 && more > 0) lines.push(`And ${more} more.`);
  if (rule.description !== null) lines.push(rule.description);
  rule.runbook.steps.forEach((step, at) => lines.push(`${at + 1}. ${step}`));
  if (rule.runbook.url !== null) lines.push(`Runbook: ${rule.runbook.url}`);
  return lines;
}

/** Names and values that say where it comes from. */
export function facts({ project_id, rule, level, kind, at }: Notification): [string, string][] {
  return [
    ["Project", project_id],
    ["Rule", rule.name],
    ["Level", kind === "resolved" ? "resolved" : level],
    ["Time", at],
    ...Object.entries(rule.labels),
  ];
}

export function cut(text: string, charactersMax: number): string {
  return text.length <= charactersMax ? text : `${text.slice(0, charactersMax - 1)}…`;
}

/** Red, yellow, green, grey. */
export function colourOf({ kind, level }: Notification): string {
  if (kind === "resolved") return "#2e8b57";
  if (kind === "test") return "#6b7280";
  return level === "critical" ? "#d1242f" : "#d4a72c";
}
