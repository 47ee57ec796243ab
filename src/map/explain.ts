// Where each field of a stored event came from: for those who ask why a field is empty or wrong.
import { type Draft, fieldOf } from "./event.ts";
import { logRecordOf, mapLogRecord, mapSpan, rawLog, rawSpan, spanOf } from "./map.ts";
import { originsOf } from "./origin.ts";
import { counted, type Reading, readingOf, targetsOf, usageTargets } from "./reading.ts";
import type { RawRecord } from "./record.ts";
import { type Hit, lookUpAll } from "./resolve.ts";
import type { Target } from "./target.ts";

const shownCharactersMax = 200;

interface Origin {
  /** Attribute, event, or part of the record. */
  from: string;
  /** Id of the convention. */
  convention: string;
  /** As text, shortened. */
  value: string;
}

export interface FieldOrigin extends Origin {
  field: string;
  /** Other places that had a value, and which value. */
  others: Origin[];
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
  /** Token counts and costs that repeat those of calls below; they are among what is left over. */
  not_counted: string[];
  /** Attributes that no field was made of. They are kept all the same. */
  left_over: string[];
}

/** Null when the event did not come from OpenTelemetry. */
export function explain(event: Draft): Explanation | null {
  const read = recordOf(event);
  if (read === null) return null;
  const { record, mapped } = read;
  const reading = readingOf(record);
  const { kind, kindBy, followed } = reading;
  const used = new Set<string>();
  const attributes = targetsOf[kind].flatMap((target) => {
    const hits = lookUpAll(record, followed, target);
    for (const { found } of hits) for (const key of found.keys) used.add(key);
    return hits.length === 0 ? [] : [{ target, hits }];
  });
  const operation = lookUpAll(record, followed, "operation");
  for (const { found } of operation) for (const key of found.keys) used.add(key);
  const not_counted = counted.has(kind)
    ? []
    : usageTargets.flatMap((target) =>
      lookUpAll(record, followed, target).flatMap(({ found }) => found.keys)
    );
  const own = originsOf(record, reading, mapped);
  return {
    received_as: record.signal,
    conventions: followed.conventions.map(({ id, title, source }) => ({ id, title, source })),
    kind,
    kind_by: kindBy,
    fields: [
      typeOrigin(operation, reading, mapped),
      ...own.map((one) => ({ ...one, convention: "common", value: short(one.value), others: [] })),
      ...fieldsOf(attributes, reading, mapped)
        .filter(({ field }) => !own.some((one) => one.field === field)),
    ],
    rules: [...new Set<string>(reading.rules)],
    not_counted: [...new Set(not_counted)],
    left_over: Object.keys(record.attributes).filter((key) => !used.has(key)),
  };
}

function recordOf(event: Draft): { record: RawRecord; mapped: Draft } | null {
  if (event.received_as === "span") {
    const span = spanOf(event);
    return { record: rawSpan(span), mapped: mapSpan(span) };
  }
  if (event.received_as !== "log") return null;
  const log = logRecordOf(event);
  return { record: rawLog(log), mapped: mapLogRecord(log) };
}

function typeOrigin(hits: Hit[], { kind, kindBy }: Reading, mapped: Draft): FieldOrigin {
  const said = hits.find(({ convention }) => convention.id === kindBy);
  const from = kindBy === null
    ? kind === "model" ? "inferred from a model and its tokens or content" : "no sign of a call"
    : said?.source.label ?? "which names there are";
  return {
    field: "event_type",
    value: short(mapped.event_type),
    from,
    convention: kindBy ?? "common",
    others: hits.filter((hit) => hit !== said).map(originOf),
  };
}

/** A row for each field; what lost, also to another meaning of the same field, stands beside it. */
function fieldsOf(
  attributes: readonly { target: Target; hits: Hit[] }[],
  { kind, hits: won, values }: Reading,
  mapped: Draft,
): FieldOrigin[] {
  const rows = new Map<string, FieldOrigin>();
  const lost: [field: string, origin: Origin][] = [];
  for (const { target, hits } of attributes) {
    const isModel = target === "model_requested" && !values.has("model");
    const field = isModel ? "model" : fieldOf(target, kind);
    const winner = won.get(target);
    for (const hit of hits) {
      if (hit.source !== winner?.source) lost.push([field, originOf(hit)]);
      else if (target !== "model_requested" || isModel || mapped.model_requested !== undefined) {
        const value = short(values.get(target));
        rows.set(field, { field, ...originOf(hit), value, others: [] });
      }
    }
  }
  for (const [field, origin] of lost) rows.get(field)?.others.push(origin);
  return [...rows.values()];
}

function originOf({ source, convention, found }: Hit): Origin {
  return { from: source.label, convention: convention.id, value: short(found.value) };
}

function short(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value) ?? "";
  return text.length > shownCharactersMax
    ? `${text.slice(0, shownCharactersMax).toWellFormed()}…`
    : text;
}
