// Finds long base64 in a text without reading most of it. Pure.

/** A stretch of a text that may be base64: only its alphabet, and padding at its end. */
export interface Run {
  start: number;
  /** Exclusive; padding included. */
  end: number;
}

/** Files below this many bytes stay where they are. */
export const fileBytesMin = 1024;
const charactersMin = Math.ceil(fileBytesMin * 4 / 3);

/** A run covers one of these places whole, so nothing between them need be looked at. */
const probeEvery = 512;
const probeCharacters = 64;

/** Standard alphabet and the one for URLs. */
const isBase64 = new Uint8Array(128);
for (const character of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_") {
  isBase64[character.charCodeAt(0)] = 1;
}
const padding = "=".charCodeAt(0);

function isOne(code: number): boolean {
  return code < 128 && isBase64[code] === 1;
}

/** Every run that is long enough to hold a file, from left to right. */
export function* runsOf(text: string): Generator<Run> {
  for (let probe = 0; probe + charactersMin / 2 <= text.length; probe += probeEvery) {
    if (!isRun(text, probe)) continue;
    let start = probe;
    while (start > 0 && isOne(text.charCodeAt(start - 1))) start--;
    let end = probe + probeCharacters;
    while (end < text.length && isOne(text.charCodeAt(end))) end++;
    // Two characters make a byte at least, so a third "=" belongs to what follows.
    for (let pads = 0; pads < 2 && text.charCodeAt(end) === padding; pads++) end++;
    if (end - start >= charactersMin) yield { start, end };
    while (probe + probeEvery < end) probe += probeEvery;
  }
}

function isRun(text: string, from: number): boolean {
  if (from + probeCharacters > text.length) return false;
  for (let at = from; at < from + probeCharacters; at++) {
    if (!isOne(text.charCodeAt(at))) return false;
  }
  return true;
}

/** Null when the characters are not whole base64. */
export function decodeBase64(text: string): Uint8Array | null {
  const bare = text.endsWith("==") ? text.length - 2 : text.endsWith("=") ? text.length - 1 : null;
  const digits = bare ?? text.length;
  if (digits % 4 === 1) return null;
  // Padding fills the last four, or is left out altogether.
  if (bare !== null && text.length % 4 !== 0) return null;
  const bytes = Buffer.from(text, "base64");
  return bytes.length === Math.floor(digits * 3 / 4) ? bytes : null;
}
