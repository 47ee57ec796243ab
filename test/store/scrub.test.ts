// Files of the lake that are not what was written: found, set aside, told of, and the rest served.
import { afterEach, expect, test } from "bun:test";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type OpenStore, openStore, spans, temporaryFolder } from "./fixture.ts";

const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Opened extends OpenStore {
  path: string;
  told: string[];
  /** Absolute paths of the lake's files, oldest first. */
  files(): string[];
}

async function open(path = folder(), clock = { nowMs: Date.now }): Promise<Opened> {
  const told: string[] = [];
  const opened = await openStore(path, {
    clock,
    onError: (_what, error) => told.push((error as Error).message),
  });
  let closed = false;
  const close = async () => {
    if (!closed) await opened.close();
    closed = true;
  };
  cleanups.push(close);
  return { ...opened, close, path, told, files: () => parquetOf(join(path, "events")) };
}

function folder(): string {
  const { path, remove } = temporaryFolder();
  cleanups.push(remove);
  return path;
}

function parquetOf(path: string): string[] {
  if (!existsSync(path)) return [];
  return readdirSync(path, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".parquet")).map((name) => join(path, name))
    .toSorted((a, b) => a.slice(-44).localeCompare(b.slice(-44)));
}

/** A store whose lake has a file for each of these prefixes, two events each. */
async function lakeOf(...prefixes: string[]): Promise<Opened> {
  const opened = await open();
  for (const prefix of prefixes) {
    await opened.send(spans(prefix, 2));
    await opened.store.flush();
  }
  return opened;
}

const idsOf = (...prefixes: string[]) =>
  prefixes.flatMap((prefix) => [`${prefix}00000`, `${prefix}00001`]);

function flip(path: string, at: (bytes: number) => number): void {
  const bytes = readFileSync(path);
  const place = at(bytes.length);
  bytes[place] = bytes[place]! ^ 0x10;
  writeFileSync(path, bytes);
}

const damages: [name: string, damage: (path: string) => void, reason: string, kept: boolean][] = [
  ["a bit of its first page is flipped", (path) => flip(path, () => 40), "changed", true],
  ["a bit in its middle is flipped", (path) => flip(path, (n) => n >> 1), "changed", true],
  ["a bit of its footer is flipped", (path) => flip(path, (n) => n - 20), "changed", true],
  ["its last byte is flipped", (path) => flip(path, (n) => n - 1), "changed", true],
  [
    "it is cut off",
    (path) => writeFileSync(path, readFileSync(path).subarray(0, 1000)),
    "changed",
    true,
  ],
  ["it is empty", (path) => writeFileSync(path, ""), "changed", true],
  ["it is longer", (path) => writeFileSync(path, "more", { flag: "a" }), "changed", true],
  ["it is gone", (path) => rmSync(path), "missing", false],
];
for (const [name, damage, reason, kept] of damages) {
  test(`scrub: ${name}: set aside, and the rest is served`, async () => {
    const { store, path, files, ids, told, send } = await lakeOf("a", "b", "c");
    const [, second] = files();
    damage(second!);
    expect((await store.scrub.turn()).map(({ rows }) => rows)).toEqual([2]);
    expect(await ids()).toEqual(idsOf("a", "c"));
    expect(store.status()).toMatchObject({ damaged_files: 1, damaged_rows: 2, events_total: 4 });
    expect(told).toEqual([expect.stringContaining(`is ${reason}: its 2 rows are left out`)]);
    expect(existsSync(second!)).toBe(false);
    expect(parquetOf(join(path, "quarantine"))).toHaveLength(kept ? 1 : 0);
    // It goes on.
    await send(spans("d", 2));
    await store.flush();
    expect(await store.scrub.turn()).toEqual([]);
    expect(await ids()).toEqual(idsOf("a", "c", "d"));
  });
}

test("scrub: a question that fails on a damaged file is answered without it", async () => {
  for (const [, damage] of damages) {
    const { files, ids, told, close } = await lakeOf("a", "b", "c");
    damage(files()[1]!);
    const seen = await ids();
    // A bit that changes no answer is found by the clock.
    if (told.length > 0) expect(seen).toEqual(idsOf("a", "c"));
    else expect(seen).toHaveLength(6);
    await close();
  }
});

