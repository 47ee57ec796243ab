// Where each field of a stored event came from: for those who ask why a field is empty or wrong.
import { type Draft, eventTypes, fieldOf } from "./event.ts";
import { logRecordOf, rawLog, rawSpan, spanOf } from "./map.ts";
import { readingOf, targetsOf } from "./reading.ts";
import type { RawRecord } from "./record.ts";
import { lookUpAll } from "./resolve.ts";

const shownCharactersMax = 200;

export interface FieldOrigin {
  field: string;
  /** As text, shortened. */
  value: string;
  /** Attribute, event, or part of the record. */
  from: string;
  /** Id of the convention. */
  convention: string;
  /** Other places that had a value, and which value. */
  others: { from: string; convention: string; value: string }[];
}

export interface Explanation {
  received_as: "span" | "log";
  conventions: { id: string; title: string; source: string }[];
  /** What the record was taken for, and by which convention; null when that was inferred. */
  kind: string;
  kind_by: string | null;
  fields: FieldOrigin[];
  /** What was done to the values: cache_added_to_input and so on. */
  rules: string[];
  /** Attributes that no field was made of. They are kept all the same. */
  left_over: string[];
}

/** Null when the event did not come from OpenTelemetry. */
export function explain(event: Draft): Explanation | null {
  const record = recordOf(event);
  if (record === null) return null;
  const reading = readingOf(record);
  const used = new Set<string>();
  const fields: FieldOrigin[] = [];
  for (const target of ["operation", ...targetsOf[reading.kind]] as const) {
    const hits = lookUpAll(record, reading.followed, target);
    for (const { found } of hits) for (const key of found.keys) used.add(key);
    const isOperation = target === "operation";
    const hit = isOperation ? hits[0] : reading.hits.get(target);
    if (hit === undefined) continue;
    const others = hits.filter(({ source }) => source !== hit.source);
    fields.push({
      field: isOperation ? "event_type" : fieldOf(target, reading.kind),
      value: short(
        isOperation ? eventTypes[reading.kind] : reading.values.get(target),
      ),
      from: hit.source.label,
      convention: hit.convention.id,
      others: others.map(({ source, convention, found }) => ({
        from: source.label,
        convention: convention.id,
        value: short(found.value),
      })),
    });
  }
  return {
    received_as: record.signal,
    conventions: reading.followed.conventions.map(({ id, title, source }) => ({
      id,
      title,
      source,
    })),
    kind: reading.kind,
    kind_by: reading.kindBy,
    fields,
    rules: [...new Set<string>(reading.rules)],
    left_over: Object.keys(record.attributes).filter((key) => !used.has(key)),
  };
}

function recordOf(event: Draft): RawRecord | null {
  if (event.received_as === "span") return rawSpan(spanOf(event));
  return event.received_as === "log" ? rawLog(logRecordOf(event)) : null;
}

function short(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value) ?? "";
  return text.length > shownCharactersMax
    ? `${text.slice(0, shownCharactersMax).toWellFormed()}…`
    : text;
}
