// Which files and tables make up the data at one moment, and when old ones may go. A reader pins
// the version it started with; what a later version no longer needs is thrown away when the last
// reader of an earlier one is done.
import type { LakeFile } from "./manifest.ts";
import type { Relation } from "./relation.ts";
import type { Segment } from "./segment.ts";

/** Two tables in DuckDB's memory that hold the events and the data points of some log segments. */
export interface TailTable {
  /** Gives each of them its name, see `tableOf`. */
  number: number;
  segments: Segment[];
  /** Events. */
  rows: number;
  /** Data points. */
  points: number;
  bytes: number;
  /** When its first row was appended; null while it is empty. Milliseconds since 1970. */
  sinceMs: number | null;
}

/** A tail's table for one relation. */
export function tableOf({ number }: TailTable, relation: Relation): string {
  return `tail_${relation.view}_${number}`;
}

/** How many rows of a relation a tail has. */
export function rowsOfTail(tail: TailTable, relation: Relation): number {
  return relation.view === "events" ? tail.rows : tail.points;
}

export interface Version {
  readonly files: readonly LakeFile[];
  /** Oldest first; events are added to the last one. */
  readonly tail: readonly TailTable[];
}

export interface Pin {
  readonly version: Version;
  release(): void;
}

interface Held {
  version: Version;
  pins: number;
  /** What the next version dropped. */
  garbage: (() => Promise<void>)[];
}

export class Versions {
  /** Oldest first; the last is current. */
  #held: Held[];
  #dropping = new Set<Promise<void>>();
  #waiting: { until: Held; resolve(): void }[] = [];

  constructor(first: Version, readonly onGarbageError: (error: unknown) => void) {
    this.#held = [{ version: first, pins: 0, garbage: [] }];
  }

  get current(): Version {
    return this.#held.at(-1)!.version;
  }

  publish(version: Version, garbage?: () => Promise<void>): void {
    if (garbage !== undefined) this.#held.at(-1)!.garbage.push(garbage);
    this.#held.push({ version, pins: 0, garbage: [] });
    this.#collect();
  }

  pin(): Pin {
    const held = this.#held.at(-1)!;
    held.pins++;
    let released = false;
    return {
      version: held.version,
      release: () => {
        if (released) return;
        released = true;
        held.pins--;
        this.#collect();
      },
    };
  }

  /** Resolves when nobody reads a version from before the call, and what these needed is gone. */
  async drained(): Promise<void> {
    const until = this.#held.at(-1)!;
    if (this.#held[0] !== until) {
      await new Promise<void>((resolve) => this.#waiting.push({ until, resolve }));
    }
    await this.settle();
  }

  /** Waits until all that may go is gone. */
  async settle(): Promise<void> {
    while (this.#dropping.size > 0) await Promise.all(this.#dropping);
  }

  #collect(): void {
    while (this.#held.length > 1 && this.#held[0]!.pins === 0) {
      for (const drop of this.#held.shift()!.garbage) {
        const dropping = drop().catch(this.onGarbageError)
          .finally(() => this.#dropping.delete(dropping));
        this.#dropping.add(dropping);
      }
    }
    this.#waiting = this.#waiting.filter(({ until, resolve }) => {
      if (this.#held.includes(until) && this.#held[0] !== until) return true;
      resolve();
      return false;
    });
  }
}
