// What became of the events: accepted, spooled, or dropped for a reason of a closed list; and which
// of the drops the server has been told.
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
  /** Events that are on this machine's disk, to be sent another time. */
  spooled: number;
  /** Events that will not arrive, by reason. */
  dropped: Partial<Record<DropReason, number>>;
}

export type Drops = readonly (readonly [reason: DropReason, count: number])[];

export class Tally {
  accepted = 0;
  duplicates = 0;
  requests = 0;
  retries = 0;
  spooled = 0;
  readonly dropped: Stats["dropped"] = {};
  /** Of the dropped, what the server knows: it said so itself, or was told. */
  #known: Stats["dropped"] = {};

  constructor(
    readonly onDrop: Settings["on_drop"],
    readonly warnings: Warnings,
  ) {}

  drop(reason: DropReason, count: number, isKnown = false): void {
    if (count === 0) return;
    add(this.dropped, reason, count);
    if (isKnown) add(this.#known, reason, count);
    try {
      this.onDrop?.(reason, count);
    } catch {
      this.warnings.once("on_drop", "on_drop threw an error.");
    }
  }

  /** What was dropped that the server has not been told. */
  unreported(): Drops {
    return (Object.entries(this.dropped) as [DropReason, number][])
      .map(([reason, count]) => [reason, count - (this.#known[reason] ?? 0)] as const)
      .filter(([, count]) => count > 0);
  }

  reported(drops: Drops): void {
    for (const [reason, count] of drops) add(this.#known, reason, count);
  }

  stats(waiting: number, waiting_bytes: number): Stats {
    const { accepted, duplicates, requests, retries, spooled, dropped } = this;
    return {
      waiting,
      waiting_bytes,
      accepted,
      duplicates,
      requests,
      retries,
      spooled,
      dropped: { ...dropped },
    };
  }
}

function add(
  counts: Stats["dropped"],
  reason: DropReason,
  count: number,
): void {
  counts[reason] = (counts[reason] ?? 0) + count;
}
