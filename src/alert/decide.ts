// One look at a rule: values → what is pending, what fires, what has ended. Prometheus's semantics:
// pending for `for_minutes`, then firing, then resolved; with hysteresis, and null as no data.
import { type Level, type Rule, ruleBounds } from "./rule.ts";
import { judge, type Judged } from "./spike.ts";
import {
  type Alert,
  keyOf,
  type ResolvedReason,
  type RuleState,
  type Series,
  seriesKey,
} from "./state.ts";

/** The value of one series in a window. */
export interface Point {
  labels: Record<string, string>;
  /** Null when it is not known. */
  value: number | null;
  /** Events that it was made of; null when nobody counts them, as in SQL. */
  requests: number | null;
  /**
   * Values of the same hour of earlier days, a list a day, for rules with a baseline. Of several such
   * the one counts by which the value is the most usual.
   */
  baseline?: readonly (readonly (readonly number[])[])[];
}

export interface Look {
  /** End of the window. */
  at: number;
  points: readonly Point[];
  truncated?: boolean;
}

const minuteMs = 60_000;
/** Without data, what fires is kept for this long, or for four windows. */
const keptMsMin = 60 * minuteMs;
const keptWindows = 4;
/** A group that has had no event for so long is not missed any more. */
const rememberedMs = 24 * 60 * minuteMs;

/** `state` is changed in place; the alerts that began, changed or ended. */
export function decide(id: string, rule: Rule, state: RuleState, look: Look): Alert[] {
  const { at } = look;
  const changed: Alert[] = [];
  const seen = new Set<string>();
  for (const point of look.points.slice(0, ruleBounds.seriesMax)) {
    const key = seriesKey(point.labels);
    seen.add(key);
    const series = state.series[key] ?? newSeries(point.labels);
    const enough = point.requests === null || point.requests >= rule.min_requests;
    const judged = enough ? judge(rule, point) : null;
    step(id, rule, key, series, at, judged, state, changed);
    keep(rule, state, key, series, at);
  }
  for (const [key, series] of Object.entries(state.series)) {
    if (seen.has(key)) continue;
    // It is one of those that there was no room for: nothing is known of it.
    if (look.truncated === true && series.phase === "firing") continue;
    step(id, rule, key, series, at, withoutPoint(rule, series), state, changed);
    keep(rule, state, key, series, at);
  }
  state.evaluated_until = at;
  state.truncated = look.truncated ?? false;
  return changed;
}

function newSeries(labels: Record<string, string>): Series {
  return {
    labels,
    phase: "ok",
    value: null,
    valued_at: null,
    seen_at: 0,
    breach_since: null,
    critical_since: null,
    recovered_since: null,
    alert: null,
  };
}

/** A series that was there, and is not in the answer. */
function withoutPoint(rule: Rule, { labels }: Series): Judged | null {
  // The query says what is wrong: a row that is gone is well again.
  if (rule.sql !== undefined) {
    return { value: 0, level: null, recovered: true, threshold: null, expected: null };
  }
  return isCount(rule) ? judge(rule, { labels, value: 0, requests: 0 }) : null;
}

/** Nothing of them is none of them; of other metrics it is no data. */
function isCount({ metric }: Rule): boolean {
  return metric === "requests" || metric === "errors" || metric === "unpriced";
}

/**
 * What is well needs no memory: a rule by user would hold every user that ever was. But a rule that
 * looks for too few has to remember what there was.
 */
function keep(rule: Rule, state: RuleState, key: string, series: Series, at: number): void {
  const looksForLess = rule.operator === "<" || rule.operator === "<=";
  const isAwaited = isCount(rule) && looksForLess && series.value !== null && series.value > 0;
  if (isAwaited) series.seen_at = at;
  const isRemembered = isCount(rule) && looksForLess && at - series.seen_at < rememberedMs;
  if (series.phase !== "ok" || key === "" || isRemembered) state.series[key] = series;
  else delete state.series[key];
}

function step(
  id: string,
  rule: Rule,
  key: string,
  series: Series,
  at: number,
  judged: Judged | null,
  state: RuleState,
  changed: Alert[],
): void {
  series.value = judged?.value ?? null;
  if (judged !== null) series.valued_at = at;
  const verdict = judged ?? withoutData(rule, series, at);
  if (verdict === "keep") return;
  if (verdict === "resolve") {
    end(series, at, "no_data", state, changed);
    return;
  }
  if (series.phase === "firing") whileFiring(rule, series, at, verdict, state, changed);
  else whileQuiet(id, rule, key, series, at, verdict, changed);
}

