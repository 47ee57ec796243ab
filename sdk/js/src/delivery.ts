// Events wait here, leave in batches, and are settled once: accepted by the server, or dropped and
// counted. One request at a time, in the background; nobody who logs ever waits.
import { isServerless, quietTimer, type Timer } from "./host.ts";
import { limits } from "./limits.ts";
import { post } from "./post.ts";
import { type Entry, Queue } from "./queue.ts";
import type { DropReason, SentEvent, Settings } from "./settings.ts";
import { type Drops, type Stats, Tally } from "./tally.ts";
import type { Warnings } from "./warning.ts";

/** Where events go that cannot be delivered. */
export interface Spool {
  /** Whether they are on disk. */
  put(lines: readonly string[]): boolean;
  /** The oldest lines that nobody sends. */
  claim(): { lines: string[]; done(): void; giveBack(): void } | null;
}

interface Waiter {
  /** Settled events that it waits for. */
  target: number;
  done(): void;
}

export class Delivery {
  #queue = new Queue(limits.queueEventsMax, limits.queueBytesMax);
  #sending: Entry[] = [];
  #entered = 0;
  #settled = 0;
  #waiters = new Set<Waiter>();
  #isPumping = false;
  #timer: Timer | undefined;
  #dueMs = 0;
  #heldUntilMs = 0;
  #mutedUntilMs = 0;
  #endPause: (() => void) | undefined;
  readonly tally: Tally;
  readonly #ageMs = isServerless() ? limits.batchAgeServerlessMs : limits.batchAgeMs;
  #spool: Spool | null = null;
  /** `encode` writes an event as JSON, or answers undefined when it is not to be sent. */
  constructor(
    readonly settings: Settings,
    readonly warnings: Warnings,
    readonly encode: (event: SentEvent) => string | undefined,
  ) {
    this.tally = new Tally(settings.on_drop, warnings);
  }

  /** A spool that is being opened. */
  set spool(opening: Promise<Spool | null>) {
    void opening.then((spool) => this.#spool = spool);
  }

  stats(): Stats {
    return this.tally.stats(
      this.#entered - this.#settled,
      this.#queue.bytes + weigh(this.#sending),
    );
  }

  /** When there is no room, a failure takes that of the oldest event. */
  add(entry: Entry, isFailure: boolean, nowMs: number): boolean {
    if (nowMs < this.#mutedUntilMs) {
      this.tally.drop("unauthorized", 1);
      return false;
    }
    while (!this.#queue.hasRoom(entry.bytes)) {
      const oldest = isFailure ? this.#queue.shift() : undefined;
      this.tally.drop("queue_full", 1);
      this.warnings.once(
        "queue_full",
        "More events than can be sent: some are dropped.",
      );
      if (oldest === undefined) return false;
      this.#settle(1);
    }
    this.#queue.push(entry);
    this.#entered++;
    this.#schedule(nowMs);
    return true;
  }

  /** True once everything added before is settled, false when that takes longer. */
  flush(timeoutMs: number): Promise<boolean> {
    const target = this.#entered;
    if (this.#settled >= target) return Promise.resolve(true);
    this.#endPause?.();
    void this.#pump();
    return new Promise((resolve) => {
      // This timer does keep the program running: somebody waits for it.
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        resolve(false);
      }, timeoutMs);
      const waiter: Waiter = {
        target,
        done: () => {
          clearTimeout(timer);
          resolve(true);
        },
      };
      this.#waiters.add(waiter);
    });
  }

  /** As `flush`; what is left after the time given goes to disk, or is dropped and counted. */
  async close(timeoutMs: number): Promise<boolean> {
    const isSettled = await this.flush(timeoutMs);
    if (!isSettled) this.abandon();
    return isSettled;
  }

