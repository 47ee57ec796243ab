// Prices a stored event anew, when the price list or the project's own prices have changed since.
import type { Event } from "../event.ts";
import type { Pricer } from "./pricer.ts";

/** Below this a difference comes from the order of additions. */
const relativeDifferenceMin = 1e-9;

/**
 * Sets the new estimate in place, and keeps the first one in `cost_original_usd`. Returns whether
 * anything changed. An estimate that the producer sent is never touched, nor one whose model has no
 * price any more.
 */
export function reprice(event: Event, pricer: Pricer): boolean {
  const before = event.cost_estimate_usd;
  if (event.event_type !== "prompt_call") return false;
  if (before !== undefined && event.cost_details === undefined) return false;
  const quote = pricer.quote(event);
  if (typeof quote === "string") return false;
  if (before !== undefined && Math.abs(quote.usd - before) <= relativeDifferenceMin * before) {
    return false;
  }
  if (before !== undefined) event.cost_original_usd ??= before;
  event.cost_estimate_usd = quote.usd;
  event.cost_details = quote.details as unknown as Record<string, unknown>;
  return true;
}
