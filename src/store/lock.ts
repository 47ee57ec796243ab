// One process per data directory. The lock is SQLite's exclusive lock on a small file: the kernel
// lets go of it when its process dies, however it dies, so there is no stale lock to clean up.
// Nobody may read that file by other means than SQLite: closing it would free the process's lock.
import { Database } from "bun:sqlite";
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

/** The data directory cannot be used; the message says why and what to do. */
export class DataDirError extends Error {}

/** Who holds a data directory. */
export interface Holder {
  pid: number;
  /** Where it is reached; null until it listens. */
  url: string | null;
  /** ISO 8601. */
  since: string;
}

export interface DataDirLock {
  /** Tells other processes where this one is reached. */
  announce(url: string): void;
  release(): void;
}

/** Raised when files of the data directory change so that an older build would misread them. */
export const dataFormat = 2;

const lockName = "lock.db";
const holderName = "lock.json";
export const formatName = "VERSION";
/** Stands in place of a format while a backup is being restored. */
export const restoringMark = "restoring";
/** Doctor holds the lock for a moment when it looks. */
const waitMs = 250;

/** Makes the directory when it is missing, and refuses one that a newer build has written. */
export function prepareDataDir(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw unusable(dataDir, error);
  }
  formatOf(dataDir);
}

/** Throws DataDirError; its message names the process that holds the directory. */
export function lockDataDir(dataDir: string, now: Date): DataDirLock {
  prepareDataDir(dataDir);
  const database = take(dataDir);
  const holder: Holder = { pid: process.pid, url: null, since: now.toISOString() };
  const path = join(dataDir, holderName);
  try {
    tell(path, holder);
    // Again under the lock, and written by its holder only. What an older build wrote is read as it
    // is; from here on that build would misread what is added.
    if (formatOf(dataDir) !== dataFormat) writeWhole(join(dataDir, formatName), `${dataFormat}\n`);
  } catch (error) {
    database.close();
    throw error instanceof DataDirError ? error : unusable(dataDir, error);
  }
  return {
    announce: (url) => tell(path, { ...holder, url }),
    release: () => {
      // Before the lock: afterwards it may be the next holder's.
      rmSync(path, { force: true });
      database.close();
    },
  };
}

/**
 * Null when nobody holds the directory, `"unknown"` when its holder has not said who it is. Asked
 * by the holder itself, it answers as anybody else would be answered.
 */
export function holderOf(dataDir: string): Holder | "unknown" | null {
  if (!existsSync(join(dataDir, lockName))) return null;
  try {
    take(dataDir).close();
    return null;
  } catch (error) {
    if (!(error instanceof DataDirError) || !isBusy(error.cause)) throw error;
    return readHolder(dataDir) ?? "unknown";
  }
}

/** A courtesy to the next process: a full disk must not keep this one from answering questions. */
function tell(path: string, holder: Holder): void {
  try {
    writeWhole(path, JSON.stringify(holder));
  } catch {
    rmSync(path, { force: true });
  }
}

function take(dataDir: string): Database {
  let database: Database | null = null;
  try {
    database = new Database(join(dataDir, lockName), { create: true, readwrite: true });
    database.run(`PRAGMA busy_timeout = ${waitMs}`);
    database.run("PRAGMA locking_mode = EXCLUSIVE");
    database.run("BEGIN EXCLUSIVE");
    return database;
  } catch (error) {
    database?.close();
    if (!isBusy(error)) throw unusable(dataDir, error);
    throw new DataDirError(inUse(dataDir, readHolder(dataDir)), { cause: error });
  }
}

function isBusy(error: unknown): boolean {
  return /^SQLITE_(BUSY|LOCKED)/.test(String((error as { code?: unknown }).code));
}

function inUse(dataDir: string, holder: Holder | null): string {
  const who = holder === null ? "another process" : `process ${holder.pid}`;
  const where = holder?.url ? ` (${holder.url})` : "";
  return `Data directory ${dataDir} is in use by ${who}${where}. ` +
    "Stop it, or choose another with --data-dir.";
}

function readHolder(dataDir: string): Holder | null {
  try {
    const { pid, url, since } = JSON.parse(readFileSync(join(dataDir, holderName), "utf8"));
    if (!Number.isInteger(pid) || !isAlive(pid)) return null;
    return { pid, url: typeof url === "string" ? url : null, since: String(since) };
  } catch {
    return null;
  }
}

/** What a holder that was killed left behind is not to be told as the truth. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** The format of what lies there; null in a new directory. Throws DataDirError for a newer one. */
export function formatOf(dataDir: string): number | null {
  let text: string;
  try {
    text = readFileSync(join(dataDir, formatName), "utf8").trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw unusable(dataDir, error);
  }
  if (text === restoringMark) {
    throw new DataDirError(
      `A restore into ${dataDir} is under way, or was cut off. If it was, delete the folder and ` +
        "restore again.",
    );
  }
  const format = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  if (format <= dataFormat) return format;
  throw new DataDirError(
    Number.isNaN(format)
      ? `Data directory ${dataDir} has a ${formatName} file that WatchLLM did not write. ` +
        "Choose another with --data-dir."
      : `Data directory ${dataDir} was written by a newer WatchLLM: it has format ${format}, and ` +
        `this build reads up to ${dataFormat}. Run the newer build, or choose another with --data-dir.`,
  );
}

function unusable(dataDir: string, error: unknown): DataDirError {
  const reason = error instanceof Error ? error.message : String(error);
  return new DataDirError(`Cannot use data directory ${dataDir}: ${reason}.`, { cause: error });
}

/** Under its name there is the old content or the new, and after a power cut too. */
function writeWhole(path: string, text: string): void {
  const draft = `${path}.${process.pid}.tmp`;
  const fd = openSync(draft, "w", 0o600);
  try {
    writeSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(draft, path);
}
