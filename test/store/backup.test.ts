// A backup is whole or none: made amid writes, flushes, merges and deletions, cut off at every step,
// and spoiled in every kind of file.
import { afterEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  BackupError,
  type BackupStep,
  backupSteps,
  digestOf,
  makeBackup,
} from "../../src/store/backup.ts";
import { DataDirError, lockDataDir } from "../../src/store/lock.ts";
import { Pending } from "../../src/store/pending.ts";
import { restoreBackup, verifyBackup } from "../../src/store/restore.ts";
import { openState } from "../../src/store/state.ts";
import { type OpenStore, openStore, spans, temporaryFolder } from "./fixture.ts";

const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function folder(): string {
  const { path, remove } = temporaryFolder();
  cleanups.push(remove);
  return path;
}

async function open(path: string): Promise<OpenStore> {
  const opened = await openStore(path);
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    await opened.close();
  };
  cleanups.push(close);
  return { ...opened, close };
}

const backup = (
  dataDir: string,
  target: string,
  onStep?: (step: BackupStep) => void | Promise<void>,
) =>
  makeBackup({
    dataDir,
    target,
    statePath: join(dataDir, "state.db"),
    version: "test",
    nowMs: () => Date.now(),
    ...onStep === undefined ? {} : { onStep },
  });

/** Files, a log, blobs, a state and pieces. */
async function fill(path: string, { store, send }: OpenStore): Promise<string[]> {
  const state = await openState(join(path, "state.db"));
  await state.createProject("shop");
  await state.close();
  lockDataDir(path, new Date()).release();
  const pending = new Pending(join(path, "pending.db"));
  pending.put([{ project_id: "shop", key: "trace/t", body: "{}", updated_at_ms: 1 }]);
  pending.close();
  for (let file = 0; file < 8; file++) {
    await send(spans(`f${file}-`, 5));
    await store.flush();
  }
  const bytes = Buffer.alloc(2000, "blob");
  const sha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
  const release = await store.keepBlobs("shop", [{ sha256, bytes } as never]);
  const timestamp = "2026-01-31T12:00:00.000000Z";
  const line = { event_id: "blob", project_id: "shop", timestamp, received_at: timestamp };
  await store.append(
    `${
      JSON.stringify({
        ...line,
        run_id: "r",
        event_type: "span",
        status: "success",
        blobs: [sha256],
      })
    }\n`,
    1,
  );
  release();
  await send(spans("log-", 5));
  mkdirSync(join(path, "quarantine"), { recursive: true });
  writeFileSync(join(path, "quarantine", "kept.ndjson"), "{}\n");
  return [];
}

/** All that a data directory has, from a store over a restored copy. */
async function restored(target: string): Promise<{ ids: string[]; dataDir: string }> {
  const dataDir = join(folder(), "restored");
  await restoreBackup(target, dataDir);
  const opened = await open(dataDir);
  const ids = await opened.ids();
  await opened.close();
  return { ids, dataDir };
}

test("backup: everything is there, linked where it never changes", async () => {
  const path = folder();
  const opened = await open(path);
  await fill(path, opened);
  const target = join(folder(), "deep", "backup");
  const { files } = await backup(path, target);
  const names = new Set(files.map((file) => file.path.split("/")[0]));
  expect([...names].toSorted()).toEqual([
    "VERSION",
    "blobs",
    "events",
    "log",
    "manifest.db",
    "pending.db",
    "quarantine",
    "state.db",
  ]);
  const parquet = files.find((file) => file.path.endsWith(".parquet"))!.path;
  const inode = (root: string) => Bun.file(join(root, parquet)).stat().then(({ ino }) => ino);
  expect(await inode(target)).toBe(await inode(path));
  expect(await verifyBackup(target)).toMatchObject({ problems: [] });
  const { ids, dataDir } = await restored(target);
  expect(ids).toEqual(await opened.ids());
  const pending = new Pending(join(dataDir, "pending.db"));
  expect(pending.all()).toMatchObject([{ key: "trace/t" }]);
  pending.close();
  expect(existsSync(join(dataDir, "quarantine", "kept.ndjson"))).toBe(true);
  // What is linked is never written to: the restored copy is other bytes on the disk.
  expect(await inode(dataDir)).not.toBe(await inode(path));
});

test("backup: amid writes, flushes, merges and deletions it holds what was acknowledged before", async () => {
  const path = folder();
  const opened = await open(path);
  await fill(path, opened);
  const { store, send } = opened;
  const before = await opened.ids();
  let round = 0;
  const disturb = async () => {
    round++;
    await send(spans(`during${round}-`, 5));
    await store.flush();
    while (await store.compact());
    // As if a minute had gone by at every step: nothing removed is left to be linked.
    await store.sweep(0);
    await send(spans(`later${round}-`, 5));
  };
  const target = join(folder(), "backup");
  await backup(path, target, disturb);
  expect(round).toBe(backupSteps.length);
  expect((await verifyBackup(target)).problems).toEqual([]);
  const { ids } = await restored(target);
  expect(before.filter((id) => !ids.includes(id))).toEqual([]);
  expect(new Set(ids).size).toBe(ids.length);
  // Each of its own is whole: five of a batch, or none.
  const batches = Map.groupBy(ids, (id) => id.slice(0, -5));
  expect([...batches].filter(([name, of]) => name !== "blob" && name !== "" && of.length !== 5))
    .toEqual([]);
});

