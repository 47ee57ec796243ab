// What the mapping reads: a span or a log record with its attributes, and lenient readings of values.
// Producers send numbers, booleans and whole documents as text; what cannot be read is not there.
import type { Attributes, SpanEvent, Value } from "../receive/otlp/telemetry.ts";

export interface RawRecord {
  signal: "span" | "log";
  /** Name of the span, or of the log's event. */
  name: string;
  attributes: Attributes;
  resource: Attributes;
  scope_name: string;
  /** Of a span. */
  events: readonly SpanEvent[];
  /** Of a log record. */
  body: Value;
  /** Milliseconds since 1970; null when it is unknown. */
  start_ms: number | null;
}

/** Of flattened lists: producers skip numbers, and a hostile one sends millions. */
export const indexesMax = 10_001;
/** JSON inside JSON inside JSON is met; deeper is not. */
const decodingsMax = 3;

export function isObject(value: unknown): value is Record<string, Value> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isPresent(value: unknown): value is Exclude<Value, null> {
  return value !== undefined && value !== null && value !== "";
}

export function textOf(value: Value | undefined): string | undefined {
  if (typeof value === "string") return value === "" ? undefined : value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

/** A number, also as text. */
export function numberOf(value: Value | undefined): number | undefined {
  const number = typeof value === "number" ? value : typeof value === "string" &&
      /^\s*-?\d+(\.\d+)?([eE][+-]?\d+)?\s*$/.test(value)
    ? Number(value)
    : Number.NaN;
  return Number.isFinite(number) ? number : undefined;
}

/** A count: a whole number from 0. */
export function countOf(value: Value | undefined): number | undefined {
  const number = numberOf(value);
  if (number === undefined || number < 0) return undefined;
  const whole = Math.round(number);
  return Number.isSafeInteger(whole) ? whole : undefined;
}

/** What JSON text says, also when it was encoded twice; other values as they are. */
export function decoded(value: Value | undefined): Value | undefined {
  let current = value;
  for (
    let times = 0;
    times < decodingsMax && typeof current === "string";
    times++
  ) {
    const start = current.trimStart()[0];
    if (
      start !== "{" && start !== "[" &&
      !(start === '"' && /^"[[{]/.test(current))
    ) break;
    try {
      current = JSON.parse(current) as Value;
    } catch {
      break;
    }
  }
  return current;
}

/** A member of a JSON document, by its path. */
export function memberOf(
  value: Value | undefined,
  path: readonly string[],
): Value | undefined {
  let current = decoded(value);
  for (const key of path) {
    if (!isObject(current) || !Object.hasOwn(current, key)) return undefined;
    current = decoded(current[key]);
  }
  return current ?? undefined;
}

/** A list of texts: an array, JSON of one, or text with commas. */
export function textsOf(value: Value | undefined): string[] | undefined {
  const list = decoded(value);
  if (Array.isArray(list)) {
    const texts = list.map((item) => textOf(item)).filter((item) => item !== undefined);
    return texts.length === 0 ? undefined : texts;
  }
  const text = textOf(list);
  return text?.split(",").map((item) => item.trim()).filter((item) => item !== "");
}

const forbidden = new Set(["__proto__", "constructor", "prototype"]);

/**
 * Flattened attributes below a prefix → the structure they were made of: `a.0.role`, `a.2.role` → a
 * list of two. Indexes are sparse and need not start at 0; they give the order, and no more.
 */
export function unflatten(
  attributes: Attributes,
  prefix: string,
): { value: Value; keys: string[] } | undefined {
  const root: Node = { value: undefined, children: null };
  const keys: string[] = [];
  for (const key in attributes) {
    if (!key.startsWith(prefix)) continue;
    const path = key.slice(prefix.length).split(".");
    if (path.some((step) => forbidden.has(step))) continue;
    if (keys.length >= membersMax) break;
    keys.push(key);
    let node = root;
    for (const step of path) {
      node.children ??= new Map();
      let child = node.children.get(step);
      if (child === undefined) {
        node.children.set(step, child = { value: undefined, children: null });
      }
      node = child;
    }
    node.value = attributes[key]!;
  }
  return keys.length === 0 ? undefined : { value: built(root), keys };
}

const membersMax = 20 * indexesMax;

interface Node {
  value: Value | undefined;
  children: Map<string, Node> | null;
}

function built(node: Node): Value {
  if (node.children === null) return node.value ?? null;
  const entries = [...node.children];
  if (entries.every(([key]) => /^\d{1,15}$/.test(key))) {
    return entries.toSorted(([a], [b]) => Number(a) - Number(b)).slice(
      0,
      indexesMax,
    )
      .map(([, child]) => built(child));
  }
  const object = Object.create(null) as Record<string, Value>;
  for (const [key, child] of entries) object[key] = built(child);
  return object;
}
