import { afterEach, expect, test } from "bun:test";
import {
  copyFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fingerprint } from "../../src/store/lake.ts";
import { Manifest, ManifestConflict } from "../../src/store/manifest.ts";
import { openLakeReadOnly } from "../../src/store/offline.ts";
import { segmentName } from "../../src/store/segment.ts";
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

/** The data directory as it is at this moment: what a kill -9 would leave. */
function crash(path: string): string {
  const copy = folder();
  cpSync(path, copy, { recursive: true });
  return copy;
}

test("store: what is acknowledged is visible at once, in the tail and in the lake", async () => {
  const { store, send, ids } = await open(folder());
  await send(spans("a", 3));
  expect(await ids()).toEqual(["a00000", "a00001", "a00002"]);
  await store.flush();
  await send(spans("b", 2));
  expect(await ids()).toEqual(["a00000", "a00001", "a00002", "b00000", "b00001"]);
  expect(store.status()).toMatchObject({ events_total: 5, files: 1, pending_flush_events: 2 });
});

test("store: sent twice, stored once: at once, later, together, after flush and restart", async () => {
  const path = folder();
  const first = await open(path);
  const batch = spans("a", 50);
  expect(await first.send([...batch, ...batch])).toMatchObject({ accepted: 50, duplicates: 50 });
  const both = await Promise.all([first.send(spans("b", 50)), first.send(spans("b", 50))]);
  expect(both.map((receipt) => receipt.accepted).sort()).toEqual([0, 50]);
  await first.store.flush();
  expect(await first.send(batch)).toMatchObject({ accepted: 0, duplicates: 50 });
  await first.send(spans("c", 1));
  const crashed = crash(path);
  await first.close();
  for (const dir of [path, crashed]) {
    const second = await open(dir);
    expect(await second.send([...batch, ...spans("c", 1)])).toMatchObject({ duplicates: 51 });
    expect((await second.ids()).length).toBe(101);
    await second.close();
  }
});

test("store: the same id in another project is another event", async () => {
  const { send, ids } = await open(folder());
  await send(spans("a", 2), "one");
  expect(await send(spans("a", 2), "two")).toMatchObject({ accepted: 2, duplicates: 0 });
  expect(await ids("one")).toEqual(await ids("two"));
});

test("store: a crash before, during and after a flush neither loses nor doubles", async () => {
  const path = folder();
  const { store, send, ids } = await open(path);
  await send(spans("a", 20));
  const expected = await ids();
  const moments = [crash(path)];
  const flushing = store.flush();
  // The directory is copied while the flush writes, renames and commits.
  for (let copies = 0; copies < 5; copies++) {
    await new Promise((resolve) => setImmediate(resolve));
    moments.push(crash(path));
  }
  await flushing;
  moments.push(crash(path));
  for (const moment of moments) {
    const recovered = await open(moment);
    expect(await recovered.ids()).toEqual(expected);
    await recovered.store.flush();
    expect(await recovered.ids()).toEqual(expected);
    await recovered.close();
  }
});

test("store: output of a flush that was never counted is removed at start", async () => {
  const path = folder();
  const first = await open(path);
  await first.send(spans("a", 2));
  await first.close();
  const [file] = new Manifest(join(path, "manifest.db")).files();
  const stray = join(path, file!.path.replace(/[^/]+$/, "stray.parquet"));
  copyFileSync(join(path, file!.path), stray);
  writeFileSync(`${stray}.draft`, "half");
  const second = await open(path);
  expect(await second.ids()).toEqual(["a00000", "a00001"]);
  expect(existsSync(stray)).toBe(false);
  expect(existsSync(`${stray}.draft`)).toBe(false);
});

test("store: a torn tail is cut off, at every byte", async () => {
  const path = folder();
  const first = await open(path);
  await first.send(spans("a", 2));
  const crashed = crash(path);
  const log = join(crashed, "log", segmentName(1));
  const { size } = statSync(log);
  for (let bytes = size - 1; bytes >= 0; bytes -= 7) {
    truncateSync(log, bytes);
    const again = crash(crashed);
    const second = await open(again);
    expect(await second.ids()).toEqual([]);
    expect(second.store.recovery).toMatchObject({ tornBytes: bytes, damage: [] });
    await second.close();
  }
});

