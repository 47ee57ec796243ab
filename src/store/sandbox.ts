// SQL of users, answered at arm's length. Each question runs in a child process of its own that
// can only read, sees the views `events` and `metrics`, and is killed at its bounds. This is the parent's
// side: who runs when. sandbox/process.ts holds one child, sandbox_child.ts is what it does.
import type { Column, Failure, Format, Reply } from "./sandbox/frames.ts";
import { ChildProcess, selfCommand } from "./sandbox/process.ts";
import type { Question, Snapshot } from "./sandbox/view.ts";

export type { Column, Failure, Format, Question, Snapshot };

export interface SandboxOptions {
  /** Where a compiled binary stages DuckDB's library. */
  cacheDir: string;
  /** Holds a folder per question while it runs: tails of segments, Parquet on its way out. */
  temporaryDir: string;
  /** DuckDB's own bound within the child, such as `512MB`. */
  memoryLimit: string;
  threads: number;
  /** Children at a time, a spare one included. */
  childrenMax: number;
  /** Questions that may wait for a child; one more is refused as busy. */
  waitingMax: number;
  waitMsMax: number;
  /** A child kept ready saves the next question its start. 0 keeps none. */
  spareIdleMs: number;
  /** How a child is started; by default this program itself. */
  command?: readonly string[];
}

export type Answer = (Extract<Reply, { ok: true }> & { elapsed_ms: number }) | Failure;

/** Takes a piece of the answer; the child waits for the promise. */
export type Sink = (bytes: Uint8Array) => void | Promise<void>;

interface Waiting {
  start(): void;
}

export class Sandbox {
  #options: SandboxOptions;
  /** Alive, or with a folder yet to be removed. */
  #children = new Set<ChildProcess>();
  /** Questions that hold a place, their child started or not. */
  #places = 0;
  #waiting: Waiting[] = [];
  #spare: ChildProcess | null = null;
  #spareTimer: ReturnType<typeof setTimeout> | null = null;
  #closed = false;

  constructor(options: SandboxOptions) {
    this.#options = options;
  }

  /** Answers in pieces to the sink. Never throws for what the question is; the sink may throw. */
  async ask(question: Question, sink: Sink, signal?: AbortSignal): Promise<Answer> {
    const asked = performance.now();
    const refusal = await this.#enter(signal);
    if (refusal !== null) return refusal;
    try {
      if (this.#closed) return closed;
      const child = this.#takeChild();
      try {
        const answer = await child.ask(question, sink, signal);
        if (!answer.ok) return answer;
        return { ...answer, elapsed_ms: Math.round((performance.now() - asked) * 10) / 10 };
      } finally {
        this.#end(child);
      }
    } finally {
      this.#leave();
    }
  }

  /** Ends every child and removes what they left; questions under way answer with a failure. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#dropSpare();
    for (const waiting of this.#waiting.splice(0)) waiting.start();
    await Promise.all([...this.#children].map((child) => child.end()));
  }

  /** Waits for a place among the children; a failure when there is none in time. */
  async #enter(signal?: AbortSignal): Promise<Failure | null> {
    if (signal?.aborted) return aborted;
    if (this.#closed) return closed;
    if (this.#places < this.#options.childrenMax) {
      this.#places++;
      return null;
    }
    if (this.#waiting.length >= this.#options.waitingMax) return busy;
    const { promise, resolve } = Promise.withResolvers<Failure | null>();
    const waiting: Waiting = {
      start: () => {
        if (!this.#closed) this.#places++;
        resolve(this.#closed ? closed : null);
      },
    };
    const giveUp = (failure: Failure) => {
      const place = this.#waiting.indexOf(waiting);
      if (place !== -1) this.#waiting.splice(place, 1);
      resolve(failure);
    };
    const timer = setTimeout(() => giveUp(busy), this.#options.waitMsMax);
    const onAbort = () => giveUp(aborted);
    signal?.addEventListener("abort", onAbort);
    this.#waiting.push(waiting);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  #leave(): void {
    this.#places--;
    const next = this.#waiting.shift();
    if (next !== undefined) next.start();
    else if (!this.#closed) this.#keepSpare();
  }

  #takeChild(): ChildProcess {
    const spare = this.#spare;
    this.#spare = null;
    if (spare?.alive) return spare;
    if (spare !== null) this.#end(spare);
    return this.#startChild();
  }

  #startChild(): ChildProcess {
    const { command, cacheDir, temporaryDir, memoryLimit, threads } = this.#options;
    const options = { cacheDir, temporaryDir, memoryLimit, threads };
    const child = new ChildProcess(command ?? selfCommand(), options);
    this.#children.add(child);
    return child;
  }

  /** The answer does not wait for it. */
  #end(child: ChildProcess): void {
    child.end().then(() => this.#children.delete(child));
  }

  /** Only once a question is answered: a start costs the processor that the question needs. */
  #keepSpare(): void {
    if (this.#options.spareIdleMs === 0 || this.#places >= this.#options.childrenMax) return;
    if (this.#spare !== null && !this.#spare.alive) this.#dropSpare();
    this.#spare ??= this.#startChild();
    if (this.#spareTimer !== null) clearTimeout(this.#spareTimer);
    this.#spareTimer = setTimeout(() => this.#dropSpare(), this.#options.spareIdleMs);
    this.#spareTimer.unref();
  }

  #dropSpare(): void {
    if (this.#spareTimer !== null) clearTimeout(this.#spareTimer);
    this.#spareTimer = null;
    if (this.#spare !== null) this.#end(this.#spare);
    this.#spare = null;
  }
}

const busy: Failure = {
  ok: false,
  reason: "busy",
  message: "Too many SQL queries are running. Try again in a moment.",
};
const aborted: Failure = { ok: false, reason: "aborted", message: "The caller went away." };
const closed: Failure = { ok: false, reason: "unavailable", message: "The server is stopping." };
