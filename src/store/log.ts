// The append log: what `append` resolves for is on disk. Group commit: everything that waits
// becomes one write and one fdatasync.
import { join } from "node:path";
import type { LogReply, LogRequest } from "./log_worker.ts";
import { encodeCommit, type Segment, segmentName } from "./segment.ts";

/** The disk refused; nothing of the append will be found later. */
export class AppendError extends Error {
  constructor(readonly code: string, message: string) {
    super(message);
  }
}

interface Waiting {
  lines: string;
  events: number;
  points: number;
  resolve(): void;
  reject(error: unknown): void;
}

/** One commit stays small enough that a waiting append is not held up by it. */
const commitCharactersMax = 16 * 1024 * 1024;

export class Log {
  #device = new Device();
  #sequence: number;
  #active: Segment | null = null;
  #sealed: Segment[] = [];
  #waiting: Waiting[] = [];
  /** Characters that wait or are being written. */
  #backlog = 0;
  #draining = false;
  /** Commits and seals follow one another on this chain. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(readonly folder: string, firstSequence: number) {
    this.#sequence = firstSequence;
  }

  /** Characters not yet on disk. */
  get backlog(): number {
    return this.#backlog;
  }

  /** Bytes committed since the last seal. */
  get activeBytes(): number {
    return this.#unsealed.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  /** Lines, data points among them. */
  get activeEvents(): number {
    return this.#unsealed.reduce((sum, segment) => sum + segment.events, 0);
  }

  get activePoints(): number {
    return this.#unsealed.reduce((sum, segment) => sum + segment.points, 0);
  }

  get #unsealed(): Segment[] {
    return this.#active === null ? this.#sealed : [...this.#sealed, this.#active];
  }

  /**
   * Resolves when the lines, and all that was appended before them, are on disk. `events` counts
   * the lines; `points` of them are data points.
   */
  append(lines: string, events: number, points = 0): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ lines, events, points, resolve, reject });
      this.#backlog += lines.length;
      if (!this.#draining) this.#drain();
    });
  }

  /** Closes the active segment and hands over all that are closed, oldest first. */
  seal(): Promise<Segment[]> {
    return this.#inTurn(async () => {
      if (this.#active !== null) {
        await this.#device.send({ close: true });
        this.#retire();
      }
      return this.#sealed.splice(0);
    });
  }

  async close(): Promise<void> {
    await this.#turn.catch(() => {});
    this.#device.end();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }

  async #drain(): Promise<void> {
    this.#draining = true;
    // Appends of the same tick share the first commit.
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.#inTurn(() => this.#commit());
    this.#draining = false;
  }

  async #commit(): Promise<void> {
    const batch = this.#takeBatch();
    const lines = batch.map((waiting) => waiting.lines).join("");
    const events = batch.reduce((sum, waiting) => sum + waiting.events, 0);
    const points = batch.reduce((sum, waiting) => sum + waiting.points, 0);
    try {
      // Without lines this is a barrier: all that came before is on disk already.
      if (events > 0) await this.#write(encodeCommit(lines, events), events, points);
      for (const waiting of batch) waiting.resolve();
    } catch (error) {
      for (const waiting of batch) waiting.reject(error);
    } finally {
      this.#backlog -= lines.length;
    }
  }

  #takeBatch(): Waiting[] {
    let characters = 0;
    let count = 0;
    while (count < this.#waiting.length && characters < commitCharactersMax) {
      characters += this.#waiting[count++]!.lines.length;
    }
    return this.#waiting.splice(0, count);
  }

  async #write(bytes: Uint8Array, events: number, points: number): Promise<void> {
    const segment = this.#active ?? this.#nextSegment();
    const reply = await this.#device.send({ append: { path: segment.path, bytes } });
    if (!reply.ok) {
      // What is good in it stays; the next append begins a new file.
      this.#retire();
      throw new AppendError(
        reply.code,
        `Cannot append to segment ${segment.sequence}: ${reply.message}`,
      );
    }
    segment.bytes += bytes.length;
    segment.events += events;
    segment.points += points;
    this.#active = segment;
  }

  #nextSegment(): Segment {
    const sequence = this.#sequence++;
    const path = join(this.folder, segmentName(sequence));
    return { sequence, path, bytes: 0, events: 0, points: 0 };
  }

  #retire(): void {
    if (this.#active !== null) this.#sealed.push(this.#active);
    this.#active = null;
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** Requests to the writing thread and their replies. */
class Device {
  #worker = new Worker(new URL("./log_worker.ts", import.meta.url).href);
  #replies = new Map<number, (reply: LogReply) => void>();
  #next = 0;
  #ended: string | null = null;

  constructor() {
    this.#worker.onmessage = ({ data }: MessageEvent<LogReply>) => {
      this.#replies.get(data.id)?.(data);
      this.#replies.delete(data.id);
    };
    this.#worker.onerror = (event) => this.#fail(event.message);
  }

  send(request: DistributiveOmit<LogRequest, "id">): Promise<LogReply> {
    const id = this.#next++;
    if (this.#ended !== null) {
      return Promise.resolve({ id, ok: false, code: "EPIPE", message: this.#ended });
    }
    return new Promise((resolve) => {
      this.#replies.set(id, resolve);
      // Copied to the other thread once; a transfer measured no faster below 16 MiB.
      this.#worker.postMessage({ id, ...request });
    });
  }

  end(): void {
    this.#fail("the log is closed");
    this.#worker.terminate();
  }

  #fail(message: string): void {
    this.#ended = message;
    for (const [id, reply] of this.#replies) reply({ id, ok: false, code: "EPIPE", message });
    this.#replies.clear();
  }
}
