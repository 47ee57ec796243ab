// Rows → Parquet files of the lake: one project and one UTC day a file, on disk before it counts.
import type { DuckDBConnection } from "@duckdb/node-api";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { copyToParquet, literal, readParquet, rowsOf } from "./duckdb.ts";
import { publishDurably, syncFolders } from "./durable.ts";
import type { LakeFile } from "./manifest.ts";
import { type Relation, relationOf, relations } from "./relation.ts";

const draftEnding = ".draft";

export interface Group {
  project_id: string;
  date: string;
  rows: number;
  min_timestamp: number;
  max_timestamp: number;
}

/** Writes every row of a table, a file for each project and day. */
export async function writeTable(
  connection: DuckDBConnection,
  dataDir: string,
  table: string,
  relation: Relation,
): Promise<LakeFile[]> {
  const groups = await rowsOf(
    connection,
    `SELECT project_id, strftime(timestamp, '%Y-%m-%d') AS date, count(*) AS rows,
       epoch_us(min(timestamp)) AS min_timestamp, epoch_us(max(timestamp)) AS max_timestamp
     FROM ${table} GROUP BY project_id, date ORDER BY project_id, date`,
  ) as unknown as Group[];
  const files: LakeFile[] = [];
  for (const group of groups) {
    const rows = `SELECT * FROM ${table} WHERE project_id = ${literal(group.project_id)} ` +
      `AND timestamp BETWEEN make_timestamptz(${group.min_timestamp}) ` +
      `AND make_timestamptz(${group.max_timestamp})`;
    // Most of these files are soon merged, and compressed well then.
    const how = { relation, level: 0, zstd: 1 };
    files.push(await writeFile(connection, dataDir, rows, group, how));
  }
  return files;
}

/** Writes the rows of several files of one relation, project and day as one. */
export async function mergeFiles(
  connection: DuckDBConnection,
  dataDir: string,
  files: readonly LakeFile[],
): Promise<LakeFile> {
  const { project_id, date } = files[0]!;
  const group: Group = {
    project_id,
    date,
    rows: files.reduce((sum, file) => sum + file.rows, 0),
    min_timestamp: Math.min(...files.map((file) => file.min_timestamp)),
    max_timestamp: Math.max(...files.map((file) => file.max_timestamp)),
  };
  const level = Math.max(...files.map((file) => file.level)) + 1;
  const relation = relationOf(files[0]!.path);
  const rows = readParquet(files.map((file) => join(dataDir, file.path)), relation);
  return await writeFile(connection, dataDir, rows, group, { relation, level, zstd: 3 });
}

/** Writes the rows of a SELECT, which are those of the group, as one file of the lake. */
export async function writeFile(
  connection: DuckDBConnection,
  dataDir: string,
  select: string,
  group: Group,
  how: { relation: Relation; level: number; zstd: number },
): Promise<LakeFile> {
  const path = [
    how.relation.folder,
    `project_id=${group.project_id}`,
    `date=${group.date}`,
    `${Bun.randomUUIDv7()}.parquet`,
  ].join("/");
  const final = join(dataDir, path);
  const draft = final + draftEnding;
  await makeFolder(dirname(final), dataDir);
  try {
    await connection.run(copyToParquet(select, draft, how.zstd, how.relation));
    // DuckDB neither syncs nor renames: a crash before this line leaves a draft that nobody reads.
    await publishDurably(draft, final);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  const { bytes, sha256 } = await fingerprint(final);
  const { project_id, date, rows, min_timestamp, max_timestamp } = group;
  const times = { min_timestamp, max_timestamp };
  return { path, project_id, date, rows, ...times, bytes, sha256, level: how.level };
}

/** Makes a folder whose own entry survives a power cut, and its parents' too. */
async function makeFolder(path: string, root: string): Promise<void> {
  const made = await mkdir(path, { recursive: true });
  if (made !== undefined) await syncFolders(dirname(path), root);
}

/** Size and SHA-256, read in pieces so that other work goes on. */
export async function fingerprint(path: string): Promise<{ bytes: number; sha256: string }> {
  const hasher = new Bun.CryptoHasher("sha256");
  for await (const chunk of Bun.file(path).stream()) hasher.update(chunk);
  return { bytes: (await stat(path)).size, sha256: hasher.digest("hex") };
}

/** Deletes files of the lake that the manifest does not know: drafts, and output of a crash. */
export async function removeStrays(dataDir: string, known: ReadonlySet<string>): Promise<string[]> {
  const removed: string[] = [];
  for (const { folder } of relations) {
    const root = join(dataDir, folder);
    await mkdir(root, { recursive: true });
    for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !/\.parquet(\.draft)?$/.test(entry.name)) continue;
      const file = join(entry.parentPath, entry.name);
      const path = file.slice(dataDir.length + 1).replaceAll("\\", "/");
      if (known.has(path)) continue;
      await rm(file);
      removed.push(path);
    }
  }
  return removed;
}
