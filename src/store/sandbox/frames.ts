// What parent and child say to each other. The parent writes two lines of JSON to the child's
// stdin, Setup and Job, and keeps it open: its end tells the child that the parent is gone. The
// child answers on file descriptor 3 in frames, since DuckDB may print to stdout:
//
//   kind (1 byte) · length of the body (4 bytes, big-endian) · body
//
//   ready  loaded, waits for its job       columns  JSON of Column[]
//   data   a piece of the answer           end      JSON of Ending, the last frame

export interface Setup {
  cacheDir: string;
  /** As DuckDB writes it, such as `512MB`. */
  memoryLimit: string;
  threads: number;
}

/** `512MB`, `1.5GiB`, as settings and DuckDB write them → bytes. */
export function bytesOf(memoryLimit: string): number {
  const [, amount, prefix = "", binary] = /^([\d.]+)\s*([kmgt]?)(i?)b$/i.exec(memoryLimit) ?? [];
  if (amount === undefined) throw new RangeError(`Not an amount of memory: ${memoryLimit}`);
  const exponent = " kmgt".indexOf(prefix.toLowerCase() || " ");
  return Number(amount) * (binary ? 1024 : 1000) ** exponent;
}

/**
 * `rows` is `[…],\n[…]`, rows as JSON arrays; `objects` is `{…},\n{…}`, rows as JSON objects; CSV is
 * RFC 4180 with a header.
 */
export type Format = "rows" | "objects" | "csv" | "parquet";

export interface Job {
  /** Ours, to be run first: they make the view `events`. */
  statements: readonly string[];
  /** Files that may be read afterwards. */
  readable: readonly string[];
  /** The user's. */
  sql: string;
  format: Format;
  /** Null is without a bound. */
  rowsMax: number | null;
  bytesMax: number | null;
  /** Private to this question; the parent removes it when the child has ended. */
  folder: string;
}

export interface Column {
  name: string;
  /** DuckDB's name of the type. */
  type: string;
}

export type FailureReason =
  /** Not a lone SELECT over `events`. */
  | "refused"
  /** DuckDB cannot make sense of it, or it failed on the data. */
  | "invalid"
  | "timeout"
  | "out_of_memory"
  /** The question ended the process. */
  | "crashed"
  | "busy"
  | "aborted"
  /** Ours to repair: no child, unreadable files. */
  | "unavailable";

export interface Failure {
  ok: false;
  reason: FailureReason;
  /** A sentence for the user. */
  message: string;
  /** For the log of the server, not for the user: it may tell paths. */
  diagnosis?: string;
}

export interface Done {
  ok: true;
  row_count: number;
  truncated: boolean;
}

export type Ending = Done | Failure;

/** What a child said in all. */
export type Reply = (Done & { columns: Column[] }) | Failure;

export const frameKinds = { ready: 1, columns: 2, data: 3, end: 4 } as const;
export type FrameKind = keyof typeof frameKinds;

export const headerBytes = 5;
/** Larger answers come in several frames. */
export const frameBytesMax = 4 * 1024 * 1024;

export function encodeHeader(kind: FrameKind, length: number): Uint8Array {
  const header = Buffer.allocUnsafe(headerBytes);
  header.writeUInt8(frameKinds[kind], 0);
  header.writeUInt32BE(length, 1);
  return header;
}

export interface Frame {
  kind: FrameKind;
  body: Buffer;
}

const kindNames = new Map<number, FrameKind>(
  Object.entries(frameKinds).map(([name, code]) => [code, name as FrameKind]),
);

/** Pieces of a pipe → whole frames. Throws on what no child of ours sends. */
export class FrameReader {
  #pieces: Buffer[] = [];
  #length = 0;
  #needed = headerBytes;

  *push(piece: Buffer): Generator<Frame> {
    this.#pieces.push(piece);
    this.#length += piece.length;
    while (this.#length >= this.#needed) {
      const bytes = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces);
      this.#pieces = [bytes];
      const kind = kindNames.get(bytes.readUInt8(0));
      const length = bytes.readUInt32BE(1);
      if (kind === undefined || length > frameBytesMax) throw new Error("Malformed frame");
      this.#needed = headerBytes + length;
      if (bytes.length < this.#needed) return;
      const rest = bytes.subarray(this.#needed);
      const body = bytes.subarray(headerBytes, this.#needed);
      this.#pieces = rest.length > 0 ? [rest] : [];
      this.#length = rest.length;
      this.#needed = headerBytes;
      yield { kind, body };
    }
  }
}
