// The list of the lake's files, and its one commit point. Flush, compaction, retention and erasure
// are the same operation: add files, remove files, assert that the removed ones are still live.
// Two of them at once cannot bring a row back: the second finds its input gone and fails.
import { Database } from "bun:sqlite";
import type { RewriteReason } from "./rewrite.ts";
import type { Damage, DamageReason } from "./scrub.ts";

export interface LakeFile {
  /** Relative to the data directory, with forward slashes. */
  path: string;
  project_id: string;
  /** UTC day of every event inside. */
  date: string;
  rows: number;
  bytes: number;
  /** Microseconds since 1970. */
  min_timestamp: number;
  max_timestamp: number;
  /** SHA-256 of the file, hex. */
  sha256: string;
  /** 0 from the log; one more for every compaction that the rows went through. */
  level: number;
}

/** Rows of one project and day that went because they were too old, or the disk too full. */
export interface Dropped {
  reason: "retain" | "disk";
  project_id: string;
  date: string;
  /** Events and data points. */
  rows: number;
  bytes: number;
}

export interface Change {
  reason: "flush" | "compact" | "retain" | "disk" | RewriteReason;
  add: readonly LakeFile[];
  remove: readonly string[];
  /** Log segments up to this sequence are in the lake. */
  flushedThrough?: number;
  /** What is to be remembered of what went. */
  dropped?: readonly Dropped[];
}

export class ManifestConflict extends Error {}

export class Manifest {
  #database: Database;

  constructor(readonly path: string, options: { readonly: boolean } = { readonly: false }) {
    this.#database = options.readonly
      ? new Database(path, { readonly: true, strict: true })
      : new Database(path, { create: true, strict: true });
    if (!options.readonly) this.#migrate();
  }

  #migrate(): void {
    this.#database.run("PRAGMA journal_mode = WAL");
    this.#database.run("PRAGMA synchronous = FULL");
    this.#database.run("PRAGMA busy_timeout = 5000");
    this.#database.transaction(() => {
      for (const statement of schema) this.#database.run(statement);
    })();
  }

  /** Rises by one with every change. */
  version(): number {
    return this.#database.query<{ version: number }, []>(
      "SELECT coalesce(max(version), 0) AS version FROM commits",
    ).get()!.version;
  }

  flushedThrough(): number {
    return this.#database.query<{ sequence: number }, []>(
      "SELECT coalesce(max(flushed_through), 0) AS sequence FROM commits",
    ).get()!.sequence;
  }

  /** Live files, oldest first. */
  files(): LakeFile[] {
    return this.#database.query<LakeFile, []>(
      `SELECT path, project_id, date, rows, bytes, min_timestamp, max_timestamp, sha256, level
       FROM files WHERE removed_version IS NULL ORDER BY min_timestamp, path`,
    ).all();
  }

  /** Files that no longer count but may still be on disk. */
  removed(): { path: string; project_id: string; removed_at_ms: number }[] {
    return this.#database.query<
      { path: string; project_id: string; removed_at_ms: number },
      []
    >(
      `SELECT path, project_id, committed_at_ms AS removed_at_ms
       FROM files JOIN commits ON version = removed_version ORDER BY path`,
    ).all();
  }

  /** Forgets files that were deleted from disk. */
  forget(paths: readonly string[]): void {
    const statement = this.#database.query(
      "DELETE FROM files WHERE path = ? AND removed_version IS NOT NULL",
    );
    this.#database.transaction(() => {
      for (const path of paths) statement.run(path);
    })();
  }

  /** Files that were set aside, oldest finding first. */
  damaged(): Damage[] {
    return this.#database.query<Damage, []>(
      `SELECT path, project_id, date, rows, bytes, min_timestamp, max_timestamp, sha256, level,
         reason, found_at_ms
       FROM damaged ORDER BY found_at_ms, path`,
    ).all();
  }

  /** A live file does not count any more, and is remembered; false when it was not live. */
  setAside(path: string, reason: DamageReason, nowMs: number): boolean {
    return this.#database.transaction(() => {
      this.#begin("set_aside", nowMs);
      const { changes } = this.#database.query(
        `INSERT INTO damaged
         SELECT path, project_id, date, rows, bytes, min_timestamp, max_timestamp, sha256, level,
           ?, ? FROM files WHERE path = ? AND removed_version IS NULL`,
      ).run(reason, nowMs, path);
      if (changes === 0) return false;
      this.#database.query("DELETE FROM files WHERE path = ?").run(path);
      return true;
    }).immediate();
  }

  /** A file that was set aside counts again. */
  putBack(path: string, nowMs: number): void {
    this.#database.transaction(() => {
      const version = this.#begin("put_back", nowMs);
      this.#database.query(
        `INSERT INTO files
         SELECT path, project_id, date, rows, bytes, min_timestamp, max_timestamp, sha256, level,
           ?, NULL FROM damaged WHERE path = ?`,
      ).run(version, path);
      this.#database.query("DELETE FROM damaged WHERE path = ?").run(path);
    }).immediate();
  }

  /** All of the change or nothing of it; on disk when this returns. Throws ManifestConflict. */
  commit(change: Change, nowMs: number): number {
    return this.#database.transaction(() => {
      const version = this.#begin(change.reason, nowMs, change.flushedThrough);
      const insert = this.#database.query(
        `INSERT INTO files (path, project_id, date, rows, bytes, min_timestamp, max_timestamp,
           sha256, level, added_version)
         VALUES ($path, $project_id, $date, $rows, $bytes, $min_timestamp, $max_timestamp,
           $sha256, $level, $version)`,
      );
      for (const file of change.add) insert.run({ ...file, version });
      const remove = this.#database.query(
        "UPDATE files SET removed_version = ? WHERE path = ? AND removed_version IS NULL",
      );
      for (const path of change.remove) {
        if (remove.run(version, path).changes !== 1) {
          throw new ManifestConflict(`Cannot ${change.reason}: ${path} is no longer live`);
        }
      }
      const insertDropped = this.#database.query(
        `INSERT INTO dropped (version, dropped_at_ms, reason, project_id, date, rows, bytes)
         VALUES ($version, $nowMs, $reason, $project_id, $date, $rows, $bytes)`,
      );
      for (const one of change.dropped ?? []) insertDropped.run({ ...one, version, nowMs });
      return version;
    }).immediate();
  }

  /** What went of a project because it was too old, or the disk too full; newest first. */
  dropped(project_id: string): (Dropped & { dropped_at_ms: number })[] {
    return this.#database.query<Dropped & { dropped_at_ms: number }, [string]>(
      `SELECT dropped_at_ms, reason, project_id, date, rows, bytes FROM dropped
       WHERE project_id = ? ORDER BY dropped_at_ms DESC, version DESC, date DESC LIMIT 100`,
    ).all(project_id);
  }

  /** Files that were set aside, and are gone for good. */
  forgetDamaged(paths: readonly string[]): void {
    const statement = this.#database.query("DELETE FROM damaged WHERE path = ?");
    this.#database.transaction(() => {
      for (const path of paths) statement.run(path);
    })();
  }

  #begin(reason: string, nowMs: number, flushedThrough: number | null = null): number {
    const { lastInsertRowid } = this.#database.query(
      "INSERT INTO commits (reason, committed_at_ms, flushed_through) VALUES (?, ?, ?)",
    ).run(reason, nowMs, flushedThrough);
    return Number(lastInsertRowid);
  }

  close(): void {
    this.#database.close();
  }
}

