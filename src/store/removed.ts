// Files that no longer count, until they are off the disk: those that a reader of this process may
// still have open, and those that a reader of another process may.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Manifest } from "./manifest.ts";

/** What this needs of the manifest. */
type RemovedFiles = Pick<Manifest, "removed" | "forget">;

export class Removed {
  #manifest: RemovedFiles;
  #dataDir: string;
  /** Those that no reader of this process holds. */
  #unpinned: Set<string>;

  constructor(manifest: RemovedFiles, dataDir: string) {
    this.#manifest = manifest;
    this.#dataDir = dataDir;
    // No reader of an earlier process is left.
    this.#unpinned = new Set(manifest.removed().map(({ path }) => path));
  }

  /** The last reader of this process has let go of them. */
  unpin(paths: readonly string[]): void {
    for (const path of paths) this.#unpinned.add(path);
  }

  /** Deletes what was removed at or before the time, of one project or of all; returns how many. */
  async sweep(untilMs: number, project_id?: string): Promise<number> {
    const gone = this.#manifest.removed().filter((file) =>
      this.#unpinned.has(file.path) && file.removed_at_ms <= untilMs &&
      (project_id === undefined || file.project_id === project_id)
    ).map((file) => file.path);
    for (const path of gone) {
      await rm(join(this.#dataDir, path), { force: true });
      this.#unpinned.delete(path);
    }
    if (gone.length > 0) this.#manifest.forget(gone);
    return gone.length;
  }
}
