// A breach of the policy as an event that stands beside the one it was found in.
import { createHash } from "node:crypto";
import type { Breach } from "./policy.ts";

type Value = Record<string, unknown>;

/** Fields that both events share; read after masking. */
const shared = [
  "run_id",
  "session_id",
  "user_id",
  "timestamp",
  "release",
  "env",
  "service",
] as const;

/**
 * Events for an event that was scanned. It gets its id here when it has none, so that they can name
 * it; the same event delivered again gives the same ids.
 */
export function policyEvents(
  value: Value,
  breaches: ReadonlyMap<string, Breach>,
  newId: () => string,
): Value[] {
  if (breaches.size === 0) return [];
  value.event_id ??= newId();
  const { event_id } = value;
  // It will be refused, and nothing is stored beside it.
  if (typeof event_id !== "string" || event_id === "") return [];
  return [...breaches.values()].map((breach) => policyEvent(value, event_id, breach));
}

function policyEvent(value: Value, scanned: string, { rule, excerpt }: Breach): Value {
  const event: Value = {
    event_id: `policy_${
      createHash("sha256").update(`${scanned}\0${rule.id}`).digest("hex").slice(0, 32)
    }`,
    event_type: "assertion_failed",
    assertion_name: rule.category,
    assertion_type: rule.kind === "BANNED_TERM" ? "content_filter" : "safety_check",
    severity: rule.severity,
    expected: rule.term === null
      ? "no attempt to change the model's instructions"
      : "no banned term",
    run_id: scanned,
    attributes: {
      scanned_event_id: scanned,
      category: rule.category,
      ...rule.language === null ? {} : { language: rule.language },
      ...rule.term === null ? {} : { term: rule.term },
    },
  };
  if (excerpt !== null) event.actual = excerpt;
  for (const field of shared) {
    if (typeof value[field] === "string") event[field] = value[field];
  }
  if (typeof value.span_id === "string") event.parent_span_id = value.span_id;
  return event;
}
