// A request's body as bytes: read within bounds, decompressed within bounds.
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { limits } from "../limits.ts";

export type BodyReason =
  | "body_too_large"
  | "inflated_too_large"
  | "unknown_encoding"
  | "corrupt_encoding";

/** A body that cannot be read, and the sentence that says why. */
export interface BodyRefusal {
  reason: BodyReason;
  message: string;
}

/** Reads a stream to its end, or stops as soon as it is larger than `limits.bodyBytesMax`. */
export async function readBody(request: Request): Promise<Uint8Array | BodyRefusal> {
  const declared = Number(request.headers.get("content-length") ?? 0);
  if (declared > limits.bodyBytesMax) return tooLarge(declared);
  // Before `body` is touched: a stream costs more than the rest of a small request.
  if (declared > 0) return new Uint8Array(await request.arrayBuffer());
  if (request.body === null) return new Uint8Array();
  // Chunked: the length is known only by counting.
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.body) {
    bytes += chunk.length;
    if (bytes > limits.bodyBytesMax) return tooLarge(bytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(bytes: number): BodyRefusal {
  return {
    reason: "body_too_large",
    message: `The body has ${bytes} bytes or more; at most ${limits.bodyBytesMax} are taken. ` +
      "Send smaller batches.",
  };
}

/** Undoes `Content-Encoding`; never makes more than `limits.bodyInflatedBytesMax` bytes. */
export function inflate(bytes: Uint8Array, encoding: string | null): Uint8Array | BodyRefusal {
  const name = (encoding ?? "identity").trim().toLowerCase();
  if (name === "identity" || name === "") return bytes;
  const bound = { maxOutputLength: limits.bodyInflatedBytesMax };
  try {
    if (name === "gzip" || name === "x-gzip") return gunzipSync(bytes, bound);
    if (name === "zstd") {
      const inflated = zstdDecompressSync(bytes, bound);
      // zstdDecompressSync returns what it has when a frame is cut short; Bun's own throws, but
      // knows no bound: it goes second, when the size is known to be small enough.
      Bun.zstdDecompressSync(bytes as Uint8Array<ArrayBuffer>);
      return inflated;
    }
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    if (code === "ERR_BUFFER_TOO_LARGE") {
      return {
        reason: "inflated_too_large",
        message: `The body inflates to more than ${limits.bodyInflatedBytesMax} bytes. ` +
          "Send smaller batches.",
      };
    }
    return { reason: "corrupt_encoding", message: `The body is not valid ${name}: ${error}.` };
  }
  return {
    reason: "unknown_encoding",
    message: `Content-Encoding "${name}" is not known; use gzip, zstd or none.`,
  };
}
