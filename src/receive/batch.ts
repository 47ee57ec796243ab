// Values as producers sent them → complete events, each with its line of the log, and named
// rejections. The steps of a project come in between: move files out → redact → validate → price.
import type { Event, Rejection } from "../event.ts";
import { setIssue } from "../issue/fingerprint.ts";
import { limits } from "../limits.ts";
import { type Receipt, receiveEvent } from "./event.ts";

export interface Batch {
  /** Accepted events, each with the line that goes into the log, newline included. */
  events: Event[];
  lines: string[];
  /** What the scan of events gave rise to; nobody sent these. */
  consequences: { events: Event[]; lines: string[] };
  rejected: Rejection[];
  /** Per value: the event's id, also for rejected events that had one. */
  eventIds: (string | null)[];
  /** What was moved out of the events; to be on disk before them. */
  blobs: ContentBlob[];
}

/** The request as a whole cannot be read. */
export interface BatchRefusal {
  reason: "invalid_json" | "not_events" | "too_many_events" | "too_deep";
  message: string;
}

/** A value that is none; stands in the list so that its neighbours keep their index. */
export class Unreadable {
  constructor(readonly message: string) {}
}

/** A file that stood in an event as base64. */
export interface ContentBlob {
  /** Hex. */
  sha256: string;
  bytes: Uint8Array;
  media_type: string;
}

/** What a project does with its events before they are stored. */
export interface Steps {
  /** Moves files out of the value, in place, and returns them. */
  extract: ((value: Draft) => ContentBlob[]) | null;
  /** Masks the value in place; what was found, by kind, and events that the scan gives rise to. */
  redact: ((value: Draft) => Found | null) | null;
  /** Sets the cost of a complete event, in place. */
  price: ((event: Event) => void) | null;
  /** Sets the fingerprint of a failure, in place, where a rule of the project has one for it. */
  group: ((event: Event) => void) | null;
}

export interface Found {
  counts: Record<string, number>;
  /** Values like those of a producer; they are stored beside the event. */
  events?: Draft[];
}

type Draft = Record<string, unknown>;

export const noSteps: Steps = { extract: null, redact: null, price: null, group: null };

/** What became of a value whose files are moved out, and which is masked. */
export interface Treated {
  /** Names of its files. */
  blobs: string[];
  found: Found | null;
}

/** Moves files out of a value and masks it, in place. */
export function treat(value: Draft, steps: Steps): { treated: Treated; files: ContentBlob[] } {
  const files = steps.extract === null ? [] : steps.extract(value);
  const found = steps.redact === null ? null : steps.redact(value);
  const blobs = files.length === 0 ? [] : [...new Set(files.map(({ sha256 }) => sha256))];
  return { treated: { blobs, found }, files };
}

/** Values that were treated before are not treated again. */
export function receiveBatch(
  values: readonly unknown[],
  receipt: Receipt,
  steps: Steps,
  before?: ReadonlyMap<unknown, Treated>,
): Batch {
  const batch: Batch = {
    events: [],
    lines: [],
    consequences: { events: [], lines: [] },
    rejected: [],
    eventIds: [],
    blobs: [],
  };
  values.forEach((value, index) => {
    batch.eventIds.push(take(batch, index, value, receipt, steps, before?.get(value)));
  });
  return batch;
}

const untreated: Treated = { blobs: [], found: null };

/** Returns the id that the receipt names. */
function take(
  batch: Batch,
  index: number,
  value: unknown,
  receipt: Receipt,
  steps: Steps,
  before: Treated | undefined,
): string | null {
  if (value instanceof Unreadable) {
    const { message } = value;
    batch.rejected.push({ index, event_id: null, field: null, reason: "invalid_json", message });
    return null;
  }
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  const { treated: { blobs, found }, files } = before !== undefined || !isObject
    ? { treated: before ?? untreated, files: [] }
    : treat(value as Draft, steps);
  const verdict = receiveEvent(value, receipt);
  if ("rejection" in verdict) {
    batch.rejected.push({ index, ...verdict.rejection });
    return verdict.rejection.event_id;
  }
  const { event } = verdict;
  if (blobs.length > 0) event.blobs = blobs;
  if (found !== null) event.redactions = found.counts;
  steps.price?.(event);
  steps.group?.(event);
  setIssue(event);
  const line = lineOf(event);
  if (isTooLong(line)) {
    batch.rejected.push({
      index,
      event_id: event.event_id,
      field: null,
      reason: "event_too_large",
      message: `The event has more than ${limits.eventBytesMax} bytes.`,
    });
    return event.event_id;
  }
  batch.events.push(event);
  batch.lines.push(line);
  for (const file of files) batch.blobs.push(file);
  for (const consequence of found?.events ?? []) addConsequence(batch, consequence, receipt);
  return event.event_id;
}

/** UTF-8 has at most three bytes for a character of JavaScript: most lines need no counting. */
function isTooLong(line: string): boolean {
  return line.length * 3 > limits.eventBytesMax && Buffer.byteLength(line) > limits.eventBytesMax;
}

function addConsequence(batch: Batch, value: Draft, receipt: Receipt): void {
  const verdict = receiveEvent(value, receipt);
  // It is made here, not by the producer: what cannot be received is a bug.
  if ("rejection" in verdict) throw new Error(verdict.rejection.message);
  setIssue(verdict.event);
  batch.consequences.events.push(verdict.event);
  batch.consequences.lines.push(lineOf(verdict.event));
}

/** JSON.stringify escapes a surrogate only when it is alone; DuckDB refuses such a line. */
const loneSurrogate = /(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g;

/** An event, or a data point, as one line of the log. */
export function lineOf(row: object): string {
  const json = JSON.stringify(row);
  const clean = json.includes("\\ud") ? json.replace(loneSurrogate, "$1\\ufffd") : json;
  return clean + "\n";
}