for (const cutAt of backupSteps.filter((step) => step !== "done")) {
  test(`backup: cut off after ${cutAt} it is none`, async () => {
    const path = folder();
    const opened = await open(path);
    await fill(path, opened);
    const target = join(folder(), "backup");
    const cut = backup(path, target, (step) => {
      if (step === cutAt) throw new Error("cut off");
    });
    await expect(cut).rejects.toThrow("cut off");
    await expect(verifyBackup(target)).rejects.toThrow("holds no whole backup");
    await expect(restoreBackup(target, join(folder(), "restored"))).rejects.toThrow(BackupError);
    await expect(backup(path, target)).rejects.toThrow("is not empty");
  });
}

const refused: [what: string, target: (path: string) => string, words: string][] = [
  ["inside the data directory", (path) => join(path, "backup"), "outside of the data directory"],
  ["the data directory itself", (path) => path, "outside of the data directory"],
];

for (const [what, target, words] of refused) {
  test(`backup: ${what} is refused`, async () => {
    const path = folder();
    await (await open(path)).close();
    await expect(backup(path, target(path))).rejects.toThrow(words);
  });
}

test("backup: of a folder without data is refused", async () => {
  await expect(backup(folder(), join(folder(), "backup"))).rejects.toThrow(
    "holds no WatchLLM data",
  );
});

test("backup: a spoiled or missing file is told, whatever it is, and is not restored", async () => {
  const path = folder();
  const opened = await open(path);
  await fill(path, opened);
  const target = join(folder(), "backup");
  const { files } = await backup(path, target);
  const kinds = Map.groupBy(files, (file) => file.path.split("/")[0]!);
  for (const [kind, [file]] of kinds) {
    const name = join(target, file!.path);
    const sound = readFileSync(name);
    // Links share their bytes with the data directory: a new file has its own.
    const put = (bytes: Uint8Array) => {
      rmSync(name);
      writeFileSync(name, bytes);
    };
    const spoiled = Buffer.from(sound);
    spoiled[Math.floor(sound.length / 2)]! ^= 1;
    put(spoiled);
    expect([kind, (await verifyBackup(target)).problems]).toEqual([
      kind,
      [`${file!.path} is not what was written.`],
    ]);
    const dataDir = join(folder(), "restored");
    await expect(restoreBackup(target, dataDir)).rejects.toThrow("The backup is not whole");
    expect(existsSync(dataDir)).toBe(false);
    rmSync(name);
    expect([kind, (await verifyBackup(target)).problems]).toEqual([
      kind,
      [`${file!.path} is missing or cannot be read.`],
    ]);
    writeFileSync(name, sound);
  }
  expect((await verifyBackup(target)).problems).toEqual([]);
  const list = join(target, "manifest.json");
  const text = readFileSync(list, "utf8");
  writeFileSync(list, text.replace('"bytes"', '"Bytes"'));
  await expect(verifyBackup(target)).rejects.toThrow("it is not what was written");
  const { digest: _, ...manifest } = JSON.parse(text);
  manifest.files[0].path = "../outside";
  writeFileSync(list, JSON.stringify({ ...manifest, digest: digestOf(manifest) }));
  await expect(verifyBackup(target)).rejects.toThrow("lies outside");
  // A file of the lake that the list has lost.
  const { digest: __, ...whole } = JSON.parse(text);
  whole.files = whole.files.filter((file: { path: string }) => !file.path.endsWith(".parquet"));
  writeFileSync(list, JSON.stringify({ ...whole, digest: digestOf(whole) }));
  const { problems } = await verifyBackup(target);
  expect(problems.length).toBeGreaterThan(0);
  expect(problems.every((text) => text.includes("counts, and is not among the files"))).toBe(true);
});

test("restore: only into an empty folder, and a half of it is never served", async () => {
  const path = folder();
  const opened = await open(path);
  await fill(path, opened);
  const target = join(folder(), "backup");
  await backup(path, target);
  await expect(restoreBackup(target, path)).rejects.toThrow("is not empty");
  const half = folder();
  writeFileSync(join(half, "VERSION"), "restoring\n");
  expect(() => lockDataDir(half, new Date())).toThrow(DataDirError);
  expect(() => lockDataDir(half, new Date())).toThrow("restore again");
  const dataDir = folder();
  await restoreBackup(target, dataDir);
  lockDataDir(dataDir, new Date()).release();
  expect(readdirSync(dataDir)).not.toContain("manifest.json");
});
