// Stored events mapped again from the raw record that they keep, after the mapping has been mended.
import type { Draft } from "./event.ts";
import { logRecordOf, mapLogRecord, mapSpan, spanOf } from "./map.ts";

/** What the mapping does not decide: identity, and what the server added. */
const kept = [
  "event_id",
  "project_id",
  "run_id",
  "received_at",
  "redactions",
  "blobs",
  "cost_estimate_usd",
  "cost_details",
  "cost_original_usd",
  "fingerprint",
  "issue",
  "issue_kind",
  "issue_title",
  "issue_place",
] as const;

/** Token counts and names decide the price: with others the estimate is worked out anew. */
const priced = [
  "event_type",
  "model",
  "model_requested",
  "provider",
  "service_tier",
  "tokens_input",
  "tokens_output",
  "tokens_cache_read",
  "tokens_cache_write",
  "tokens_cache_write_1h",
  "tokens_reasoning",
  "tokens_audio_input",
  "tokens_audio_output",
] as const;

/**
 * The event as it would be mapped today, as a producer could send it; null when it did not come from
 * OpenTelemetry or nothing changes. An estimate of ours goes with the counts that it was made of.
 */
export function remap(event: Draft): Draft | null {
  const mapped = event.received_as === "span"
    ? mapSpan(spanOf(event))
    : event.received_as === "log"
    ? mapLogRecord(logRecordOf(event))
    : null;
  if (mapped === null) return null;
  // Masked in the attributes, but keyed hashes in the fields, so that they still group.
  if (event.redactions !== undefined) {
    for (const field of ["user_id", "session_id", "tags"]) {
      if (event[field] !== undefined) mapped[field] = event[field];
    }
  }
  // A log without a trace, and a time that was unknown, were completed by the server.
  mapped.timestamp ??= event.timestamp;
  const isPricedAnew = event.cost_details !== undefined &&
    priced.some((field) => mapped[field] !== event[field]);
  for (const field of kept) {
    if (isPricedAnew && field.startsWith("cost_")) continue;
    if (event[field] !== undefined) mapped[field] = event[field];
  }
  return sorted(mapped) === sorted(event) ? null : mapped;
}

/** JSON that does not depend on the order of keys. */
function sorted(value: unknown): string {
  return JSON.stringify(
    value,
    (_key, inner) =>
      typeof inner === "object" && inner !== null && !Array.isArray(inner)
        ? Object.fromEntries(
          Object.entries(inner).sort(([a], [b]) => a < b ? -1 : 1),
        )
        : inner,
  );
}
