// Rows of the lake changed in place: all of a file or nothing of it, at any moment of a crash.
import { afterEach, expect, test } from "bun:test";
import { cpSync, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Event } from "../../src/event.ts";
import { toEvent } from "../../src/query/event_json.ts";
import { lineOf } from "../../src/receive/batch.ts";
import { addCopies } from "../../src/receive/event.ts";
import { Manifest } from "../../src/store/manifest.ts";
import { fingerprint } from "../../src/store/lake.ts";
import { type RewriteAsked, RewriteBusy, type StoredRow } from "../../src/store/rewrite.ts";
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

function crash(path: string): string {
  const copy = folder();
  cpSync(path, copy, { recursive: true });
  return copy;
}

async function rowsOf({ store }: OpenStore, project_id = "shop"): Promise<StoredRow[]> {
  return await store.reader.snapshot(
    { project_id },
    (ask) => ask("SELECT * FROM events ORDER BY event_id, timestamp", {}),
  );
}

/** Names the events whose id the pattern matches. */
function naming(pattern: RegExp, name = "new"): RewriteAsked["change"] {
  return (row) =>
    pattern.test(String(row.event_id)) && row.name !== name ? changedLine(row, { name }) : null;
}

function changedLine(row: StoredRow, change: StoredRow): string {
  const event = { ...toEvent(row), ...change } as unknown as Event;
  addCopies(event);
  return lineOf(event);
}

const asked = (change: RewriteAsked["change"], more: Partial<RewriteAsked> = {}): RewriteAsked => ({
  project_id: "shop",
  reason: "remap",
  change,
  ...more,
});

/** Rich events over two days, in files and in the tail. */
async function fill(opened: OpenStore): Promise<void> {
  const rich = spans("r", 30, "2026-01-31T23:50:00Z").map((event, at) => ({
    ...event,
    tags: ["a", 'b"c', "ü"],
    attributes: { n: 0.1 + at, deep: { list: [1, null, "\u2028"] }, big: "9".repeat(30) },
    error: at % 3 === 0 ? { message: "no\n\0", type: "E", code: 7 } : undefined,
    output: at % 2 === 0 ? { text: "x", at } : "plain text",
    tokens_input: at,
    latency_ms: at / 7,
  }));
  await opened.send(rich.slice(0, 20));
  await opened.store.flush();
  await opened.send(spans("other", 3), "bank");
  await opened.send(rich.slice(20));
}

test("rewrite: rows that change do, all others keep their values, whatever they are", async () => {
  const path = folder();
  const opened = await open(path);
  await fill(opened);
  const before = await rowsOf(opened);
  const bank = await rowsOf(opened, "bank");
  const progress: number[] = [];
  const told = await opened.store.rewrite(asked(naming(/[05]$/), {
    onProgress: ({ looked_at }) => progress.push(looked_at),
  }));
  expect(told).toEqual({
    looked_at: 30,
    changed: 6,
    removed: 0,
    files_looked_at: 3,
    files_total: 3,
    files_written: 3,
  });
  expect(progress.at(-1)).toBe(30);
  const expected = before.map((row) =>
    /[05]$/.test(String(row.event_id)) ? { ...row, name: "new" } : row
  );
  expect(await rowsOf(opened)).toEqual(expected);
  expect(await rowsOf(opened, "bank")).toEqual(bank);
  // Again: nothing is left to do, and nothing is written.
  expect(await opened.store.rewrite(asked(naming(/[05]$/)))).toMatchObject({
    changed: 0,
    files_written: 0,
  });
  await opened.store.sweep(0);
  await opened.close();
  for (const file of new Manifest(join(path, "manifest.db")).files()) {
    const { bytes, sha256 } = file;
    expect(await fingerprint(join(path, file.path))).toEqual({ bytes, sha256 });
  }
  const restarted = await open(path);
  expect(await rowsOf(restarted)).toEqual(expected);
  expect(readdirSync(join(path, "tmp"))).toEqual([]);
});

