// What was acknowledged but is not complete yet: on disk, until it becomes an event.
import { Database } from "bun:sqlite";
import { AppendError } from "./log.ts";
import { compactDatabase } from "./sqlite.ts";

export interface PendingItem {
  project_id: string;
  /** Unique within the project. */
  key: string;
  /** JSON. */
  body: string;
  /** When it was last added to. Milliseconds since 1970. */
  updated_at_ms: number;
}

export class Pending {
  #database: Database;

  constructor(path: string) {
    this.#database = new Database(path, { create: true, strict: true });
    this.#database.run("PRAGMA journal_mode = WAL");
    this.#database.run("PRAGMA synchronous = FULL");
    this.#database.run("PRAGMA busy_timeout = 5000");
    // What became an event, and may be erased there, must not stay in free pages here.
    this.#database.run("PRAGMA secure_delete = ON");
    this.#database.run(`CREATE TABLE IF NOT EXISTS pending (
      project_id TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL,
      updated_at_ms INTEGER NOT NULL, PRIMARY KEY (project_id, key)
    )`);
  }

  all(): PendingItem[] {
    return this.#database.query<PendingItem, []>(
      "SELECT project_id, key, body, updated_at_ms FROM pending ORDER BY updated_at_ms",
    ).all();
  }

  /** All of the items or none; on disk when this returns. Throws AppendError. */
  put(items: readonly PendingItem[]): void {
    if (items.length === 0) return;
    const statement = this.#database.query(
      `INSERT INTO pending (project_id, key, body, updated_at_ms)
       VALUES ($project_id, $key, $body, $updated_at_ms)
       ON CONFLICT (project_id, key)
       DO UPDATE SET body = excluded.body, updated_at_ms = excluded.updated_at_ms`,
    );
    try {
      this.#database.transaction(() => {
        for (const item of items) statement.run({ ...item });
      }).immediate();
    } catch (error) {
      const { code = "", message } = error as { code?: string; message: string };
      throw new AppendError(
        code === "SQLITE_FULL" ? "ENOSPC" : code,
        `Cannot keep what came in pieces: ${message}`,
      );
    }
  }

  remove(items: readonly Pick<PendingItem, "project_id" | "key">[]): void {
    if (items.length === 0) return;
    const statement = this.#database.query("DELETE FROM pending WHERE project_id = ? AND key = ?");
    this.#database.transaction(() => {
      for (const { project_id, key } of items) statement.run(project_id, key);
    }).immediate();
  }

  /** Leaves nothing of what was removed in free pages, nor in the write-ahead log. */
  compact(): void {
    compactDatabase(this.#database);
  }

  close(): void {
    this.#database.close();
  }
}
