// Histograms of OpenTelemetry as stretches of values with a count each: taken off one another, laid
// on one another whatever their bounds, and asked for quantiles. Pure.

/** So many values, spread evenly over (low, high]; all of them at `high` when both are equal. */
export interface Stretch {
  low: number;
  high: number;
  count: number;
}

interface Explicit {
  bounds: number[];
  counts: number[];
}

interface Exponential {
  scale: number;
  zero: number;
  positive: Map<number, number>;
  negative: Map<number, number>;
}

type Distribution = Explicit | Exponential;

/** Buckets finer than this are made coarser: a quantile needs no more. */
const bucketsMax = 640;

/**
 * The `distribution` column → stretches, less those of `before`. Null when the text is none that
 * can be read: a producer may send any.
 */
export function stretchesOf(text: string, before: string | null): Stretch[] | null {
  const now = parse(text);
  if (now === null) return null;
  const base = before === null ? null : parse(before);
  if ("bounds" in now) {
    return explicitStretches(now, base !== null && "bounds" in base ? base : null);
  }
  return exponentialStretches(now, base !== null && !("bounds" in base) ? base : null);
}

function parse(text: string): Distribution | null {
  let json: Record<string, unknown>;
  try {
    json = (JSON.parse(text) ?? {}) as Record<string, unknown>;
  } catch {
    return null;
  }
  if (Array.isArray(json.bounds) && Array.isArray(json.counts)) {
    const bounds = json.bounds.map(Number);
    const counts = json.counts.map(Number);
    const isWhole = counts.length === bounds.length + 1 && [...bounds, ...counts].every(isFinite);
    return isWhole ? { bounds, counts } : null;
  }
  if (typeof json.scale !== "number") return null;
  return {
    scale: json.scale,
    zero: Number(json.zero_count) || 0,
    positive: bucketsOf(json.positive),
    negative: bucketsOf(json.negative),
  };
}

function bucketsOf(sent: unknown): Map<number, number> {
  const { offset, counts } = (sent ?? {}) as { offset?: unknown; counts?: unknown };
  const buckets = new Map<number, number>();
  if (!Array.isArray(counts)) return buckets;
  counts.forEach((count, at) => {
    if (Number(count) > 0) buckets.set(Number(offset) + at, Number(count));
  });
  return buckets;
}

function explicitStretches({ bounds, counts }: Explicit, base: Explicit | null): Stretch[] {
  const same = base !== null && base.bounds.length === bounds.length &&
    base.bounds.every((bound, at) => bound === bounds[at]);
  return counts.flatMap((count, at) => {
    const more = same ? Math.max(0, count - base.counts[at]!) : count;
    if (more === 0) return [];
    // The outer buckets have no end: below, values from 0 are likelier than any other.
    const high = bounds[at] ?? bounds.at(-1) ?? 0;
    const low = at === 0 ? Math.min(0, high) : bounds[at - 1]!;
    return [{ low, high, count: more }];
  });
}

function exponentialStretches(now: Exponential, base: Exponential | null): Stretch[] {
  const widest = Math.max(now.positive.size, now.negative.size, 1);
  const coarser = Math.max(0, Math.ceil(Math.log2(widest / bucketsMax)));
  const scale = Math.min(now.scale, base?.scale ?? now.scale) - coarser;
  const stretches: Stretch[] = [];
  const zero = Math.max(0, now.zero - (base?.zero ?? 0));
  if (zero > 0) stretches.push({ low: 0, high: 0, count: zero });
  for (const side of ["positive", "negative"] as const) {
    const before = base === null ? null : rescaled(base[side], base.scale - scale);
    for (const [index, count] of rescaled(now[side], now.scale - scale)) {
      const more = count - (before?.get(index) ?? 0);
      if (more <= 0) continue;
      // A bucket holds (base^index, base^(index+1)], where base is 2^(2^-scale).
      const low = 2 ** (index * 2 ** -scale);
      const high = 2 ** ((index + 1) * 2 ** -scale);
      if (!Number.isFinite(high)) continue;
      stretches.push(
        side === "positive" ? { low, high, count: more } : { low: -high, high: -low, count: more },
      );
    }
  }
  return stretches;
}

/** Buckets of a scale that is coarser by so many powers of two. */
function rescaled(buckets: Map<number, number>, by: number): Map<number, number> {
  if (by === 0) return buckets;
  const coarse = new Map<number, number>();
  for (const [index, count] of buckets) {
    const at = Math.floor(index / 2 ** by);
    coarse.set(at, (coarse.get(at) ?? 0) + count);
  }
  return coarse;
}

/** Many histograms as one. */
export class Distributions {
  #stretches = new Map<string, Stretch>();

  add(stretches: readonly Stretch[]): void {
    for (const { low, high, count } of stretches) {
      const key = `${low}/${high}`;
      const known = this.#stretches.get(key);
      if (known === undefined) this.#stretches.set(key, { low, high, count });
      else known.count += count;
    }
  }

  /** Values below which the shares of all values lie; null without any value. */
  quantiles(shares: readonly number[]): (number | null)[] {
    const steps = this.#steps();
    const total = steps.at(-1)?.below ?? 0;
    return shares.map((share) => total === 0 ? null : valueAt(steps, share * total));
  }

  /** How many values lie at or below each bound, for every bound that there is. */
  #steps(): { value: number; at: number; below: number }[] {
    const all = [...this.#stretches.values()];
    const values = [...new Set(all.flatMap(({ low, high }) => [low, high]))].sort((a, b) => a - b);
    const place = new Map(values.map((value, at) => [value, at]));
    const atValue = new Float64Array(values.length);
    /** Of values that start at a bound: how dense they lie from there on. */
    const density = new Float64Array(values.length + 1);
    for (const { low, high, count } of all) {
      if (low === high) atValue[place.get(high)!]! += count;
      else {
        density[place.get(low)!]! += count / (high - low);
        density[place.get(high)!]! -= count / (high - low);
      }
    }
    let dense = 0;
    let below = 0;
    return values.map((value, index) => {
      if (index > 0) below += Math.max(0, dense) * (value - values[index - 1]!);
      dense += density[index]!;
      const at = below;
      below += atValue[index]!;
      return { value, at, below };
    });
  }
}

function valueAt(steps: { value: number; at: number; below: number }[], rank: number): number {
  const index = steps.findIndex(({ below }) => below >= rank);
  if (index === -1) return steps.at(-1)!.value;
  const { value, at } = steps[index]!;
  if (index === 0 || rank >= at) return value;
  const before = steps[index - 1]!;
  return before.value + (value - before.value) * (rank - before.below) / (at - before.below);
}
