// Rows of one file of the lake changed or removed: read one after another, written as a new file that
// holds the others as they were stored. Nothing of it counts before the manifest says so.
import type { DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { literal, plain, readParquet, readSegments, rowsOf } from "./duckdb.ts";
import { writeFile } from "./lake.ts";
import type { LakeFile } from "./manifest.ts";
import { events } from "./relation.ts";

/** A row as it is stored; JSON is text, and a null is left out. */
export type StoredRow = Record<string, unknown>;

export interface RewriteAsked {
  project_id: string;
  /** ISO 8601, inclusive. */
  since?: string;
  /** ISO 8601, exclusive. */
  until?: string;
  /** For the list of commits. */
  reason: RewriteReason;
  /**
   * The line that is to stand in the row's place, newline included; null leaves the row as it is.
   * What a row is known by (ids of event and project, time) is not to change.
   */
  change(row: StoredRow): string | "remove" | null;
  /** Looks at every row, and writes nothing. */
  dryRun?: boolean;
  signal?: AbortSignal;
  onProgress?(progress: RewriteProgress): void;
}

export const rewriteReasons = ["remap", "reprice", "erase"] as const;
export type RewriteReason = (typeof rewriteReasons)[number];

export interface RewriteProgress {
  /** Rows of the range of time. */
  looked_at: number;
  changed: number;
  removed: number;
  files_looked_at: number;
  /** Files that were there when it began. */
  files_total: number;
  files_written: number;
}

/** Another rewrite is under way; they follow one another. */
export class RewriteBusy extends Error {}

/** The longest that rows are looked at before others have their turn. */
const turnMsMax = 8;

interface Found {
  changed: number;
  removed: number;
}

/**
 * Writes the file that is to replace `file`: null when no row changes or it is only a look. `added`
 * is null when no row is left.
 */
export async function rewriteFile(
  { instance, dataDir, temporaryDir }: {
    instance: DuckDBInstance;
    dataDir: string;
    temporaryDir: string;
  },
  file: LakeFile,
  asked: RewriteAsked,
  progress: RewriteProgress,
): Promise<{ added: LakeFile | null } | null> {
  const lines = join(temporaryDir, `rewrite_${Bun.randomUUIDv7()}.ndjson`);
  const connection = await instance.connect();
  const stop = () => connection.interrupt();
  asked.signal?.addEventListener("abort", stop);
  try {
    const found = await collect(connection, join(dataDir, file.path), asked, progress, lines);
    const isSame = found.changed === 0 && found.removed === 0;
    if (isSame || asked.dryRun) return null;
    const rows = file.rows - found.removed;
    if (rows === 0) return { added: null };
    return { added: await replace(connection, dataDir, file, rows, lines) };
  } catch (error) {
    // What was interrupted says only that it was.
    asked.signal?.throwIfAborted();
    throw error;
  } finally {
    asked.signal?.removeEventListener("abort", stop);
    connection.closeSync();
    await rm(lines, { force: true });
  }
}

/** Puts what is to stand in place of rows into a file, each line with its row's number. */
async function collect(
  connection: DuckDBConnection,
  path: string,
  asked: RewriteAsked,
  progress: RewriteProgress,
  lines: string,
): Promise<Found> {
  const found: Found = { changed: 0, removed: 0 };
  const output = createWriteStream(lines, { mode: 0o600 });
  const failure = new Promise<never>((_, reject) => output.once("error", reject));
  failure.catch(() => {});
  try {
    const columns = [...await filledColumns(connection, path), "file_row_number"].join(", ");
    const result = await connection.stream(
      `SELECT ${columns} FROM (${numbered(path)}) WHERE ${rangeOf(asked)}`,
    );
    const names = result.deduplicatedColumnNames();
    let turnMs = performance.now();
    for (let chunk = await result.fetchChunk(); chunk; chunk = await result.fetchChunk()) {
      if (chunk.rowCount === 0) break;
      const vectors = names.map((_, column) => chunk.getColumnVector(column));
      for (let at = 0; at < chunk.rowCount; at++) {
        // One row at a time: a chunk of them as JavaScript values would take gigabytes.
        const row: StoredRow = {};
        for (let column = 0; column < names.length; column++) {
          const value = vectors[column]!.getItem(at);
          if (value !== null) row[names[column]!] = plain(value);
        }
        const { file_row_number: number, ...stored } = row;
        const line = asked.change(stored);
        progress.looked_at++;
        if (line !== null) {
          const isGone = line === "remove";
          found[isGone ? "removed" : "changed"]++;
          progress[isGone ? "removed" : "changed"]++;
          const text = isGone ? `{"row_number":${number}}\n` : numberedLine(line, Number(number));
          if (!asked.dryRun && !output.write(text)) {
            await Promise.race([failure, new Promise((done) => output.once("drain", done))]);
          }
        }
        if (performance.now() - turnMs < turnMsMax) continue;
        asked.onProgress?.(progress);
        asked.signal?.throwIfAborted();
        await new Promise((next) => setImmediate(next));
        turnMs = performance.now();
      }
    }
  } finally {
    await Promise.race([failure, new Promise<void>((done) => output.end(done))]);
  }
  return found;
}

/** Most columns are null in most files, and a row is made four times as fast without them. */
async function filledColumns(connection: DuckDBConnection, path: string): Promise<string[]> {
  const rows = await rowsOf(
    connection,
    `SELECT split_part(path_in_schema, ',', 1) AS name FROM parquet_metadata(${literal(path)})
     GROUP BY name
     HAVING coalesce(sum(num_values) > sum(stats_null_count), true)
       OR count(*) > count(stats_null_count)`,
  );
  const filled = new Set(rows.map(({ name }) => String(name)));
  return events.columnNames.split(", ").filter((name) => filled.has(name));
}

function numberedLine(line: string, number: number): string {
  return `{"row_number":${number},${line.slice(1)}`;
}

/** A file's rows with their place in it, which tells rows of the same id apart. */
function numbered(path: string): string {
  return readParquet([path]).replace(" FROM ", ", file_row_number FROM ")
    .replace("hive_partitioning = false", "hive_partitioning = false, file_row_number = true");
}

function rangeOf({ since, until }: RewriteAsked): string {
  const conditions = [
    ...since === undefined ? [] : [`timestamp >= ${literal(since)}::TIMESTAMPTZ`],
    ...until === undefined ? [] : [`timestamp < ${literal(until)}::TIMESTAMPTZ`],
  ];
  return conditions.length === 0 ? "true" : conditions.join(" AND ");
}

async function replace(
  connection: DuckDBConnection,
  dataDir: string,
  file: LakeFile,
  rows: number,
  lines: string,
): Promise<LakeFile> {
  await connection.run(
    "CREATE OR REPLACE TEMP TABLE replaced AS SELECT row_number FROM read_json(" +
      `${literal(lines)}, format = 'newline_delimited', columns = {row_number: 'BIGINT'}, ` +
      `maximum_object_size = ${lineBytesMax})`,
  );
  const select = `SELECT ${events.columnNames} FROM (${numbered(join(dataDir, file.path))}) ` +
    "WHERE file_row_number NOT IN (SELECT row_number FROM replaced) " +
    `UNION ALL ${readSegments([lines])}`;
  const group = { ...file, rows };
  const how = { relation: events, level: file.level, zstd: file.level === 0 ? 1 : 3 };
  const added = await writeFile(connection, dataDir, `SELECT * FROM (${select})`, group, how);
  try {
    return await verified(connection, dataDir, added);
  } catch (error) {
    await rm(join(dataDir, added.path), { force: true });
    throw error;
  }
}

/** Twice what an event may have; the log's reader allows as much. */
const lineBytesMax = 16 * 1024 * 1024;

/** A row too few must never count; the times may be narrower than before. */
async function verified(
  connection: DuckDBConnection,
  dataDir: string,
  file: LakeFile,
): Promise<LakeFile> {
  const [found] = await rowsOf(
    connection,
    `SELECT count(*) AS rows, min(project_id) AS least_project, max(project_id) AS project,
       min(strftime(timestamp, '%Y-%m-%d')) AS first, max(strftime(timestamp, '%Y-%m-%d')) AS last,
       epoch_us(min(timestamp)) AS min_timestamp, epoch_us(max(timestamp)) AS max_timestamp
     FROM (${readParquet([join(dataDir, file.path)])})`,
  ) as [Record<string, unknown>];
  const { rows, least_project, project, first, last, min_timestamp, max_timestamp } = found;
  const isOne = project === file.project_id && least_project === project &&
    first === file.date && last === file.date;
  if (rows !== file.rows || !isOne) {
    throw new Error(`Rewritten ${file.path} has ${rows} rows of ${first} to ${last}, not its own`);
  }
  return {
    ...file,
    min_timestamp: min_timestamp as number,
    max_timestamp: max_timestamp as number,
  };
}
