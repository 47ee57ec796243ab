// What is remembered of a rule between two looks: its series, and the alerts that are open.
import type { Level } from "./rule.ts";

/** Times are milliseconds since 1970. */
export interface Alert {
  id: string;
  labels: Record<string, string>;
  level: Level;
  /** When the last value came, and the threshold that it crossed. Null is no data. */
  value: number | null;
  threshold: number | null;
  /** Usual value, for rules with a baseline. */
  expected: number | null;
  started_at: number;
  fired_at: number;
  resolved_at: number | null;
  resolved_reason: ResolvedReason | null;
  /** What people were told last; null before the first time. */
  told: { level: Level; at: number; count: number } | null;
}

export const resolvedReasons = [
  "recovered",
  "no_data",
  "resolved_by_hand",
  "rule_changed",
  "rule_disabled",
  "rule_deleted",
] as const;
export type ResolvedReason = (typeof resolvedReasons)[number];

export interface Series {
  labels: Record<string, string>;
  /** `closed` was resolved by hand, and fires again only after it has recovered. */
  phase: "ok" | "pending" | "firing" | "closed";
  value: number | null;
  /** When it last had a value. */
  valued_at: number | null;
  /** When it last had an event, for rules that look for too few. */
  seen_at: number;
  breach_since: number | null;
  critical_since: number | null;
  recovered_since: number | null;
  alert: Alert | null;
}

export interface RuleState {
  /** End of the last window that was looked at. */
  evaluated_until: number | null;
  series: Record<string, Series>;
  /** Resolved, and people are yet to be told. */
  ended: Alert[];
  /** When people were last told of a beginning or an end. */
  told_at: number | null;
  health: "unknown" | "ok" | "failing";
  last_error: string | null;
  last_error_at: number | null;
  failures: number;
  /** How long the last question took; shared questions count for each rule. */
  took_ms: number | null;
  /** There were more groups than are followed. */
  truncated: boolean;
}

export function newState(): RuleState {
  return {
    evaluated_until: null,
    series: {},
    ended: [],
    told_at: null,
    health: "unknown",
    last_error: null,
    last_error_at: null,
    failures: 0,
    took_ms: null,
    truncated: false,
  };
}

/** The same for the same labels, in whatever order. */
export function seriesKey(labels: Record<string, string>): string {
  const entries = Object.entries(labels).toSorted(([a], [b]) => a < b ? -1 : a > b ? 1 : 0);
  return entries.length === 0 ? "" : JSON.stringify(entries);
}

/** Short, stable and unlike any other: of what makes a thing what it is. */
export function keyOf(prefix: string, ...parts: (string | number)[]): string {
  const hash = new Bun.CryptoHasher("sha256").update(JSON.stringify(parts)).digest("hex");
  return `${prefix}_${hash.slice(0, 24)}`;
}
