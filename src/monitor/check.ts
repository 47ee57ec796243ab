// One check of a monitor: attempts until one is right or there are no more, each judged.
import { type Answer, judge, type Verdict } from "./assertion.ts";
import { exchange, type Exchanged, type ExchangeOptions } from "./exchange.ts";
import type { Asked, Read } from "./kind.ts";
import { kinds, providerOf } from "./kinds.ts";
import type { Monitor, Secrets } from "./monitor.ts";

/** Why an attempt is not right; the list is closed. The first could not be run at all. */
export const erring = ["address_refused", "unreachable", "timeout", "tls", "no_secret"] as const;
export const failing = [
  "answered_error",
  "redirected",
  "unreadable_answer",
  "answer_too_large",
  "broken_answer",
  "assertion_failed",
] as const;
export type Problem = (typeof erring)[number] | (typeof failing)[number] | "stopped";

export type Outcome = "ok" | "failing" | "erroring";

export interface Attempt {
  /** Milliseconds since 1970. */
  at: number;
  latency_ms: number;
  problem: Problem | null;
  /** A sentence for people, of our own words alone; null when all is right. */
  message: string | null;
  /** Null when there was no answer. */
  status: number | null;
  /** What came back, as it is shown and stored: without the monitor's secrets. */
  answer: string | null;
  read: Read | null;
  cost_usd: number | null;
  /** Of a stream; null when it was none. */
  first_token_ms: number | null;
  verdicts: Verdict[];
  retryAfterS: number | null;
}

export interface CheckDeps extends Omit<ExchangeOptions, "timeoutMs" | "signal"> {
  nowMs(): number;
  /** By the prices of the project; null is unknown. */
  costOf(read: Read, monitor: Monitor, atMs: number): number | null;
  /** Resolves after so long, or when the signal says so. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
  /** From 0 up to 1. */
  random(): number;
}

const firstPauseMs = 1000;
/** An endpoint that asks for more is asked at the next check. */
const pauseMsMax = 20_000;
/** Trying again is of no use. */
const permanent = new Set<Problem>(["address_refused", "no_secret", "stopped", "redirected"]);
/** Shorter secrets would mask half of an answer. */
const maskedCharactersMin = 8;
/** Headers that hold nothing secret. */
const harmless = new Set([
  "accept",
  "accept-language",
  "anthropic-beta",
  "anthropic-version",
  "content-type",
  "user-agent",
]);

/** The last attempt decides. */
export async function check(
  monitor: Monitor,
  secrets: Secrets | null,
  deps: CheckDeps,
  signal: AbortSignal,
): Promise<Attempt[]> {
  const attempts: Attempt[] = [];
  for (;;) {
    const last = await attempt(monitor, secrets, deps, signal);
    attempts.push(last);
    if (last.problem === null || permanent.has(last.problem)) return attempts;
    if (attempts.length > monitor.retries) return attempts;
    const pauseMs = pauseBefore(attempts.length, last.retryAfterS, deps.random());
    if (pauseMs === null) return attempts;
    await deps.pause(pauseMs, signal);
    if (signal.aborted) return attempts;
  }
}

/** Null when the endpoint wants more time than a check has. */
export function pauseBefore(
  attempt: number,
  retryAfterS: number | null,
  random: number,
): number | null {
  const ownMs = firstPauseMs * 2 ** (attempt - 1) * (0.5 + random / 2);
  const wantedMs = Math.max(ownMs, (retryAfterS ?? 0) * 1000);
  return wantedMs > pauseMsMax ? null : wantedMs;
}

export function outcomeOf({ problem }: Pick<Attempt, "problem">): Outcome {
  if (problem === null) return "ok";
  return (failing as readonly string[]).includes(problem) ? "failing" : "erroring";
}