  /** All that waits goes to disk, or is dropped. */
  abandon(): void {
    const entries = [...this.#sending, ...this.#queue.take(Infinity, Infinity)];
    // Whoever is sending just now finds nothing left to do.
    this.#sending = [];
    if (entries.length > 0) this.#keep(entries, "closed");
    this.#endPause?.();
  }

  /** At the very end of a program: what waits goes to disk, where there is a spool. */
  spoolAll(): void {
    if (this.#spool !== null) this.abandon();
  }

  /** A page may be gone in a moment: what fits is sent so that it outlives it. */
  sendAlive(): void {
    // The request under way may die with the page; its events have ids, so twice does no harm.
    const again = weigh(this.#sending) <= limits.keepaliveBytesMax ? this.#sending : [];
    const room = limits.keepaliveBytesMax - weigh(again);
    const batch = this.#queue.take(limits.batchEventsMax, room, true);
    if (batch.length + again.length === 0) return;
    this.tally.requests++;
    const told = this.tally.unreported();
    void post(
      this.settings,
      this.#body([...again, ...batch]),
      headerOf(told),
      true,
    ).then(
      (answer) => {
        if (answer.kind === "receipt") {
          this.tally.reported(told);
          this.tally.accepted += batch.length;
          this.#settle(batch.length);
        } else {
          this.#queue.restore(batch);
          this.#schedule(Date.now());
        }
      },
    );
  }

  #schedule(nowMs: number): void {
    this.#hold(nowMs);
    if (this.#isPumping) return;
    const { count, bytes } = this.#queue;
    const isFull = count >= limits.batchEventsMax ||
      bytes >= limits.batchBytesMax;
    const dueMs = isFull ? nowMs : nowMs + this.#ageMs;
    // A frozen function or a finished request may have lost its timer: an overdue one is set anew.
    const isSet = this.#timer !== undefined &&
      this.#dueMs > nowMs - 2 * limits.batchAgeMs;
    if (isSet && (!isFull || this.#dueMs <= nowMs)) return;
    clearTimeout(this.#timer);
    this.#dueMs = dueMs;
    this.#timer = quietTimer(() => void this.#pump(), dueMs - nowMs);
  }

  /** A serverless program is frozen after its answer, unless it is told to wait. */
  #hold(nowMs: number): void {
    const { wait_until } = this.settings;
    if (wait_until === undefined || nowMs < this.#heldUntilMs) return;
    // By the clock, because a promise may end with the request that it belongs to; and by half of it,
    // so that no event falls between two.
    this.#heldUntilMs = nowMs + limits.holdMs / 2;
    const sent = new Promise((resolve) => setTimeout(resolve, limits.holdMs));
    try {
      wait_until(sent.then(() => this.flush(limits.flushMs)));
    } catch {
      this.warnings.once("wait_until", "wait_until threw an error.");
    }
  }

  async #pump(): Promise<void> {
    if (this.#isPumping) return;
    this.#isPumping = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#queue.count > 0) {
      this.#sending = this.#queue.take(
        limits.batchEventsMax,
        limits.batchBytesMax,
      );
      const isDelivered = await this.#deliver(this.#sending);
      if (isDelivered) await this.#unspool();
    }
    this.#sending = [];
    this.#isPumping = false;
  }

  /** What an earlier outage left on disk, one batch after each that arrives. */
  async #unspool(): Promise<void> {
    const claim = this.#spool?.claim();
    if (claim == null) return;
    const told = this.tally.unreported();
    const answer = await post(
      this.settings,
      bodyOf(claim.lines),
      headerOf(told),
    );
    if (answer.kind === "retry") return claim.giveBack();
    claim.done();
    this.tally.spooled = Math.max(0, this.tally.spooled - claim.lines.length);
    if (answer.kind !== "receipt") {
      return this.tally.drop("rejected", claim.lines.length);
    }
    this.tally.reported(told);
    this.tally.accepted += answer.accepted + answer.duplicates;
    this.tally.drop("rejected", answer.rejected, true);
  }

  #keep(part: Entry[], reason: DropReason, detail = ""): void {
    const isOnDisk = this.#spool?.put(part.map((entry) => this.#json(entry))) ??
      false;
    if (isOnDisk) this.tally.spooled += part.length;
    const what = reason === "closed" ? "was not reached in time" : detail;
    this.#fail(part, reason, isOnDisk ? 0 : part.length, what);
  }

  /** False when the server could not be reached. */
  async #deliver(batch: Entry[]): Promise<boolean> {
    const parts = [batch.filter((entry) => this.#isWritten(entry))];
    let attempts = 0;
    let isReached = true;
    const startMs = Date.now();
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      if (part.length === 0) continue;
      this.#sending = [...part, ...parts.flat()];
      const startedMs = Date.now();
      const told = this.tally.unreported();
      this.tally.requests++;
      const answer = await post(
        this.settings,
        this.#body(part),
        headerOf(told),
      );
      // What was abandoned meanwhile is settled.
      if (this.#sending.length === 0) return false;
      this.#debug(
        `${part.length} events: ${answer.kind} after ${Date.now() - startedMs} ms`,
      );
      switch (answer.kind) {
        case "receipt":
          this.tally.reported(told);
          this.tally.accepted += answer.accepted + answer.duplicates;
          this.tally.duplicates += answer.duplicates;
          this.tally.drop("sampled_out", answer.sampledOut, true);
          this.#fail(
            part,
            "rejected",
            answer.rejected,
            "rejected an event",
            answer.detail,
          );
          break;
        case "too_large":
          if (part.length === 1) {
            this.#fail(part, "too_large", 1, "finds an event too large");
          } else {
            parts.push(
              part.slice(part.length / 2),
              part.slice(0, part.length / 2),
            );
          }
          break;
        case "refused":
          this.#fail(part, "rejected", part.length, answer.detail);
          break;
        case "muted":
          this.#mute(part, parts, answer.detail, answer.forMs);
          break;
        case "retry":
          attempts++;
          this.warnings.once(
            "retry",
            `${this.settings.endpoint} ${answer.detail}. Trying again.`,
          );
          if (
            attempts >= answer.attemptsMax ||
            this.#spool !== null && Date.now() - startMs > limits.spoolAfterMs
          ) {
            isReached = false;
            this.#keep(part, "send_failed", answer.detail);
            break;
          }
          await this.#pause(attempts, answer.afterMs);
          if (this.#sending.length === 0) return false;
          this.tally.retries++;
          parts.push(part);
      }
      this.#sending = parts.flat();
    }
    return isReached;
  }

  /** Writes it as JSON; false when it is not to be sent after all. */
  #isWritten(entry: Entry): boolean {
    if (this.#json(entry) !== "") return true;
    this.#settle(1);
    return false;
  }

  #json(entry: Entry): string {
    if (entry.event !== undefined) {
      entry.json = this.encode(entry.event) ?? "";
      entry.event = undefined;
    }
    return entry.json ?? "";
  }

  #body(entries: readonly Entry[]): string {
    return bodyOf(
      entries.map((entry) => this.#json(entry)).filter((json) => json !== ""),
    );
  }

  /** The part is settled; `count` of it will not arrive. */
  #fail(
    part: Entry[],
    reason: DropReason,
    count: number,
    what: string,
    detail = "",
  ): void {
    if (count > 0) {
      const text = `${this.settings.endpoint} ${what}${detail && `: ${detail}`}`;
      this.warnings.once(reason, `${text} (${count} dropped).`);
      this.tally.drop(reason, count, reason === "rejected");
    }
    this.#settle(part.length);
  }

