// A lake that is filled with the rows of a query, as Parquet files in the manifest, in the order and
// with the code in which a flush writes them; the log has no part in it.
import { createTable, openDuckDB } from "../../src/store/duckdb.ts";
import { writeTable } from "../../src/store/lake.ts";
import { Manifest } from "../../src/store/manifest.ts";
import { events } from "../../src/store/relation.ts";
import { folders } from "../../src/store/store.ts";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

const memoryLimit = "2GB";

/** Each part is a SELECT with columns of events by their names, and is one file for each day of it. */
export async function fillLake(
  dataDir: string,
  cacheDir: string,
  parts: readonly string[],
): Promise<{ rows: number; bytes: number }> {
  const temporaryDir = join(dataDir, folders.temporary);
  mkdirSync(temporaryDir, { recursive: true });
  const instance = await openDuckDB({ cacheDir, temporaryDir, memoryLimit, threads: 2 });
  const connection = await instance.connect();
  const manifest = new Manifest(join(dataDir, folders.manifest));
  let rows = 0;
  let bytes = 0;
  try {
    for (const part of parts) {
      await connection.run(createTable("part"));
      await connection.run(`INSERT INTO part BY NAME ${part}`);
      const add = await writeTable(connection, dataDir, "part", events);
      manifest.commit({ reason: "flush", add, remove: [] }, Date.now());
      await connection.run("DROP TABLE part");
      for (const file of add) {
        rows += file.rows;
        bytes += file.bytes;
      }
    }
  } finally {
    manifest.close();
    connection.closeSync();
    instance.closeSync();
  }
  return { rows, bytes };
}
