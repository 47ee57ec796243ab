// Token buckets by name: a rate per second, with a burst of as much as two seconds bring.
import type { Clock } from "./clock.ts";

const burstS = 2;

export class RateLimit {
  #buckets = new Map<string, { tokens: number; atMs: number }>();

  constructor(readonly perSecond: number, readonly clock: Clock) {}

  /** Seconds until the bucket has something again; 0 when it has. */
  waitS(name: string): number {
    const { tokens } = this.#refilled(name);
    return tokens > 0 ? 0 : Math.max(1, Math.ceil((1 - tokens) / this.perSecond));
  }

  /** Takes tokens; the bucket may go into debt, which the next caller waits for. */
  spend(name: string, tokens: number): void {
    this.#refilled(name).tokens -= tokens;
  }

  #refilled(name: string): { tokens: number; atMs: number } {
    const nowMs = this.clock.nowMs();
    const full = this.perSecond * burstS;
    const bucket = this.#buckets.get(name) ?? { tokens: full, atMs: nowMs };
    const earned = Math.max(0, nowMs - bucket.atMs) / 1000 * this.perSecond;
    bucket.tokens = Math.min(full, bucket.tokens + earned);
    bucket.atMs = nowMs;
    this.#buckets.set(name, bucket);
    return bucket;
  }
}
