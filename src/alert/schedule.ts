// Which windows of a rule are to be looked at now: the one that ends now, and those that were missed.
import type { Rule } from "./rule.ts";
import type { RuleState } from "./state.ts";

export type Due =
  | { kind: "not_yet" }
  | { kind: "now"; at: number }
  /** Windows of the past, the last of which ends now. */
  | { kind: "past"; firstMs: number; stepMs: number; steps: number; isCut: boolean }
  /** The clock went back by more than it may. */
  | { kind: "set_back"; at: number };

const minuteMs = 60_000;
/** Shorter absences are not looked back on when the window reaches over them. */
const absenceMsMin = 90_000;
/** A clock that is corrected by less than this is waited for. */
const setBackMsMax = 120_000;
const stepsMax = 10_080;
const stepsWanted = 200;

export function dueOf(
  rule: Pick<Rule, "window_minutes" | "delay_seconds">,
  state: Pick<RuleState, "evaluated_until">,
  nowMs: number,
  intervalMs: number,
  /** How long the rule's question was made to rest: that is no absence. */
  restMs = 0,
): Due {
  const at = nowMs - rule.delay_seconds * 1000;
  const last = state.evaluated_until;
  if (last === null) return { kind: "now", at };
  if (at <= last) return last - at > setBackMsMax ? { kind: "set_back", at } : { kind: "not_yet" };
  const windowMs = rule.window_minutes * minuteMs;
  const gapMs = at - last;
  const absenceMs = Math.max(3 * intervalMs, absenceMsMin, 2 * restMs + intervalMs);
  if (gapMs <= Math.min(windowMs, absenceMs)) return { kind: "now", at };
  // Steps no wider than the window: every event of the gap lies in one of them.
  const stepMs = Math.min(windowMs, Math.max(intervalMs, Math.ceil(gapMs / stepsWanted)));
  const steps = Math.min(Math.ceil(gapMs / stepMs), stepsMax);
  return {
    kind: "past",
    firstMs: at - (steps - 1) * stepMs,
    stepMs,
    steps,
    isCut: steps * stepMs < gapMs,
  };
}

/** The clock was set back: times that lie ahead of it now are moved to it, the state stays. */
export function setBack(state: RuleState, at: number): void {
  const clamp = (time: number | null) => time === null ? null : Math.min(time, at);
  state.evaluated_until = null;
  state.told_at = clamp(state.told_at);
  for (const series of Object.values(state.series)) {
    series.valued_at = clamp(series.valued_at);
    series.breach_since = clamp(series.breach_since);
    series.critical_since = clamp(series.critical_since);
    series.recovered_since = clamp(series.recovered_since);
    const told = series.alert?.told;
    if (told) told.at = Math.min(told.at, at);
  }
}
