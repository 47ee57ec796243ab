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
  #waiting: { resolve(): void; reject(error: Error): void }[] = [];

  keepBlobs(): Promise<() => void> {
    return Promise.resolve(() => {});
  }

  appendPoints(): Promise<void> {
    return this.append();
  }

  append(): Promise<void> {
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
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
