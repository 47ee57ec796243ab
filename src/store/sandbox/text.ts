// Rows of an answer → JSON or CSV, piece by piece, up to the question's bounds.
import type { DuckDBResult } from "@duckdb/node-api";
import type { Done, Job } from "./frames.ts";
import { createPlain, csvRecord, shortestFloat } from "./values.ts";

type Api = typeof import("@duckdb/node-api");

/** A piece is sent when it has grown to this. */
const pieceCharacters = 256 * 1024;

/** Streams: neither process holds more than a chunk of rows and a piece of text. */
export async function writeText(
  api: Api,
  result: DuckDBResult,
  job: Job,
  send: (text: string) => void,
): Promise<Done> {
  const names = result.deduplicatedColumnNames();
  const floats = names.map((_, at) => result.columnTypeId(at) === api.DuckDBTypeId.FLOAT);
  const plain = createPlain(api);
  const rowsMax = job.rowsMax ?? Infinity;
  const bytesMax = job.bytesMax ?? Infinity;
  const separator = job.format === "csv" ? "" : ",\n";
  let rows = 0;
  let piece = job.format === "csv" ? csvRecord(names) : "";
  let bytes = Buffer.byteLength(piece);
  const done = (truncated: boolean): Done => {
    if (piece !== "") send(piece);
    return { ok: true, row_count: rows, truncated };
  };
  for (let chunk = await result.fetchChunk(); chunk !== null; chunk = await result.fetchChunk()) {
    if (chunk.rowCount === 0) break;
    const columns = chunk.getColumns();
    for (let at = 0; at < chunk.rowCount; at++) {
      if (rows === rowsMax) return done(true);
      const values = columns.map((column, index) =>
        plain(floats[index] ? shortestFloat(column[at]!) : column[at]!)
      );
      const row = (rows === 0 ? "" : separator) + encode(job.format, names, values);
      bytes += Buffer.byteLength(row);
      if (bytes > bytesMax) return done(true);
      piece += row;
      rows++;
      if (piece.length < pieceCharacters) continue;
      send(piece);
      piece = "";
    }
  }
  return done(false);
}

function encode(
  format: Job["format"],
  names: readonly string[],
  values: Parameters<typeof csvRecord>[0],
): string {
  if (format === "csv") return csvRecord(values);
  if (format === "rows") return JSON.stringify(values);
  return JSON.stringify(Object.fromEntries(names.map((name, at) => [name, values[at]!])));
}
