// How much waits, how much leaves at once, and when it leaves otherwise than by the clock.
import { afterAll, afterEach, expect, spyOn, test } from "bun:test";
import { limits } from "../src/limits.ts";
import { log, startClient } from "./client.ts";
import { startReceiver, until } from "./receiver.ts";

const warned = spyOn(console, "warn").mockImplementation(() => {});
afterAll(() => warned.mockRestore());
afterEach(() => warned.mockClear());
const said = () => warned.mock.calls.map((call) => String(call[0]));

const nobody = "http://a-key@127.0.0.1:1/p";

test("a batch is bounded in bytes", async () => {
  using receiver = startReceiver();
  const client = startClient(receiver.dsn);
  log(client, 20, { prompt: "x".repeat(100_000) });
  log(client, 1, { prompt: "y".repeat(900_000) });
  expect(await client.delivery.flush(10_000)).toBe(true);
  expect(receiver.requests.map((request) => request.count)).toEqual([
    5,
    5,
    5,
    5,
    1,
  ]);
});

test("the queue is bounded by count; failures take the place of the oldest", () => {
  const drops: [string, number][] = [];
  const client = startClient(nobody, {
    on_drop: (reason, count) => drops.push([reason, count]),
  });
  log(client, limits.queueEventsMax + 5);
  expect(client.delivery.stats()).toMatchObject({
    waiting: limits.queueEventsMax,
    dropped: { queue_full: 5 },
  });
  expect(client.log("error", { error: "kept" })).toBeString();
  expect(client.log("prompt_call", {})).toBeUndefined();
  expect(client.delivery.stats()).toMatchObject({
    waiting: limits.queueEventsMax,
    dropped: { queue_full: 7 },
  });
  expect(drops).toEqual(Array(7).fill(["queue_full", 1]));
  expect(said()).toHaveLength(1);
});

test("the queue is bounded by bytes", () => {
  const client = startClient(nobody);
  log(client, 50, { prompt: "x".repeat(1_000_000) });
  const { waiting, waiting_bytes, dropped } = client.delivery.stats();
  expect(waiting_bytes).toBeLessThanOrEqual(limits.queueBytesMax);
  expect(waiting).toBe(33);
  expect(dropped).toEqual({ queue_full: 17 });
});

test("wait_until gets a promise that ends when the events have arrived", async () => {
  using receiver = startReceiver();
  const held: Promise<unknown>[] = [];
  const client = startClient(receiver.dsn, {
    wait_until: (work) => held.push(work),
  });
  log(client, 3);
  expect(held).toHaveLength(1);
  expect(await held[0]).toBe(true);
  expect(receiver.events.size).toBe(3);
  log(client, 1);
  expect(held).toHaveLength(2);
  await held[1];
  expect(receiver.events.size).toBe(4);
});

test("Vercel's way to wait is found, for the request that is served just then", async () => {
  using receiver = startReceiver();
  const key = Symbol.for("@vercel/request-context");
  const host = globalThis as unknown as Record<symbol, unknown>;
  const held: [string, Promise<unknown>][] = [];
  let request = "none";
  host[key] = {
    get: () => ({
      waitUntil: (work: Promise<unknown>) => held.push([request, work]),
    }),
  };
  try {
    const client = startClient(receiver.dsn);
    request = "first";
    log(client, 2);
    expect(held.map(([name]) => name)).toEqual(["first"]);
    expect(await held[0]![1]).toBe(true);
    request = "second";
    log(client, 1);
    expect(held.map(([name]) => name)).toEqual(["first", "second"]);
    expect(await held[1]![1]).toBe(true);
  } finally {
    delete host[key];
  }
  expect(receiver.events.size).toBe(3);
});

test("before a page goes, what fits into 60 KiB is sent without compression", async () => {
  using receiver = startReceiver();
  const client = startClient(receiver.dsn);
  log(client, 100, { prompt: "x".repeat(2000) });
  client.delivery.sendAlive();
  await until(() => receiver.requests.length > 0);
  const [request] = receiver.requests;
  expect(request!.bytes).toBeLessThanOrEqual(limits.keepaliveBytesMax);
  expect(request!.count).toBeGreaterThan(20);
  expect(request!.encoding).toBeNull();
  await client.delivery.flush(5000);
  expect(receiver.events.size).toBe(100);
  expect(client.delivery.stats().accepted).toBe(100);
});
