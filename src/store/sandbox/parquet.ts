// Rows of an answer → one Parquet file. The database that runs the user's SQL cannot write, so the
// rows are handed to a second one in this process. It is safe to let that one write: it never sees
// the user's SQL, only rows, names and types, and it is locked to the question's private folder
// before it sees even those.
import type { DuckDBConnection, DuckDBResult } from "@duckdb/node-api";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { bytesOf, type Done, type Job, type Setup } from "./frames.ts";
import { identifier, literal } from "./quote.ts";

type Api = typeof import("@duckdb/node-api");

const pieceBytes = 1024 * 1024;
/** How often the size of what is collected is looked at; a chunk has up to 2,048 rows. */
const chunksPerLook = 8;

export async function writeParquet(
  api: Api,
  result: DuckDBResult,
  setup: Setup,
  job: Job,
  send: (bytes: Uint8Array) => void,
): Promise<Done> {
  const connection = await openWriter(api, setup, job.folder);
  const names = result.deduplicatedColumnNames();
  // Names of our own: `a` and `A` are two columns of an answer, but not of a table.
  const columns = names.map((_, at) => `c${at} ${result.columnType(at)}`);
  await connection.run(`CREATE TABLE answer (${columns.join(", ")})`);
  const done = await collect(connection, result, job);
  const path = join(job.folder, "answer.parquet");
  const select = names.map((name, at) => `c${at} AS ${identifier(name)}`).join(", ");
  await connection.run(
    `COPY (SELECT ${select} FROM answer) TO ${literal(path)} (FORMAT parquet, COMPRESSION zstd)`,
  );
  await sendFile(path, send);
  return done;
}

async function openWriter(api: Api, setup: Setup, folder: string): Promise<DuckDBConnection> {
  const instance = await api.DuckDBInstance.create(":memory:", {
    threads: String(setup.threads),
    // The parent's bound has room for half as much again.
    memory_limit: `${Math.floor(bytesOf(setup.memoryLimit) / 2)}B`,
    // An answer without bounds is larger than memory.
    temp_directory: join(folder, "spill"),
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  });
  const connection = await instance.connect();
  await connection.run(`SET allowed_directories = [${literal(folder)}]`);
  await connection.run("SET enable_external_access = false");
  await connection.run("SET lock_configuration = true");
  return connection;
}

async function collect(
  connection: DuckDBConnection,
  result: DuckDBResult,
  job: Job,
): Promise<Done> {
  const appender = await connection.createAppender("answer");
  const rowsMax = job.rowsMax ?? Infinity;
  let rows = 0;
  let truncated = false;
  let chunks = 0;
  for (let chunk = await result.fetchChunk(); chunk !== null; chunk = await result.fetchChunk()) {
    if (chunk.rowCount === 0) break;
    truncated = rows + chunk.rowCount > rowsMax;
    if (truncated) chunk.rowCount = rowsMax - rows;
    rows += chunk.rowCount;
    if (chunk.rowCount > 0) appender.appendDataChunk(chunk);
    if (truncated) break;
    if (job.bytesMax === null || ++chunks % chunksPerLook !== 0) continue;
    appender.flushSync();
    truncated = await memoryUsed(connection) > job.bytesMax;
    if (truncated) break;
  }
  appender.closeSync();
  return { ok: true, row_count: rows, truncated };
}

async function memoryUsed(connection: DuckDBConnection): Promise<number> {
  const used = await connection.runAndReadAll(
    "SELECT sum(memory_usage_bytes)::DOUBLE FROM duckdb_memory()",
  );
  return Number(used.getRows()[0]![0]);
}

async function sendFile(path: string, send: (bytes: Uint8Array) => void): Promise<void> {
  const file = await open(path, "r");
  try {
    const piece = Buffer.allocUnsafe(pieceBytes);
    for (;;) {
      const { bytesRead } = await file.read(piece, 0, pieceBytes);
      if (bytesRead === 0) return;
      send(piece.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}
