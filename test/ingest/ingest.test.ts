import { afterEach, expect, test } from "bun:test";
import { Ingest, type IngestStore } from "../../src/ingest.ts";
import { Live } from "../../src/live.ts";
import { noSteps } from "../../src/receive/batch.ts";
import { systemClock } from "../../src/std/clock.ts";
import { RateLimit } from "../../src/std/rate_limit.ts";
import { AppendError } from "../../src/store/log.ts";
import { Seen } from "../../src/store/seen.ts";
import { fromSource, startServer } from "../end_to_end/binary.ts";
import { openStore, spans, temporaryFolder } from "../store/fixture.ts";

const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function folder(): string {
  const { path, remove } = temporaryFolder();
  cleanups.push(remove);
  return path;
}

const roomy = { queueBytesMax: 1e9, unflushedBytesMax: 1e9, sampleRate: 1, steps: () => noSteps };

/** A log whose commits end when, and as, the test says. */
class SlowLog implements IngestStore {
  backlog = 0;
  unflushedBytes = 0;
  readonly seen = new Seen(1000);
  readonly seenPoints = new Seen(1000);
  /** Lines of each commit. */
  readonly written: number[] = [];
  #waiting: { resolve(): void; reject(error: Error): void }[] = [];

  keepBlobs(): Promise<() => void> {
    return Promise.resolve(() => {});
  }

  appendPoints(lines: string, points: number): Promise<void> {
    return this.append(lines, points);
  }

