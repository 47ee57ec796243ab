// Moves files out of an event: base64 in any of its texts, as data: URLs, in the shapes of providers
// and OpenTelemetry, or bare, also within JSON that a text holds. In its place stands
//
//   blob:sha256-<hex>?type=image/png&bytes=12345
//
// Pure; an event never fails because of what is found in it.
import type { ContentBlob } from "../receive/batch.ts";
import { decodeBase64, fileBytesMin, type Run, runsOf } from "./base64.ts";
import { headBytes, magicOf, mediaTypeOf } from "./media_type.ts";

type Draft = Record<string, unknown>;

/** One that is larger stays in its event, which is then too large itself. */
const fileBytesMax = 32 * 1024 * 1024;
const filesMax = 64;
/** Events nest no deeper, or are refused. */
const depthMax = 80;
/** Characters before and after base64 in a text that may say that it is a file. */
const windowCharacters = 200;
const dataUrlCharactersMax = 256;

/** Keys that stand beside the content of a file and say what it is. */
const typeKeys = new Set([
  "contentType",
  "content_type",
  "file_name",
  "filename",
  "format",
  "media_type",
  "mediaType",
  "mime_type",
  "mimeType",
]);
const typeKeyInText = new RegExp(`"(${[...typeKeys].join("|")})\\\\*"\\s*:`);

/** The files that stood in the value, each once; the value is changed in place. */
export function extractFiles(value: Draft): ContentBlob[] {
  const files = new Map<string, ContentBlob>();
  const open: { node: Draft | unknown[]; depth: number }[] = [{ node: value, depth: 0 }];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { node, depth } = at;
    const isList = Array.isArray(node);
    for (const key in node) {
      const child = (node as Draft)[key];
      if (typeof child === "string") {
        if (child.length < fileBytesMin) continue;
        const text = withoutFiles(child, files, () => !isList && isDeclared(node));
        if (text !== child) (node as Draft)[key] = text;
      } else if (typeof child === "object" && child !== null && depth < depthMax) {
        open.push({ node: child as Draft, depth: depth + 1 });
      }
    }
  }
  return [...files.values()];
}

/** The object says of what type its content is. */
function isDeclared(node: Draft): boolean {
  for (const key in node) if (typeKeys.has(key) && typeof node[key] === "string") return true;
  return false;
}

function withoutFiles(
  text: string,
  files: Map<string, ContentBlob>,
  declared: () => boolean,
): string {
  let clean = "";
  let from = 0;
  for (const run of runsOf(text)) {
    if (files.size >= filesMax) break;
    const place = placeOf(text, run, declared);
    if (place === null) continue;
    const file = fileOf(text.slice(place.content, run.end), place.sure);
    if (file === null) continue;
    files.set(file.sha256, file);
    clean += text.slice(from, place.start) + reference(file);
    from = run.end;
  }
  return from === 0 ? text : clean + text.slice(from);
}

/** Where a run stands. */
interface Place {
  /** What is replaced begins here. */
  start: number;
  /** The base64 begins here. */
  content: number;
  /** The text says that it is a file, whatever its bytes are. */
  sure: boolean;
}

const quote = '"';
const base64Mark = ";base64,";

/** Null when nothing says that the run is a value of its own. */
function placeOf(text: string, { start, end }: Run, declared: () => boolean): Place | null {
  if (text.startsWith(base64Mark, start - base64Mark.length)) {
    const url = text.lastIndexOf("data:", start);
    const isNear = url !== -1 && start - url <= dataUrlCharactersMax;
    if (isNear && !/[\s"'()<>]/.test(text.slice(url, start))) {
      return { start: url, content: start, sure: true };
    }
  }
  if (start === 0 && end === text.length) return { start, content: start, sure: declared() };
  // A string of JSON, whose quotes are escaped when the JSON stands within JSON.
  const isString = text[start - 1] === quote && /^\\*"/.test(text.slice(end, end + 8));
  if (!isString) return null;
  const before = text.slice(Math.max(0, start - windowCharacters), start);
  const after = text.slice(end, end + windowCharacters);
  // Only of the object at hand: what stands beyond a brace is another's.
  const near = before.slice(before.lastIndexOf("{") + 1) + (after.split("}", 1)[0] ?? "");
  return { start, content: start, sure: typeKeyInText.test(near) };
}

/** Characters that decode to at least as many bytes as tell a file. */
const headCharacters = 64;

function fileOf(base64: string, sure: boolean): ContentBlob | null {
  if (base64.length / 4 * 3 > fileBytesMax) return null;
  if (!sure && magicOf(Buffer.from(base64.slice(0, headCharacters), "base64")) === null) {
    return null;
  }
  const bytes = decodeBase64(base64);
  if (bytes === null || bytes.length < fileBytesMin) return null;
  return {
    sha256: new Bun.CryptoHasher("sha256").update(bytes).digest("hex"),
    bytes,
    media_type: mediaTypeOf(bytes.subarray(0, headBytes)),
  };
}

function reference({ sha256, bytes, media_type }: ContentBlob): string {
  return `blob:sha256-${sha256}?type=${media_type}&bytes=${bytes.length}`;
}
