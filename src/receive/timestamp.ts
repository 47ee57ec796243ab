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

/** With milliseconds, as JavaScript writes it, and with microseconds, as OpenTelemetry's spans have it. */
const canonicalLengths = [24, 27];
/** `-`, `-`, `T`, `:`, `:`, `.` where they stand in it. */
const signs = [[4, 45], [7, 45], [10, 84], [13, 58], [16, 58], [19, 46]] as const;
const monthDays = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;
const dayMs = 86_400_000;

/** What most producers send, read by hand: many times as fast as the rest. */
function parseCanonical(input: string): Timestamp | null {
  if (!canonicalLengths.includes(input.length) || !input.endsWith("Z")) return null;
  for (const [at, code] of signs) if (input.charCodeAt(at) !== code) return null;
  for (let at = 23; at < input.length - 1; at++) if (digitAt(input, at) < 0) return null;
  const year = pairAt(input, 0) * 100 + pairAt(input, 2);
  const month = pairAt(input, 5), day = pairAt(input, 8);
  const hour = pairAt(input, 11), minute = pairAt(input, 14), second = pairAt(input, 17);
  const milli = pairAt(input, 20) * 10 + digitAt(input, 22);
  // What is not a digit makes a negative number.
  if (year < 0 || milli < 0 || month < 1 || month > 12 || day < 1) return null;
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  if (day > monthDays[month - 1]! + Number(month === 2 && isLeap)) return null;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return null;
  const clockMs = ((hour * 60 + minute) * 60 + second) * 1000 + milli;
  const text = input.length === 27 ? input : `${input.slice(0, 23)}000Z`;
  return { ms: daysOf(year, month, day) * dayMs + clockMs, text };
}

const notDigits = -100_000;

function digitAt(text: string, at: number): number {
  const digit = text.charCodeAt(at) - 48;
  return digit >= 0 && digit <= 9 ? digit : notDigits;
}

function pairAt(text: string, at: number): number {
  return digitAt(text, at) * 10 + digitAt(text, at + 1);
}

/** Days since 1970 in the Gregorian calendar: years begin in March, so that a leap day ends one. */
function daysOf(year: number, month: number, day: number): number {
  const marchYear = month > 2 ? year : year - 1;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) +
    dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
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
