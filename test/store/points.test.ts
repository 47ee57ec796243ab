// Data points of metrics live beside events: same log, same promises, never the same rows.
import { afterEach, expect, test } from "bun:test";
import { cpSync, existsSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pointColumns } from "../../src/point.ts";
import type { MetricPoint } from "../../src/receive/otlp/telemetry.ts";
import { loadDuckDB } from "../../src/store/duckdb_library.ts";
import { formatOf, lockDataDir } from "../../src/store/lock.ts";
import { Manifest } from "../../src/store/manifest.ts";
import { Sandbox } from "../../src/store/sandbox.ts";
import { openLakeReadOnly } from "../../src/store/offline.ts";
import { type OpenStore, openStore, spans, temporaryFolder } from "./fixture.ts";
import { point, resource } from "./point.ts";

const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function folder(): string {
  const { path, remove } = temporaryFolder();
  cleanups.push(remove);
  return path;
}

async function open(path: string) {
  const opened = await openStore(path);
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    await opened.close();
  };
  cleanups.push(close);
  const receive = (sent: MetricPoint[], project_id = "shop") =>
    takePoints(opened, sent, project_id);
  return { ...opened, close, receive, values: () => valuesOf(opened) };
}

async function takePoints({ ingest }: OpenStore, sent: MetricPoint[], project_id: string) {
  const receipt = await ingest.takePoints(project_id, sent, 1);
  if ("reason" in receipt) throw new Error(receipt.message);
  return receipt;
}

/** Values of the data points that a question sees, sorted. */
async function valuesOf({ store }: OpenStore, project_id = "shop"): Promise<unknown[]> {
  const rows = await store.reader.snapshot(
    { project_id, view: "metrics" },
    (ask) => ask("SELECT value FROM metrics ORDER BY value", {}),
  );
  return rows.map((row) => row.value);
}

function crash(path: string): string {
  const copy = folder();
  cpSync(path, copy, { recursive: true });
  return copy;
}

test("points: acknowledged is visible at once, in the tail and in the lake, and never as an event", async () => {
  const path = folder();
  const { store, send, ids, receive, values } = await open(path);
  await send(spans("a", 2));
  await receive([point(1), point(2)]);
  expect([await values(), await ids()]).toEqual([[1, 2], ["a00000", "a00001"]]);
  await store.flush();
  await receive([point(3)]);
  await send(spans("b", 1));
  expect([await values(), await ids()]).toEqual([[1, 2, 3], ["a00000", "a00001", "b00000"]]);
  expect(store.status()).toMatchObject({
    events_total: 3,
    points_total: 3,
    pending_events: 0,
    pending_flush_events: 1,
  });
  expect(readdirSync(join(path, "metrics/project_id=shop"))).toEqual(["date=2026-01-31"]);
});

test("points: a tail of nothing but points is flushed", async () => {
  const { store, receive, values } = await open(folder());
  await receive([point(1)]);
  await store.flush();
  expect([await values(), store.unflushedBytes]).toEqual([[1], 0]);
});

test("points: sent twice, stored once: at once, after a flush, a crash and a restart", async () => {
  const path = folder();
  const first = await open(path);
  const sent = () => [point(1), point(2)];
  expect(await first.receive([...sent(), ...sent()])).toMatchObject({ accepted: 2, duplicates: 2 });
  const crashed = crash(path);
  await first.store.flush();
  expect(await first.receive(sent())).toMatchObject({ accepted: 0, duplicates: 2 });
  expect(await first.receive(sent(), "bank")).toMatchObject({ accepted: 2 });
  await first.close();
  for (const dir of [path, crashed]) {
    const again = await open(dir);
    expect(await again.receive(sent())).toMatchObject({ accepted: 0, duplicates: 2 });
    expect(await again.values()).toEqual([1, 2]);
  }
});

