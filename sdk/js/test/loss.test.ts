// What does not arrive: counted, told to the server, kept on disk where that is asked for, and never
// more of it in memory than its bound.
import { afterAll, afterEach, expect, spyOn, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as aisentry from "../src/index.ts";
import { limits } from "../src/limits.ts";
import { openSpool } from "../src/spool.ts";
import { readSettings } from "../src/settings.ts";
import { log, startClient } from "./client.ts";
import { problem, startReceiver, until } from "./receiver.ts";

const warned = spyOn(console, "warn").mockImplementation(() => {});
const folder = mkdtempSync(join(tmpdir(), "aisentry-spool-"));
afterEach(async () => {
  await aisentry.close(500);
  warned.mockClear();
});
afterAll(() => {
  warned.mockRestore();
  rmSync(folder, { recursive: true, force: true });
});
const said = () => warned.mock.calls.map((call) => String(call[0]));
const nobody = "http://a-key@127.0.0.1:1/p";

test("drops are told to the server with the next events, once", async () => {
  using receiver = startReceiver();
  const client = startClient(receiver.dsn, {
    before_send: (event) => event.name === "1" ? null : event,
  });
  log(client, 3);
  client.log("prompt_call", 7 as never);
  receiver.faults.push(() => problem(503));
  await client.delivery.flush(50);
  expect(await client.delivery.flush(5000)).toBe(true);
  log(client, 1);
  expect(await client.delivery.flush(5000)).toBe(true);
  // The request that failed came again, with the same report.
  const told = "before_send=1,invalid_event=1";
  expect(receiver.requests.map((request) => request.drops)).toEqual([
    told,
    told,
    null,
  ]);
});

test("what the server itself left out is no news to it", async () => {
  using receiver = startReceiver();
  receiver.faults.push((events) =>
    Response.json({
      accepted: 0,
      duplicates: 0,
      sampled_out: 1,
      rejected: [{ index: 0 }],
    }, {
      status: events.length === 2 ? 202 : 500,
    })
  );
  const client = startClient(receiver.dsn);
  log(client, 2);
  expect(await client.delivery.flush(5000)).toBe(true);
  log(client, 1);
  expect(await client.delivery.flush(5000)).toBe(true);
  expect(client.delivery.stats().dropped).toEqual({
    sampled_out: 1,
    rejected: 1,
  });
  expect(receiver.requests.map((request) => request.drops)).toEqual([
    null,
    null,
  ]);
});

test("what is left at close is dropped and counted, and said once", async () => {
  const client = startClient(nobody);
  log(client, 5);
  expect(await client.close(50)).toBe(false);
  expect(client.delivery.stats()).toMatchObject({
    waiting: 0,
    dropped: { closed: 5 },
  });
  expect(client.log("prompt_call", {})).toBeUndefined();
  expect(client.delivery.stats().dropped).toEqual({ closed: 6 });
  expect(said().filter((text) => text.includes("not reached in time")))
    .toHaveLength(1);
});

test("a refused key ends the sending for good, and what follows is counted", async () => {
  using receiver = startReceiver();
  receiver.faults.push(() => problem(401));
  const client = startClient(receiver.dsn);
  log(client, 1);
  expect(await client.delivery.flush(5000)).toBe(true);
  const now = Date.now;
  try {
    Date.now = () => now() + 365 * 24 * 3_600_000;
    log(client, 3);
  } finally {
    Date.now = now;
  }
  expect(await client.delivery.flush(5000)).toBe(true);
  expect(receiver.requests).toHaveLength(1);
  expect(client.delivery.stats().dropped).toEqual({ unauthorized: 4 });
  expect(said()).toHaveLength(1);
});

const spoolDir = (name: string) => join(folder, name);
const spoolOf = (dsn: string, spool_dir: string) =>
  openSpool(readSettings({ dsn, spool_dir }, console.warn)!)!;

test("with a spool, what is left at close is sent by whoever comes next, once", async () => {
  using receiver = startReceiver();
  const spool_dir = spoolDir("close");
  receiver.faults.push(...Array.from({ length: 50 }, () => () => problem(503)));
  aisentry.init({ dsn: receiver.dsn, spool_dir });
  await until(() => readdirSync(folder) !== null);
  await new Promise((resolve) => setTimeout(resolve));
  for (let at = 0; at < 3; at++) {
    aisentry.logToolCall({ tool_name: `kept ${at}` });
  }
  expect(await aisentry.close(50)).toBe(false);
  expect(readdirSync(spool_dir)).toHaveLength(1);
  receiver.faults.length = 0;
  aisentry.init({ dsn: receiver.dsn, spool_dir, release: "2" });
  aisentry.logToolCall({ tool_name: "new" });
  expect(await aisentry.flush()).toBe(true);
  await until(() => receiver.events.size === 4);
  await until(() => readdirSync(spool_dir).length === 0);
  expect(aisentry.stats()).toMatchObject({ accepted: 4, dropped: {} });
});

test("a claim is one's own, is given back, and outlives its holder", () => {
  const spool_dir = spoolDir("claims");
  const [one, other] = [spoolOf(nobody, spool_dir), spoolOf(nobody, spool_dir)];
  expect(one.put(['{"a":1}', '{"a":2}'])).toBe(true);
  const claim = one.claim()!;
  expect(claim.lines).toEqual(['{"a":1}', '{"a":2}']);
  expect(other.claim()).toBeNull();
  claim.giveBack();
  expect(other.claim()!.lines).toHaveLength(2);
  // Whoever held it is gone.
  const now = Date.now;
  try {
    Date.now = () => now() + limits.spoolClaimMsMax + 1000;
    expect(one.claim()!.lines).toHaveLength(2);
  } finally {
    Date.now = now;
  }
  one.claim()?.done();
});

test("a spool is of one address, and its folder may be anything", () => {
  const spool_dir = spoolDir("address");
  expect(spoolOf(nobody, spool_dir).put(["{}"])).toBe(true);
  expect(spoolOf("http://a-key@127.0.0.1:2/p", spool_dir).claim()).toBeNull();
  expect(spoolOf("http://another-key@127.0.0.1:1/p", spool_dir).claim()).not
    .toBeNull();
  const odd = spoolOf(nobody, "/proc/no/such/place");
  expect([odd.put(["{}"]), odd.claim()]).toEqual([false, null]);
});

test("memory is flat while the server is away, and nobody waits", async () => {
  const client = startClient(nobody);
  const fields = {
    model: "m",
    prompt: "x".repeat(2000),
    response: "y".repeat(2000),
  };
  const fill = (count: number) => {
    let longestMs = 0;
    for (let at = 0; at < count; at++) {
      const start = performance.now();
      client.log("prompt_call", fields);
      longestMs = Math.max(longestMs, performance.now() - start);
    }
    return longestMs;
  };
  fill(limits.queueEventsMax);
  Bun.gc(true);
  const before = process.memoryUsage().heapUsed;
  const longestMs = fill(60_000);
  Bun.gc(true);
  const grownBytes = process.memoryUsage().heapUsed - before;
  const { waiting, waiting_bytes, dropped } = client.delivery.stats();
  expect(waiting_bytes).toBeLessThanOrEqual(limits.queueBytesMax);
  expect(waiting + dropped.queue_full!).toBe(limits.queueEventsMax + 60_000);
  expect(grownBytes).toBeLessThan(8 * 1024 * 1024);
  // A busy machine may take the thread away for a while; a wait for the network would be seconds.
  expect(longestMs).toBeLessThan(limits.requestMsMax);
  expect(said()).toHaveLength(1);
  await client.close(0);
});
