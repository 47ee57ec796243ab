// What the SQLite files of the data directory share.
import type { Database } from "bun:sqlite";

/**
 * Leaves nothing of what was deleted in free pages, nor in the write-ahead log. Throws when a reader
 * of another connection is in the way: it is to be tried again.
 */
export function compactDatabase(database: Database): void {
  database.run("VACUUM");
  const [row] = database.query<{ busy: number }, []>("PRAGMA wal_checkpoint(TRUNCATE)").all();
  if (row?.busy !== 0) {
    throw new Error("A database is being read; what was deleted is still in it.");
  }
}