test("rewrite: only the range of time, and a look changes nothing", async () => {
  const opened = await open(folder());
  await fill(opened);
  const range = { since: "2026-01-31T23:55:00.000000Z", until: "2026-02-01T00:05:00.000000Z" };
  const version = opened.store.status().manifest_version;
  expect(await opened.store.rewrite(asked(naming(/./), { ...range, dryRun: true })))
    .toMatchObject({ looked_at: 10, changed: 10, files_written: 0 });
  // The flush at its start is all that it wrote.
  expect(opened.store.status().manifest_version).toBe(version + 1);
  await opened.store.rewrite(asked(naming(/./), range));
  const named = (await rowsOf(opened)).filter(({ name }) => name === "new");
  expect(named.map(({ timestamp }) => String(timestamp)).sort()).toEqual(
    Array.from(
      { length: 10 },
      (_, at) =>
        new Date(Date.parse(range.since) + at * 60_000).toISOString().replace("000Z", "000000Z"),
    ),
  );
});

test("rewrite: rows are removed, whole files too, and come back nowhere", async () => {
  const path = folder();
  const opened = await open(path);
  await opened.send([...spans("a", 3, "2026-01-30T12:00:00Z"), ...spans("b", 3)]);
  const remove: RewriteAsked["change"] = ({ event_id }) =>
    /^a|b00001/.test(String(event_id)) ? "remove" : null;
  expect(await opened.store.rewrite(asked(remove, { reason: "erase" }))).toMatchObject({
    removed: 4,
    changed: 0,
    files_written: 1,
  });
  expect(await opened.ids()).toEqual(["b00000", "b00002"]);
  expect(opened.store.status()).toMatchObject({ files: 1, events_total: 2 });
  const [file] = new Manifest(join(path, "manifest.db")).files();
  expect([file!.rows, file!.max_timestamp - file!.min_timestamp]).toEqual([2, 120_000_000]);
  await opened.close();
  expect(await (await open(path)).ids()).toEqual(["b00000", "b00002"]);
});

test("rewrite: two rows of one id are two rows", async () => {
  const path = folder();
  const first = await openStore(path, { dedupeEventsMin: 1 });
  await first.send([...spans("a", 1), ...spans("x", 3)]);
  await first.send(spans("a", 1, "2026-01-31T13:00:00Z"));
  await first.close();
  const opened = await open(path);
  expect((await opened.ids()).length).toBe(5);
  const change: RewriteAsked["change"] = (row) =>
    row.event_id === "a00000" && String(row.timestamp).includes("T13:") ? "remove" : null;
  await opened.store.rewrite(asked(change));
  const rows = await rowsOf(opened);
  expect(rows.filter(({ event_id }) => event_id === "a00000").map(({ timestamp }) => timestamp))
    .toEqual(["2026-01-31T12:00:00.000000Z"]);
});

test("rewrite: a crash at any moment leaves every row once, as it was or as it is to be", async () => {
  const path = folder();
  const opened = await open(path);
  for (let flush = 0; flush < 4; flush++) {
    await opened.send(spans(`f${flush}-`, 10));
    await opened.store.flush();
  }
  const ids = await opened.ids();
  const moments = [crash(path)];
  const rewriting = opened.store.rewrite(asked(naming(/./)));
  let ended = false;
  rewriting.then(() => ended = true);
  while (!ended) {
    // Not a wait: the rewrite goes on while the directory is copied.
    await new Promise((resolve) => setImmediate(resolve));
    if (moments.length < 8) moments.push(crash(path));
  }
  await rewriting;
  moments.push(crash(path));
  const changed: number[] = [];
  for (const moment of moments) {
    const recovered = await open(moment);
    expect(await recovered.ids()).toEqual(ids);
    const rows = await rowsOf(recovered);
    changed.push(rows.filter(({ name }) => name === "new").length);
    expect(changed.at(-1)! % 10).toBe(0);
    // Run again, it ends what was begun.
    await recovered.store.rewrite(asked(naming(/./)));
    expect((await rowsOf(recovered)).every(({ name }) => name === "new")).toBe(true);
    expect(await recovered.ids()).toEqual(ids);
    await recovered.close();
  }
  expect([changed[0], changed.at(-1)]).toEqual([0, 40]);
  expect(changed).toEqual(changed.toSorted((a, b) => a - b));
});

