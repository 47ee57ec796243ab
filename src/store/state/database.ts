// The database of the state: opened with what makes it durable, its tables brought up to date.
import { SQL } from "bun";
import { Database } from "bun:sqlite";
import { chmodSync, existsSync } from "node:fs";
import { migrations } from "./migrations.ts";

/** The state cannot be opened; the message says why. */
export class StateError extends Error {}

const busyMs = 5000;

const pragmas = [
  `busy_timeout = ${busyMs}`,
  "journal_mode = WAL",
  // An acknowledged key or revocation survives a power cut.
  "synchronous = FULL",
  "foreign_keys = ON",
  "trusted_schema = OFF",
];

/** Throws StateError. */
export async function openDatabase(path: string): Promise<SQL> {
  let sql: SQL | null = null;
  try {
    sql = new SQL({ adapter: "sqlite", filename: path, create: true });
    for (const pragma of pragmas) await sql.unsafe(`PRAGMA ${pragma}`);
    chmodSync(path, 0o600);
    await migrate(sql);
    return sql;
  } catch (error) {
    await sql?.close().catch(() => {});
    if (error instanceof StateError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new StateError(`Cannot open the state in ${path}: ${reason}.`, { cause: error });
  }
}

/** Each step is one transaction: a crash leaves it undone or done. */
async function migrate(sql: SQL): Promise<void> {
  await sql`CREATE TABLE IF NOT EXISTS migrations (
    version BIGINT NOT NULL PRIMARY KEY, applied_at TEXT NOT NULL)`;
  for (let done = false; !done;) {
    // Immediate: two processes that start together must not both read the old version.
    done = await sql.begin("immediate", async (tx) => {
      const [row] = await tx`SELECT coalesce(max(version), 0) AS version FROM migrations`;
      const version = Number(row?.version);
      if (version > migrations.length) {
        throw new StateError(
          `The state in this data directory was written by a newer WatchLLM: it has version ` +
            `${version}, and this build knows ${migrations.length}. Run the newer build.`,
        );
      }
      const next = migrations[version];
      if (next === undefined) return true;
      for (const statement of next) await tx.unsafe(statement);
      const now = new Date().toISOString();
      await tx`INSERT INTO migrations (version, applied_at) VALUES (${version + 1}, ${now})`;
      return false;
    });
  }
}

/** What is wrong with the file; null when it is sound or not there yet. */
export function checkState(path: string): string | null {
  if (!existsSync(path)) return null;
  try {
    const database = new Database(path, { readonly: true });
    try {
      database.run(`PRAGMA busy_timeout = ${busyMs}`);
      const rows = database.query<{ integrity_check: string }, []>("PRAGMA integrity_check").all();
      const [first] = rows;
      return first === undefined || first.integrity_check === "ok" ? null : first.integrity_check;
    } finally {
      database.close();
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
