// Whether the lake's files are still what was written: each is read again and its SHA-256 compared,
// a few at a time on a clock, and at once when a question fails on one or before files are merged.
// A file that is not is set aside, so that the rest is served, and told of; when its bytes are put
// back where they were, it counts again.
import { mkdir, rename } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { syncPath } from "./durable.ts";
import { fingerprint } from "./lake.ts";
import type { LakeFile } from "./manifest.ts";

export const damageReasons = ["missing", "changed", "unreadable"] as const;
export type DamageReason = (typeof damageReasons)[number];

/** A file that was set aside. */
export interface Damage extends LakeFile {
  reason: DamageReason;
  /** Milliseconds since 1970. */
  found_at_ms: number;
}

/** What scrubbing needs of the store. */
export interface ScrubHost {
  readonly dataDir: string;
  readonly quarantineDir: string;
  /** The live files. */
  files(): readonly LakeFile[];
  damaged(): readonly Damage[];
  /** Takes a file out of what counts; false when it does not count any more. */
  setAside(file: LakeFile, reason: DamageReason): boolean;
  /** Makes a file count again. */
  putBack(file: Damage): void;
  nowMs(): number;
}

/** Bytes that are read again in one go of the clock. */
const bytesPerTurn = 64 * 1024 * 1024;
/** How long a file is trusted: by the clock, and by a question that fails. */
const trustedMs = 24 * 60 * 60 * 1000;
const suspectMs = 60_000;

export class Scrub {
  #host: ScrubHost;
  /** By path: when it was last found whole. */
  #whole = new Map<string, number>();

  constructor(host: ScrubHost) {
    this.#host = host;
  }

  /** Looks at the files that were not looked at for longest; returns those that were set aside. */
  async turn(): Promise<LakeFile[]> {
    for (const file of this.#host.damaged()) await this.#lookAgain(file);
    const files = this.#host.files();
    this.#forget(files);
    const due = this.#olderThan(files, trustedMs)
      .toSorted((a, b) => (this.#whole.get(a.path) ?? 0) - (this.#whole.get(b.path) ?? 0));
    let bytes = 0;
    const chosen = due.filter((file) => (bytes += file.bytes) - file.bytes < bytesPerTurn);
    return await this.check(chosen);
  }

  /** A question over these files failed: whether one of them was the reason, and is set aside now. */
  async suspect(files: readonly LakeFile[]): Promise<boolean> {
    return (await this.check(this.#olderThan(files, suspectMs))).length > 0;
  }

  /** Reads files again, and sets those aside that are not what was written. */
  async check(files: readonly LakeFile[]): Promise<LakeFile[]> {
    const damaged: LakeFile[] = [];
    for (const file of files) {
      const reason = await this.#damageOf(file);
      if (reason === null) this.#whole.set(file.path, this.#host.nowMs());
      else if (this.#host.setAside(file, reason)) damaged.push(file);
    }
    return damaged;
  }

  /** Moves a file that does not count any more out of the lake, which other engines read whole. */
  async moveAside(path: string): Promise<void> {
    const { dataDir, quarantineDir } = this.#host;
    const from = join(dataDir, path);
    await mkdir(quarantineDir, { recursive: true, mode: 0o700 });
    try {
      await rename(from, join(quarantineDir, basename(path)));
    } catch (error) {
      if (codeOf(error) === "ENOENT") return;
      throw error;
    }
    await syncPath(quarantineDir);
    await syncPath(dirname(from));
  }

  /** A damaged file may have been brought back from a backup. */
  async #lookAgain(file: Damage): Promise<void> {
    const reason = await this.#damageOf(file);
    if (reason === null) this.#host.putBack(file);
    else if (reason === "changed") await this.moveAside(file.path);
  }

  #olderThan(files: readonly LakeFile[], ageMs: number): LakeFile[] {
    const until = this.#host.nowMs() - ageMs;
    return files.filter(({ path }) => (this.#whole.get(path) ?? -Infinity) <= until);
  }

  #forget(files: readonly LakeFile[]): void {
    const live = new Set(files.map(({ path }) => path));
    for (const path of this.#whole.keys()) if (!live.has(path)) this.#whole.delete(path);
  }

  async #damageOf({ path, bytes, sha256 }: LakeFile): Promise<DamageReason | null> {
    try {
      const found = await fingerprint(join(this.#host.dataDir, path));
      return found.bytes === bytes && found.sha256 === sha256 ? null : "changed";
    } catch (error) {
      if (codeOf(error) === "ENOENT") return "missing";
      if (codeOf(error) === "EIO") return "unreadable";
      // Not the file's fault: no memory, no descriptors, no right to read.
      throw error;
    }
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
