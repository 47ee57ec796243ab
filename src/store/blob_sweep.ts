// When the blobs that no event refers to any more are deleted: after events went, and now and then,
// for a crash may have left some.
import type { Blobs } from "./blobs.ts";
import type { Clock } from "../std/clock.ts";

const sweepIntervalMs = 60 * 60 * 1000;

export class BlobSweep {
  /** Events may have gone, and files with them; a crash may have left some. */
  #mayBeLoose = true;
  #sweptMs = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    readonly blobs: Blobs,
    readonly clock: Clock,
    /** Hashes of the files that the project's acknowledged events refer to. */
    readonly referred: (project_id: string) => Promise<Set<string>>,
  ) {}

  /** Events went, and files that only they named may go. */
  mayBeLoose(): void {
    this.#mayBeLoose = true;
  }

  /** Deletes what is loose, if anything may be or it was long ago; returns how many. */
  sweep(intervalMs = sweepIntervalMs): Promise<number> {
    const nowMs = this.clock.nowMs();
    if (!this.#mayBeLoose && nowMs - this.#sweptMs < intervalMs) return Promise.resolve(0);
    return this.#inTurn(async () => {
      this.#mayBeLoose = false;
      try {
        let deleted = 0;
        for (const project_id of await this.blobs.projects()) {
          deleted += await this.blobs.sweep(project_id, () => this.referred(project_id));
        }
        this.#sweptMs = nowMs;
        return deleted;
      } catch (error) {
        this.#mayBeLoose = true;
        throw error;
      }
    });
  }

  /** Deletes what is loose in one project, now. */
  sweepProject(project_id: string): Promise<number> {
    return this.#inTurn(() => this.blobs.sweep(project_id, () => this.referred(project_id)));
  }

  /** One sweep at a time. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }
}
