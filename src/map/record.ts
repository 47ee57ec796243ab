// What the mapping reads: a span or a log record with its attributes, and lenient readings of values.
// Producers send numbers, booleans and whole documents as text; what cannot be read is not there.
import { limits } from "../limits.ts";
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
  /** Whether it is a span, or a log record that belongs to one. */
  has_span: boolean;
  /** Milliseconds since 1970; null when it is unknown. */
  start_ms: number | null;
}

/** Of flattened lists: producers skip numbers, and a hostile one sends millions. */
export const indexesMax = 10_001;
/** JSON inside JSON inside JSON is met; deeper is not. */
const decodingsMax = 3;
/** Steps of a flattened name, and nesting of JSON text: what is deeper stays as it came. */
const stepsMax = limits.jsonDepthMax;
/** Parsing brackets alone takes 170 ns each; from here on they are counted before. */
const countedCharactersMin = 64 * 1024;

export function isObject(value: unknown): value is Record<string, Value> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isPresent(value: unknown): value is Exclude<Value, null> {
  return value !== undefined && value !== null && value !== "";
}

/** `{intValue: "5"}` → "5": exporters of their own making let OTLP's wrapping through. */
function unwrapped(value: Value | undefined): Value | undefined {
  if (!isObject(value)) return value;
  const inner = value.intValue ?? value.doubleValue ?? value.stringValue ?? value.boolValue;
  return inner !== undefined && Object.keys(value).length === 1 ? inner : value;
}

export function textOf(given: Value | undefined): string | undefined {
  const value = unwrapped(given);
  if (typeof value === "string") return value === "" ? undefined : value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

/** A number, also as text. */
export function numberOf(given: Value | undefined): number | undefined {
  const value = unwrapped(given);
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
    if (current.length >= countedCharactersMin && nestsTooDeep(current)) break;
    try {
      current = JSON.parse(current) as Value;
    } catch {
      break;
    }
  }
  return current;
}

/** Whether brackets outside of texts stand deeper than a field may nest. */
function nestsTooDeep(json: string): boolean {
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    switch (json.charCodeAt(at)) {
      case 0x22:
        at = endOfText(json, at);
        break;
      case 0x5b:
      case 0x7b:
        if (++depth > stepsMax) return true;
        break;
      case 0x5d:
      case 0x7d:
        depth--;
    }
  }
  return false;
}

/** Place of the quote that ends the text which begins at `start`. */
function endOfText(json: string, start: number): number {
  for (let at = start + 1;; at++) {
    at = json.indexOf('"', at);
    if (at === -1) return json.length;
    let slashes = 0;
    while (json.charCodeAt(at - 1 - slashes) === 0x5c) slashes++;
    if (slashes % 2 === 0) return at;
  }
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
    const path = key.slice(prefix.length).split(".", stepsMax);
    if (path.length === stepsMax || path.some((step) => forbidden.has(step))) continue;
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
