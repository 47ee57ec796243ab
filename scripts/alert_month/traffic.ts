// A month of calls that never was: busy by day, quiet by night and at weekends, with a batch every
// night that fails more and takes longer; and the incidents that are planted in it.
import { Random } from "../../src/std/random.ts";

export const incidentKinds = [
  "errors",
  "model_errors",
  "latency",
  "cost",
  "drop",
  "silence",
  "user_spend",
  "large_call",
] as const;
export type IncidentKind = (typeof incidentKinds)[number];

export interface Incident {
  kind: IncidentKind;
  startMs: number;
  endMs: number;
  /** How bad: the share of further failures, a factor, or tokens, by its kind. */
  size: number;
}

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

const callsPerMinute = 20;
const users = 200;
const errorShare = 0.015;
/** Between the end of one incident and the beginning of the next, so that each is told apart. */
const apartMs = 5 * hourMs;
const placesTriedMax = 10_000;

type Range = readonly [low: number, high: number];
const shapes: Record<IncidentKind, { minutes: Range; size: Range }> = {
  errors: { minutes: [15, 60], size: [0.12, 0.35] },
  model_errors: { minutes: [30, 90], size: [0.3, 0.6] },
  latency: { minutes: [20, 90], size: [2.5, 5] },
  cost: { minutes: [60, 150], size: [3, 6] },
  drop: { minutes: [30, 90], size: [0.1, 0.4] },
  silence: { minutes: [20, 60], size: [0, 0] },
  user_spend: { minutes: [60, 120], size: [8, 14] },
  large_call: { minutes: [1, 1], size: [120_000, 400_000] },
};

/** So many of each kind, at times that the seed chooses. */
export function plant(
  random: Random,
  { sinceMs, untilMs }: { sinceMs: number; untilMs: number },
  kinds: readonly IncidentKind[],
  each: number,
): Incident[] {
  const planted: Incident[] = [];
  for (const kind of kinds) {
    for (let at = 0; at < each; at++) planted.push(place(random, kind, planted, sinceMs, untilMs));
  }
  return planted.toSorted((a, b) => a.startMs - b.startMs);
}

function place(
  random: Random,
  kind: IncidentKind,
  planted: readonly Incident[],
  sinceMs: number,
  untilMs: number,
): Incident {
  const { minutes, size } = shapes[kind];
  for (let tried = 0; tried < placesTriedMax; tried++) {
    const lengthMs = random.integer(...minutes) * minuteMs;
    const latest = Math.floor((untilMs - sinceMs - lengthMs - hourMs) / minuteMs);
    const startMs = sinceMs + random.integer(0, latest) * minuteMs;
    const endMs = startMs + lengthMs;
    const isFree = planted.every((one) =>
      endMs + apartMs < one.startMs || one.endMs + apartMs < startMs
    );
    if (isFree) return { kind, startMs, endMs, size: random.between(...size) };
  }
  throw new Error("There are more incidents than the time has room for.");
}

/** Calls of a minute, as lines of JSON. */
export function callsOfMinute(random: Random, atMs: number, incidents: readonly Incident[]) {
  const now = incidents.find(({ startMs, endMs }) => atMs >= startMs && atMs < endMs) ?? null;
  const is = (kind: IncidentKind) => now?.kind === kind;
  if (is("silence")) return [];
  const lines: string[] = [];
  const volume = callsPerMinute * usualVolume(atMs) * (is("drop") ? now!.size : 1);
  const count = poisson(random, volume);
  for (let at = 0; at < count; at++) lines.push(call(random, atMs, now, {}));
  const minuteOfDay = Math.floor(atMs % dayMs / minuteMs);
  // The batch of the night.
  if (minuteOfDay >= 120 && minuteOfDay < 165 && !is("drop")) {
    for (let at = poisson(random, 6); at > 0; at--) {
      lines.push(call(random, atMs, now, { user: "batch", errors: 0.1, slow: 2.5, tokens: 3 }));
    }
  }
  if (is("user_spend")) {
    for (let at = poisson(random, now!.size); at > 0; at--) {
      lines.push(call(random, atMs, null, { user: "user-in-a-loop", tokens: 10 }));
    }
  }
  if (is("large_call")) lines.push(call(random, atMs, null, { tokensInput: now!.size }));
  return lines;
}

/** 1 on average over a working day. */
function usualVolume(atMs: number): number {
  const hour = atMs % dayMs / hourMs;
  const day = new Date(atMs).getUTCDay();
  const ofDay = 1 - 0.75 * Math.cos((hour - 3) / 24 * 2 * Math.PI);
  return ofDay * (day === 0 || day === 6 ? 0.6 : 1);
}

const models = [[6, "large"], [3, "small"], [1, "tuned"]] as const;
const pricePerToken = { large: 4e-6, small: 5e-7, tuned: 6e-6 };

function call(
  random: Random,
  atMs: number,
  now: Incident | null,
  other: {
    user?: string;
    errors?: number;
    slow?: number;
    tokens?: number;
    tokensInput?: number;
  },
): string {
  const model = random.weighted(models);
  const { user, errors = errorShare, slow = 1, tokens = 1, tokensInput } = other;
  const is = (kind: IncidentKind) => now?.kind === kind;
  const isFailing = is("errors") || (is("model_errors") && model === "tuned");
  const failing = errors + (isFailing ? now!.size : 0);
  const longer = (is("cost") ? now!.size : 1) * tokens;
  const input = Math.round(tokensInput ?? random.skewed(600, 0.8) * longer);
  const output = Math.round(random.skewed(200, 0.7) * longer);
  // Few users make most of the calls.
  const number = Math.floor(users * random.next() ** 2);
  return JSON.stringify({
    event_id: random.next().toString(36).slice(2) + atMs.toString(36) + random.integer(0, 1e9),
    timestamp_us: (atMs + random.integer(0, minuteMs - 1)) * 1000,
    status: random.chance(failing) ? "error" : "success",
    user_id: user ?? `user-${number}`,
    model,
    latency_ms: random.skewed(900, 0.5) * slow * (is("latency") ? now!.size : 1),
    tokens_input: input,
    tokens_output: output,
    cost_estimate_usd: (input + 4 * output) * pricePerToken[model],
  });
}

/** How often something happens that happens so often on average. */
function poisson(random: Random, mean: number): number {
  // Of many, the sum of two halves: the product below would be too small to be a number.
  if (mean > 200) return poisson(random, mean / 2) + poisson(random, mean / 2);
  const least = Math.exp(-mean);
  let count = 0;
  for (let product = random.next(); product > least; product *= random.next()) count++;
  return count;
}
