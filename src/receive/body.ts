// A request's body as bytes: read within bounds, decompressed within bounds.
import { gunzipSync, inflateSync, zstdDecompressSync } from "node:zlib";
import { limits } from "../limits.ts";

export type BodyReason =
  | "body_too_large"
  | "no_room"
  | "inflated_too_large"
  | "unknown_encoding"
  | "corrupt_encoding";

/** A body that cannot be read, and the sentence that says why. */
export interface BodyRefusal {
  reason: BodyReason;
  message: string;
}

/** Memory that bodies may take together; it is there again when a request is answered. */
export class BodyRoom {
  #bytes = 0;

  constructor(readonly bytesMax: number) {}

  hold(): BodyHold {
    let held = 0;
    return {
      take: (bytes) => {
        if (this.#bytes + bytes > this.bytesMax) return false;
        held += bytes;
        this.#bytes += bytes;
        return true;
      },
      release: () => {
        this.#bytes -= held;
        held = 0;
      },
    };
  }
}

/** What one request has of the room. */
export interface BodyHold {
  /** False when there is no room for them. */
  take(bytes: number): boolean;
  release(): void;
}

/** A length is believed up to here; for more, only bytes that came take room from others. */
const believedBytesMax = 1024 * 1024;

/** Reads a body to its end, or stops as soon as it is larger than `bytesMax`. */
export async function readBody(
  request: Request,
  hold: BodyHold,
  bytesMax: number = limits.bodyBytesMax,
): Promise<Uint8Array | BodyRefusal> {
  const declared = Number(request.headers.get("content-length") ?? 0);
  if (declared > bytesMax) return tooLarge(declared, bytesMax);
  if (declared > 0 && declared <= believedBytesMax) {
    if (!hold.take(declared)) return noRoom;
    // Before `body` is touched: a stream costs more than the rest of a small request.
    return new Uint8Array(await request.arrayBuffer());
  }
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.body) {
    bytes += chunk.length;
    if (bytes > bytesMax) return tooLarge(bytes, bytesMax);
    if (!hold.take(chunk.length)) return noRoom;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const noRoom: BodyRefusal = {
  reason: "no_room",
  message: "Too many requests are being read; send again later.",
};

function tooLarge(bytes: number, bytesMax: number): BodyRefusal {
  return {
    reason: "body_too_large",
    message: `The body has ${bytes} bytes or more; at most ${bytesMax} are taken. ` +
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
    if (name === "deflate" || name === "zlib") return inflateSync(bytes, bound);
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
    message: `Content-Encoding "${name}" is not known; use gzip, zstd, deflate or none.`,
  };
}
