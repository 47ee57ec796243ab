// Files that were moved out of events: there whenever an acknowledged event refers to them, gone when
// none does.
import { afterEach, expect, test } from "bun:test";
import { cpSync, existsSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { extractFiles } from "../../src/content/extract.ts";
import { Ingest } from "../../src/ingest.ts";
import { Live } from "../../src/live.ts";
import { noSteps } from "../../src/receive/batch.ts";
import { systemClock } from "../../src/std/clock.ts";
import { AppendError } from "../../src/store/log.ts";
import { openStore, temporaryFolder } from "./fixture.ts";

const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function folder(): string {
  const { path, remove } = temporaryFolder();
  cleanups.push(remove);
  return path;
}

async function open(path: string, sampleRate = 1) {
  const opened = await openStore(path);
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    await opened.close();
  };
  cleanups.push(close);
  const ingest = new Ingest(opened.store, new Live(), systemClock, {
    queueBytesMax: 64 * 1024 * 1024,
    unflushedBytesMax: 512 * 1024 * 1024,
    sampleRate,
    steps: () => ({ ...noSteps, extract: extractFiles }),
  });
  const send = (values: unknown[], project_id = "shop") => ingest.take(project_id, values, 1);
  return { ...opened, ingest, send, close };
}

function crash(path: string): string {
  const copy = folder();
  cpSync(path, copy, { recursive: true });
  return copy;
}

/** A picture of its own for each number. */
function png(number: number): string {
  const bytes = Buffer.alloc(2000, number);
  Buffer.from("89504e470d0a1a0a", "hex").copy(bytes);
  return bytes.toString("base64");
}

const sha256 = (number: number) =>
  new Bun.CryptoHasher("sha256").update(Buffer.from(png(number), "base64")).digest("hex");

const event = (event_id: string, numbers: number[], day = "2026-01-31") => ({
  event_id,
  event_type: "tool_call",
  tool_name: "draw",
  timestamp: `${day}T12:00:00Z`,
  output: numbers.map(png),
});

/** Every file below `blobs`, drafts among them. */
function onDisk(path: string, project_id = "shop"): string[] {
  const root = join(path, "blobs", `project_id=${project_id}`);
  if (!existsSync(root)) return [];
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile()).map(({ name }) => name).sort();
}

const expected = (...numbers: number[]) => numbers.map(sha256).sort();

test("blobs: stored once for each project, named by the event, kept while one refers to them", async () => {
  const path = folder();
  const { store, send } = await open(path);
  await send([event("a", [1, 2]), event("b", [2, 3])]);
  await send([event("a", [1])], "bank");
  expect([onDisk(path), onDisk(path, "bank")]).toEqual([expected(1, 2, 3), expected(1)]);
  const rows = await store.reader.snapshot(
    { project_id: "shop" },
    (ask) => ask("SELECT event_id, blobs, output FROM events ORDER BY event_id", {}),
  );
  expect(rows.map(({ blobs }) => blobs)).toEqual([[1, 2].map(sha256), [2, 3].map(sha256)]);
  expect(String(rows[0]!.output)).toStartWith(
    `["blob:sha256-${sha256(1)}?type=image/png&bytes=2000"`,
  );
  for (let round = 0; round < 2; round++) {
    expect(await store.sweepBlobs(0)).toBe(0);
    await store.flush();
  }
  expect(onDisk(path)).toEqual(expected(1, 2, 3));
});

test("blobs: retention deletes those of its events, and no other's", async () => {
  const path = folder();
  const { store, send } = await open(path);
  await send([event("old", [1, 2], "2026-01-30"), event("new", [2, 3])]);
  await store.flush();
  await store.sweepBlobs();
  await store.retain("2026-01-31");
  // Due at once: events were removed.
  expect(await store.sweepBlobs()).toBe(1);
  expect(onDisk(path)).toEqual(expected(2, 3));
  await store.retain("2026-02-01");
  expect(await store.sweepBlobs()).toBe(2);
  expect(onDisk(path)).toEqual([]);
  expect(store.blobs.counters).toMatchObject({ kept: 3, deleted: 3, deletedBytes: 6000 });
});

test("blobs: those of an event that is erased go with it", async () => {
  const path = folder();
  const { store, send } = await open(path);
  await send([event("a", [1, 2]), event("b", [2, 3])]);
  await store.sweepBlobs();
  await store.rewrite({
    project_id: "shop",
    reason: "erase",
    change: ({ event_id }) => event_id === "a" ? "remove" : null,
  });
  expect(await store.sweepBlobs()).toBe(1);
  expect(onDisk(path)).toEqual(expected(2, 3));
});

