// What a child must run before the user's SQL. It is written here, in the parent, so that a child
// need not load the vocabulary of events: that would be a third of its start.
import { constants, copyFile, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { columnType, type Field, fields } from "../../event.ts";
import { columnNames, readSegments } from "../duckdb.ts";
import type { Format } from "./frames.ts";
import { literal } from "./quote.ts";

/** A log segment whose events are not in the lake yet. */
export interface TailSegment {
  path: string;
  /** Whole commits end here. */
  bytes: number;
}

/** What a question is asked of: whole files of the lake, and log segments not in it yet. */
export interface Snapshot {
  /** Parquet files. With a project given, only files of that project. */
  files: readonly string[];
  /**
   * Oldest first; only the first `bytes` of a segment count, and only the last one still grows.
   * They may hold events of any project.
   */
  segments: readonly TailSegment[];
}

export interface Question extends Snapshot {
  sql: string;
  /** Null sees every project. */
  project_id: string | null;
  format: Format;
  /** Null is without a bound, for the owner of the machine only. */
  rowsMax: number | null;
  /** Of the answer; for Parquet, of its rows in memory. */
  bytesMax: number | null;
  /** From the moment the child is ready. */
  deadlineMs: number | null;
}

/** Makes `events`: the project's rows of the files and of the log's tail. */
export async function viewStatements(question: Question, folder: string): Promise<string[]> {
  const { project_id, files, segments } = question;
  const ofProject = project_id === null ? "" : ` WHERE project_id = ${literal(project_id)}`;
  const statements: string[] = [];
  const sources: string[] = [];
  if (files.length > 0) sources.push(readFiles(files) + ofProject);
  if (segments.length > 0) {
    // A segment holds every project. Only rows of this one enter the database, and no segment is
    // among the files that may be read afterwards.
    const tail = readSegments(await wholeSegments(segments, folder));
    statements.push(`CREATE TABLE recent AS SELECT * FROM (${tail})${ofProject}`);
    sources.push(`SELECT ${columnNames} FROM recent`);
  }
  const select = sources.length > 0 ? sources.join(" UNION ALL ") : noRows;
  return [...statements, `CREATE VIEW events AS ${select}`];
}

const columns = fields as readonly Field[];

const noRows = "SELECT " +
  columns.map((column) => `NULL::${columnType(column)} AS "${column.name}"`).join(", ") +
  " WHERE false";

/** By field id: a file that is older than a column gives NULL for it. */
const schema = columns
  .map((column) =>
    `${column.id}: {name: '${column.name}', type: '${columnType(column)}', default_value: NULL}`
  )
  .join(", ");

function readFiles(paths: readonly string[]): string {
  return `SELECT ${columnNames} FROM read_parquet([${paths.map(literal).join(", ")}], ` +
    `hive_partitioning = false, schema = MAP {${schema}})`;
}

/** Paths of segments without what a write in progress adds to them. */
function wholeSegments(segments: readonly TailSegment[], folder: string): Promise<string[]> {
  return Promise.all(segments.map(async ({ path, bytes }, at) => {
    // The last one may grow while the child reads it; an earlier one may end in a failed write.
    const last = at === segments.length - 1;
    if (!last && (await stat(path)).size === bytes) return path;
    const copy = join(folder, `${at}.ndjson`);
    await copyFile(path, copy, constants.COPYFILE_FICLONE);
    await truncate(copy, bytes);
    return copy;
  }));
}
