// What one call cost by one card: buckets × prices, each part told.
import { type Card, periodAt, rungFor, standardTier } from "./card.ts";
import type { Buckets, UsageNote } from "./usage.ts";

/** US dollars for each kind of token; kinds that the call has none of are left out. */
export type Parts = Partial<
  Record<
    | "input"
    | "cache_read"
    | "cache_write"
    | "cache_write_1h"
    | "audio_input"
    | "output"
    | "reasoning"
    | "audio_output"
    | "request",
    number
  >
>;

export type Note =
  | UsageNote
  /** There is no price for the service tier that was named: the standard one was taken. */
  | "service_tier_without_price"
  /** The model that answered has no price, the one that was asked for has. */
  | "priced_by_model_requested"
  /** The provider that was named does not have the model: it was found by its own name. */
  | "provider_ignored";

/** How an estimate was made; what an event keeps as `cost_details`. */
export interface CostDetails {
  /** Id of the card. */
  price: string;
  /** The price list and its version, or `project`. */
  source: string;
  /** Since when that price holds; null is since ever. */
  valid_from: string | null;
  tier: { service: string; context_above: number };
  parts: Parts;
  notes: Note[];
}

export interface Quote {
  usd: number;
  details: CostDetails;
}

/** Why there is no price. */
export const unpricedReasons = [
  "no_tokens",
  "no_model",
  "unknown_model",
  "not_yet_priced",
  "unpriced_unit",
] as const;
export type UnpricedReason = (typeof unpricedReasons)[number];

/** Another name of a tier, for cards that have only that one. */
const alike: Readonly<Record<string, string>> = { fast: "priority", priority: "fast" };

const perPrice = 1_000_000;

const inputUnits = ["input", "cache_read", "cache_write", "cache_write_1h", "audio_input"] as const;
const outputUnits = ["output", "reasoning", "audio_output"] as const;
const pricedUnits = [...inputUnits, ...outputUnits] as const;

/** Priced at `timestamp`; ISO 8601 in UTC. `notes` are put in front. */
export function quoteBy(
  card: Card,
  buckets: Buckets,
  timestamp: string,
  tier: string,
  notes: readonly Note[],
): Quote | UnpricedReason {
  const period = periodAt(card, timestamp);
  if (period === null) return card.periods.length === 0 ? "unknown_model" : "not_yet_priced";
  let service = tier;
  let rungs = period.tiers.get(tier) ?? period.tiers.get(alike[tier] ?? "");
  const told: Note[] = [...notes, ...buckets.notes];
  if (rungs === undefined) {
    rungs = period.tiers.get(standardTier)!;
    service = standardTier;
    told.push("service_tier_without_price");
  }
  const { above, rates } = rungFor(rungs, buckets.whole_input);
  const parts: Parts = {};
  let usd = 0;
  for (const unit of pricedUnits) {
    const tokens = buckets[unit];
    if (tokens === 0) continue;
    const rate = rates[unit];
    if (rate === null) return "unpriced_unit";
    usd += parts[unit] = tokens * rate / perPrice;
  }
  if (rates.request > 0) usd += parts.request = rates.request;
  // Embeddings have no output to be unknown.
  const unknown = rates.output === null ? told.indexOf("tokens_output_unknown") : -1;
  if (unknown !== -1) told.splice(unknown, 1);
  return {
    usd,
    details: {
      price: card.id,
      source: card.source,
      valid_from: period.from,
      tier: { service, context_above: above },
      parts,
      notes: told,
    },
  };
}

/** What producers call a service tier → what price lists call it. */
const tierNames = new Map([
  ["", standardTier],
  ["auto", standardTier],
  ["default", standardTier],
  ["normal", standardTier],
  ["on-demand", standardTier],
  ["standard", standardTier],
  ["standard-only", standardTier],
  ["batch", "batch"],
  ["batches", "batch"],
]);

export function serviceTierOf(named: string | undefined): string {
  if (named === undefined) return standardTier;
  const name = named.trim().toLowerCase().replaceAll("_", "-");
  return tierNames.get(name) ?? name;
}
