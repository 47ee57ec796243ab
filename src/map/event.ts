// A reading → the fields of an event, the same for spans and log records.
import type { EventType, Status } from "../event.ts";
import { limits } from "../limits.ts";
import { tooDeep } from "../receive/event.ts";
import type { Attributes, Value } from "../receive/otlp/telemetry.ts";
import type { Kind } from "./convention.ts";
import type { Reading } from "./reading.ts";
import { payloads, type Target } from "./target.ts";

export type Draft = Record<string, unknown>;

export const eventTypes: Readonly<Record<Kind, EventType>> = {
  model: "prompt_call",
  embedding: "prompt_call",
  rerank: "prompt_call",
  retrieval: "tool_call",
  tool: "tool_call",
  agent: "agent_step",
  step: "agent_step",
  score: "score",
  error: "error",
  other: "span",
};

/** Fields of an event that have another name than the target, by the kind of the record. */
const renamed: Partial<Record<Target, string>> = {
  tool_input: "input",
  tool_output: "output",
  score_name: "name",
  level: "status",
};
const renamedOfSteps: Partial<Record<Target, string>> = {
  input: "input_data",
  output: "output_data",
  prompt: "input_data",
  response: "output_data",
};

const errorParts = new Set<Target>([
  "error_type",
  "error_message",
  "error_code",
  "error_stack",
]);
/** Read for the event's own fields elsewhere. */
const apart = new Set<Target>([
  ...errorParts,
  "level",
  "workflow",
  "score_name",
  "latency_ms",
]);

export function fieldOf(target: Target, kind: Kind): string {
  const isStep = eventTypes[kind] === "agent_step";
  return (isStep ? renamedOfSteps[target] : undefined) ?? renamed[target] ??
    target;
}

/** Sets the fields that the reading has; `model` is what answered, else what was asked for. */
export function setFields(event: Draft, { kind, values }: Reading): void {
  for (const [target, value] of values) {
    if (!apart.has(target)) event[fieldOf(target, kind)] = value;
  }
  if (event.model === undefined && event.model_requested !== undefined) {
    event.model = event.model_requested;
  }
  if (event.model_requested === event.model) delete event.model_requested;
}

/** How it ended, and the error as far as it is known. */
export function setOutcome(
  event: Draft,
  { values }: Reading,
  outcome: { failed: boolean; message: string },
): void {
  const level = String(values.get("level") ?? "").toLowerCase();
  if (!outcome.failed && level !== "error") {
    event.status = (level === "warning" ? "warning" : "success") satisfies Status;
    return;
  }
  const type = values.get("error_type") as string | undefined;
  const error: Draft = {};
  if (type !== undefined) error.type = type;
  const message = values.get("error_message") ??
    (outcome.message === "" ? type : outcome.message);
  if (message !== undefined) error.message = message;
  const code = values.get("error_code");
  if (code !== undefined) error.code = code;
  const stack = values.get("error_stack");
  if (stack !== undefined) error.stack = stack;
  event.error = error;
  event.status = (type !== undefined &&
      /^(deadline_?exceeded|.*time_?d?_?out(error)?)$/i.test(type)
    ? "timeout"
    : "error") satisfies Status;
}

/** An attribute this short may stand twice. */
const keptTwiceCharactersMax = 64;

/**
 * The attributes without those that became a payload field as they were, and which those are: a
 * field's name, with `#json` when the attribute was its JSON text.
 */
export function remaining(
  attributes: Attributes,
  { kind, hits }: Reading,
): {
  attributes: Attributes | undefined;
  moved: Record<string, string> | undefined;
} {
  let moved: Record<string, string> | undefined;
  for (const [target, { found }] of hits) {
    const [key] = found.keys;
    if (!payloads.has(target) || found.whole !== true || key === undefined) {
      continue;
    }
    const value = attributes[key];
    if (typeof value === "string" && value.length <= keptTwiceCharactersMax) {
      continue;
    }
    if (typeof value !== "string" && typeof value !== "object") continue;
    moved ??= Object.create(null) as Record<string, string>;
    // Read for two fields, it is kept by the first.
    if (key in moved) continue;
    moved[key] = fieldOf(target, kind) +
      (typeof value === "string" && isDecoded(hits, target) ? "#json" : "");
  }
  const kept = Object.create(null) as Attributes;
  let any = false;
  for (const key in attributes) {
    if (moved !== undefined && key in moved) continue;
    kept[key] = shallow(attributes[key]!);
    any = true;
  }
  return { attributes: any ? kept : undefined, moved };
}

/** Whether the text became a structure. */
function isDecoded(hits: Reading["hits"], target: Target): boolean {
  const value = hits.get(target)!.found.value;
  return typeof value === "string" && /^\s*["[{]/.test(value);
}

/** The attributes as they came: the inverse of `remaining`. */
export function restored(event: Draft): Attributes {
  const attributes = Object.assign(
    Object.create(null),
    event.attributes,
  ) as Attributes;
  const { moved } = (event.telemetry ?? {}) as {
    moved?: Record<string, string>;
  };
  for (const [key, where] of Object.entries(moved ?? {})) {
    const isJson = where.endsWith("#json");
    const value = event[isJson ? where.slice(0, -"#json".length) : where];
    if (value === undefined) continue;
    attributes[key] =
      (isJson && typeof value !== "string" ? JSON.stringify(value) : value) as Value;
  }
  return attributes;
}

/** An attribute that nests too deep is kept as its JSON text. */
export function shallow(value: Value): Value {
  return tooDeep(value, limits.jsonDepthMax - 4) ? deepJson(value) : value;
}

function deepJson(value: Value): string {
  try {
    return JSON.stringify(value);
  } catch {
    // Deeper than the stack.
    return "[too deep]";
  }
}

/** A name that fits; the whole of a longer one is kept in `telemetry`. */
export function label(text: string): string {
  return text.slice(0, limits.labelCharactersMax).toWellFormed();
}
