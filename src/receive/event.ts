// One JSON value in, one complete event or one rejection out. Pure: time and ids are arguments.
// The validator walks the keys that are present and looks each up in the field table; a property
// test holds its verdicts to those of the zod schema made from the same table.
import {
  type Event,
  type EventType,
  type Field,
  fields,
  type Rejection,
  type RejectionReason,
  type Status,
} from "../event.ts";
import { limits } from "../limits.ts";
import { parseTimestamp } from "./timestamp.ts";

export interface Receipt {
  /** ISO 8601 with microseconds, UTC. */
  received_at: string;
  /** Project of the key; an event that names another one is refused. */
  project_id: string;
  /** Latest `timestamp` that is believed: a little ahead of the clock. Milliseconds since 1970. */
  latestMs: number;
  newId(): string;
}

export type Verdict = { event: Event } | { rejection: Omit<Rejection, "index"> };

type Draft = Record<string, unknown>;

const accepted = new Map<string, Field>(
  (fields as readonly Field[]).filter((field) => !field.derived).map((
    field,
  ) => [field.name, field]),
);

/** What a producer may send instead of `error: {…}`; the columns are derived from it again. */
const errorParts = { error_message: "message", error_type: "type", error_code: "code" } as const;

class Refusal {
  constructor(
    readonly field: string | null,
    readonly reason: RejectionReason,
    readonly message: string,
  ) {}
}

/** Checks one event and completes it: ids, time, status, and unknown fields kept as attributes. */
export function receiveEvent(raw: unknown, receipt: Receipt): Verdict {
  const id = idOf(raw);
  try {
    return { event: complete(raw, receipt) };
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    const { field, reason, message } = refusal;
    return { rejection: { event_id: id, field, reason, message } };
  }
}

/** The id that a receipt names, if there is one worth repeating. */
function idOf(raw: unknown): string | null {
  if (typeof raw !== "object" || raw === null) return null;
  const id = (raw as { event_id?: unknown }).event_id;
  return typeof id === "string" && id.length <= limits.idCharactersMax ? id : null;
}

function complete(raw: unknown, receipt: Receipt): Event {
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) {
    throw new Refusal(null, "not_an_object", `An event is a JSON object; this is ${kindOf(raw)}.`);
  }
  const input = raw as Draft;
  // The first keys of every line, in this order, whatever the producer sent.
  const event: Draft = {
    event_id: "",
    project_id: receipt.project_id,
    received_at: receipt.received_at,
  };
  let unknown: Draft | undefined;
  let jsonFields: string[] | undefined;
  for (const name in input) {
    const value = input[name];
    if (value === null || value === undefined) continue;
    const field = accepted.get(name);
    if (field === undefined) {
      if (tooDeep(value, limits.jsonDepthMax - 1)) throw depthRefusal(name);
      (unknown ??= Object.create(null) as Draft)[name] = value;
      continue;
    }
    event[name] = check(field, value, receipt);
    if (field.kind === "value" && typeof value !== "string") (jsonFields ??= []).push(name);
  }
  if (event.event_type === undefined) {
    throw new Refusal(
      "event_type",
      "missing_field",
      `Every event needs an event_type: one of ${accepted.get("event_type")!.values!.join(", ")}.`,
    );
  }
  // Keys of `event` that the producer did not send are still their initial values here.
  if (event.event_id === "") event.event_id = receipt.newId();
  event.run_id ??= event.event_id;
  event.timestamp ??= receipt.received_at;
  if (unknown !== undefined) takeErrorParts(event, unknown);
  if (event.error !== undefined) describeError(event, event.error as Draft);
  requireFields(event);
  event.status ??= defaultStatus(event);
  if (unknown !== undefined) keepUnknown(event, unknown);
  if (jsonFields !== undefined) event.json_fields = jsonFields;
  addPreviews(event);
  return event as unknown as Event;
}

