// What pages of alerts share: how rules, alerts, channels and deliveries look to the server, and their
// words and numbers.
import { linkTo, path } from "./address.ts";
import { dollars, duration, exact, nothing, percent, short } from "./format.ts";
import { html, type View } from "./html.ts";
import { icon } from "./icons.ts";

export type Level = "warning" | "critical";

export interface RuleFields {
  name: string;
  description?: string;
  enabled: boolean;
  metric?: string;
  filter?: Record<string, string | string[]>;
  group_by?: string;
  sql?: string;
  window_minutes: number;
  delay_seconds: number;
  operator: string;
  warning?: number;
  critical?: number;
  recovery?: number;
  baseline?: { days: number; min_change: number; timezone?: string };
  min_requests: number;
  for_minutes: number;
  keep_firing_minutes: number;
  no_data: "keep" | "resolve" | "alert";
  channels: string[];
  notify_resolved: boolean;
  repeat_minutes: number;
  group_interval_minutes: number;
  mute: { days?: string[]; from: string; until: string; timezone?: string }[];
  snoozed_until: string | null;
  labels: Record<string, string>;
  runbook?: {
    url?: string;
    steps: string[];
    actions: { type: string; label?: string; minutes?: number; channel?: string }[];
  };
}

export interface Rule extends RuleFields {
  id: string;
  project_id: string;
  created_at: string;
  updated_at: string;
  state: {
    status: "disabled" | "unknown" | "no_data" | "ok" | "pending" | "firing";
    value: number | null;
    firing: number;
    pending: number;
    muted: boolean;
    evaluated_until: string | null;
    health: "unknown" | "ok" | "failing";
    last_error: string | null;
    last_error_at: string | null;
    failures: number;
    truncated: boolean;
  };
}

export interface RuleTemplate {
  id: string;
  name: string;
  description: string;
  rule: RuleFields;
}

export interface Alert {
  id: string;
  rule_id: string;
  rule_name: string;
  status: "firing" | "resolved";
  level: Level;
  labels: Record<string, string>;
  value: number | null;
  threshold: number | null;
  expected: number | null;
  started_at: string;
  fired_at: string;
  resolved_at: string | null;
  resolved_reason: string | null;
  notified_at: string | null;
  notifications: number;
}

export interface Backtest {
  since: string;
  until: string;
  step_seconds: number;
  windows: number;
  alerts_total: number;
  notifications: number;
  firing_minutes: number;
  alerts: Pick<
    Alert,
    "labels" | "level" | "value" | "threshold" | "expected" | "fired_at" | "resolved_at"
  >[];
  values: { at: string; value: number | null }[];
}

export interface Channel extends Record<string, unknown> {
  id: string;
  type: string;
  name: string;
  /** Secrets that are set; they are not shown. */
  secrets: string[];
}

export interface ChannelTest {
  delivered: boolean;
  status: number | null;
  error: string | null;
}

export interface Delivery {
  id: string;
  channel_id: string | null;
  channel_name: string;
  channel_type: string;
  rule_id: string;
  kind: string;
  title: string | null;
  status: string;
  attempts: number;
  next_attempt_at: string | null;
  last_error: string | null;
  last_status: number | null;
  created_at: string;
  finished_at: string | null;
}

export const metricWords: Record<string, string> = {
  error_rate: "Error rate",
  errors: "Errors",
  requests: "Events",
  cost_usd: "Cost",
  tokens_total: "Tokens",
  tokens_input: "Input tokens",
  tokens_output: "Output tokens",
  tokens_call_max: "Tokens of the largest call",
  latency_p50_ms: "Latency, median",
  latency_p95_ms: "Latency, 95th percentile",
  latency_p99_ms: "Latency, 99th percentile",
  latency_avg_ms: "Latency, average",
  ttft_p50_ms: "Time to first token, median",
  unpriced: "Calls without a price",
};

/** A value of a rule as people read it: a share as percent, milliseconds as time. */
export function valueText(metric: string | undefined, value: number | null): string {
  if (value === null) return nothing;
  if (metric === "error_rate") return percent(value);
  if (metric === "cost_usd") return dollars(value);
  if (metric?.endsWith("_ms")) return duration(value);
  return Number.isInteger(value)
    ? (metric === undefined ? exact(value) : short(value))
    : String(Number(value.toPrecision(4)));
}

/** "Error rate of env production over 5 min > 5% (critical > 20%)". */
export function ruleText(rule: RuleFields): string {
  const what = rule.metric === undefined ? "Rows of SQL" : metricWords[rule.metric] ?? rule.metric;
  const by = rule.group_by === undefined ? "" : ` by ${rule.group_by.replaceAll("_", " ")}`;
  const of = filterText(rule.filter ?? {});
  const bound = (value: number) =>
    rule.baseline === undefined
      ? `${rule.operator} ${valueText(rule.metric, value)}`
      : `${rule.operator} ${value} deviations from the usual`;
  const { warning, critical } = rule;
  const bounds = warning === undefined && critical === undefined
    ? "whenever there are any"
    : warning === undefined
    ? bound(critical!)
    : critical === undefined
    ? bound(warning)
    : `${bound(warning)} (critical ${bound(critical)})`;
  return `${what}${of}${by} over ${minutesText(rule.window_minutes)} ${bounds}`;
}

function filterText(filter: NonNullable<RuleFields["filter"]>): string {
  const parts = Object.entries(filter).map(([name, value]) =>
    `${name.replaceAll("_", " ")} ${Array.isArray(value) ? value.join(" or ") : value}`
  );
  return parts.length === 0 ? "" : ` of ${parts.join(", ")}`;
}

export function minutesText(minutes: number): string {
  if (minutes >= 2880 && minutes % 1440 === 0) return `${minutes / 1440} d`;
  if (minutes >= 120 && minutes % 60 === 0) return `${minutes / 60} h`;
  return `${minutes} min`;
}

export function labelsText(labels: Record<string, string>): string {
  return Object.entries(labels).map(([name, value]) => `${name.replaceAll("_", " ")} ${value}`)
    .join(", ");
}

export function levelMark(level: Level, isOver = false): View {
  return html`<span class=${`level level-${isOver ? "over" : level}`}>${
    icon(isOver ? "success" : level === "critical" ? "error" : "warning")
  }${isOver ? "resolved" : level}</span>`;
}

const stateMarks = {
  firing: ["error", "firing", "error"],
  pending: ["clock", "pending", "timeout"],
  ok: ["success", "ok", "success"],
  no_data: ["warning", "no data", "timeout"],
  unknown: ["clock", "not looked at yet", "paused"],
  disabled: ["pause", "off", "paused"],
} as const;

export function ruleMark(status: Rule["state"]["status"]): View {
  const [sign, word, look] = stateMarks[status];
  return html`<span class=${`status status-${look}`}>${icon(sign)}${word}</span>`;
}

export function ruleLink(id: string): string {
  return linkTo(`/alerts/rules/${encodeURIComponent(id)}`);
}

const tabs = [
  ["/alerts", "Alerts"],
  ["/alerts/rules", "Rules"],
  ["/alerts/channels", "Channels"],
  ["/alerts/deliveries", "Deliveries"],
] as const;

export function AlertTabs(): View {
  return html`
    <div class="tabs" role="tablist" aria-label="Alerts">${tabs.map(([place, word]) =>
      html`<a key=${place} role="tab" href=${linkTo(place)} aria-selected=${
        path.value === place
      }>${word}</a>`
    )}</div>
  `;
}