function withoutData(rule: Rule, series: Series, at: number): Judged | "keep" | "resolve" {
  switch (rule.no_data) {
    case "alert":
      return {
        value: null,
        level: rule.critical === undefined && rule.warning !== undefined ? "warning" : "critical",
        recovered: false,
        threshold: null,
        expected: null,
      };
    case "resolve":
      return "resolve";
    case "keep": {
      const keptMs = Math.max(keptMsMin, keptWindows * rule.window_minutes * minuteMs);
      const since = series.valued_at ?? at;
      return at - since > keptMs ? "resolve" : "keep";
    }
  }
}

function whileQuiet(
  id: string,
  rule: Rule,
  key: string,
  series: Series,
  at: number,
  judged: Judged,
  changed: Alert[],
): void {
  if (series.phase === "closed") {
    if (judged.recovered) reset(series);
    return;
  }
  if (judged.level === null) {
    reset(series);
    return;
  }
  series.phase = "pending";
  series.breach_since ??= at;
  series.critical_since = judged.level === "critical" ? series.critical_since ?? at : null;
  const level = heldLevel(rule, series, at);
  if (level === null) return;
  series.phase = "firing";
  series.recovered_since = null;
  series.alert = {
    id: keyOf("al", id, key, at),
    labels: series.labels,
    level,
    value: judged.value,
    threshold: judged.threshold,
    expected: judged.expected,
    started_at: series.breach_since,
    fired_at: at,
    resolved_at: null,
    resolved_reason: null,
    told: null,
  };
  changed.push(series.alert);
}

/** The highest level that has held for long enough; null when none has. */
function heldLevel(rule: Rule, series: Series, at: number): Level | null {
  const heldMs = rule.for_minutes * minuteMs;
  const { breach_since, critical_since } = series;
  if (critical_since !== null && at - critical_since >= heldMs) return "critical";
  if (breach_since === null || at - breach_since < heldMs) return null;
  // The level below has held all the while; with one level alone there is none below.
  return critical_since !== null && rule.warning === undefined ? null : "warning";
}

function whileFiring(
  rule: Rule,
  series: Series,
  at: number,
  judged: Judged,
  state: RuleState,
  changed: Alert[],
): void {
  const alert = series.alert!;
  if (judged.recovered) {
    series.recovered_since ??= at;
    if (at - series.recovered_since >= rule.keep_firing_minutes * minuteMs) {
      alert.value = judged.value;
      end(series, at, "recovered", state, changed);
    }
    return;
  }
  series.recovered_since = null;
  alert.value = judged.value;
  if (judged.level === null) return;
  alert.threshold = judged.threshold;
  alert.expected = judged.expected;
  series.critical_since = judged.level === "critical" ? series.critical_since ?? at : null;
  // A level is never lowered while it fires: going to and fro would be told each time.
  if (alert.level === "warning" && heldLevel(rule, series, at) === "critical") {
    alert.level = "critical";
    changed.push(alert);
  }
}

function end(
  series: Series,
  at: number,
  reason: ResolvedReason,
  state: RuleState,
  changed: Alert[],
): void {
  const { alert } = series;
  if (alert !== null) {
    alert.resolved_at = at;
    alert.resolved_reason = reason;
    changed.push(alert);
    if (alert.told !== null) state.ended.push(alert);
  }
  reset(series);
}

function reset(series: Series): void {
  series.phase = "ok";
  series.breach_since = null;
  series.critical_since = null;
  series.recovered_since = null;
  series.alert = null;
}

/** Ends every alert of a rule; for one that was deleted, disabled or asks something else now. */
export function endAll(state: RuleState, at: number, reason: ResolvedReason): Alert[] {
  const changed: Alert[] = [];
  for (const series of Object.values(state.series)) end(series, at, reason, state, changed);
  state.series = {};
  return changed;
}

/** Null when there is no such open alert. */
export function endByHand(state: RuleState, alertId: string, at: number): Alert | null {
  for (const series of Object.values(state.series)) {
    if (series.alert?.id !== alertId) continue;
    const changed: Alert[] = [];
    end(series, at, "resolved_by_hand", state, changed);
    series.phase = "closed";
    return changed[0] ?? null;
  }
  return null;
}