function check(field: Field, value: unknown, receipt: Receipt): unknown {
  const { name } = field;
  switch (field.kind) {
    case "id": {
      // Stored text is well-formed, and an id must equal what is stored.
      const text = string(name, value).toWellFormed();
      if (text.length === 0) throw new Refusal(name, "out_of_range", `${name} must not be empty.`);
      bounded(name, text, limits.idCharactersMax);
      if (name === "project_id" && text !== receipt.project_id) {
        throw new Refusal(
          name,
          "project_mismatch",
          `The event names project "${text}", but this request writes to "${receipt.project_id}".`,
        );
      }
      return text;
    }
    case "label":
      // A release of 42 is as clear as a release of "42".
      return typeof value === "number" && (name === "release" || name.endsWith("version"))
        ? String(value)
        : bounded(name, string(name, value), limits.labelCharactersMax);
    case "text":
      return string(name, value);
    case "value":
      if (typeof value === "object" && tooDeep(value, limits.jsonDepthMax)) {
        throw depthRefusal(name);
      }
      return value;
    case "object": {
      if (name === "error" && typeof value === "string") return { message: value };
      if (typeof value !== "object" || Array.isArray(value)) {
        throw mistyped(name, "an object", value);
      }
      if (tooDeep(value, limits.jsonDepthMax)) throw depthRefusal(name);
      return value;
    }
    case "list":
      if (!Array.isArray(value)) throw mistyped(name, "an array", value);
      if (tooDeep(value, limits.jsonDepthMax)) throw depthRefusal(name);
      return value;
    case "labels":
      return labels(name, value);
    case "integer":
      if (typeof value === "string" && wideNumber.test(value)) throw outOfRange(name, value);
      if (typeof value !== "number") throw mistyped(name, "a whole number", value);
      if (!Number.isSafeInteger(value) || value < 0) {
        throw outOfRange(name, value);
      }
      return value;
    case "number":
      return number(field, value);
    case "timestamp": {
      const time = parseTimestamp(string(name, value));
      if (time === null) {
        throw new Refusal(
          name,
          "invalid_timestamp",
          `${name} must be an ISO 8601 time such as 2026-01-31T12:00:00.000Z.`,
        );
      }
      if (time.ms < limits.earliestMs || time.ms > receipt.latestMs) {
        throw new Refusal(
          name,
          "out_of_range",
          `${name} must lie between 2000-01-01 and a day from now; this is ${time.text}.`,
        );
      }
      return time.text;
    }
    case "enum":
      if (typeof value !== "string") throw mistyped(name, "a string", value);
      if (!field.values!.includes(value)) {
        throw new Refusal(
          name,
          "unknown_value",
          `${name} must be one of ${field.values!.join(", ")}; this is "${short(value)}".`,
        );
      }
      return value;
  }
}

/** What the parser makes of digits that no double holds: the text that was sent. */
const wideNumber = /^-?\d[\d.eE+-]*$/;

function outOfRange(name: string, value: unknown): Refusal {
  return new Refusal(
    name,
    "out_of_range",
    `${name} must be a whole number from 0 to ${Number.MAX_SAFE_INTEGER}; this is ${value}.`,
  );
}

function string(name: string, value: unknown): string {
  if (typeof value !== "string") throw mistyped(name, "a string", value);
  return value;
}

function bounded(name: string, text: string, charactersMax: number): string {
  if (text.length <= charactersMax) return text;
  throw new Refusal(
    name,
    "too_long",
    `${name} has ${text.length} characters; at most ${charactersMax} are kept.`,
  );
}

function number(field: Field, value: unknown): number {
  const { name, min, max } = field;
  if (typeof value !== "number") throw mistyped(name, "a number", value);
  const inside = Number.isFinite(value) && (min === undefined || value >= min) &&
    (max === undefined || value <= max);
  if (inside) return value;
  const range = max !== undefined
    ? `from ${min} to ${max}`
    : min !== undefined
    ? `of at least ${min}`
    : "";
  throw new Refusal(
    name,
    "out_of_range",
    `${name} must be a finite number ${range}; this is ${value}.`,
  );
}

function labels(name: string, value: unknown): string[] {
  if (!Array.isArray(value)) throw mistyped(name, "an array of strings", value);
  if (value.length > limits.labelsMax) {
    throw new Refusal(
      name,
      "too_long",
      `${name} has ${value.length} entries; at most ${limits.labelsMax} are kept.`,
    );
  }
  for (const entry of value) bounded(name, string(name, entry), limits.labelCharactersMax);
  return value as string[];
}

function takeErrorParts(event: Draft, unknown: Draft): void {
  for (const [column, part] of Object.entries(errorParts)) {
    const value = unknown[column];
    if (typeof value !== "string") continue;
    const error = (event.error ??= {}) as Draft;
    if (error[part] !== undefined) continue;
    error[part] = value;
    delete unknown[column];
  }
}

