// The database that a user's SQL runs in: a view over named files, and then nothing else, for good.
import type { DuckDBConnection } from "@duckdb/node-api";
import { copyFile, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { columnType, type Field, fields } from "../../event.ts";
import { columnNames, literal, readSegments } from "../duckdb.ts";
import type { ChildJob, Setup, TailSegment } from "./frames.ts";

type Api = typeof import("@duckdb/node-api");

const MiB = 1024 * 1024;

export async function openDatabase(api: Api, setup: Setup): Promise<DuckDBConnection> {
  const instance = await api.DuckDBInstance.create(":memory:", {
    threads: String(setup.threads),
    memory_limit: `${Math.floor(setup.memoryBytes / MiB)}MiB`,
    // Any other value is added to the folders that may be read and written.
    temp_directory: "",
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
    allow_community_extensions: "false",
    allow_persistent_secrets: "false",
  });
  const connection = await instance.connect();
  await connection.run("SET GLOBAL TimeZone = 'UTC'");
  return connection;
}

/** Makes `events`: the project's rows of the files and of the log's tail. */
export async function createView(connection: DuckDBConnection, job: ChildJob): Promise<void> {
  const ofProject = job.project_id === null ? "" : ` WHERE project_id = ${literal(job.project_id)}`;
  const sources: string[] = [];
  if (job.files.length > 0) sources.push(readFiles(job.files) + ofProject);
  if (job.segments.length > 0) {
    // A segment holds every project. Only rows of this one enter the database, and no segment is
    // among the files that may be read afterwards.
    const tail = readSegments(await wholeSegments(job));
    await connection.run(`CREATE TABLE recent AS SELECT * FROM (${tail})${ofProject}`);
    sources.push(`SELECT ${columnNames} FROM recent`);
  }
  const select = sources.length > 0 ? sources.join(" UNION ALL ") : noRows;
  await connection.run(`CREATE VIEW events AS ${select}`);
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

/** Paths of segments without what a write in progress has added to them. */
function wholeSegments(job: ChildJob): Promise<string[]> {
  return Promise.all(job.segments.map(async (segment, at) => {
    const { size } = await stat(segment.path);
    return size === segment.bytes ? segment.path : await cutCopy(segment, job.folder, at);
  }));
}

async function cutCopy(segment: TailSegment, folder: string, at: number): Promise<string> {
  const copy = join(folder, `${at}.ndjson`);
  await copyFile(segment.path, copy);
  await truncate(copy, segment.bytes);
  return copy;
}

/** After this the database reads these files and nothing else, and no statement can change that. */
export async function lock(
  connection: DuckDBConnection,
  readable: readonly string[],
): Promise<void> {
  await connection.run(`SET allowed_paths = [${readable.map(literal).join(", ")}]`);
  await connection.run("SET enable_external_access = false");
  await connection.run("SET lock_configuration = true");
  await verifyLock(connection, readable);
}

/** A setting that a later DuckDB renames or ignores must not open the sandbox silently. */
async function verifyLock(
  connection: DuckDBConnection,
  readable: readonly string[],
): Promise<void> {
  const reader = await connection.runAndReadAll(
    "SELECT current_setting('enable_external_access') AS access, " +
      "current_setting('lock_configuration') AS locked, " +
      "current_setting('autoload_known_extensions') AS autoload, " +
      "current_setting('autoinstall_known_extensions') AS autoinstall, " +
      "current_setting('allowed_directories') AS folders, current_setting('allowed_paths') AS paths",
  );
  const found = reader.getRowObjectsJson()[0]!;
  const wanted = {
    access: false,
    locked: true,
    autoload: false,
    autoinstall: false,
    folders: [],
    paths: [...new Set(readable)].sort(),
  };
  if (Array.isArray(found.paths)) found.paths.sort();
  for (const [setting, value] of Object.entries(wanted)) {
    if (JSON.stringify(found[setting]) === JSON.stringify(value)) continue;
    throw new Error(`The database did not lock: ${setting} is ${JSON.stringify(found[setting])}`);
  }
}
