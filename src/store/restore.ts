// A backup looked at, every byte of it; and made into a data directory again.
import { Database } from "bun:sqlite";
import { constants, copyFile, mkdir, readdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { BackupError, type BackupManifest, backupManifestName, digestOf } from "./backup.ts";
import { syncFolders, syncPath, writeDurably } from "./durable.ts";
import { fingerprint } from "./lake.ts";
import { dataFormat, formatName, restoringMark } from "./lock.ts";
import { Manifest } from "./manifest.ts";
import { scanSegment } from "./segment.ts";
import { folders } from "./store.ts";

export interface BackupReport {
  manifest: BackupManifest;
  bytes: number;
  /** Empty when the backup is whole. */
  problems: string[];
}

/** Throws BackupError when the folder holds no backup at all. */
export async function verifyBackup(folder: string): Promise<BackupReport> {
  const manifest = await readManifest(folder);
  const report: BackupReport = { manifest, bytes: 0, problems: [] };
  const problem = (text: string) => void report.problems.push(text);
  const listed = new Set(manifest.files.map(({ path }) => path));
  for (const { path, bytes, sha256 } of manifest.files) {
    const found = await fingerprint(join(folder, path)).catch(() => null);
    report.bytes += found?.bytes ?? 0;
    if (found === null) problem(`${path} is missing or cannot be read.`);
    else if (found.bytes !== bytes || found.sha256 !== sha256) {
      problem(`${path} is not what was written.`);
    } else if (path.endsWith(".db")) checkDatabase(join(folder, path), path, problem);
    else if (path.startsWith(`${folders.log}/`)) {
      const { damaged, torn } = scanSegment(await readFile(join(folder, path)));
      if (damaged.length > 0 || torn !== null) problem(`${path} has commits that are not whole.`);
    }
  }
  if (report.problems.length > 0) return report;
  if (!listed.has(folders.manifest)) problem(`${folders.manifest} is not among the files.`);
  else {
    for (const path of lakeFiles(join(folder, folders.manifest))) {
      if (!listed.has(path)) problem(`${path} counts, and is not among the files.`);
    }
  }
  return report;
}

/** Makes a data directory of a backup. The folder does not exist, or is empty. Throws BackupError. */
export async function restoreBackup(folder: string, dataDir: string): Promise<BackupReport> {
  const report = await verifyBackup(folder);
  const { manifest, problems } = report;
  if (problems.length > 0) throw new BackupError(`The backup is not whole: ${problems[0]}`);
  if (manifest.data_format > dataFormat) {
    throw new BackupError(
      `The backup has format ${manifest.data_format}, and this build reads up to ${dataFormat}.`,
    );
  }
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  if ((await readdir(dataDir)).length > 0) {
    throw new BackupError(`${dataDir} is not empty. Restore into an empty folder.`);
  }
  // No server begins with a half: it finds this until everything is there.
  await writeDurably(join(dataDir, formatName), Buffer.from(`${restoringMark}\n`));
  const made = new Set<string>();
  for (const { path } of manifest.files) {
    if (path === formatName) continue;
    const to = join(dataDir, path);
    await mkdir(dirname(to), { recursive: true, mode: 0o700 });
    await copyFile(join(folder, path), to, constants.COPYFILE_FICLONE);
    await syncPath(to);
    made.add(dirname(to));
  }
  for (const one of made) await syncFolders(one, dataDir);
  for (const { path, sha256 } of manifest.files) {
    if (path === formatName || (await fingerprint(join(dataDir, path))).sha256 === sha256) continue;
    throw new BackupError(`${path} was not copied as it is.`);
  }
  await writeDurably(join(dataDir, formatName), Buffer.from(`${manifest.data_format}\n`));
  return report;
}

async function readManifest(folder: string): Promise<BackupManifest> {
  const path = join(folder, backupManifestName);
  if (!(await stat(path).then(() => true, () => false))) {
    throw new BackupError(
      `${folder} holds no whole backup: there is no ${backupManifestName}, which is written last.`,
    );
  }
  try {
    const manifest = JSON.parse(await readFile(path, "utf8")) as BackupManifest;
    if (manifest.format !== 1) throw new Error(`it has format ${manifest.format}`);
    if (digestOf(manifest) !== manifest.digest) throw new Error("it is not what was written");
    const outside = manifest.files.find(({ path }) => !isInside(path));
    if (outside !== undefined) throw new Error(`${outside.path} lies outside`);
    return manifest;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BackupError(`${path} cannot be read: ${reason}.`);
  }
}

/** A backup may come from anywhere. */
function isInside(path: string): boolean {
  return !path.startsWith("/") && !path.includes("\\") && !path.includes("\0") &&
    path.split("/").every((part) => part !== ".." && part !== "." && part !== "");
}

function checkDatabase(path: string, name: string, problem: (text: string) => void): void {
  try {
    const database = new Database(path, { readonly: true });
    try {
      const [first] = database.query<{ integrity_check: string }, []>("PRAGMA integrity_check")
        .all();
      if (first?.integrity_check !== "ok") problem(`${name}: ${first?.integrity_check}.`);
    } finally {
      database.close();
    }
  } catch (error) {
    problem(`${name}: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

function lakeFiles(path: string): string[] {
  const manifest = new Manifest(path, { readonly: true });
  try {
    return manifest.files().map((file) => file.path);
  } finally {
    manifest.close();
  }
}