function describeError(event: Draft, error: Draft): void {
  for (const [column, part] of Object.entries(errorParts)) {
    const value = error[part];
    if (typeof value === "string") event[column] = value;
    else if (typeof value === "number") event[column] = String(value);
  }
}

/** The one field without which an event of its type says nothing. */
const essentials: Partial<Record<EventType, string>> = {
  tool_call: "tool_name",
  error: "error",
  assertion_failed: "assertion_name",
  score: "name",
};

function requireFields(event: Draft): void {
  // A tool span is often named by its tool alone.
  if (event.event_type === "tool_call") event.tool_name ??= event.name;
  const field = essentials[event.event_type as EventType];
  if (field === undefined || event[field] !== undefined) return;
  throw new Refusal(
    field,
    "missing_field",
    `An event of type ${event.event_type} needs the field ${field}.`,
  );
}

function defaultStatus(event: Draft): Status {
  if (event.event_type === "assertion_failed") return "assertion_failed";
  return event.event_type === "error" || event.error !== undefined ? "error" : "success";
}

function keepUnknown(event: Draft, unknown: Draft): void {
  const attributes = event.attributes as Draft | undefined;
  // Null prototype: a key named __proto__ is a key like any other.
  const kept = Object.assign(Object.create(null), attributes) as Draft;
  let any = false;
  for (const name in unknown) {
    any = true;
    // What the producer put into attributes itself stays; the stray field goes beside it.
    let key = name;
    while (key in kept) key = `event.${key}`;
    kept[key] = unknown[name];
  }
  if (any) event.attributes = kept;
}

/** Makes the fields anew that are copies of others, in an event that was stored and then changed. */
export function addCopies(event: Event): void {
  const draft = event as Draft;
  if (event.error !== undefined) describeError(draft, event.error);
  const json = [...accepted.values()].filter(({ kind, name }) =>
    kind === "value" && draft[name] !== undefined && typeof draft[name] !== "string"
  ).map(({ name }) => name);
  if (json.length > 0) event.json_fields = json;
  addPreviews(draft);
}

/** Lists show these instead of the heavy text, which they then need not read. */
function addPreviews(event: Draft): void {
  const input = firstWords(event.prompt ?? event.input ?? event.input_data);
  const output = firstWords(event.response ?? event.output ?? event.output_data);
  if (input !== undefined) event.input_preview = input;
  if (output !== undefined) event.output_preview = output;
}

/** Of messages, the last one's words say what was asked; of a call without words, which it is. */
function firstWords(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const last = Array.isArray(value) ? value.at(-1) : value;
  const words = wordsOf(last) ?? value;
  const text = typeof words === "string" ? words : JSON.stringify(words);
  if (text.length <= limits.previewCharactersMax) return text;
  // A cut may go through a surrogate pair.
  return text.slice(0, limits.previewCharactersMax).toWellFormed();
}

/** OpenAI and Anthropic say `content`, OpenTelemetry and Gemini `parts`; each text or a list. */
function wordsOf(message: unknown): unknown {
  if (typeof message !== "object" || message === null) return undefined;
  const { content, parts } = message as { content?: unknown; parts?: unknown };
  const said = content ?? parts;
  if (!Array.isArray(said)) return said ?? undefined;
  for (const part of said as ({ text?: unknown; content?: unknown } | null)[]) {
    const words = part?.text ?? part?.content;
    if (typeof words === "string" && words !== "") return words;
  }
  return said.length > 0 ? said[0] : undefined;
}

/** Whether a value nests further than `depthMax` arrays and objects; stops at the first that does. */
export function tooDeep(value: unknown, depthMax: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (depthMax === 0) return true;
  if (Array.isArray(value)) return value.some((entry) => tooDeep(entry, depthMax - 1));
  for (const key in value) {
    if (tooDeep((value as Draft)[key], depthMax - 1)) return true;
  }
  return false;
}

function depthRefusal(name: string): Refusal {
  return new Refusal(name, "too_deep", `${name} nests deeper than ${limits.jsonDepthMax} levels.`);
}

function mistyped(name: string, wanted: string, value: unknown): Refusal {
  return new Refusal(name, "wrong_type", `${name} must be ${wanted}; this is ${kindOf(value)}.`);
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function short(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
