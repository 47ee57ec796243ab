// One model's prices, ready to be multiplied: every kind of token has its own price in every context
// and service tier, so that pricing an event decides nothing twice.
import { type Ladder, type PeriodRow, type Step, type Unit, units } from "./table.ts";

/** US dollars per million tokens, `request` per request. Null is not known. */
export type Rates = Readonly<Record<Exclude<Unit, "request">, number | null>> & {
  readonly request: number;
};

export interface Rung {
  /** It holds for requests whose whole input is larger than so many tokens. */
  above: number;
  rates: Rates;
}

export interface Period {
  /** First day in UTC; null is since ever. */
  from: string | null;
  /** Times of day in UTC. */
  daily: readonly [string, string] | null;
  /** Only on Saturdays and Sundays, in UTC. */
  weekend: boolean;
  /** By service tier; `standard` is always there. Each ascending. */
  tiers: ReadonlyMap<string, readonly Rung[]>;
}

export interface Card {
  /** `<provider>/<model>`; what an event's `cost_details.price` names. */
  id: string;
  provider: string | null;
  /** Where its prices come from, with the version. */
  source: string;
  /** The last one that holds at a time counts. */
  periods: readonly Period[];
}

export const standardTier = "standard";

/** The period that holds at a time (ISO 8601, UTC); null when none does. */
export function periodAt(card: Card, timestamp: string): Period | null {
  const { periods } = card;
  for (let at = periods.length - 1; at >= 0; at--) {
    const period = periods[at]!;
    if (period.from !== null && timestamp < period.from) continue;
    if (period.daily !== null && !within(period.daily, timestamp.slice(11, 19))) continue;
    if (period.weekend && !isWeekend(timestamp)) continue;
    return period;
  }
  return null;
}

function within([from, to]: readonly [string, string], time: string): boolean {
  return from <= to ? time >= from && time < to : time >= from || time < to;
}

function isWeekend(timestamp: string): boolean {
  const day = new Date(`${timestamp.slice(0, 10)}T00:00:00Z`).getUTCDay();
  return day === 0 || day === 6;
}

/** The price of an input of so many tokens. */
export function rungFor(rungs: readonly Rung[], wholeInput: number): Rung {
  let found = rungs[0]!;
  for (let at = 1; at < rungs.length && wholeInput > rungs[at]!.above; at++) found = rungs[at]!;
  return found;
}

export function periodOf(row: PeriodRow): Period {
  const standard = standardRungs(row.prices, row.added);
  const tiers = new Map([[standardTier, standard]]);
  for (const [name, ladder] of Object.entries(row.tiers ?? {})) {
    tiers.set(name, tierRungs(standard, ladder));
  }
  return {
    from: row.from ?? null,
    daily: row.daily ?? null,
    weekend: row.weekend ?? false,
    tiers,
  };
}

type Known = Partial<Record<Unit, number>>;

function known(step: Step | undefined): Known {
  const found: Known = {};
  units.forEach((unit, at) => {
    const price = step?.[at + 1] ?? null;
    if (price !== null) found[unit] = price;
  });
  return found;
}

function reaching(ladder: Ladder, above: number): Step | undefined {
  return ladder.findLast((step) => step[0]! <= above);
}

function standardRungs(prices: Ladder, added: Ladder = []): Rung[] {
  const bounds = new Set([...prices, ...added].map((step) => step[0]!));
  return [...bounds].sort((a, b) => a - b).map((above) => {
    const own = known(reaching(prices, above));
    const step = reaching(added, above);
    // Where a longer context is not named, what was added grows as the input does.
    const grown = step === undefined || step[0] === above
      ? 1
      : ratio(own.input, known(reaching(prices, step[0]!)).input ?? null) ?? 1;
    const more = Object.entries(known(step)).map(([unit, price]) => [unit, price * grown]);
    return { above, rates: complete({ ...Object.fromEntries(more), ...own }) };
  });
}

/** What has no price of its own is priced as what it is a part of. */
function complete(price: Known): Rates {
  const input = price.input ?? null;
  const output = price.output ?? null;
  const cache_write = price.cache_write ?? input;
  return {
    input,
    output,
    cache_read: price.cache_read ?? input,
    cache_write,
    cache_write_1h: price.cache_write_1h ?? cache_write,
    reasoning: price.reasoning ?? output,
    audio_input: price.audio_input ?? input,
    audio_output: price.audio_output ?? output,
    request: price.request ?? 0,
  };
}

/**
 * A price that a service tier does not name stands to the standard one as the tier's input or output
 * does: where both are published, vendors keep that ratio nearly always.
 */
function tierRungs(standard: readonly Rung[], ladder: Ladder): Rung[] {
  const bounds = new Set([...standard, ...ladder.map((step) => ({ above: step[0]! }))]
    .map(({ above }) => above));
  return [...bounds].sort((a, b) => a - b).map((above) => {
    const step = reaching(ladder, above);
    const named = known(step);
    const { rates } = standard.findLast((rung) => rung.above <= above)!;
    const base = standard.findLast((rung) => rung.above <= (step?.[0] ?? 0))!.rates;
    const input = ratio(named.input, base.input);
    const output = ratio(named.output, base.output) ?? input;
    // A long context that the tier does not name keeps the ratio too.
    const own = step?.[0] === above ? named : {};
    const scaled = (unit: Exclude<Unit, "request">, by: number | null) =>
      own[unit] ?? (rates[unit] === null || by === null ? null : rates[unit] * by);
    return {
      above,
      rates: {
        input: scaled("input", input),
        output: scaled("output", output),
        cache_read: scaled("cache_read", input),
        cache_write: scaled("cache_write", input),
        cache_write_1h: scaled("cache_write_1h", input),
        reasoning: scaled("reasoning", output),
        audio_input: scaled("audio_input", input),
        audio_output: scaled("audio_output", output),
        request: own.request ?? rates.request,
      },
    };
  });
}

function ratio(price: number | undefined, base: number | null): number | null {
  return price === undefined || base === null || base === 0 ? null : price / base;
}