test("scrub: a question that fails again and again reads the files once a minute", async () => {
  let nowMs = Date.now();
  const { store, send, files, ids } = await open(folder(), { nowMs: () => nowMs });
  await send(spans("a", 2));
  await store.flush();
  const wrong = async () => {
    const asked = store.reader.snapshot(
      { project_id: "shop" },
      (ask) => ask("SELECT nothing FROM events", {}),
    );
    await expect(asked).rejects.toThrow("nothing");
    return store.status().damaged_files;
  };
  expect(await wrong()).toBe(0);
  expect(await ids()).toEqual(idsOf("a"));
  flip(files()[0]!, (n) => n >> 1);
  expect(await wrong()).toBe(0);
  nowMs += 61_000;
  expect(await wrong()).toBe(1);
});

test("scrub: a question that ran out of memory reads no file again", async () => {
  const { store, files } = await lakeOf("a");
  flip(files()[0]!, (n) => n >> 1);
  const asked = store.reader.snapshot(
    { project_id: "shop" },
    () => Promise.reject(new Error("Out of Memory Error: failed to allocate")),
  );
  await expect(asked).rejects.toThrow("Out of Memory");
  expect(store.status().damaged_files).toBe(0);
});

test("scrub: what is damaged is not merged, and what is whole is", async () => {
  const prefixes = [..."abcdefghi"];
  const { store, files, ids } = await lakeOf(...prefixes);
  flip(files()[3]!, (n) => n >> 1);
  while (await store.compact());
  await store.sweep(0);
  expect(files()).toHaveLength(1);
  expect(await ids()).toEqual(idsOf(...prefixes.filter((prefix) => prefix !== "d")));
  expect(store.status()).toMatchObject({ damaged_files: 1, events_total: 16 });
});

test("scrub: a file that is brought back counts again, after a restart too", async () => {
  const first = await lakeOf("a", "b");
  const [, second] = first.files();
  const whole = readFileSync(second!);
  flip(second!, (n) => n >> 1);
  await first.store.scrub.turn();
  await first.close();
  const later = await open(first.path);
  expect(await later.ids()).toEqual(idsOf("a"));
  expect(later.store.status().damaged_files).toBe(1);
  // Still wrong: kept, and not served.
  writeFileSync(second!, whole.subarray(0, 100));
  await later.store.scrub.turn();
  expect([existsSync(second!), await later.ids()]).toEqual([false, idsOf("a")]);
  writeFileSync(second!, whole);
  await later.store.scrub.turn();
  expect(await later.ids()).toEqual(idsOf("a", "b"));
  expect(later.store.status()).toMatchObject({ damaged_files: 0, events_total: 4 });
  await later.close();
  expect(await (await open(first.path)).ids()).toEqual(idsOf("a", "b"));
});

test("scrub: a crash between taking a file out and moving it away leaves nothing to read twice", async () => {
  const { store, path, files, ids } = await lakeOf("a", "b");
  const [, second] = files();
  const damaged = readFileSync(second!).fill(7, 100, 200);
  writeFileSync(second!, damaged);
  await store.scrub.turn();
  await ids();
  // As a kill -9 leaves it: out of the list, and still where it was.
  const copy = folder();
  cpSync(path, copy, { recursive: true });
  const left = join(copy, second!.slice(path.length));
  rmSync(join(copy, "quarantine"), { recursive: true });
  writeFileSync(left, damaged);
  const later = await open(copy);
  expect(await later.ids()).toEqual(idsOf("a"));
  await later.store.scrub.turn();
  expect(existsSync(left)).toBe(false);
  expect(parquetOf(join(copy, "quarantine"))).toHaveLength(1);
});

test("scrub: files are trusted for a day, and looked at in turns", async () => {
  let nowMs = Date.now();
  const { store, send, files } = await open(folder(), { nowMs: () => nowMs });
  await send(spans("a", 2));
  await store.flush();
  await store.scrub.turn();
  flip(files()[0]!, (n) => n >> 1);
  expect(await store.scrub.turn()).toEqual([]);
  nowMs += 24 * 60 * 60 * 1000;
  expect(await store.scrub.turn()).toHaveLength(1);
});
