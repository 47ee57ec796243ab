// What questions must answer, computed the plain way from the events that were sent; and random events.
import fc from "fast-check";
import type { Filter, FilterField } from "../../src/query/filter.ts";
import type { Grouping, Measures } from "../../src/query/metrics.ts";

/** An event as it is sent; text fields are strings, so that their first words are themselves. */
export interface Sent {
  event_id: string;
  event_type: string;
  timestamp: string;
  status: string;
  run_id: string;
  tool_name: string;
  parent_span_id?: string;
  name?: string;
  model?: string;
  provider?: string;
  user_id?: string;
  session_id?: string;
  release?: string;
  env?: string;
  service?: string;
  agent_name?: string;
  tags?: string[];
  tokens_input?: number;
  tokens_output?: number;
  cost_estimate_usd?: number;
  cost_reported_usd?: number;
  latency_ms?: number;
  time_to_first_token_ms?: number;
  prompt?: string;
  response?: string;
}

const base = Date.UTC(2026, 0, 31, 22);
/** Few times, so that many events share one; on the edges of minutes, hours and days too. */
const offsetsUs = [0, 0, 1, 999_999, 59_999_999, 60_000_000, 3_599_999_999, 7_200_000_000, 9e10];

export function timeAt(offsetUs: number): string {
  const micros = String(offsetUs % 1000).padStart(3, "0");
  return new Date(base + Math.floor(offsetUs / 1000)).toISOString().replace("Z", `${micros}Z`);
}

/** Text in which a careless search would find too much, or nothing. */
const words = ["100%", "a_b", "axb", "it's", 'say "hi"', "ÄPFEL", "\\d+", "", "Plain words", "$q"];

const some = <T>(...values: T[]) => fc.option(fc.constantFrom(...values), { nil: undefined });
const amount = (max: number) =>
  fc.option(fc.integer({ min: 0, max }).map((n) => n / 4), { nil: undefined });
const tokens = fc.option(fc.integer({ min: 0, max: 30 }), { nil: undefined });

const sent = fc.record({
  event_type: fc.constantFrom("prompt_call", "tool_call", "span", "agent_step"),
  timestamp: fc.constantFrom(...offsetsUs).map(timeAt),
  status: fc.constantFrom("success", "success", "error", "timeout", "assertion_failed", "warning"),
  run_id: fc.constantFrom("r1", "r2", "r3", "r'4"),
  tool_name: fc.constantFrom("search", "calc"),
  parent_span_id: some("s1"),
  name: some("", "plan", "answer"),
  model: some("gpt-x", "claude-y", "a,b"),
  provider: some("p1", "p2"),
  user_id: some("u1", "u2"),
  session_id: some("s1", "s2"),
  release: some("1.0"),
  env: some("prod", "dev"),
  tags: some<string[]>([], ["a"], ["b", "a"], ["a", "a"], ["c"]),
  tokens_input: tokens,
  tokens_output: tokens,
  cost_estimate_usd: amount(9),
  cost_reported_usd: amount(9),
  latency_ms: amount(4000),
  time_to_first_token_ms: amount(400),
  prompt: some(...words),
  response: some(...words),
});

export const someEvents: fc.Arbitrary<Sent[]> = fc.array(sent, { minLength: 0, maxLength: 60 })
  .map((events) => events.map((event, at) => withoutUndefined({ ...event, event_id: idOf(at) })));

/** Neither the order of sending nor that of time. */
function idOf(at: number): string {
  return `e${String((at * 37) % 101).padStart(3, "0")}-${at}`;
}

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T;
}

const value = (name: FilterField, ...values: string[]) =>
  fc.option(fc.uniqueArray(fc.constantFrom(...values), { minLength: 1 }), {
    nil: undefined,
    freq: 2,
  })
    .map((chosen) => chosen === undefined ? {} : { [name]: chosen });