export async function attempt(
  monitor: Monitor,
  secrets: Secrets | null,
  deps: CheckDeps,
  signal: AbortSignal,
): Promise<Attempt> {
  const at = deps.nowMs();
  const nothing: Attempt = {
    at,
    latency_ms: 0,
    problem: "no_secret",
    message: "The secrets of this monitor cannot be read; set them anew.",
    status: null,
    answer: null,
    read: null,
    cost_usd: null,
    first_token_ms: null,
    verdicts: [],
    retryAfterS: null,
  };
  if (secrets === null) return nothing;
  const asked = kinds[monitor.type].ask(monitor, secrets);
  const timeoutMs = monitor.timeout_seconds * 1000;
  const done = await exchange(asked, { ...deps, timeoutMs, signal });
  if (!done.ok) {
    const { reason: problem, message, latency_ms } = done;
    return { ...nothing, latency_ms, problem, message };
  }
  // What the endpoint said is held against the assertions as it came; what is kept of it is masked.
  return withoutSecrets(judged(monitor, done, nothing, deps), asked, secrets);
}

function judged(
  monitor: Monitor,
  done: Extract<Exchanged, { ok: true }>,
  nothing: Attempt,
  deps: CheckDeps,
): Attempt {
  const { status, body, latency_ms, retryAfterS } = done;
  const answered = { ...nothing, latency_ms, status, answer: body, retryAfterS };
  const expected = monitor.assertions.some(({ type }) => type === "status");
  const isGood = status >= 200 && status < 300;
  if (!isGood && !expected) {
    return status >= 300 && status < 400
      ? {
        ...answered,
        problem: "redirected",
        message: `Answered ${status}: redirects are not followed. Set the URL that it leads to.`,
      }
      : { ...answered, problem: "answered_error", message: `Answered ${status}.` };
  }
  // What a status that was expected brings need not be an answer of a model.
  const read = isGood ? kinds[monitor.type].read(body) : { text: body };
  if (typeof read === "string") {
    return {
      ...answered,
      problem: "unreadable_answer",
      message: `Answered ${status}, but not as a ${monitor.type} endpoint does. ${read}`,
    };
  }
  const cost_usd = monitor.type === "http" ? null : deps.costOf(read, monitor, nothing.at);
  const { text, finish_reason = null, first_token_bytes } = read;
  const first_token_ms = first_token_bytes === undefined
    ? null
    : done.arrivals.find(({ bytes }) => bytes >= first_token_bytes)?.ms ?? null;
  const answer: Answer = {
    status,
    text,
    body,
    latency_ms,
    first_token_ms,
    cost_usd,
    finish_reason,
  };
  const verdicts = monitor.assertions.map((assertion) => judge(assertion, answer));
  const broken = verdicts.filter(({ holds }) => holds === false);
  return {
    ...answered,
    answer: text,
    read,
    cost_usd,
    first_token_ms,
    verdicts,
    problem: broken.length === 0 ? null : "assertion_failed",
    message: broken.length === 0 ? null : `Not so: ${broken.map(({ text }) => text).join("; ")}.`,
  };
}

/** An endpoint that repeats its request must not bring a key where people read. */
function withoutSecrets(attempt: Attempt, { headers }: Asked, secrets: Secrets): Attempt {
  const given = [
    secrets.api_key ?? "",
    ...Object.keys(secrets.headers ?? {}).filter((name) => !harmless.has(name))
      .map((name) => headers[name] ?? ""),
  ];
  // Of "Bearer abc" the second half is the secret.
  const parts = given.flatMap((value) => [value, ...value.split(/\s+/)])
    .filter((part) => part.length >= maskedCharactersMin)
    .toSorted((one, other) => other.length - one.length);
  const hide = (value: unknown): unknown => {
    if (typeof value === "string") {
      return parts.reduce((text, part) => text.replaceAll(part, "[SECRET]"), value);
    }
    if (Array.isArray(value)) return value.map(hide);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, hide(inner)]));
  };
  return parts.length === 0 ? attempt : hide(attempt) as Attempt;
}

/** What decides a price. */
export function callOf(read: Read, monitor: Monitor, atMs: number) {
  const { text: _, tool_calls: __, cost_reported_usd: ___, first_token_bytes: ____, ...counts } =
    read;
  const provider = providerOf(monitor);
  return {
    ...counts,
    timestamp: new Date(atMs).toISOString(),
    ...(monitor.model === undefined ? {} : { model_requested: monitor.model }),
    ...(provider === undefined ? {} : { provider }),
  };
}