const schema = [
  `CREATE TABLE IF NOT EXISTS commits (
     version INTEGER PRIMARY KEY,
     reason TEXT NOT NULL,
     committed_at_ms INTEGER NOT NULL,
     flushed_through INTEGER
   )`,
  `CREATE TABLE IF NOT EXISTS files (
     path TEXT PRIMARY KEY,
     project_id TEXT NOT NULL,
     date TEXT NOT NULL,
     rows INTEGER NOT NULL,
     bytes INTEGER NOT NULL,
     min_timestamp INTEGER NOT NULL,
     max_timestamp INTEGER NOT NULL,
     sha256 TEXT NOT NULL,
     level INTEGER NOT NULL,
     added_version INTEGER NOT NULL REFERENCES commits (version),
     removed_version INTEGER REFERENCES commits (version)
   )`,
  `CREATE TABLE IF NOT EXISTS damaged (
     path TEXT PRIMARY KEY,
     project_id TEXT NOT NULL,
     date TEXT NOT NULL,
     rows INTEGER NOT NULL,
     bytes INTEGER NOT NULL,
     min_timestamp INTEGER NOT NULL,
     max_timestamp INTEGER NOT NULL,
     sha256 TEXT NOT NULL,
     level INTEGER NOT NULL,
     reason TEXT NOT NULL,
     found_at_ms INTEGER NOT NULL
   )`,
  `CREATE TABLE IF NOT EXISTS dropped (
     version INTEGER NOT NULL,
     dropped_at_ms INTEGER NOT NULL,
     reason TEXT NOT NULL,
     project_id TEXT NOT NULL,
     date TEXT NOT NULL,
     rows INTEGER NOT NULL,
     bytes INTEGER NOT NULL
   )`,
  "CREATE INDEX IF NOT EXISTS dropped_by_project ON dropped (project_id, dropped_at_ms)",
  "CREATE INDEX IF NOT EXISTS files_live ON files (removed_version, project_id, date)",
];
