// Nanoseconds since 1970, and ISO 8601 with as many digits.

const nanosPerSecond = 1_000_000_000n;

/** `2026-01-31T12:00:00.123456789Z`. A time that no calendar holds is 1970. */
export function isoOf(nanos: bigint): string {
  return `${secondOf(nanos)}.${String(nanos % nanosPerSecond).padStart(9, "0")}Z`;
}

/** The same, without what an event does not keep. */
export function microsecondsOf(nanos: bigint): string {
  const rest = Math.floor(Number(nanos % nanosPerSecond) / 1000);
  return `${secondOf(nanos)}.${String(rest).padStart(6, "0")}Z`;
}

/** Spans of an export lie close together: the second that was asked for last is remembered. */
let [lastSecond, lastText] = [0, "1970-01-01T00:00:00"];

function secondOf(nanos: bigint): string {
  const second = Number(nanos / nanosPerSecond);
  if (second !== lastSecond) {
    const date = new Date(second * 1000);
    if (Number.isNaN(date.getTime())) return "1970-01-01T00:00:00";
    [lastSecond, lastText] = [second, date.toISOString().slice(0, 19)];
  }
  return lastText;
}

/** Of ISO 8601 text, or of nanoseconds as decimal text; 0 of anything else. */
export function nanosOf(value: unknown): bigint {
  if (typeof value !== "string") return 0n;
  if (/^\d{1,20}$/.test(value)) return BigInt(value);
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{9})Z$/.exec(value);
  if (match === null) return 0n;
  return BigInt(Date.parse(`${match[1]}Z`)) * 1_000_000n + BigInt(match[2]!);
}
