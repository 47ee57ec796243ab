// What is known again only by looking at the data: which ids were stored lately, and which files
// events refer to.
import type { DuckDBConnection } from "@duckdb/node-api";
import { join } from "node:path";
import { literal, readParquet } from "./duckdb.ts";
import { filesOf } from "./reader.ts";
import { events, type Relation, relationOf } from "./relation.ts";
import type { Seen } from "./seen.ts";
import { tableOf, type Version } from "./versions.ts";

/** Fills `seen` with the ids of the newest rows. */
export async function recallIds(
  connection: DuckDBConnection,
  dataDir: string,
  { files, tail }: Version,
  relation: Relation,
  seen: Seen,
): Promise<void> {
  let room = seen.windowEvents;
  const newest: string[] = [];
  for (const file of files.toSorted((a, b) => b.max_timestamp - a.max_timestamp)) {
    if (room <= 0) break;
    if (relationOf(file.path) !== relation) continue;
    room -= file.rows;
    newest.push(join(dataDir, file.path));
  }
  const sources = tail.map((table) => tableOf(table, relation));
  if (newest.length > 0) sources.unshift(`(${readParquet(newest.reverse(), relation)})`);
  for (const source of sources) {
    const result = await connection.stream(
      `SELECT project_id, ${relation.idColumn} FROM ${source}`,
    );
    for await (const rows of result.yieldRows()) {
      for (const [project, id] of rows) seen.remember(String(project), String(id));
    }
  }
}

/** Hashes of the files that the project's events refer to. */
export async function recallBlobs(
  connection: DuckDBConnection,
  dataDir: string,
  version: Version,
  project_id: string,
): Promise<Set<string>> {
  const paths = filesOf(version, { project_id }).map((path) => join(dataDir, path));
  const sources = version.tail.map((tail) => tableOf(tail, events));
  if (paths.length > 0) sources.push(`(${readParquet(paths)})`);
  const hashes = new Set<string>();
  for (const source of sources) {
    const result = await connection.stream(
      `SELECT DISTINCT unnest(blobs) FROM ${source} ` +
        `WHERE project_id = ${literal(project_id)} AND blobs IS NOT NULL`,
    );
    for await (const rows of result.yieldRows()) {
      for (const [sha256] of rows) hashes.add(String(sha256));
    }
  }
  return hashes;
}