/** Mostly few conditions, so that something is found. */
export const someFilter: fc.Arbitrary<Omit<Filter, "project_id">> = fc.record({
  since: fc.option(fc.constantFrom(...offsetsUs).map(timeAt), { nil: undefined, freq: 2 }),
  until: fc.option(fc.constantFrom(...offsetsUs).map(timeAt), { nil: undefined, freq: 2 }),
  q: some(...words.filter((word) => word !== ""), "%", "_", "äpfel", "PLAIN", "\\", "hi", "plan"),
  values: fc.oneof(
    fc.constant({}),
    value("model", "gpt-x", "a,b", "unknown"),
    value("tag", "a", "b", "none"),
    value("status", "error", "success"),
    value("event_type", "prompt_call", "span"),
    value("run_id", "r1", "r'4"),
    value("name", "plan", ""),
    value("env", "prod", "dev"),
    value("user_id", "u1", "u2"),
  ),
  // A search on top of the rest leaves little: only in one of three.
  search: fc.constantFrom(true, false, false),
}).map(({ search, q, ...filter }) => withoutUndefined({ ...filter, q: search ? q : undefined }));

export function matches(event: Sent, { since, until, q, values }: Omit<Filter, "project_id">) {
  if (since !== undefined && event.timestamp < since) return false;
  if (until !== undefined && event.timestamp >= until) return false;
  for (const [field, wanted] of Object.entries(values)) {
    const found = field === "tag" ? event.tags ?? [] : [event[field as keyof Sent] as string];
    if (!found.some((one) => wanted.includes(one))) return false;
  }
  return q === undefined || [event.prompt, event.response, event.name, event.tool_name]
    .some((text) => text?.toLowerCase().includes(q.toLowerCase()));
}

export const failed = (event: Sent) =>
  ["error", "timeout", "assertion_failed"].includes(event.status);
export const costOf = (event: Sent) => event.cost_estimate_usd ?? event.cost_reported_usd;
export const tokensOf = (event: Sent) =>
  event.tokens_input === undefined && event.tokens_output === undefined
    ? undefined
    : (event.tokens_input ?? 0) + (event.tokens_output ?? 0);

export function known<T>(values: (T | undefined)[]): T[] {
  return values.filter((value) => value !== undefined);
}

export function sum(values: (number | undefined)[]): number | null {
  const numbers = known(values);
  return numbers.length === 0 ? null : numbers.reduce((total, number) => total + number, 0);
}

/** Between the two nearest of the sorted numbers, in proportion. */
function percentile(values: (number | undefined)[], share: number): number | null {
  const sorted = known(values).sort((a, b) => a - b);
  if (sorted.length === 0) return null;
  const place = (sorted.length - 1) * share;
  const low = sorted[Math.floor(place)]!;
  return low + (sorted[Math.ceil(place)]! - low) * (place - Math.floor(place));
}

export function measuresOf(events: Sent[]): Measures {
  const errors = events.filter(failed).length;
  const latencies = events.map((event) => event.latency_ms);
  const latencySum = sum(latencies);
  return {
    requests: events.length,
    errors,
    error_rate: events.length === 0 ? null : errors / events.length,
    tokens_input: sum(events.map((event) => event.tokens_input)),
    tokens_output: sum(events.map((event) => event.tokens_output)),
    tokens_total: sum(events.map(tokensOf)),
    cost_usd: sum(events.map(costOf)),
    unpriced:
      events.filter((event) =>
        event.event_type === "prompt_call" && tokensOf(event) !== undefined &&
        costOf(event) === undefined
      ).length,
    latency_avg_ms: latencySum === null ? null : latencySum / known(latencies).length,
    latency_p50_ms: percentile(latencies, 0.5),
    latency_p95_ms: percentile(latencies, 0.95),
    latency_p99_ms: percentile(latencies, 0.99),
    ttft_p50_ms: percentile(events.map((event) => event.time_to_first_token_ms), 0.5),
  };
}

/** An event belongs to each of its tags, once. */
export function groupsOf(event: Sent, by: Grouping | null): (string | null)[] {
  if (by === null) return [null];
  if (by !== "tag") return [event[by] ?? null];
  return event.tags === undefined || event.tags.length === 0 ? [null] : [...new Set(event.tags)];
}

/** Smallest first, null last. */
export function compare(a: string | null, b: string | null): number {
  if (a === b) return 0;
  if (a === null) return 1;
  return b === null || a < b ? -1 : 1;
}

/** Numbers without what the order of additions does to their last digits. */
export function rounded<T>(value: T): T {
  return JSON.parse(
    JSON.stringify(value, (_, v) => typeof v === "number" ? Number(v.toFixed(6)) : v),
  );
}
