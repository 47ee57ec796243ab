// Files that were moved out of events: stored once for each project, under the name of their content,
// and deleted when no event refers to them any more.
//
// A file is on disk before the event that refers to it, so between the two nothing but this process
// knows that it is needed. Whoever keeps a file holds it until the event is acknowledged; a sweep
// marks what events refer to, and deletes what is neither marked nor was held since it began.
import { unlinkSync } from "node:fs";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { publishDurably, syncFolders, writeDurably } from "./durable.ts";
import { AppendError } from "./log.ts";

export const blobsFolder = "blobs";
const projectFolder = "project_id=";
const draftEnding = ".draft";

/** Path of a blob below the data directory; folders of 256, so that none grows large. */
export function blobPath(project_id: string, sha256: string): string {
  return join(blobsFolder, `${projectFolder}${project_id}`, sha256.slice(0, 2), sha256);
}

/** Of a blob, or of the draft of one. */
const blobName = /^[0-9a-f]{64}(?=$|\.[0-9a-f-]{36}\.draft$)/;

export interface Blob {
  sha256: string;
  bytes: Uint8Array;
}

/** Since the start, for /metrics. */
export interface BlobCounters {
  kept: number;
  keptBytes: number;
  /** Files that were on disk already. */
  known: number;
  deleted: number;
  deletedBytes: number;
}

export class Blobs {
  readonly counters: BlobCounters = {
    kept: 0,
    keptBytes: 0,
    known: 0,
    deleted: 0,
    deletedBytes: 0,
  };
  /** Paths by how many requests need them. */
  #held = new Map<string, number>();
  /** Writes under way: the second who keeps a file must wait for the first to have it on disk. */
  #writing = new Map<string, Promise<void>>();
  /** Paths that were held since the sweep under way began; null when there is none. */
  #heldInSweep: Set<string> | null = null;

  constructor(readonly dataDir: string) {}

  /**
   * Writes what is not there yet; on disk when it resolves. The files are safe from a sweep until
   * the function that it returns is called. Throws AppendError, and holds nothing then.
   */
  async keep(project_id: string, blobs: readonly Blob[]): Promise<() => void> {
    const paths = blobs.map(({ sha256 }) => join(this.dataDir, blobPath(project_id, sha256)));
    // Before the first look at the disk: a sweep deletes nothing from here on.
    const release = this.hold(project_id, blobs.map(({ sha256 }) => sha256));
    try {
      for (const [at, { bytes }] of blobs.entries()) await this.#write(paths[at]!, bytes);
      return release;
    } catch (error) {
      release();
      const { code = "", message } = error as NodeJS.ErrnoException;
      throw new AppendError(code, `Cannot keep a file: ${message}`);
    }
  }

  /** Files that are safe from a sweep until the function is called, whoever refers to them. */
  hold(project_id: string, hashes: readonly string[]): () => void {
    const paths = hashes.map((sha256) => join(this.dataDir, blobPath(project_id, sha256)));
    for (const path of paths) this.#hold(path);
    let released = false;
    return () => {
      if (released) return;
      released = true;
      for (const path of paths) this.#letGo(path);
    };
  }

  #hold(path: string): void {
    this.#held.set(path, (this.#held.get(path) ?? 0) + 1);
    this.#heldInSweep?.add(path);
  }

  #letGo(path: string): void {
    const holders = this.#held.get(path)! - 1;
    if (holders > 0) this.#held.set(path, holders);
    else this.#held.delete(path);
  }

  async #write(path: string, bytes: Uint8Array): Promise<void> {
    const underWay = this.#writing.get(path);
    if (underWay !== undefined) return await underWay;
    const writing = this.#writeNew(path, bytes).finally(() => this.#writing.delete(path));
    this.#writing.set(path, writing);
    await writing;
  }

  async #writeNew(path: string, bytes: Uint8Array): Promise<void> {
    if (await stat(path).then(() => true, () => false)) {
      this.counters.known++;
      return;
    }
    const draft = `${path}.${Bun.randomUUIDv7()}${draftEnding}`;
    try {
      const made = await mkdir(dirname(path), { recursive: true });
      if (made !== undefined) await syncFolders(dirname(path), this.dataDir);
      await writeDurably(draft, bytes);
      await publishDurably(draft, path);
    } catch (error) {
      await rm(draft, { force: true }).catch(() => {});
      throw error;
    }
    this.counters.kept++;
    this.counters.keptBytes += bytes.length;
  }

  /** What all files take. */
  async bytes(): Promise<number> {
    const root = join(this.dataDir, blobsFolder);
    const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
    let bytes = 0;
    for (const entry of entries) {
      if (!entry.isFile()) continue;
      bytes += await stat(join(entry.parentPath, entry.name)).then(({ size }) => size, () => 0);
    }
    return bytes;
  }

  /** Projects that have files. */
  async projects(): Promise<string[]> {
    const names = await readdir(join(this.dataDir, blobsFolder)).catch(() => []);
    return names.filter((name) => name.startsWith(projectFolder))
      .map((name) => name.slice(projectFolder.length));
  }

  /**
   * Deletes the project's files that no event refers to; returns how many. `mark` names those that
   * events refer to, all of them acknowledged before it was called among these. One sweep at a time.
   */
  async sweep(project_id: string, mark: () => Promise<ReadonlySet<string>>): Promise<number> {
    // Held now, or from now on: the event may come too late for the mark.
    this.#heldInSweep = new Set(this.#held.keys());
    try {
      const marked = await mark();
      let deleted = 0;
      const root = join(this.dataDir, blobsFolder, projectFolder + project_id);
      for (const folder of await readdir(root).catch(() => [])) {
        for (const name of await readdir(join(root, folder)).catch(() => [])) {
          const [sha256] = blobName.exec(name) ?? [];
          if (sha256 === undefined || marked.has(name)) continue;
          const path = join(root, folder, name);
          const { size } = await stat(path).catch(() => ({ size: 0 }));
          // Looked at and deleted in one breath: nobody can begin to hold it in between.
          if (this.#heldInSweep.has(join(root, folder, sha256))) continue;
          // What is no whole file was left by a crash.
          if (!remove(path) || name !== sha256) continue;
          deleted++;
          this.counters.deletedBytes += size;
        }
      }
      this.counters.deleted += deleted;
      return deleted;
    } finally {
      this.#heldInSweep = null;
    }
  }
}

/** False when it is gone already. */
function remove(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}
