// The bytes of POST /v1/events → values, one for each event that was sent. Pure.
// Four forms: one object, an array, {"events": […]}, and newline-delimited JSON.
import { limits } from "../limits.ts";
import { type BatchRefusal, Unreadable } from "./batch.ts";

export function parseBatch(bytes: Uint8Array, contentType: string): unknown[] | BatchRefusal {
  const text = new TextDecoder().decode(bytes);
  return contentType.includes("ndjson") || contentType.includes("jsonl")
    ? parseLines(text)
    : parseDocument(bytes, text);
}

function parseDocument(bytes: Uint8Array, text: string): unknown[] | BatchRefusal {
  if (!shallowEnough(bytes)) {
    return { reason: "too_deep", message: `JSON nests deeper than ${documentDepthMax} levels.` };
  }
  let document: unknown;
  try {
    document = parseJson(text);
  } catch (error) {
    return { reason: "invalid_json", message: `The body is not JSON: ${(error as Error).message}` };
  }
  const events = eventsOf(document);
  if (events === null) {
    return {
      reason: "not_events",
      message: 'Send one event object, an array of them, {"events": […]}, or NDJSON.',
    };
  }
  return events.length > limits.batchEventsMax ? tooMany(events.length) : events;
}

function eventsOf(document: unknown): unknown[] | null {
  if (Array.isArray(document)) return document;
  if (typeof document !== "object" || document === null) return null;
  const { events } = document as { events?: unknown };
  // An event has a type; the envelope does not.
  if (Array.isArray(events) && !("event_type" in document)) return events;
  return [document];
}

function parseLines(text: string): unknown[] | BatchRefusal {
  const values: unknown[] = [];
  let start = 0;
  while (start < text.length) {
    let end = text.indexOf("\n", start);
    if (end === -1) end = text.length;
    const line = text.slice(start, end).trim();
    start = end + 1;
    if (line === "") continue;
    if (values.length === limits.batchEventsMax) return tooMany(values.length + 1);
    values.push(parseLine(line));
  }
  return values;
}

function parseLine(line: string): unknown {
  if (line.length > limits.eventBytesMax) {
    return new Unreadable(`The line has more than ${limits.eventBytesMax} characters.`);
  }
  try {
    return parseJson(line);
  } catch (error) {
    return new Unreadable(`The line is not JSON: ${(error as Error).message}`);
  }
}

function tooMany(count: number): BatchRefusal {
  return {
    reason: "too_many_events",
    message: `The request has ${count} events or more; at most ${limits.batchEventsMax} are taken.`,
  };
}

/**
 * Numbers that a double may not hold, where a number can stand. Text that looks like one is a false
 * alarm, which costs only time.
 */
const wideNumber = /[:,[]\s*-?(?:\d{16}|\d[\d.]*[eE]\+?\d{3})/;

/** JSON.parse, but a number that would lose digits becomes the text that was sent. */
export function parseJson(text: string): unknown {
  return wideNumber.test(text) ? JSON.parse(text, keepDigits as Reviver) : JSON.parse(text);
}

type Reviver = (key: string, value: unknown) => unknown;

function keepDigits(_key: string, value: unknown, { source }: { source?: string }): unknown {
  if (typeof value !== "number" || source === undefined || Number.isSafeInteger(value)) {
    return value;
  }
  if (!Number.isFinite(value)) return source;
  // Fractions are doubles anyway; digits alone are kept unless the double is written with the same.
  return !/^-?\d+$/.test(source) || String(value) === source ? value : source;
}

/** The envelope, the array, an event and a field of the deepest kind. */
const documentDepthMax = limits.jsonDepthMax + 3;
const scannedBytesMin = 1024 * 1024;

/**
 * Whether JSON text stays within the depth. JSON.parse has no bound and takes 0.1 s for 1 MB of
 * brackets, so only larger bodies are worth the scan; smaller ones are bounded field by field.
 */
function shallowEnough(bytes: Uint8Array): boolean {
  if (bytes.length < scannedBytesMin) return true;
  let depth = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === 0x22) {
      for (at++; at < bytes.length && bytes[at] !== 0x22; at++) if (bytes[at] === 0x5c) at++;
    } else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > documentDepthMax) return false;
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  return true;
}