  #mute(part: Entry[], parts: Entry[][], detail: string, forMs: number): void {
    const { endpoint } = this.settings;
    this.warnings.once(
      "muted",
      `${endpoint} ${detail}. Events are dropped until that is mended.`,
    );
    this.#mutedUntilMs = Date.now() + forMs;
    const queued = this.#queue.take(Infinity, Infinity);
    const count = [part, ...parts.splice(0), queued].reduce(
      (sum, one) => sum + one.length,
      0,
    );
    this.tally.drop("unauthorized", count);
    this.#settle(count);
  }

  #settle(count: number): void {
    this.#settled += count;
    for (const waiter of this.#waiters) {
      if (waiter.target > this.#settled) continue;
      this.#waiters.delete(waiter);
      waiter.done();
    }
  }

  /** Exponential, with full jitter, and never shorter than the server asks for. */
  #pause(attempts: number, afterMs: number): Promise<void> {
    const ceiling = Math.min(
      limits.backoffMsMax,
      limits.backoffMsMin * 2 ** attempts,
    );
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#endPause = undefined;
        resolve();
      };
      const timer = quietTimer(end, Math.max(afterMs, Math.random() * ceiling));
      // A flush does not wait for the backoff, but it does for what the server asked.
      if (afterMs === 0) this.#endPause = end;
    });
  }

  #debug(text: string): void {
    if (this.settings.debug) console.debug(`[aisentry] ${text}`);
  }
}

function weigh(entries: readonly Entry[]): number {
  return entries.reduce((sum, entry) => sum + entry.bytes, 0);
}

function bodyOf(lines: readonly string[]): string {
  return `{"events":[${lines.join(",")}]}`;
}

function headerOf(drops: Drops): string {
  return drops.map(([reason, count]) => `${reason}=${count}`).join(",");
}
