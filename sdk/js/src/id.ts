// Identity: UUIDv7 for events, hexadecimal ids for runs and spans, and the choice of a sample.

// Random bytes are drawn for 1,024 ids at a time: a draw costs more than an id.
const pool = new Uint8Array(1024 * 8);
let used = pool.length;

const hex = Array.from(
  { length: 256 },
  (_, byte) => byte.toString(16).padStart(2, "0"),
);

function draw(count: number): number {
  if (used + count > pool.length) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  used += count;
  return used - count;
}

function text(from: number, count: number): string {
  let digits = "";
  for (let at = from; at < from + count; at++) digits += hex[pool[at]!]!;
  return digits;
}

let timeMs = -1;
let timeDigits = "";
let sequence = 0;

/**
 * 12 digits of milliseconds; the version digit and the place within the millisecond, so that ids of
 * one program sort as they were made; the variant and 62 random bits.
 */
function parts(
  nowMs: number,
): [time: string, place: string, variant: string, rest: string] {
  if (nowMs === timeMs) {
    sequence = (sequence + 1) & 0x0fff;
  } else {
    timeMs = nowMs;
    timeDigits = nowMs.toString(16).padStart(12, "0");
    sequence = 0;
  }
  const at = draw(8);
  const place = (0x7000 | sequence).toString(16);
  const variant = hex[0x80 | (pool[at]! & 0x3f)]! + hex[pool[at + 1]!]!;
  return [timeDigits, place, variant, text(at + 2, 6)];
}

/** A UUIDv7: sortable by time, so that an event sent twice is stored once. */
export function newEventId(nowMs: number): string {
  const [time, place, variant, rest] = parts(nowMs);
  return `${time.slice(0, 8)}-${time.slice(8)}-${place}-${variant}-${rest}`;
}

/** 32 digits without dashes: a W3C trace id as well. */
export function newRunId(nowMs: number): string {
  return parts(nowMs).join("");
}

/** 16 digits: a W3C span id as well. */
export function newSpanId(): string {
  return text(draw(8), 8);
}

/**
 * Whether a run belongs to the sample. The same run gives the same answer everywhere: CRC-32 of its
 * UTF-8 bytes as a part of 2^32, which Python has as `zlib.crc32`.
 */
export function isSampled(run_id: string, rate: number): boolean {
  let crc = 0xffffffff;
  for (const byte of new TextEncoder().encode(run_id)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) {
      crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    }
  }
  return ((crc ^ 0xffffffff) >>> 0) / 2 ** 32 < rate;
}
