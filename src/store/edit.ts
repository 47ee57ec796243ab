// Rows of the lake's files dropped where a condition holds: what is left of a file is written as a new
// one, which does not count before the manifest says so.
import type { DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { readParquet, rowsOf } from "./duckdb.ts";
import { writeFile } from "./lake.ts";
import type { Change, Dropped, LakeFile } from "./manifest.ts";
import { relationOf } from "./relation.ts";
import type { Pin, Version } from "./versions.ts";

/** What those who drop rows need of the store. */
export interface LakeHost {
  readonly instance: DuckDBInstance;
  readonly dataDir: string;
  /** Puts all that was acknowledged before the call into files. */
  flush(): Promise<void>;
  current(): Version;
  pin(): Pin;
  /** Between flushes, merges and retention. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  /** One commit, and a new version. Throws ManifestConflict. */
  replace(change: Omit<Change, "flushedThrough">): void;
  /** Sets aside those that are not what was written, and returns them. */
  check(files: readonly LakeFile[]): Promise<LakeFile[]>;
  /** Events went, and files that they named may go. */
  blobsMayBeLoose(): void;
}

/** SQL over the columns of a file's rows. */
export interface Drop {
  /** Rows for which it is true go. */
  rows: string;
  /** Columns that are emptied, each where its condition is true. */
  columns?: Readonly<Record<string, string>>;
}

/** A string as an SQL expression, whatever is in it. */
export function textLiteral(text: string): string {
  return text.split("\0").map((part) => `'${part.replaceAll("'", "''")}'`).join(" || chr(0) || ");
}

/** What the drop leaves of a file; null when nothing is left. */
export async function writeRest(
  connection: DuckDBConnection,
  dataDir: string,
  file: LakeFile,
  { rows: condition, columns = {} }: Drop,
): Promise<LakeFile | null> {
  const relation = relationOf(file.path);
  const replaced = Object.entries(columns).map(([name, empty]) =>
    `CASE WHEN ${empty} THEN NULL ELSE ${name} END AS ${name}`
  );
  const source = `(${readParquet([join(dataDir, file.path)], relation)})`;
  const rest = `SELECT *${replaced.length > 0 ? ` REPLACE (${replaced.join(", ")})` : ""} ` +
    `FROM ${source} WHERE NOT coalesce(${condition}, false)`;
  const [before] = await rowsOf(connection, `SELECT count(*) AS rows FROM ${source}`);
  if (before!.rows !== file.rows) {
    throw new Error(`${file.path} has ${before!.rows} rows, the manifest says ${file.rows}`);
  }
  const bounds = `count(*) AS rows, epoch_us(min(timestamp)) AS min_timestamp, ` +
    `epoch_us(max(timestamp)) AS max_timestamp`;
  const [left] = await rowsOf(connection, `SELECT ${bounds} FROM (${rest})`);
  const { rows, min_timestamp, max_timestamp } = left as Record<string, number>;
  if (rows === 0) return null;
  const group = {
    ...file,
    rows: rows!,
    min_timestamp: min_timestamp!,
    max_timestamp: max_timestamp!,
  };
  const how = { relation, level: file.level, zstd: file.level === 0 ? 1 : 3 };
  const written = await writeFile(connection, dataDir, rest, group, how);
  const [after] = await rowsOf(
    connection,
    `SELECT count(*) AS rows FROM (${readParquet([join(dataDir, written.path)], relation)})`,
  );
  if (after!.rows === rows) return written;
  await rm(join(dataDir, written.path), { force: true });
  throw new Error(`What was to be left of ${file.path} has ${after!.rows} rows, not ${rows}`);
}

/**
 * Replaces a file by what the drop leaves of it, in one commit. Null when the file does not count any
 * more, because it was merged or found damaged: its rows are elsewhere then, or set aside.
 */
export function dropRows(
  host: LakeHost,
  connection: DuckDBConnection,
  path: string,
  reason: Change["reason"],
  drop: Drop,
  /** Written down with how much went. */
  about: Omit<Dropped, "rows" | "bytes"> | null = null,
): Promise<{ dropped: number; added: LakeFile | null } | null> {
  return host.inTurn(async () => {
    const file = host.current().files.find((file) => file.path === path);
    // What is damaged would look whole in the new file.
    if (file === undefined || (await host.check([file])).length > 0) return null;
    const added = await writeRest(connection, host.dataDir, file, drop);
    const rows = file.rows - (added?.rows ?? 0);
    const bytes = file.bytes - (added?.bytes ?? 0);
    const dropped = about === null ? [] : [{ ...about, rows, bytes }];
    host.replace({ reason, add: added === null ? [] : [added], remove: [path], dropped });
    return { dropped: rows, added };
  });
}
