// The database that a user's SQL runs in: it reads the files it is given, and then nothing else, for
// good.
import type { DuckDBConnection } from "@duckdb/node-api";
import type { Setup } from "./frames.ts";
import { literal } from "./quote.ts";

type Api = typeof import("@duckdb/node-api");

export async function openDatabase(api: Api, setup: Setup): Promise<DuckDBConnection> {
  const instance = await api.DuckDBInstance.create(":memory:", {
    threads: String(setup.threads),
    memory_limit: setup.memoryLimit,
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