test("blobs: nothing is written for an event that is not stored", async () => {
  const path = folder();
  const { send } = await open(path);
  await send([event("a", [1])]);
  await send([event("a", [2]), { output: png(3) }]);
  const sampled = await open(folder(), 0);
  await sampled.send([event("b", [4])]);
  expect(onDisk(path)).toEqual(expected(1));
});

test("blobs: a crash between a file and its event leaves a file that is swept", async () => {
  const path = folder();
  const { store, send } = await open(path);
  await send([event("a", [1])]);
  await store.keepBlobs("shop", [{
    sha256: sha256(2),
    bytes: Buffer.from(png(2), "base64"),
    media_type: "image/png",
  }]);
  const crashed = crash(path);
  const draft = `${sha256(3)}.${Bun.randomUUIDv7()}.draft`;
  writeFileSync(join(crashed, "blobs/project_id=shop", sha256(1).slice(0, 2), draft), "half");
  writeFileSync(join(crashed, "blobs/project_id=shop", sha256(1).slice(0, 2), "not-ours"), "x");
  const again = await open(crashed);
  expect(await again.store.sweepBlobs()).toBe(1);
  expect(onDisk(crashed)).toEqual([...expected(1), "not-ours"].sort());
  // Here nothing crashed: the file is held until its event comes.
  expect(await store.sweepBlobs()).toBe(0);
  expect(onDisk(path)).toEqual(expected(1, 2));
});

test("blobs: acknowledged with its event, at every moment of a crash", async () => {
  const path = folder();
  const { send } = await open(path);
  const sending = Array.from({ length: 20 }, (_, at) => send([event(`e${at}`, [at, at + 1])]));
  const moments: string[] = [];
  for (let copies = 0; copies < 6; copies++) {
    await new Promise((resolve) => setImmediate(resolve));
    moments.push(crash(path));
  }
  await Promise.all(sending);
  moments.push(crash(path));
  for (const moment of moments) {
    const again = await open(moment);
    await again.store.sweepBlobs();
    const rows = await again.store.reader.snapshot(
      { project_id: "shop" },
      (ask) => ask("SELECT DISTINCT unnest(blobs) AS sha256 FROM events", {}),
    );
    expect(rows.map((row) => String(row.sha256)).sort()).toEqual(onDisk(moment));
    await again.close();
  }
});

test("blobs: one that comes again while it is being swept stays", async () => {
  const path = folder();
  const { store, send } = await open(path);
  await send([event("old", [1], "2026-01-30")]);
  await store.flush();
  for (let round = 0; round < 20; round++) {
    // The event that refers to it goes, and another comes at the same time.
    await store.retain("2026-01-31");
    const steps = round;
    const sweeping = store.sweepBlobs(0);
    for (let step = 0; step < steps; step++) await new Promise((resolve) => setImmediate(resolve));
    await send([event(`again${round}`, [1], "2026-01-30")]);
    await sweeping;
    expect(onDisk(path)).toEqual(expected(1));
    await store.flush();
  }
});

test("blobs: a sweep that cannot read the events deletes nothing, and is tried again", async () => {
  const path = folder();
  const { store, send } = await open(path);
  await send([event("a", [1])]);
  await store.flush();
  const [file] = store.status().files === 1
    ? readdirSync(join(path, "events/project_id=shop/date=2026-01-31"))
    : [];
  const parquet = join(path, "events/project_id=shop/date=2026-01-31", file!);
  const aside = join(path, "aside.parquet");
  cpSync(parquet, aside);
  writeFileSync(parquet, "damaged");
  utimesSync(parquet, new Date(), new Date());
  expect(store.sweepBlobs()).rejects.toThrow();
  expect(onDisk(path)).toEqual(expected(1));
  cpSync(aside, parquet);
  expect(await store.sweepBlobs()).toBe(0);
});

test("blobs: a disk that refuses is told, and nothing of the event is stored", async () => {
  const path = folder();
  const { store, send, ids } = await open(path);
  await send([event("a", [1])]);
  // A file where a folder is to be: root is refused too.
  writeFileSync(join(path, "blobs/project_id=shop", sha256(2).slice(0, 2)), "");
  expect(await send([event("b", [2])])).toMatchObject({ reason: "disk_failed" });
  expect(await ids()).toEqual(["a"]);
  const files = [{ sha256: sha256(2), bytes: Buffer.from("x"), media_type: "" }];
  expect(store.keepBlobs("shop", files)).rejects.toThrow(AppendError);
});
