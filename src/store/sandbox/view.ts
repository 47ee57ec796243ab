// What a child must run before the user's SQL. It is written here, in the parent, so that a child
// need not load the vocabulary of events: that would be a third of its start.
import { constants, copyFile, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { copyToParquet, readParquet, readSegments } from "../duckdb.ts";
import { points, relationOf, relations } from "../relation.ts";
import type { Format } from "./frames.ts";
import { literal } from "./quote.ts";

/** A log segment whose events are not in the lake yet. */
export interface TailSegment {
  path: string;
  /** Whole commits end here. */
  bytes: number;
  /** Lines that are data points; a segment without any is not read for them. */
  points: number;
}

/** What a question is asked of: whole files of the lake, and log segments not in it yet. */
export interface Snapshot {
  /** Parquet files of both relations. With a project given, only files of that project. */
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

export interface View {
  /** They make `events` and `metrics`: the project's rows of the files and of the log's tail. */
  statements: string[];
  /** All that they read once they have run. */
  readable: string[];
}

/** The folder is private to the question. */
export async function viewOf(question: Question, folder: string): Promise<View> {
  const { project_id, files, segments } = question;
  const ofProject = project_id === null ? "" : ` WHERE project_id = ${literal(project_id)}`;
  const statements: string[] = [];
  const readable = [...files];
  const sources = new Map(relations.map((relation) => [
    relation,
    files.filter((path) => relationOf(path) === relation),
  ]));
  // A segment holds every project: only rows of this one go on, and no segment stays readable. Files
  // take no longer to make than a table and, one by one, little memory; the newest rows of many
  // files are found six times sooner than those of files and a table.
  for (const [at, segment] of (await wholeSegments(segments, folder)).entries()) {
    for (const relation of relations) {
      if (relation === points && segments[at]!.points === 0) continue;
      const recent = join(folder, `${relation.view}_${at}.parquet`);
      const rows = `SELECT * FROM (${readSegments([segment], relation)})${ofProject}`;
      statements.push(copyToParquet(rows, recent, zstdLevel, relation));
      sources.get(relation)!.push(recent);
      readable.push(recent);
    }
  }
  for (const [relation, paths] of sources) {
    const select = paths.length > 0 ? readParquet(paths, relation) + ofProject : relation.nothing;
    statements.push(`CREATE VIEW ${relation.view} AS ${select}`);
  }
  return { statements, readable };
}

const zstdLevel = 1;

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
