// The only way to DuckDB's native code. A compiled binary carries the addon and its library as
// embedded files; the system can only load them from disk, so they are staged in a private folder
// and verified by hash before every load: a file that someone planted there is never run.
import { createHash, randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { type EmbeddedFile, nativeFiles } from "../embedded.ts";

type DuckDB = typeof import("@duckdb/node-api");

/** DuckDB cannot be loaded; the message says why and what to do. */
export class DuckDBLoadError extends Error {}

/** The build's stand-in for `@duckdb/node-bindings` finds the loaded addon here. */
const addonKey = Symbol.for("watchllm.duckdb.addon");
const folderPrefix = "duckdb-";
const addonName = "duckdb.node";
const chunkBytes = 1024 * 1024;

let loading: Promise<DuckDB> | null = null;

/**
 * Loads DuckDB once per process. `cacheDir` is made when missing and used only by a compiled
 * binary; from source the library comes from node_modules. Throws DuckDBLoadError.
 */
export function loadDuckDB(cacheDir: string): Promise<DuckDB> {
  loading ??= load(cacheDir).catch((error) => {
    loading = null;
    throw error;
  });
  return loading;
}

async function load(cacheDir: string): Promise<DuckDB> {
  if (nativeFiles !== null) {
    const folder = await stage(cacheDir, nativeFiles);
    (globalThis as Record<symbol, unknown>)[addonKey] = open(join(folder, addonName), cacheDir);
    forgetOtherVersions(cacheDir, folder);
  }
  // Not at the top of the file: the module touches the addon as soon as it is evaluated.
  return await import("@duckdb/node-api");
}

/** Makes the folder that holds exactly these files, and returns its path. */
export async function stage(cacheDir: string, files: readonly EmbeddedFile[]): Promise<string> {
  const identity = createHash("sha256").update(
    files.map((file) => `${file.name} ${file.sha256}\n`).join(""),
  ).digest("hex").slice(0, 16);
  const folder = join(cacheDir, `${folderPrefix}${identity}`);
  try {
    mkdirSync(cacheDir, { recursive: true, mode: 0o700 });
    makePrivate(folder);
    for (const file of files) {
      const path = join(folder, file.name);
      if (!isIntact(path, file)) await replace(path, file);
    }
  } catch (error) {
    if (error instanceof DuckDBLoadError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new DuckDBLoadError(
      `Cannot store DuckDB's library in ${cacheDir}: ${reason}. ` +
        "Set WATCHLLM_CACHE_DIR to a folder that this user can write.",
      { cause: error },
    );
  }
  return folder;
}

function makePrivate(folder: string): void {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  // A link or a file in this place is not ours: it is replaced, and what it points to left alone.
  if (found !== undefined && !found.isDirectory()) rmSync(folder);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid } = lstatSync(folder);
  if (process.getuid !== undefined && uid !== process.getuid()) {
    throw new DuckDBLoadError(
      `${folder} belongs to user ${uid}, not to ${process.getuid()} who runs this program. ` +
        "Remove it, or set WATCHLLM_CACHE_DIR to a folder of your own.",
    );
  }
  chmodSync(folder, 0o700);
}

function isIntact(path: string, file: EmbeddedFile): boolean {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  } catch {
    return false;
  }
  try {
    const { size, mode, uid } = fstatSync(fd);
    if (size !== file.bytes) return false;
    // Nobody else may change the file after it is verified.
    if (process.getuid !== undefined && (uid !== process.getuid() || (mode & 0o022) !== 0)) {
      return false;
    }
    const hash = createHash("sha256");
    const chunk = Buffer.allocUnsafe(chunkBytes);
    for (let read = readSync(fd, chunk); read > 0; read = readSync(fd, chunk)) {
      hash.update(chunk.subarray(0, read));
    }
    return hash.digest("hex") === file.sha256;
  } catch {
    return false;
  } finally {
    closeSync(fd);
  }
}

async function replace(path: string, file: EmbeddedFile): Promise<void> {
  const bytes = await Bun.file(file.path).bytes();
  const draft = `${path}.${process.pid}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const fd = openSync(draft, "wx", 0o500);
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at, bytes.length - at);
    } finally {
      closeSync(fd);
    }
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) {
      rmSync(path, { recursive: true });
    }
    // Two processes may do this at once: each renames a whole file over the other's equal one.
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

function open(path: string, cacheDir: string): unknown {
  const module = { exports: {} };
  try {
    process.dlopen(module, path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DuckDBLoadError(`Cannot load DuckDB's library from ${cacheDir}: ${hint(reason)}`, {
      cause: error,
    });
  }
  return module.exports;
}

/** What to do about a refusal of the system's loader. */
export function hint(reason: string): string {
  if (/failed to map segment|operation not permitted|noexec/i.test(reason)) {
    return "it is on a mount that forbids execution (noexec). Set WATCHLLM_CACHE_DIR to a folder " +
      `on one that allows it. (${reason})`;
  }
  if (/GLIBC|GLIBCXX|libstdc\+\+/.test(reason)) {
    return `this system's C or C++ library is too old or missing; glibc 2.25 and libstdc++ 7 or later are needed. ` +
      `(${reason})`;
  }
  return reason;
}

/** Every upgrade would leave 70 MB behind. A process that still uses an old file keeps it mapped. */
function forgetOtherVersions(cacheDir: string, folder: string): void {
  try {
    for (const entry of readdirSync(cacheDir)) {
      const path = join(cacheDir, entry);
      if (!/^duckdb-[0-9a-f]{16}$/.test(entry) || path === folder) continue;
      rmSync(path, { recursive: true, force: true });
    }
  } catch {
    // A system that keeps loaded files locked refuses; the next start tries again.
  }
}
