// The one DuckDB of the process, and the SQL text that names columns and files.
// Queries of users never run here: see sandbox.ts.
import type { DuckDBConnection, DuckDBInstance, DuckDBValue } from "@duckdb/node-api";
import { limits } from "../limits.ts";
import { loadDuckDB } from "./duckdb_library.ts";
import { events, type Relation } from "./relation.ts";

export interface DuckDBOptions {
  cacheDir: string;
  /** Spill files; private to this process. */
  temporaryDir: string;
  /** DuckDB's own bound, such as `1GB`. */
  memoryLimit: string;
  threads: number;
}

export async function openDuckDB(options: DuckDBOptions): Promise<DuckDBInstance> {
  const { DuckDBInstance } = await loadDuckDB(options.cacheDir);
  const instance = await DuckDBInstance.create(":memory:", {
    threads: String(options.threads),
    memory_limit: options.memoryLimit,
    temp_directory: options.temporaryDir,
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
  const connection = await instance.connect();
  // Files are immutable: a footer that was read once stays true.
  await connection.run("SET GLOBAL parquet_metadata_cache = true");
  await connection.run("SET GLOBAL TimeZone = 'UTC'");
  connection.closeSync();
  return instance;
}

/** `CREATE TABLE` for rows of the unflushed tail. */
export function createTable(name: string, relation: Relation = events): string {
  return `CREATE TABLE ${name} (${relation.definitions})`;
}

/** A string as an SQL literal. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Rows of log segments. A line of another relation, and a trailer, has no such id. */
export function readSegments(paths: readonly string[], relation: Relation = events): string {
  return `SELECT ${relation.columnNames} FROM read_json([${paths.map(literal).join(", ")}], ` +
    `format = 'newline_delimited', columns = {${relation.jsonColumns}}, ` +
    `maximum_object_size = ${2 * limits.eventBytesMax}) WHERE ${relation.idColumn} IS NOT NULL`;
}

/** Rows of Parquet files, by field id: a column that a file of an older version lacks is NULL. */
export function readParquet(paths: readonly string[], relation: Relation = events): string {
  return `SELECT ${relation.columnNames} FROM read_parquet([${paths.map(literal).join(", ")}], ` +
    `hive_partitioning = false, schema = MAP {${relation.byFieldId}})`;
}

/**
 * Rows of Parquet files that have every column: 2 to 4 ms less a question, which is half of a short
 * one. `isOlder` tells the error of a file that lacks a column.
 */
export function readCurrentParquet(paths: readonly string[], relation: Relation = events): string {
  return `SELECT ${relation.columnNames} FROM read_parquet([${paths.map(literal).join(", ")}], ` +
    "hive_partitioning = false, union_by_name = false)";
}

/** The first file lacks a column, or a later one lacks what the first has. */
export function isOlder(error: unknown): boolean {
  return error instanceof Error &&
    /^Binder Error: .*not found in FROM clause|schema mismatch/s.test(error.message);
}

const rowGroupRows = 20_480;
/** Above the rows of a group: a column of which every value is different has a dictionary too. */
const dictionaryValuesMax = 25_000;
/** Of a file that is made to last: prompts compress better in one piece. */
const dictionaryBytesMax = 50_000_000;
/** A group of ids of 128 characters. Dictionaries of prompts would cost a fifth of a flush. */
const quickDictionaryBytesMax = 3_000_000;

/**
 * Writes rows as one Parquet file: plain v1 pages, sorted by time. Row groups of 20,480 rows with
 * a dictionary for every id give each a bloom filter (run lookup 298 → 30 ms). At `zstdLevel` 1
 * prompts have none, which saves work where the file is soon merged.
 */
export function copyToParquet(
  select: string,
  path: string,
  zstdLevel: number,
  relation: Relation = events,
): string {
  const quick = zstdLevel <= 1;
  return `COPY (${select} ORDER BY timestamp, ${relation.idColumn}) TO ${literal(path)} (` +
    "FORMAT parquet, PARQUET_VERSION v1, " +
    `COMPRESSION zstd, COMPRESSION_LEVEL ${zstdLevel}, ` +
    `ROW_GROUP_SIZE ${rowGroupRows}, DICTIONARY_SIZE_LIMIT ${dictionaryValuesMax}, ` +
    `STRING_DICTIONARY_PAGE_SIZE_LIMIT ${quick ? quickDictionaryBytesMax : dictionaryBytesMax}, ` +
    `FIELD_IDS {${relation.fieldIds}})`;
}

/** Runs a statement and returns its rows as plain JavaScript values. */
export async function rowsOf(
  connection: DuckDBConnection,
  sql: string,
  params?: Record<string, DuckDBValue>,
): Promise<Record<string, unknown>[]> {
  const reader = await connection.runAndReadAll(sql, params);
  const names = reader.deduplicatedColumnNames();
  const columnData = reader.getColumns();
  const rows: Record<string, unknown>[] = [];
  for (let at = 0; at < reader.currentRowCount; at++) {
    const row: Record<string, unknown> = {};
    for (let column = 0; column < names.length; column++) {
      row[names[column]!] = plain(columnData[column]![at]!);
    }
    rows.push(row);
  }
  return rows;
}

/** BIGINT → number (text beyond 2^53), TIMESTAMPTZ → ISO 8601 with microseconds, lists → arrays. */
export function plain(value: DuckDBValue): unknown {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  if (typeof value !== "object" || value === null) return value;
  if ("micros" in value && typeof value.micros === "bigint") return isoTime(value.micros);
  if ("items" in value) return (value.items as DuckDBValue[]).map(plain);
  if ("entries" in value && !Array.isArray(value.entries)) {
    return Object.fromEntries(Object.entries(value.entries).map(([key, v]) => [key, plain(v)]));
  }
  if ("days" in value) {
    return new Date((value.days as number) * 86_400_000).toISOString().slice(0, 10);
  }
  if ("toDouble" in value) return (value as { toDouble(): number }).toDouble();
  return String(value);
}

/** Microseconds since 1970 → `YYYY-MM-DDTHH:MM:SS.ffffffZ`. */
export function isoTime(micros: bigint): string {
  const ms = Number(micros / 1000n);
  const rest = String(micros % 1000n).padStart(3, "0");
  return `${new Date(ms).toISOString().slice(0, 23)}${rest}Z`;
}
