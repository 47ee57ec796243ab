// A rewrite over all the files of its range, while flushes, merges and retention go on: which files
// are still to be looked at, and what is done when another was faster.
import type { DuckDBInstance } from "@duckdb/node-api";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type Change, type LakeFile, ManifestConflict } from "./manifest.ts";
import { filesOf } from "./reader.ts";
import { type RewriteAsked, rewriteFile, type RewriteProgress } from "./rewrite.ts";
import type { Pin, Version } from "./versions.ts";

/** What a rewrite needs of the store. */
export interface RewriteHost {
  readonly instance: DuckDBInstance;
  readonly dataDir: string;
  readonly temporaryDir: string;
  current(): Version;
  pin(): Pin;
  /** Between flushes, merges and retention. */
  inTurn<T>(work: () => T): Promise<T>;
  /** Throws ManifestConflict. */
  replace(change: Pick<Change, "reason" | "add" | "remove">): void;
}

export class Rewriting {
  #host: RewriteHost;
  #asked: RewriteAsked;
  /** Files that need not be looked at any more. */
  #done = new Set<string>();
  #at: string | null = null;

  constructor(host: RewriteHost, asked: RewriteAsked) {
    this.#host = host;
    this.#asked = asked;
  }

  /** The file at hand, which is not to be merged. */
  get at(): string | null {
    return this.#at;
  }

  /** Files of a flush: their rows came after the rewrite began. */
  flushed(files: readonly LakeFile[]): void {
    for (const { path } of files) this.#done.add(path);
  }

  merged(from: readonly LakeFile[], into: LakeFile): void {
    if (from.every(({ path }) => this.#done.has(path))) this.#done.add(into.path);
  }

  /** Throws what the signal's reason is. */
  async run(): Promise<RewriteProgress> {
    const progress: RewriteProgress = {
      looked_at: 0,
      changed: 0,
      removed: 0,
      files_looked_at: 0,
      files_total: this.#left().length,
      files_written: 0,
    };
    for (;;) {
      this.#asked.onProgress?.(progress);
      this.#asked.signal?.throwIfAborted();
      // In turn, so that no merge has chosen it.
      const path = await this.#host.inTurn(() => this.#at = this.#left()[0] ?? null);
      if (path === null) return progress;
      await this.#rewrite(path, progress);
      this.#done.add(path);
      progress.files_looked_at++;
    }
  }

  #left(): string[] {
    return filesOf(this.#host.current(), this.#asked).filter((path) => !this.#done.has(path));
  }

  async #rewrite(path: string, progress: RewriteProgress): Promise<void> {
    const { instance, dataDir, temporaryDir } = this.#host;
    const { version, release } = this.#host.pin();
    try {
      const file = version.files.find((file) => file.path === path);
      // Retention was faster.
      if (file === undefined) return;
      const places = { instance, dataDir, temporaryDir };
      const result = await rewriteFile(places, file, this.#asked, progress);
      if (result === null) return;
      const add = result.added === null ? [] : [result.added];
      try {
        this.#host.replace({ reason: this.#asked.reason, add, remove: [path] });
      } catch (error) {
        for (const { path } of add) await rm(join(dataDir, path), { force: true });
        // Retention was faster: its rows are gone, and so must these be.
        if (error instanceof ManifestConflict) return;
        throw error;
      }
      for (const { path } of add) this.#done.add(path);
      progress.files_written += add.length;
    } finally {
      release();
    }
  }
}