  append(_lines = "", events = 0): Promise<void> {
    this.written.push(events);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Resolves when so many commits wait. */
  async asked(commits: number): Promise<void> {
    while (this.#waiting.length < commits) await new Promise((next) => setImmediate(next));
  }

  end(error?: Error): void {
    const { resolve, reject } = this.#waiting.shift()!;
    if (error === undefined) resolve();
    else reject(error);
  }
}

test("ingest: a duplicate is acknowledged only after the first is on disk", async () => {
  const log = new SlowLog();
  const ingest = new Ingest(log, new Live(), systemClock, roomy);
  const first = ingest.take("shop", spans("a", 1), 1);
  let answered = false;
  const second = ingest.take("shop", spans("a", 1), 1)
    .finally(() => answered = true);
  log.end();
  expect(await first).toMatchObject({ accepted: 1, duplicates: 0 });
  expect(answered).toBe(false);
  log.end();
  expect(await second).toMatchObject({ accepted: 0, duplicates: 1 });
});

test("ingest: when the first fails, whoever sent it again stores it", async () => {
  const log = new SlowLog();
  const ingest = new Ingest(log, new Live(), systemClock, roomy);
  const first = ingest.take("shop", spans("a", 1), 1);
  // Its own event is new, the other one is under way.
  const second = ingest.take("shop", [...spans("b", 1), ...spans("a", 1)], 1);
  log.end(new AppendError("EIO", "no"));
  expect(await first).toMatchObject({ reason: "disk_failed" });
  log.end();
  await log.asked(1);
  log.end();
  expect(await second).toMatchObject({ accepted: 2, duplicates: 0 });
  expect(log.written).toEqual([1, 1, 1]);
});

test("ingest: two that hold one another's events both end", async () => {
  const log = new SlowLog();
  const ingest = new Ingest(log, new Live(), systemClock, roomy);
  const [a, b] = [spans("a", 1), spans("b", 1)];
  const first = ingest.take("shop", [...a, ...spans("c", 1)], 1);
  const second = ingest.take("shop", [...b, ...spans("a", 1)], 1);
  const third = ingest.take("shop", [...spans("d", 1), ...spans("b", 1), ...spans("c", 1)], 1);
  for (let commit = 0; commit < 3; commit++) log.end();
  const receipts = await Promise.all([first, second, third]);
  expect(receipts.map((one) => "accepted" in one && [one.accepted, one.duplicates]))
    .toEqual([[2, 0], [1, 1], [1, 2]]);
});

test("ingest: a duplicate waits for the files of the first, too", async () => {
  const log = new SlowLog();
  const { promise, resolve } = Promise.withResolvers<() => void>();
  log.keepBlobs = () => promise;
  const extract = (value: Record<string, unknown>) => {
    if (value.input === undefined) return [];
    return [{ sha256: "00", bytes: new Uint8Array(1), media_type: "image/png" }];
  };
  const steps = () => ({ ...noSteps, extract });
  const ingest = new Ingest(log, new Live(), systemClock, { ...roomy, steps });
  const first = ingest.take("shop", spans("a", 1), 1);
  let answered = false;
  const second = ingest.take("shop", spans("a", 1), 1).finally(() => answered = true);
  await log.asked(1);
  log.end(); // The second's, which has nothing to write.
  await new Promise((next) => setImmediate(next));
  expect(answered).toBe(false);
  resolve(() => {});
  await log.asked(1);
  log.end();
  expect(await first).toMatchObject({ accepted: 1 });
  expect(await second).toMatchObject({ accepted: 0, duplicates: 1 });
});

const failures: [string, string][] = [["ENOSPC", "disk_full"], ["EIO", "disk_failed"]];
for (const [code, reason] of failures) {
  test(`ingest: after ${code} the same events may be sent again`, async () => {
    const log = new SlowLog();
    const ingest = new Ingest(log, new Live(), systemClock, roomy);
    const failed = ingest.take("shop", spans("a", 2), 1);
    log.end(new AppendError(code, "no"));
    expect(await failed).toMatchObject({ reason });
    const again = ingest.take("shop", spans("a", 2), 1);
    log.end();
    expect(await again).toMatchObject({ accepted: 2, duplicates: 0 });
    expect(ingest.counters).toMatchObject({ accepted: 2, duplicates: 0 });
  });
}

test("ingest: what waits is bounded", async () => {
  const log = new SlowLog();
  const ingest = new Ingest(log, new Live(), systemClock, { ...roomy, queueBytesMax: 10 });
  log.backlog = 11;
  expect(await ingest.take("shop", [], 1)).toMatchObject({
    reason: "busy",
  });
  log.backlog = 0;
  const taken = ingest.take("shop", [], 1);
  log.end();
  expect(await taken).toMatchObject({ accepted: 0 });
});

test("ingest: sampling keeps whole runs, and every failure", async () => {
  const { store, close } = await openStore(folder());
  cleanups.push(close);
  const ingest = new Ingest(store, new Live(), systemClock, { ...roomy, sampleRate: 0.3 });
  const events = Array.from({ length: 2000 }, (_, at) => ({
    event_id: `e${at}`,
    run_id: `run${at >> 2}`,
    event_type: "span",
    status: at % 100 === 0 ? "error" : "success",
  }));
  const receipt = await ingest.take("shop", events, 1);
  if ("reason" in receipt) throw new Error(receipt.message);
  expect(receipt.accepted + receipt.sampled_out).toBe(2000);
  const rows = await store.reader.snapshot({ project_id: "shop" }, (ask) =>
    ask(
      `SELECT count(*) FILTER (n NOT IN (1, 4)) AS parts, sum(failed) AS failed,
         count(*) FILTER (n = 4) AS whole
       FROM (SELECT run_id, count(*) AS n, count(*) FILTER (status = 'error') AS failed
             FROM events GROUP BY run_id)`,
      {},
    ));
  // A run that is left out may still show its failure, alone.
  expect(rows).toMatchObject([{ parts: 0, failed: 20 }]);
  expect(Number(rows[0]!.whole)).toBeGreaterThan(100);
  expect(Number(rows[0]!.whole)).toBeLessThan(200);
});

test("rate limit: a bucket refills, and a debt is waited for", () => {
  let nowMs = 0;
  const limit = new RateLimit(10, { nowMs: () => nowMs });
  expect(limit.waitS("a")).toBe(0);
  limit.spend("a", 50);
  expect(limit.waitS("a")).toBe(4);
  expect(limit.waitS("b")).toBe(0);
  nowMs = 3100;
  expect(limit.waitS("a")).toBe(0);
  nowMs = 0; // A clock that jumps back gives nothing and takes nothing.
  expect(limit.waitS("a")).toBe(0);
});

test("rate limit: 429 names the seconds to wait", async () => {
  const key = "a-key-for-the-tests-only";
  const server = await startServer({
    dataDir: folder(),
    command: fromSource,
    env: {
      WATCHLLM_INIT_PROJECT: "shop",
      WATCHLLM_INIT_KEY: key,
      WATCHLLM_RATE_LIMIT_EVENTS_PER_S: "5",
    },
  });
  cleanups.push(() => server.kill());
  const send = () =>
    fetch(`${server.url}/v1/events`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}` },
      body: JSON.stringify(Array(100).fill({ event_type: "span" })),
    });
  expect((await send()).status).toBe(202);
  const refused = await send();
  expect(refused.status).toBe(429);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(10);
  expect(await refused.json()).toMatchObject({ status: 429, title: "Too many events" });
});

test("what an SDK dropped is told with its next events, and shown", async () => {
  const server = await startServer({
    dataDir: folder(),
    command: fromSource,
    env: { WATCHLLM_INIT_PROJECT: "shop" },
  });
  cleanups.push(() => server.kill());
  const send = async (body: string) =>
    (await fetch(`${server.url}/v1/events`, {
      method: "POST",
      headers: { "x-aisentry-drops": "queue_full=3,invalid=1" },
      body,
    })).status;
  expect([await send('{"event_type":"span"}'), await send("no events")]).toEqual([202, 400]);
  const status = await (await fetch(`${server.url}/api/status`)).json();
  expect(status).toMatchObject({ client_drops: { queue_full: 3, invalid: 1 } });
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  expect(metrics).toContain('watchllm_client_drops_total{reason="queue_full"} 3');
});
