// Answers that come piece by piece, as server-sent events → the answer as it would have come whole.
import { type Json, objectOf, parsed } from "./kind.ts";

export interface StreamedEvent {
  data: Json;
  /** Bytes of the body up to the end of its line. */
  bytes: number;
}

/** Whether a body is a stream: an endpoint may not care that it was asked for one. */
export function isStream(body: string): boolean {
  return /^\s*(?:event|data|id|retry)?:/.test(body);
}

/** Those whose data is a JSON object; `isDone` when the last says so in OpenAI's way. */
export function eventsIn(body: string): { events: StreamedEvent[]; isDone: boolean } {
  const events: StreamedEvent[] = [];
  let isDone = false;
  let bytes = 0;
  for (const line of body.split("\n")) {
    bytes += Buffer.byteLength(line) + 1;
    const text = /^data: ?(.*?)\r?$/.exec(line)?.[1];
    if (text === undefined) continue;
    if (text === "[DONE]") isDone = true;
    const data = parsed(text);
    if (data !== null) events.push({ data, bytes });
  }
  return { events, isDone };
}

/** An answer put together, or why it cannot be. */
export type Joined = { answer: Json; first_token_bytes: number | null } | string;

export const brokenOff = "The stream ended before the answer did.";

/** What went wrong amid a stream, in the endpoint's own kind of error. */
export function errorIn(data: Json): string | null {
  const error = objectOf(data.error);
  if (error === null) return null;
  const type = typeof error.type === "string" ? error.type : error.code;
  return `The stream ended with an error${
    typeof type === "string" ? ` (${type.slice(0, 100)})` : ""
  }.`;
}