test("points: a crash before, during and after a flush neither loses nor doubles", async () => {
  const path = folder();
  const { store, send, receive } = await open(path);
  await Promise.all([send(spans("a", 20)), receive([point(1), point(2), point(3)])]);
  const moments = [crash(path)];
  const flushing = store.flush();
  for (let copies = 0; copies < 5; copies++) {
    await new Promise((resolve) => setImmediate(resolve));
    moments.push(crash(path));
  }
  await flushing;
  moments.push(crash(path));
  for (const moment of moments) {
    const recovered = await open(moment);
    const seen = async () => [await recovered.values(), (await recovered.ids()).length];
    expect(await seen()).toEqual([[1, 2, 3], 20]);
    await recovered.store.flush();
    expect(await seen()).toEqual([[1, 2, 3], 20]);
    await recovered.close();
  }
});

test("points: compaction, retention and strays treat both folders alike, and apart", async () => {
  const path = folder();
  const first = await open(path);
  for (let flush = 0; flush < 8; flush++) {
    await first.receive([point(flush)]);
    await first.send(spans(`f${flush}-`, 1));
    await first.store.flush();
  }
  expect([await first.store.compact(), await first.store.compact(), await first.store.compact()])
    .toEqual([true, true, false]);
  expect([await first.values(), (await first.ids()).length]).toEqual([[0, 1, 2, 3, 4, 5, 6, 7], 8]);
  expect(first.store.status().files).toBe(2);
  await first.close();
  const stray = join(path, "metrics/project_id=shop/date=2026-01-31/stray.parquet");
  writeFileSync(stray, "half");
  const second = await open(path);
  expect([existsSync(stray), await second.values()]).toEqual([false, [0, 1, 2, 3, 4, 5, 6, 7]]);
  expect(await second.store.retain("2026-02-01")).toBe(16);
  expect([await second.values(), await second.ids()]).toEqual([[], []]);
});

test("points: every column is what was sent; what is not a number is null", async () => {
  const { store, receive } = await open(folder());
  const time = BigInt(Date.UTC(2026, 0, 31)) * 1_000_000n;
  await receive([
    point(NaN, { time, value: NaN }),
    point(0, {
      name: "op.duration",
      type: "histogram",
      temporality: "delta",
      unit: "s",
      value: null,
      start: time,
      time: time + 1_234_567n,
      count: 3,
      sum: 1.5,
      min: 0.1,
      max: 1,
      distribution: { bounds: [1], counts: [3, 0] },
      attributes: { b: 1, a: ["\u0000", "\ud800"], ["__proto__"]: "x" },
      exemplars: [{ value: 1 }],
      flags: 1,
    }),
    point(0, { name: "calls", type: "sum", temporality: "cumulative", monotonic: true }),
  ]);
  for (let round = 0; round < 2; round++) {
    const rows = await store.reader.snapshot(
      { project_id: "shop", view: "metrics" },
      (ask) => ask("SELECT * FROM metrics ORDER BY type", {}),
    );
    expect(rows).toMatchObject([
      {
        name: "queue.length",
        type: "gauge",
        value: null,
        start_timestamp: null,
        service: "checkout",
        env: "prod",
        resource: JSON.stringify(resource.attributes),
        scope: JSON.stringify({ name: "meter", version: "1" }),
        unit: "{item}",
        description: "How many wait",
      },
      {
        timestamp: "2026-01-31T00:00:00.001234Z",
        start_timestamp: "2026-01-31T00:00:00.000000Z",
        count: 3,
        sum: 1.5,
        min: 0.1,
        max: 1,
        temporality: "delta",
        distribution: '{"bounds":[1],"counts":[3,0]}',
        attributes: '{"b":1,"a":["\\u0000","\ufffd"],"__proto__":"x"}',
        exemplars: '[{"value":1}]',
        flags: 1,
      },
      { name: "calls", monotonic: true, value: 0, temporality: "cumulative" },
    ]);
    await store.flush();
  }
});

test("points: what cannot be taken is named; its neighbours are", async () => {
  const { receive, values } = await open(folder());
  const receipt = await receive([
    point(1),
    point(2, { time: 5n }),
    point(3, { name: "n".repeat(2000) }),
    point(4, { count: 1e19 }),
    point(5, { attributes: { big: "x".repeat(9 * 1024 * 1024) } }),
    point(6, { time: 0n }),
  ]);
  expect(receipt.accepted).toBe(2);
  expect(receipt.rejected.map(({ index, reason }) => [index, reason])).toEqual([
    [1, "out_of_range"],
    [2, "too_long"],
    [3, "out_of_range"],
    [4, "event_too_large"],
  ]);
  expect(await values()).toEqual([1, 6]);
});

