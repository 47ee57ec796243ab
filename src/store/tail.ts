// The tail: events and data points that are in the log, but not in the lake yet, as tables in DuckDB's
// memory, one for each relation.
import type { DuckDBConnection } from "@duckdb/node-api";
import { createTable, readSegments, rowsOf } from "./duckdb.ts";
import { writeTable } from "./lake.ts";
import type { LakeFile } from "./manifest.ts";
import { events, points, type Relation, relations } from "./relation.ts";
import type { Segment } from "./segment.ts";
import { rowsOfTail, tableOf, type TailTable } from "./versions.ts";

export function emptyTail(number: number): TailTable {
  return { number, segments: [], rows: 0, points: 0, bytes: 0, sinceMs: null };
}

export async function createTail(connection: DuckDBConnection, tail: TailTable): Promise<void> {
  for (const relation of relations) {
    await connection.run(createTable(tableOf(tail, relation), relation));
  }
}

export async function dropTail(connection: DuckDBConnection, tail: TailTable): Promise<void> {
  for (const relation of relations) await connection.run(`DROP TABLE ${tableOf(tail, relation)}`);
}

/** Reads sealed segments into the tail's tables, all of them or nothing; returns the tail that is grown. */
export async function fillTail(
  connection: DuckDBConnection,
  tail: TailTable,
  segments: readonly Segment[],
  nowMs: number,
): Promise<TailTable> {
  const grown: TailTable = {
    ...tail,
    rows: tail.rows + sum(segments, ({ events, points }) => events - points),
    points: tail.points + sum(segments, ({ points }) => points),
    bytes: tail.bytes + sum(segments, ({ bytes }) => bytes),
    segments: [...tail.segments, ...segments],
    sinceMs: tail.sinceMs ?? nowMs,
  };
  await connection.run("BEGIN TRANSACTION");
  try {
    await insert(connection, events, segments.filter((one) => one.events > one.points), grown);
    await insert(connection, points, segments.filter((one) => one.points > 0), grown);
    await connection.run("COMMIT");
  } catch (error) {
    await connection.run("ROLLBACK");
    throw error;
  }
  return grown;
}

async function insert(
  connection: DuckDBConnection,
  relation: Relation,
  segments: readonly Segment[],
  grown: TailTable,
): Promise<void> {
  if (segments.length === 0) return;
  const table = tableOf(grown, relation);
  const paths = segments.map(({ path }) => path);
  await connection.run(`INSERT INTO ${table} ${readSegments(paths, relation)}`);
  const [{ rows }] = await rowsOf(
    connection,
    `SELECT count(*) AS rows FROM ${table}`,
  ) as [{ rows: number }];
  const expected = rowsOfTail(grown, relation);
  if (rows === expected) return;
  throw new Error(`With segments ${paths} there are ${rows} ${relation.view}, not ${expected}`);
}

/** Writes all of a tail as files of the lake, which do not count yet. */
export async function writeTail(
  connection: DuckDBConnection,
  dataDir: string,
  tail: TailTable,
): Promise<LakeFile[]> {
  const added: LakeFile[] = [];
  for (const relation of relations) {
    const table = tableOf(tail, relation);
    const files = await writeTable(connection, dataDir, table, relation);
    const written = sum(files, (file) => file.rows);
    const expected = rowsOfTail(tail, relation);
    if (written !== expected) {
      throw new Error(`Table ${table} has ${expected} rows, its files ${written}`);
    }
    added.push(...files);
  }
  return added;
}

export function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
