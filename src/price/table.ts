// The price table as data: who serves which model, and what a million tokens cost since when.
// `scripts/prices.ts` writes table.json; nothing here is fetched at run time.
import text from "./table.json" with { type: "text" };

/** How a model's name is told; letters count alike, whatever their case. */
export type Rule =
  | string
  | readonly Rule[]
  | { starts_with: string }
  | { ends_with: string }
  | { contains: string }
  | { regex: string }
  | { all: readonly Rule[] };

/** What one price is for. The order is that of a `Step`. */
export const units = [
  "input",
  "output",
  "cache_read",
  "cache_write",
  "cache_write_1h",
  "reasoning",
  "audio_input",
  "audio_output",
  "request",
] as const;
export type Unit = (typeof units)[number];

/**
 * Prices for requests whose whole input is above so many tokens: the number of tokens, then US dollars
 * in the order of `units`, per million tokens; `request` per request. Null, and what is cut off at the
 * end, has no price of its own.
 */
export type Step = readonly (number | null)[];

/** Ascending; the first is above 0. */
export type Ladder = readonly Step[];

export interface PeriodRow {
  /** First day, in UTC. */
  from?: string;
  /** Times of day in UTC, `HH:MM:SS`; from the later to the earlier goes over midnight. */
  daily?: readonly [string, string];
  /** Only on Saturdays and Sundays, in UTC. */
  weekend?: true;
  prices: Ladder;
  /** Prices that the first source lacks. */
  added?: Ladder;
  /** By service tier. */
  tiers?: Readonly<Record<string, Ladder>>;
}

export interface ModelRow {
  id: string;
  match: Rule;
  /** The last one that holds at a time counts. Without any, the model is known to have no price. */
  periods: readonly PeriodRow[];
}

export interface ProviderRow {
  id: string;
  /** Names of the provider, beside its id. */
  names?: Rule;
  /** Names of models that belong to this provider when nobody is named. */
  owns?: Rule;
  /** Providers whose models this one serves at their price. */
  serves?: readonly string[];
  /** In order: the first that matches counts. */
  models: readonly ModelRow[];
  /** Of the second source, by lower-case name. */
  more?: Readonly<Record<string, Omit<PeriodRow, "added">>>;
}

export interface Table {
  sources: { base: string; completion: string };
  providers: readonly ProviderRow[];
}

let parsed: Table | null = null;

/** The table of this build, parsed when it is first asked for. */
export function embeddedTable(): Table {
  return parsed ??= JSON.parse(text) as Table;
}
