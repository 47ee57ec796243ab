// What a file is, by its first bytes. What its sender calls it is not believed: it decides how a
// browser treats the bytes. Pure.

interface Magic {
  type: string;
  /** Hex; dots stand for any digit. */
  start: string;
}

/** Only beginnings that text and numbers do not have by chance. */
const magics: readonly Magic[] = [
  { type: "image/png", start: "89504e470d0a1a0a" },
  { type: "image/jpeg", start: "ffd8ff" },
  { type: "image/gif", start: "474946383761" },
  { type: "image/gif", start: "474946383961" },
  { type: "image/webp", start: "52494646........57454250" },
  { type: "image/avif", start: "........6674797061766966" },
  { type: "image/heic", start: "........6674797068656963" },
  { type: "image/tiff", start: "49492a00" },
  { type: "image/tiff", start: "4d4d002a" },
  { type: "audio/wav", start: "52494646........57415645" },
  { type: "audio/mpeg", start: "494433" },
  { type: "audio/ogg", start: "4f676753" },
  { type: "audio/flac", start: "664c6143" },
  { type: "video/mp4", start: "........66747970" },
  { type: "video/webm", start: "1a45dfa3" },
  { type: "application/pdf", start: "255044462d" },
  { type: "application/zip", start: "504b0304" },
  { type: "application/gzip", start: "1f8b08" },
];
const patterns = magics.map(({ type, start }) => ({ type, pattern: new RegExp(`^${start}`) }));

/** Bytes that are looked at. */
export const headBytes = 1024;
const magicBytes = 12;

export const unknownType = "application/octet-stream";

/** Null when the bytes start like no file that is known. */
export function magicOf(head: Uint8Array): string | null {
  const hex = Buffer.from(head.buffer, head.byteOffset, Math.min(magicBytes, head.byteLength))
    .toString("hex");
  return patterns.find(({ pattern }) => pattern.test(hex))?.type ?? null;
}

/** By the first `headBytes` of a file. */
export function mediaTypeOf(head: Uint8Array): string {
  return magicOf(head) ?? (isText(head) ? "text/plain" : unknownType);
}

// deno-lint-ignore no-control-regex
const controls = /[\x00-\x08\x0e-\x1f\x7f]/;
const characterBytesMax = 4;

function isText(head: Uint8Array): boolean {
  // The last character may be cut.
  for (let cut = 0; cut < characterBytesMax && cut < head.length; cut++) {
    try {
      const text = new TextDecoder("utf-8", { fatal: true })
        .decode(head.subarray(0, head.length - cut));
      return !controls.test(text);
    } catch {
      if (head.length < headBytes) return false;
    }
  }
  return false;
}
