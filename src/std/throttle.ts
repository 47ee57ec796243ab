// Counts failures by name and says when one has had too many for now. Bounded: the oldest name is
// forgotten first.
import type { Clock } from "./clock.ts";

const namesMax = 10_000;

export class Throttle {
  #failures = new Map<string, { count: number; untilMs: number }>();

  constructor(readonly failuresMax: number, readonly windowMs: number, readonly clock: Clock) {}

  /** Seconds until another try is allowed; 0 is now. */
  waitS(name: string): number {
    const failures = this.#current(name);
    if (failures === null || failures.count < this.failuresMax) return 0;
    return Math.max(1, Math.ceil((failures.untilMs - this.clock.nowMs()) / 1000));
  }

  fail(name: string): void {
    const failures = this.#current(name);
    if (failures !== null) {
      failures.count++;
      return;
    }
    const [oldest] = this.#failures.keys();
    if (this.#failures.size >= namesMax && oldest !== undefined) this.#failures.delete(oldest);
    this.#failures.set(name, { count: 1, untilMs: this.clock.nowMs() + this.windowMs });
  }

  #current(name: string): { count: number; untilMs: number } | null {
    const failures = this.#failures.get(name);
    if (failures === undefined) return null;
    if (failures.untilMs > this.clock.nowMs()) return failures;
    this.#failures.delete(name);
    return null;
  }
}