test("store: damage in the log is set aside and reported; the rest is kept", async () => {
  const path = folder();
  const first = await open(path);
  for (const name of ["a", "b", "c"]) await first.send(spans(name, 2));
  const crashed = crash(path);
  const log = join(crashed, "log", segmentName(1));
  const bytes = readFileSync(log);
  bytes[bytes.indexOf("b00000")] = 0x58;
  writeFileSync(log, bytes);
  const second = await open(crashed);
  expect(await second.ids()).toEqual(["a00000", "a00001", "c00000", "c00001"]);
  const [damage, ...more] = second.store.recovery.damage;
  expect(more).toEqual([]);
  expect(readFileSync(damage!.quarantined).equals(bytes)).toBe(true);
});

test("store: compaction changes no answer, is crash-safe, and keeps what readers hold", async () => {
  const path = folder();
  const { store, send, ids } = await open(path);
  for (let flush = 0; flush < 8; flush++) {
    await send(spans(`f${flush}-`, 3));
    await store.flush();
  }
  const expected = await ids();
  const before = readdirSync(join(path, "events/project_id=shop/date=2026-01-31"));
  expect(before.length).toBe(8);
  const seen = await store.reader.snapshot({ project_id: "shop" }, async (ask) => {
    await store.compact();
    await store.sweep();
    return await ask("SELECT count(*) AS n FROM events", {});
  });
  expect(seen).toEqual([{ n: 24 }]);
  expect(store.status()).toMatchObject({ files: 1, events_total: 24 });
  expect(await ids()).toEqual(expected);
  const after = await open(crash(path));
  expect(await after.ids()).toEqual(expected);
});

test("store: retention removes whole days and nothing else", async () => {
  const { store, send, ids } = await open(folder());
  await send([...spans("old", 2, "2026-01-30T00:00:00Z"), ...spans("new", 2)]);
  await store.flush();
  expect(await store.retain("2026-01-31")).toBe(2);
  expect(await ids()).toEqual(["new00000", "new00001"]);
});

test("lake: a file holds one project and one day; the manifest's numbers are the file's", async () => {
  const path = folder();
  const { store, send } = await open(path);
  await send(spans("a", 3, "2026-01-31T23:59:00Z"), "one");
  await send(spans("b", 2), "two");
  await store.flush();
  const files = new Manifest(join(path, "manifest.db")).files();
  expect(files.map(({ project_id, date, rows }) => [project_id, date, rows]).sort()).toEqual([
    ["one", "2026-01-31", 1],
    ["one", "2026-02-01", 2],
    ["two", "2026-01-31", 2],
  ]);
  for (const file of files) {
    expect(file.path).toStartWith(`events/project_id=${file.project_id}/date=${file.date}/`);
    expect(await fingerprint(join(path, file.path))).toEqual({
      bytes: file.bytes,
      sha256: file.sha256,
    });
  }
});

test("manifest: what was removed cannot be removed again, and nothing of the change happens", () => {
  const manifest = new Manifest(join(folder(), "manifest.db"));
  cleanups.push(() => manifest.close());
  const file = (path: string) => ({
    path,
    project_id: "p",
    date: "2026-01-31",
    rows: 1,
    bytes: 1,
    min_timestamp: 0,
    max_timestamp: 0,
    sha256: "",
    level: 0,
  });
  manifest.commit(
    { reason: "flush", add: [file("a"), file("b")], remove: [], flushedThrough: 3 },
    0,
  );
  manifest.commit({ reason: "compact", add: [file("c")], remove: ["a", "b"] }, 0);
  const late = { reason: "compact" as const, add: [file("d")], remove: ["c", "b"] };
  expect(() => manifest.commit(late, 0)).toThrow(ManifestConflict);
  expect(manifest.files().map(({ path }) => path)).toEqual(["c"]);
  expect(manifest.flushedThrough()).toBe(3);
});

test("offline: another process sees the same events while the server runs", async () => {
  const path = folder();
  const { store, send } = await open(path);
  await send(spans("a", 3));
  await store.flush();
  await send(spans("b", 2));
  const lake = await openLakeReadOnly(path, path);
  cleanups.push(() => lake.close());
  expect(lake.files.length).toBe(1);
  expect(lake.segments.reduce((sum, segment) => sum + segment.events, 0)).toBe(2);
});