test("rewrite: a question that is under way sees what it began with", async () => {
  const opened = await open(folder());
  await fill(opened);
  const seen = await opened.store.reader.snapshot({ project_id: "shop" }, async (ask) => {
    const count = () => ask("SELECT count(*) AS n, count(name) AS named FROM events", {});
    const first = await count();
    await opened.store.rewrite(asked(naming(/./)));
    await opened.store.sweep(0);
    return [first, await count()];
  });
  expect(seen).toEqual([[{ n: 30, named: 0 }], [{ n: 30, named: 0 }]]);
  expect((await rowsOf(opened)).every(({ name }) => name === "new")).toBe(true);
});

test("rewrite: flushes, merges and retention go on beside it, and nothing is lost or missed", async () => {
  const opened = await open(folder());
  const { store, send } = opened;
  for (let flush = 0; flush < 10; flush++) {
    await send([...spans(`f${flush}-`, 5), ...spans(`old${flush}-`, 2, "2026-01-30T12:00:00Z")]);
    await store.flush();
  }
  const rewriting = store.rewrite(asked(naming(/^(f|old)/)));
  expect(store.rewrite(asked(naming(/./)))).rejects.toThrow(RewriteBusy);
  const beside = (async () => {
    for (let round = 0; round < 12; round++) {
      await send(spans(`late${round}-`, 3));
      await store.flush();
      await store.compact();
      if (round === 4) await store.retain("2026-01-31");
      await store.sweep(0);
    }
  })();
  const told = await rewriting;
  await beside;
  const rows = await rowsOf(opened);
  expect(rows.filter(({ event_id }) => String(event_id).startsWith("late")).length).toBe(36);
  const early = rows.filter(({ event_id }) => String(event_id).startsWith("f"));
  expect([early.length, early.every(({ name }) => name === "new")]).toEqual([50, true]);
  expect(rows.length).toBe(86);
  expect(new Set(rows.map(({ event_id }) => event_id)).size).toBe(86);
  expect(told.looked_at).toBeGreaterThanOrEqual(50);
});

test("rewrite: stopped, it leaves what is done and can be run again", async () => {
  const path = folder();
  const opened = await open(path);
  for (let flush = 0; flush < 3; flush++) {
    await opened.send(spans(`f${flush}-`, 5));
    await opened.store.flush();
  }
  const cancel = new AbortController();
  const stopped = opened.store.rewrite(asked(naming(/./), {
    signal: cancel.signal,
    onProgress: ({ files_written }) => {
      if (files_written === 1) cancel.abort(new Error("enough"));
    },
  }));
  expect(stopped).rejects.toThrow("enough");
  await stopped.catch(() => {});
  const named = async () => (await rowsOf(opened)).filter(({ name }) => name === "new").length;
  expect(await named()).toBe(5);
  await opened.store.rewrite(asked(naming(/./)));
  expect(await named()).toBe(15);
});

test("rewrite: what fails leaves everything as it was", async () => {
  const path = folder();
  const opened = await open(path);
  await fill(opened);
  const before = await rowsOf(opened);
  const failures: [what: string, change: RewriteAsked["change"]][] = [
    ["a bug", () => {
      throw new Error("a bug");
    }],
    ["another day", (row) => changedLine(row, { timestamp: "2020-01-01T00:00:00Z" })],
    ["another project", (row) => changedLine(row, { project_id: "bank" })],
    ["no JSON", () => "{oops}\n"],
    ["no id", (row) => changedLine(row, { event_id: null })],
  ];
  for (const [what, change] of failures) {
    const failed = await opened.store.rewrite(asked(change)).then(() => null, (error) => error);
    expect([what, failed === null]).toEqual([what, false]);
    expect(await rowsOf(opened)).toEqual(before);
  }
  const files = new Manifest(join(path, "manifest.db")).files().map((file) => file.path);
  const found = readdirSync(join(path, "events"), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.parquet/.test(name)).map((name) => `events/${name}`);
  expect(found.sort()).toEqual(files.sort());
  expect(readdirSync(join(path, "tmp"))).toEqual([]);
  expect(existsSync(join(path, "events/project_id=bank"))).toBe(true);
});
