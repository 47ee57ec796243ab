// What is too old goes, and the oldest of the rest when the disk is to hold less: whole files where
// a day is over for all, rows where environments differ. What went is written down.
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { rowsOf } from "./duckdb.ts";
import { dropRows, type LakeHost } from "./edit.ts";
import { sourceOf } from "./eraser.ts";
import type { Dropped, LakeFile } from "./manifest.ts";
import { events, relationOf } from "./relation.ts";
import { expiredOf, firstDateOf, longestOf, type RetentionPolicy } from "./retain.ts";

export interface RetentionHost extends LakeHost {
  readonly quarantineDir: string;
  /** Files that were set aside. */
  damaged(): readonly LakeFile[];
  forgetDamaged(paths: readonly string[]): void;
  /** Bytes of the log and of blobs. */
  otherBytes(): Promise<number>;
  sweepBlobs(): Promise<number>;
  nowMs(): number;
}

/** How much the data takes, and what was done about it. */
export interface DiskUse {
  bytes: number;
  /** 0 is no bound. */
  bytesMax: number;
  /** Above the bound, with nothing left that may go: only today is there. */
  isOver: boolean;
}

export class Retention {
  #host: RetentionHost;
  /** By path: the condition by which no row of it is too old. */
  #clean = new Map<string, string>();
  /** Null until it was looked at. */
  disk: DiskUse | null = null;

  constructor(host: RetentionHost) {
    this.#host = host;
  }

  /** Removes what is too old; returns what went. */
  async expire(policyOf: (project_id: string) => RetentionPolicy): Promise<Dropped[]> {
    const nowMs = this.#host.nowMs();
    const whole = (file: LakeFile) =>
      expiredOf(policyOf(file.project_id), file.date, nowMs) === "everything";
    const dropped = await this.#dropFiles("retain", whole);
    for (const file of this.#host.current().files) {
      const expired = expiredOf(policyOf(file.project_id), file.date, nowMs);
      if (typeof expired === "object") dropped.push(...await this.#dropRows(file, expired.rows));
    }
    const live = new Set(this.#host.current().files.map(({ path }) => path));
    for (const path of this.#clean.keys()) if (!live.has(path)) this.#clean.delete(path);
    await this.#expireQuarantine(whole, policyOf);
    return dropped;
  }

  /** Removes the files of days before `firstDate`; returns how many rows went. */
  async expireBefore(firstDate: string): Promise<number> {
    const dropped = await this.#dropFiles("retain", ({ date }) => date < firstDate);
    return dropped.reduce((sum, { rows }) => sum + rows, 0);
  }

  /** Events that `policy` would remove from a project now. */
  async look(project_id: string, policy: RetentionPolicy): Promise<number> {
    await this.#host.flush();
    const { version, release } = this.#host.pin();
    const connection = await this.#host.instance.connect();
    try {
      let rows = 0;
      const nowMs = this.#host.nowMs();
      for (const file of version.files) {
        if (file.project_id !== project_id || relationOf(file.path) !== events) continue;
        const expired = expiredOf(policy, file.date, nowMs);
        if (expired === "everything") rows += file.rows;
        if (typeof expired !== "object") continue;
        const [row] = await rowsOf(
          connection,
          `SELECT count(*) AS rows FROM ${sourceOf(this.#host.dataDir, [file], events)}
           WHERE ${expired.rows}`,
        );
        rows += row!.rows as number;
      }
      return rows;
    } finally {
      connection.closeSync();
      release();
    }
  }

  /** Removes the oldest days, one at a time, until the data takes less than `bytesMax`; never today's. */
  async keepUnder(bytesMax: number): Promise<Dropped[]> {
    const dropped: Dropped[] = [];
    const today = firstDateOf(0, this.#host.nowMs());
    for (;;) {
      const { files } = this.#host.current();
      const bytes = files.reduce((sum, file) => sum + file.bytes, 0) +
        await this.#host.otherBytes();
      const oldest = files.reduce((date, file) => file.date < date ? file.date : date, today);
      const isOver = bytesMax > 0 && bytes > bytesMax;
      this.disk = { bytes, bytesMax, isOver: isOver && oldest === today };
      if (!isOver || oldest === today) return dropped;
      dropped.push(...await this.#dropFiles("disk", ({ date }) => date <= oldest));
      // Files that only these events named take room too.
      await this.#host.sweepBlobs();
    }
  }

  #dropFiles(reason: Dropped["reason"], isOld: (file: LakeFile) => boolean): Promise<Dropped[]> {
    return this.#host.inTurn(() => {
      const old = this.#host.current().files.filter(isOld);
      if (old.length === 0) return Promise.resolve([]);
      const days = Map.groupBy(old, ({ project_id, date }) => `${project_id}/${date}`);
      const dropped = [...days.values()].map((files) => ({
        reason,
        project_id: files[0]!.project_id,
        date: files[0]!.date,
        rows: files.reduce((sum, file) => sum + file.rows, 0),
        bytes: files.reduce((sum, file) => sum + file.bytes, 0),
      }));
      this.#host.replace({ reason, add: [], remove: old.map(({ path }) => path), dropped });
      this.#host.blobsMayBeLoose();
      return Promise.resolve(dropped);
    });
  }

  async #dropRows(file: LakeFile, rows: string): Promise<Dropped[]> {
    const { path, project_id, date } = file;
    if (this.#clean.get(path) === rows) return [];
    const connection = await this.#host.instance.connect();
    try {
      const source = sourceOf(this.#host.dataDir, [file], relationOf(path));
      const [found] = await rowsOf(
        connection,
        `SELECT count(*) AS rows FROM ${source} WHERE ${rows}`,
      );
      if (found!.rows === 0) {
        this.#clean.set(path, rows);
        return [];
      }
      const about = { reason: "retain" as const, project_id, date };
      const done = await dropRows(this.#host, connection, path, "retain", { rows }, about);
      if (done === null) return [];
      this.#host.blobsMayBeLoose();
      if (done.added !== null) this.#clean.set(done.added.path, rows);
      return [{ ...about, rows: done.dropped, bytes: file.bytes - (done.added?.bytes ?? 0) }];
    } finally {
      connection.closeSync();
    }
  }

  /** What was set aside is kept no longer than what is sound. */
  async #expireQuarantine(
    isOld: (file: LakeFile) => boolean,
    policyOf: (project_id: string) => RetentionPolicy,
  ): Promise<void> {
    const { quarantineDir, dataDir } = this.#host;
    const old = this.#host.damaged().filter(isOld).map(({ path }) => path);
    for (const path of old) {
      await rm(join(quarantineDir, path.split("/").at(-1)!), { force: true });
      await rm(join(dataDir, path), { force: true });
    }
    if (old.length > 0) this.#host.forgetDamaged(old);
    // Pieces of the log are of every project: they stay as long as any row would.
    const projects = new Set(this.#host.current().files.map(({ project_id }) => project_id));
    const longest = longestOf(["", ...projects].map(policyOf));
    if (longest === 0) return;
    const firstMs = Date.parse(firstDateOf(longest, this.#host.nowMs()));
    for (const name of await readdir(quarantineDir).catch(() => [])) {
      const path = join(quarantineDir, name);
      if (!name.endsWith(".ndjson")) continue;
      if ((await stat(path)).mtimeMs < firstMs) await rm(path, { force: true });
    }
  }
}
