// A copy of the data directory that is whole, made by a process of its own while a server goes on.
// What never changes is linked, the rest is copied; `manifest.json` comes last, so what was cut off
// is no backup.
//
// The order makes it consistent: events move from pieces to the log, and from the log to the lake. Each
// is copied before the place that they move to, so what was acknowledged before is in one of them; what
// is in two of them is known by its number in the log, or by its event id.
import { Database } from "bun:sqlite";
import { constants, copyFile, link, mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { blobsFolder } from "./blobs.ts";
import { publishDurably, syncFolders, syncPath, writeDurably } from "./durable.ts";
import { fingerprint } from "./lake.ts";
import { dataFormat, formatOf } from "./lock.ts";
import { Manifest } from "./manifest.ts";
import { relations } from "./relation.ts";
import { scanSegment, sequenceOf } from "./segment.ts";
import { folders } from "./store.ts";

export interface BackupFile {
  /** Below the backup's folder, with forward slashes. */
  path: string;
  bytes: number;
  /** Hex. */
  sha256: string;
}

export interface BackupManifest {
  format: 1;
  /** Of WatchLLM. */
  version: string;
  /** Of the data directory. */
  data_format: number;
  /** All that was acknowledged before is inside. ISO 8601. */
  began_at: string;
  ended_at: string;
  files: BackupFile[];
  /** SHA-256 of the rest of this, as JSON. */
  digest: string;
}

/** The backup cannot be made, or is none; the message says why. */
export class BackupError extends Error {}

export const backupManifestName = "manifest.json";

/** Steps that a crash may come between. */
export const backupSteps = ["pieces", "log", "lake", "state", "blobs", "rest", "done"] as const;
export type BackupStep = (typeof backupSteps)[number];

export interface BackupAsked {
  dataDir: string;
  /** Does not exist, or is empty. */
  target: string;
  /** Where projects and keys are. */
  statePath: string;
  version: string;
  nowMs(): number;
  onStep?(step: BackupStep): void | Promise<void>;
}

const stateName = "state.db";
/** The files of the lake may change as often as this while they are linked. */
const attemptsMax = 100;
/** What belongs to a process, or is made anew. */
const leftOut = /^(lock\.|tmp$|cache$)/;

/** Throws BackupError. */
export async function makeBackup(asked: BackupAsked): Promise<BackupManifest> {
  const { dataDir, target, nowMs, onStep } = asked;
  const began_at = new Date(nowMs()).toISOString();
  await check(asked);
  const backup = new Backup(dataDir, target);
  const step = async (name: BackupStep) => await onStep?.(name);
  // An erasure that is ordered from here on is none of the backup; one that was, is carried out
  // again after a restore, for rows of it may be among the files.
  for (const name of [folders.erasures, folders.pending]) await backup.database(name);
  await step("pieces");
  await backup.log();
  await step("log");
  await backup.lake();
  await step("lake");
  await backup.database(stateName, asked.statePath);
  await step("state");
  await backup.blobs();
  await step("blobs");
  await backup.rest();
  await step("rest");
  const ended_at = new Date(nowMs()).toISOString();
  const { version } = asked;
  const data_format = formatOf(dataDir) ?? dataFormat;
  const told = await backup.finish({ format: 1, version, data_format, began_at, ended_at });
  await step("done");
  return told;
}

export function digestOf({ digest: _, ...rest }: Omit<BackupManifest, "digest"> & {
  digest?: string;
}): string {
  return new Bun.CryptoHasher("sha256").update(JSON.stringify(rest)).digest("hex");
}

async function check({ dataDir, target }: BackupAsked): Promise<void> {
  const known = await stat(join(dataDir, folders.manifest)).then(() => true, () => false);
  if (!known) throw new BackupError(`${dataDir} holds no WatchLLM data.`);
  if (!relative(dataDir, target).startsWith("..")) {
    throw new BackupError("The backup must lie outside of the data directory.");
  }
  await mkdir(target, { recursive: true, mode: 0o700 });
  if ((await readdir(target)).length > 0) {
    throw new BackupError(
      `${target} is not empty. Choose another folder; what a backup that was cut off has left ` +
        "may be deleted.",
    );
  }
}

class Backup {
  #files = new Map<string, BackupFile>();
  #folders = new Set<string>();

  constructor(readonly dataDir: string, readonly target: string) {}

  /** A database as it is at one moment, without what was deleted in it. */
  async database(name: string, from = join(this.dataDir, name)): Promise<void> {
    if (!(await stat(from).then(() => true, () => false))) return;
    const to = join(this.target, name);
    const database = new Database(from, { readonly: true });
    try {
      database.run("PRAGMA busy_timeout = 10000");
      database.query("VACUUM INTO ?").run(to);
    } finally {
      database.close();
    }
    await this.#copied(name);
  }

  /** The whole commits of every segment that is there. */
  async log(): Promise<void> {
    await mkdir(join(this.target, folders.log), { mode: 0o700 });
    for (const name of (await readdir(join(this.dataDir, folders.log))).sort()) {
      if (sequenceOf(name) === null) continue;
      const bytes = await readFile(join(this.dataDir, folders.log, name)).catch(() => null);
      // It is in the lake by now, whose list is read after this.
      if (bytes === null) continue;
      const { good } = scanSegment(bytes);
      if (good.length === 0) continue;
      const whole = Buffer.concat(good.map(({ start, end }) => bytes.subarray(start, end)));
      const path = `${folders.log}/${name}`;
      await writeDurably(join(this.target, path), whole);
      const sha256 = new Bun.CryptoHasher("sha256").update(whole).digest("hex");
      this.#add({ path, bytes: whole.length, sha256 });
    }
  }

  /** The list of the lake at one moment, and its files. */
  async lake(): Promise<void> {
    const linked = new Set<string>();
    for (let attempt = 0;; attempt++) {
      await rm(join(this.target, folders.manifest), { force: true });
      await this.database(folders.manifest);
      if (await this.#linkLake(linked)) break;
      if (attempt === attemptsMax) {
        throw new BackupError("The lake changes faster than it can be linked; try again.");
      }
    }
    await this.#copied(folders.manifest);
  }

  /** False when a file of the list is gone: there is a newer list. */
  async #linkLake(linked: Set<string>): Promise<boolean> {
    const path = join(this.target, folders.manifest);
    const manifest = new Manifest(path);
    const files = manifest.files();
    const flushedThrough = manifest.flushedThrough();
    manifest.forget(manifest.removed().map((file) => file.path));
    manifest.close();
    alone(path);
    const live = new Set(files.map((file) => file.path));
    for (const path of linked) {
      if (live.has(path)) continue;
      await rm(join(this.target, path), { force: true });
      linked.delete(path);
      this.#files.delete(path);
    }
    for (const { path, bytes, sha256 } of files) {
      if (linked.has(path)) continue;
      if (!(await this.#link(path))) return false;
      linked.add(path);
      this.#add({ path, bytes, sha256 });
    }
    for (const { path } of [...this.#files.values()]) {
      const sequence = path.startsWith(`${folders.log}/`) ? sequenceOf(path.slice(4)) : null;
      if (sequence === null || sequence > flushedThrough) continue;
      // These events are in the lake.
      await rm(join(this.target, path));
      this.#files.delete(path);
    }
    return true;
  }

  /** Blobs are on disk before the events that name them, so none of those is without its own. */
  async blobs(): Promise<void> {
    const root = join(this.dataDir, blobsFolder);
    const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      if (!entry.isFile() || !/^[0-9a-f]{64}$/.test(entry.name)) continue;
      const from = join(entry.parentPath, entry.name);
      const path = this.#below(from);
      const size = await stat(from).then(({ size }) => size, () => null);
      // The last event that named it is gone, since.
      if (size === null || !(await this.#link(path))) continue;
      this.#add({ path, bytes: size, sha256: entry.name });
    }
  }

  /** Whatever else there is: keys, the version, what was set aside. */
  async rest(): Promise<void> {
    const own = new Set<string>([
      folders.log,
      folders.manifest,
      folders.pending,
      folders.erasures,
      stateName,
      blobsFolder,
      ...relations.map(({ folder }) => folder),
    ]);
    for (const name of await readdir(this.dataDir)) {
      if (leftOut.test(name) || own.has(name) || /-(wal|shm)$/.test(name)) continue;
      const info = await stat(join(this.dataDir, name));
      if (info.isDirectory()) await this.#copyFolder(name);
      else if (name.endsWith(".db")) await this.database(name);
      else if (info.isFile() && !/\.(tmp|draft)$/.test(name)) await this.#copy(name);
    }
  }

  async finish(told: Omit<BackupManifest, "files" | "digest">): Promise<BackupManifest> {
    for (const folder of this.#folders) await syncFolders(folder, this.target);
    await syncPath(dirname(this.target));
    const files = [...this.#files.values()].toSorted((a, b) => a.path < b.path ? -1 : 1);
    const whole = { ...told, files };
    const manifest = { ...whole, digest: digestOf(whole) };
    const final = join(this.target, backupManifestName);
    await writeDurably(`${final}.draft`, Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`));
    await publishDurably(`${final}.draft`, final);
    return manifest;
  }

  /** A second name of the same bytes, or a copy on another disk; false when it is gone. */
  async #link(path: string): Promise<boolean> {
    const from = join(this.dataDir, path);
    const to = join(this.target, path);
    await mkdir(dirname(to), { recursive: true, mode: 0o700 });
    try {
      await link(from, to);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "ENOENT") return false;
      if (!cannotLink.has(code ?? "")) throw error;
      try {
        await copyFile(from, to, constants.COPYFILE_FICLONE);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
        throw error;
      }
      await syncPath(to);
    }
    return true;
  }

  async #copyFolder(name: string): Promise<void> {
    const entries = await readdir(join(this.dataDir, name), {
      recursive: true,
      withFileTypes: true,
    });
    for (const entry of entries) {
      if (entry.isFile()) await this.#copy(this.#below(join(entry.parentPath, entry.name)));
    }
  }

  async #copy(path: string): Promise<void> {
    const to = join(this.target, path);
    await mkdir(dirname(to), { recursive: true, mode: 0o700 });
    try {
      await copyFile(join(this.dataDir, path), to);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
      throw error;
    }
    await this.#copied(path);
  }

  async #copied(path: string): Promise<void> {
    await syncPath(join(this.target, path));
    this.#add({ path, ...await fingerprint(join(this.target, path)) });
  }

  #add(file: BackupFile): void {
    this.#files.set(file.path, file);
    this.#folders.add(dirname(join(this.target, file.path)));
  }

  #below(path: string): string {
    return relative(this.dataDir, path).replaceAll("\\", "/");
  }
}

const cannotLink = new Set(["EXDEV", "EPERM", "EMLINK", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);

/** Nothing of the database is beside it any more. */
function alone(path: string): void {
  const database = new Database(path);
  database.run("PRAGMA journal_mode = DELETE");
  database.close();
}
