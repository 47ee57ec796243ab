// Events wait here, leave in batches, and are settled once: accepted by the server, or dropped and
// counted. One request at a time, in the background; nobody who logs ever waits.
import { quietTimer, type Timer } from "./host.ts";
import { limits } from "./limits.ts";
import { post } from "./post.ts";
import { type Entry, Queue } from "./queue.ts";
import type { DropReason, Settings } from "./settings.ts";
import type { Warnings } from "./warning.ts";

export interface Stats {
  /** Events that are not settled yet. */
  waiting: number;
  waiting_bytes: number;
  /** Events that the server has acknowledged, duplicates included. */
  accepted: number;
  /** Of these, known to the server before. */
  duplicates: number;
  requests: number;
  /** Requests that were repeats of a failed one. */
  retries: number;
  /** Events that will not arrive, by reason. */
  dropped: Partial<Record<DropReason, number>>;
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
  #counts = { accepted: 0, duplicates: 0, requests: 0, retries: 0 };
  #dropped: Partial<Record<DropReason, number>> = {};

  constructor(readonly settings: Settings, readonly warnings: Warnings) {}

  stats(): Stats {
    return {
      waiting: this.#entered - this.#settled,
      waiting_bytes: this.#queue.bytes + weigh(this.#sending),
      ...this.#counts,
      dropped: { ...this.#dropped },
    };
  }

  drop(reason: DropReason, count: number): void {
    if (count === 0) return;
    this.#dropped[reason] = (this.#dropped[reason] ?? 0) + count;
    try {
      this.settings.on_drop?.(reason, count);
    } catch {
      this.warnings.once("on_drop", "on_drop threw an error.");
    }
  }

  /** When there is no room, a failure takes that of the oldest event. */
  add(entry: Entry, isFailure: boolean, nowMs: number): boolean {
    if (nowMs < this.#mutedUntilMs) {
      this.drop("unauthorized", 1);
      return false;
    }
    while (!this.#queue.hasRoom(entry.bytes)) {
      const oldest = isFailure ? this.#queue.shift() : undefined;
      this.drop("queue_full", 1);
      this.warnings.once("queue_full", "More events than can be sent: some are dropped.");
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

  /** A page may be gone in a moment: what fits is sent so that it outlives it. */
  sendAlive(): void {
    // The request under way may die with the page; its events have ids, so twice does no harm.
    const again = weigh(this.#sending) <= limits.keepaliveBytesMax ? this.#sending : [];
    const room = limits.keepaliveBytesMax - weigh(again);
    const batch = this.#queue.take(limits.batchEventsMax, room, true);
    if (batch.length + again.length === 0) return;
    this.#counts.requests++;
    void post(this.settings, encode([...again, ...batch]), true).then(
      (answer) => {
        if (answer.kind === "receipt") {
          this.#counts.accepted += batch.length;
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
    const isFull = count >= limits.batchEventsMax || bytes >= limits.batchBytesMax;
    const dueMs = isFull ? nowMs : nowMs + limits.batchAgeMs;
    // A frozen function or a finished request may have lost its timer: an overdue one is set anew.
    const isSet = this.#timer !== undefined && this.#dueMs > nowMs - 2 * limits.batchAgeMs;
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
      this.#sending = this.#queue.take(limits.batchEventsMax, limits.batchBytesMax);
      await this.#deliver(this.#sending);
    }
    this.#sending = [];
    this.#isPumping = false;
  }

  async #deliver(batch: Entry[]): Promise<void> {
    const parts = [batch];
    let attempts = 0;
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      this.#sending = [...part, ...parts.flat()];
      const startedMs = Date.now();
      this.#counts.requests++;
      const answer = await post(this.settings, encode(part));
      this.#debug(`${part.length} events: ${answer.kind} after ${Date.now() - startedMs} ms`);
      switch (answer.kind) {
        case "receipt":
          this.#counts.accepted += answer.accepted + answer.duplicates;
          this.#counts.duplicates += answer.duplicates;
          this.drop("sampled_out", answer.sampledOut);
          this.#fail(part, "rejected", answer.rejected, "rejected an event", answer.detail);
          break;
        case "too_large":
          if (part.length === 1) {
            this.#fail(part, "too_large", 1, "finds an event too large");
          } else {
            parts.push(part.slice(part.length / 2), part.slice(0, part.length / 2));
          }
          break;
        case "refused":
          this.#fail(part, "rejected", part.length, answer.detail);
          break;
        case "muted":
          this.#mute(part, parts, answer.detail);
          break;
        case "retry":
          attempts++;
          this.warnings.once("retry", `${this.settings.endpoint} ${answer.detail}. Trying again.`);
          if (attempts >= answer.attemptsMax) {
            this.#fail(part, "send_failed", part.length, answer.detail);
            break;
          }
          await this.#pause(attempts, answer.afterMs);
          this.#counts.retries++;
          parts.push(part);
      }
      this.#sending = parts.flat();
    }
  }

  /** The part is settled; `count` of it will not arrive. */
  #fail(part: Entry[], reason: DropReason, count: number, what: string, detail = ""): void {
    if (count > 0) {
      const text = `${this.settings.endpoint} ${what}${detail && `: ${detail}`}`;
      this.warnings.once(reason, `${text} (${count} dropped).`);
      this.drop(reason, count);
    }
    this.#settle(part.length);
  }

  #mute(part: Entry[], parts: Entry[][], detail: string): void {
    const { endpoint } = this.settings;
    this.warnings.once("muted", `${endpoint} ${detail}. Events are dropped until that is mended.`);
    this.#mutedUntilMs = Date.now() + limits.mutedMs;
    const queued = this.#queue.take(Infinity, Infinity);
    const count = [part, ...parts.splice(0), queued].reduce((sum, one) => sum + one.length, 0);
    this.drop("unauthorized", count);
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
    const ceiling = Math.min(limits.backoffMsMax, limits.backoffMsMin * 2 ** attempts);
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

/** Snapshots are plain data: this cannot fail. */
function encode(entries: readonly Entry[]): string {
  return JSON.stringify({ events: entries.map((entry) => entry.event) });
}