test("points: series are the same whatever the order of keys", async () => {
  const { store, receive } = await open(folder());
  await receive([
    point(1, { attributes: { a: 1, b: 2 } }),
    point(2, { attributes: { b: 2, a: 1 } }),
    point(3, { attributes: { a: 1 } }),
    point(4, { attributes: { a: 1 }, name: "other" }),
  ]);
  const rows = await store.reader.snapshot(
    { project_id: "shop", view: "metrics" },
    (ask) => ask("SELECT count(DISTINCT series_id) AS n FROM metrics", {}),
  );
  expect(rows).toEqual([{ n: 3 }]);
});

test("points: a data directory of an older version goes on, and is closed to it", () => {
  const path = folder();
  writeFileSync(join(path, "VERSION"), "1\n");
  const lock = lockDataDir(path, new Date());
  expect(formatOf(path)).toBe(2);
  lock.release();
});

test("points: offline, log and lake are found", async () => {
  const path = folder();
  const { store, receive } = await open(path);
  await receive([point(1)]);
  await store.flush();
  await receive([point(2), point(3)]);
  const lake = await openLakeReadOnly(path, path);
  cleanups.push(() => lake.close());
  expect(lake.files).toEqual(
    new Manifest(join(path, "manifest.db")).files().map((file) => join(path, file.path)),
  );
  expect(lake.segments.map(({ events, points }) => [events, points])).toEqual([[2, 2]]);
});

test("points: files of a version that lacks columns are read", async () => {
  const path = folder();
  const first = await open(path);
  await first.receive([point(1)]);
  await first.close();
  const [file] = new Manifest(join(path, "manifest.db")).files();
  const parquet = join(path, file!.path);
  const { DuckDBInstance } = await loadDuckDB(join(path, "cache"));
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  const lacking = ["unit", "redactions", "series_id"];
  const ids = pointColumns.filter(({ name }) => !lacking.includes(name))
    .map(({ name, id }) => `${name}: ${id}`).join(", ");
  await connection.run(
    `COPY (SELECT * EXCLUDE (${lacking}) FROM read_parquet('${parquet}', hive_partitioning = false))
     TO '${parquet}.new' (FORMAT parquet, FIELD_IDS {${ids}})`,
  );
  connection.closeSync();
  renameSync(`${parquet}.new`, parquet);
  const second = await open(path);
  await second.receive([point(2)]);
  expect(await second.values()).toEqual([1, 2]);
  const rows = await second.store.reader.snapshot(
    { project_id: "shop", view: "metrics" },
    (ask) => ask("SELECT value, unit FROM metrics ORDER BY value", {}),
  );
  expect(rows).toEqual([{ value: 1, unit: null }, { value: 2, unit: "{item}" }]);
});

test("points: users' SQL sees them as metrics, in lake and tail, of its project only", async () => {
  const path = folder();
  const { store, receive, send } = await open(path);
  await receive([point(1)]);
  await receive([point(7)], "bank");
  await store.flush();
  await receive([point(2), point(3)]);
  await receive([point(8)], "bank");
  await send(spans("a", 1));
  const sandbox = new Sandbox({
    cacheDir: join(path, "cache"),
    temporaryDir: path,
    memoryLimit: "256MB",
    threads: 1,
    childrenMax: 1,
    waitingMax: 1,
    waitMsMax: 30_000,
    spareIdleMs: 0,
  });
  cleanups.push(() => sandbox.close());
  const { files, segments, release } = await store.source("shop");
  cleanups.push(release);
  const sql = "SELECT list(value ORDER BY value), (SELECT count(*) FROM events) FROM metrics";
  let text = "";
  const answer = await sandbox.ask(
    {
      sql,
      files,
      segments,
      project_id: "shop",
      format: "rows",
      rowsMax: 10,
      bytesMax: 1000,
      deadlineMs: 30_000,
    },
    (bytes) => void (text += Buffer.from(bytes)),
  );
  expect([answer.ok, text]).toEqual([true, "[[1,2,3],1]"]);
});
