// What is remembered of a monitor between two checks.
import { newState, type RuleState } from "../alert/state.ts";
import { type Attempt, type Outcome, outcomeOf, type Problem } from "./check.ts";
import type { Monitor } from "./monitor.ts";

/** What is kept of a check beside its run; nothing of an answer is in it. */
export interface CheckResult {
  /** Of the run too. */
  id: string;
  /** ISO 8601. */
  at: string;
  /** `interrupted`: the server ended while it ran, and nothing is known of it. */
  outcome: Outcome | "interrupted";
  by: "schedule" | "hand";
  problem: Problem | null;
  message: string | null;
  /** Of the last attempt; null when there was no answer. */
  latency_ms: number | null;
  /** Time to the first token of the last attempt; null when it was no stream. */
  first_token_ms: number | null;
  /** Of all attempts; null when none of their costs is known. */
  cost_usd: number | null;
  status: number | null;
  attempts: number;
  assertions: { text: string; holds: boolean | null }[];
  /** What became of its events. */
  stored: "stored" | "sampled_out" | "refused" | null;
}

export interface MonitorState {
  /** When the next check is due. */
  next_at: number | null;
  /** The check under way. */
  running: { id: string; at: number; by: CheckResult["by"] } | null;
  last: CheckResult | null;
  /** Checks in a row that were not right. */
  failures: number;
  /** Since when it is right, or is not. */
  since: number | null;
  alarm: RuleState;
}

export const monitorStatuses = ["ok", "failing", "erroring", "paused", "never_ran"] as const;
export type MonitorStatus = (typeof monitorStatuses)[number];

export function newMonitorState(nextAt: number | null): MonitorState {
  return {
    next_at: nextAt,
    running: null,
    last: null,
    failures: 0,
    since: null,
    alarm: newState(),
  };
}

/** `last` is that of the last check of which something is known. */
export function monitorStatus({ enabled }: Monitor, { last }: MonitorState): MonitorStatus {
  if (!enabled) return "paused";
  return last === null || last.outcome === "interrupted" ? "never_ran" : last.outcome;
}

export function resultOf(
  running: NonNullable<MonitorState["running"]>,
  attempts: readonly Attempt[],
  stored: CheckResult["stored"],
): CheckResult {
  const last = attempts.at(-1)!;
  const costs = attempts.flatMap(({ cost_usd }) => cost_usd === null ? [] : [cost_usd]);
  return {
    id: running.id,
    at: new Date(running.at).toISOString(),
    outcome: outcomeOf(last),
    by: running.by,
    problem: last.problem,
    message: last.message,
    latency_ms: last.status === null ? null : last.latency_ms,
    first_token_ms: last.first_token_ms,
    cost_usd: costs.length === 0 ? null : costs.reduce((sum, cost) => sum + cost, 0),
    status: last.status,
    attempts: attempts.length,
    assertions: last.verdicts.map(({ text, holds }) => ({ text, holds })),
    stored,
  };
}

export function interrupted(running: NonNullable<MonitorState["running"]>): CheckResult {
  return {
    id: running.id,
    at: new Date(running.at).toISOString(),
    outcome: "interrupted",
    by: running.by,
    problem: "stopped",
    message: "The server ended while it ran.",
    latency_ms: null,
    first_token_ms: null,
    cost_usd: null,
    status: null,
    attempts: 0,
    assertions: [],
    stored: null,
  };
}

/** The state after a check; `alarm` is decided apart. */
export function after(state: MonitorState, result: CheckResult): MonitorState {
  const { outcome } = result;
  if (outcome === "interrupted") return { ...state, running: null };
  const isOk = outcome === "ok";
  const wasOk = state.last === null ? null : state.failures === 0;
  return {
    ...state,
    running: null,
    last: result,
    failures: isOk ? 0 : state.failures + 1,
    since: wasOk === isOk ? state.since : Date.parse(result.at),
  };
}
