// The form of the append log: newline-delimited JSON that DuckDB reads natively, in commits.
// A commit is the lines of some events and one trailer line that holds their length and checksum:
//
//   {"event_id":"…", …}\n  …  {"commit":{"bytes":2170,"events":2,"crc32":"9ae0daaf"}}\n
//
// A line that starts with point_id is a data point of a metric; a trailer counts it as any other. A
// trailer has no id, which tells it from both in SQL. Acknowledged means: the trailer is on disk.
// Everything in this file is pure.

/** A sealed piece of the log; nothing is appended to it any more. */
export interface Segment {
  /** Rising number; gives the file its name. */
  sequence: number;
  path: string;
  /** Whole commits end here; a file may be longer when a failed write could not be cut off. */
  bytes: number;
  /** Lines, data points among them. */
  events: number;
  /** Of the lines. */
  points: number;
}

export function segmentName(sequence: number): string {
  return `${String(sequence).padStart(16, "0")}.ndjson`;
}

export function sequenceOf(name: string): number | null {
  const match = /^(\d{16})\.ndjson$/.exec(name);
  return match === null ? null : Number(match[1]);
}

const trailerStart = '{"commit":{"bytes":';
const trailerForm =
  /^\{"commit":\{"bytes":(\d{1,15}),"events":(\d{1,15}),"crc32":"([0-9a-f]{8})"\}\}$/;
/** Longer than any trailer. */
const trailerBytesMax = 96;

/** Of the lines, and of how many there are. */
function checksum(lines: Uint8Array, events: number): string {
  const crc = Bun.hash.crc32(`${lines.length},${events}`, Bun.hash.crc32(lines));
  return crc.toString(16).padStart(8, "0");
}

/** Lines of events → the bytes of one commit. */
export function encodeCommit(lines: string, events: number): Uint8Array {
  const body = Buffer.byteLength(lines);
  const bytes = Buffer.allocUnsafeSlow(body + trailerBytesMax);
  bytes.write(lines, 0, "utf8");
  const crc32 = checksum(bytes.subarray(0, body), events);
  const trailer = `${trailerStart}${body},"events":${events},"crc32":"${crc32}"}}\n`;
  return bytes.subarray(0, body + bytes.write(trailer, body, "latin1"));
}

/** A stretch of a segment, in bytes from its start; `end` is exclusive. */
export interface Span {
  start: number;
  end: number;
}

export interface Scan {
  /** Whole commits, in order. */
  good: Span[];
  /** Lines, data points among them. */
  events: number;
  points: number;
  /** Bytes between good commits whose checksum fails: disk damage. */
  damaged: Span[];
  /** Bytes after the last trailer: a write that was cut short, never acknowledged. */
  torn: Span | null;
}

/** Finds every whole commit of a segment, also behind damage. */
export function scanSegment(file: Uint8Array): Scan {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const scan: Scan = { good: [], events: 0, points: 0, damaged: [], torn: null };
  // Everything before `seen` has been judged.
  let seen = 0;
  let from = 0;
  while (from < bytes.length) {
    const found = bytes.indexOf(trailerStart, from, "latin1");
    if (found === -1) break;
    from = found + trailerStart.length;
    // Inside a string a quote is escaped, so the text of a trailer can start only on a line's edge.
    if (found > 0 && bytes[found - 1] !== 0x0a) continue;
    const newline = bytes.indexOf(0x0a, found);
    if (newline === -1 || newline - found > trailerBytesMax) continue;
    const match = trailerForm.exec(bytes.toString("latin1", found, newline));
    if (match === null) continue;
    const start = found - Number(match[1]);
    const events = Number(match[2]);
    const whole = start >= seen && checksum(bytes.subarray(start, found), events) === match[3];
    // A trailer whose own body is spoiled ends the damage: what follows is judged afresh.
    if (!whole) scan.damaged.push({ start: seen, end: newline + 1 });
    else {
      if (start > seen) scan.damaged.push({ start: seen, end: start });
      scan.good.push({ start, end: newline + 1 });
      scan.events += events;
      scan.points += countPoints(bytes.subarray(start, found));
    }
    seen = newline + 1;
    from = seen;
  }
  if (seen < bytes.length) scan.torn = { start: seen, end: bytes.length };
  return scan;
}

const pointStart = '{"point_id":';

/** Inside a string a quote is escaped, so the text stands where a line starts, or in an object. */
function countPoints(lines: Buffer): number {
  let points = 0;
  let at = lines.indexOf(pointStart, 0, "latin1");
  for (; at !== -1; at = lines.indexOf(pointStart, at + pointStart.length, "latin1")) {
    if (at === 0 || lines[at - 1] === 0x0a) points++;
  }
  return points;
}
