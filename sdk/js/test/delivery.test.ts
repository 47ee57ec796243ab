// What is logged arrives once, whatever the server does; and what does not arrive is counted.
import { afterAll, afterEach, expect, spyOn, test } from "bun:test";
import { createServer } from "node:net";
import { limits } from "../src/limits.ts";
import { log, startClient } from "./client.ts";
import { type Fault, hang, problem, type Receiver, startReceiver, until } from "./receiver.ts";

const warned = spyOn(console, "warn").mockImplementation(() => {});
afterAll(() => warned.mockRestore());
afterEach(() => warned.mockClear());

/** Everything that was said on the console. */
const said = () => warned.mock.calls.map((call) => String(call[0]));

const stored = (receiver: Receiver) => [...receiver.events.values()];

interface Expected {
  accepted: number;
  duplicates?: number;
  retries?: number;
  dropped?: object;
  /** Requests that the server saw. */
  requests?: number;
  warning?: RegExp;
}

const badReceipt = (count: number) => ({
  accepted: 0,
  duplicates: 0,
  rejected: Array.from({ length: count }, (_, index) => ({
    index,
    event_id: null,
    field: "model",
    reason: "too_long",
    message: "model has 2000 characters; at most 1024 are kept.",
  })),
  event_ids: [],
});

const cases: [
  what: string,
  count: number,
  faults: Fault[],
  expected: Expected,
][] = [
  ["one event", 1, [], { accepted: 1, requests: 1 }],
  ["250 events", 250, [], { accepted: 250, requests: 3 }],
  ["500 once", 3, [() => problem(500)], {
    accepted: 3,
    retries: 1,
    warning: /answered 500: A test/,
  }],
  [
    "500, 502, 503, 507, 408",
    1,
    [500, 502, 503, 507, 408].map((status) => () => problem(status)),
    { accepted: 1, retries: 5 },
  ],
  ["429", 1, [() => problem(429)], { accepted: 1, retries: 1 }],
  [
    "garbage for an answer",
    1,
    [() => new Response("<html>Hello</html>", { status: 200 })],
    { accepted: 1, retries: 1, warning: /not as WatchLLM does/ },
  ],
  ["JSON garbage", 1, [() => Response.json([1], { status: 202 })], {
    accepted: 1,
    retries: 1,
  }],
  ["no body", 1, [() => new Response(null, { status: 204 })], {
    accepted: 1,
    retries: 1,
  }],
  [
    "an endless answer",
    1,
    [() => new Response(endless(), { status: 202 })],
    { accepted: 1, retries: 1 },
  ],
  [
    "the wrong key",
    250,
    [() => problem(401)],
    {
      accepted: 0,
      dropped: { unauthorized: 250 },
      requests: 1,
      warning: /refused the key/,
    },
  ],
  ["403", 1, [() => problem(403)], {
    accepted: 0,
    dropped: { unauthorized: 1 },
  }],
  ["404", 1, [() => problem(404)], {
    accepted: 0,
    dropped: { unauthorized: 1 },
    warning: /address/,
  }],
  [
    "a redirect is not followed",
    1,
    [() => new Response(null, { status: 307, headers: { location: "/elsewhere" } })],
    {
      accepted: 0,
      dropped: { unauthorized: 1 },
      requests: 1,
      warning: /address/,
    },
  ],
  [
    "413 for more than two",
    8,
    Array<Fault>(7).fill((events) => events.length > 2 ? problem(413) : undefined),
    { accepted: 8, requests: 7 },
  ],
  [
    "413 for one",
    2,
    Array<Fault>(3).fill((events) =>
      events.some((event) => event.name === "1") ? problem(413) : undefined
    ),
    { accepted: 1, dropped: { too_large: 1 }, warning: /too large/ },
  ],
  [
    "every event rejected",
    3,
    [() => problem(400, {}, badReceipt(3))],
    {
      accepted: 0,
      dropped: { rejected: 3 },
      requests: 1,
      warning: /at most 1024/,
    },
  ],
  [
    "one of three rejected",
    3,
    [() => Response.json({ ...badReceipt(1), accepted: 2 }, { status: 202 })],
    { accepted: 2, dropped: { rejected: 1 }, warning: /at most 1024/ },
  ],
  [
    "two of three left out by the server's sample",
    3,
    [() =>
      Response.json({
        accepted: 1,
        duplicates: 0,
        sampled_out: 2,
        rejected: [],
      })],
    { accepted: 1, dropped: { sampled_out: 2 }, requests: 1 },
  ],
  ["400", 2, [() => problem(400)], {
    accepted: 0,
    dropped: { rejected: 2 },
    requests: 1,
  }],
  ["415", 2, [() => problem(415)], {
    accepted: 0,
    dropped: { rejected: 2 },
    requests: 1,
  }],
  [
    "an answer that is lost",
    2,
    [],
    { accepted: 2, duplicates: 2, retries: 1 },
  ],
];

function endless(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
  });
}

test.each(cases)("%s", async (what, count, faults, expected) => {
  using receiver = startReceiver();
  receiver.faults.push(...faults);
  if (what === "an answer that is lost") {
    // Stored, but the client hears nothing of it.
    receiver.faults.push((events) => {
      for (const event of events) {
        receiver.events.set(String(event.event_id), event);
      }
      return new Response("lost", { status: 500 });
    });
  }
  const client = startClient(receiver.dsn);
  log(client, count);
  const deadline = performance.now() + 10_000;
  // Each flush ends the pause before the next attempt.
  while (!await client.delivery.flush(50) && performance.now() < deadline);
  const { requests, ...rest } = client.delivery.stats();
  expect(rest).toEqual({
    waiting: 0,
    waiting_bytes: 0,
    accepted: expected.accepted,
    duplicates: expected.duplicates ?? 0,
    retries: expected.retries ?? 0,
    spooled: 0,
    dropped: expected.dropped ?? {},
  });
  if (expected.requests !== undefined) expect(requests).toBe(expected.requests);
  expect(requests).toBe(receiver.requests.length);
  expect(said().length).toBeLessThanOrEqual(1);
  if (expected.warning !== undefined) {
    expect(said()[0]).toMatch(expected.warning);
  }
  expect(receiver.complaints).toEqual([]);
});

test("events arrive in order, and once", async () => {
  using receiver = startReceiver();
  receiver.faults.push(() => problem(500), () => undefined, () => problem(503));
  const client = startClient(receiver.dsn);
  log(client, 450);
  while (!await client.delivery.flush(50));
  expect(stored(receiver).map((event) => event.name)).toEqual(
    Array.from({ length: 450 }, (_, i) => `${i}`),
  );
});

test("a batch leaves by itself when it is a second old", async () => {
  using receiver = startReceiver();
  const client = startClient(receiver.dsn);
  const start = performance.now();
  log(client, 2);
  await until(() => receiver.events.size === 2);
  const waitedMs = performance.now() - start;
  expect(waitedMs).toBeGreaterThan(limits.batchAgeMs - 50);
  expect(receiver.requests).toHaveLength(1);
});

test("a full batch leaves at once", async () => {
  using receiver = startReceiver();
  const changed = limits as { batchAgeMs: number };
  const usual = changed.batchAgeMs;
  // Far more than the test may take: what arrives has not waited for it.
  changed.batchAgeMs = 600_000;
  try {
    log(startClient(receiver.dsn), limits.batchEventsMax);
    await until(() => receiver.events.size === limits.batchEventsMax);
  } finally {
    changed.batchAgeMs = usual;
  }
});

test("what is larger than a kibibyte is compressed", async () => {
  using receiver = startReceiver();
  const client = startClient(receiver.dsn);
  log(client, 1);
  await client.delivery.flush(5000);
  log(client, 1, { prompt: "x".repeat(2000) });
  await client.delivery.flush(5000);
  expect(receiver.requests.map((request) => request.encoding)).toEqual([
    null,
    "gzip",
  ]);
});

test("Retry-After is the least to wait, and no flush cuts it short", async () => {
  using receiver = startReceiver();
  receiver.faults.push(() => problem(429, { "retry-after": "1" }));
  const client = startClient(receiver.dsn);
  log(client, 1);
  expect(await client.delivery.flush(200)).toBe(false);
  expect(await client.delivery.flush(200)).toBe(false);
  expect(await client.delivery.flush(10_000)).toBe(true);
  const [first, second] = receiver.requests;
  expect(second!.atMs - first!.atMs).toBeGreaterThanOrEqual(990);
});

test("Retry-After may be a date", async () => {
  using receiver = startReceiver();
  const at = new Date(Date.now() + 2000).toUTCString();
  receiver.faults.push(() => problem(503, { "retry-after": at }));
  const client = startClient(receiver.dsn);
  log(client, 1);
  expect(await client.delivery.flush(10_000)).toBe(true);
  const [first, second] = receiver.requests;
  // A date has whole seconds only.
  expect(second!.atMs - first!.atMs).toBeGreaterThan(900);
});

test("a batch that the server always fails on is given up, and the next one arrives", async () => {
  using receiver = startReceiver();
  const isPoison: Fault = (events) =>
    events.some((event) => event.model === "poison") ? problem(500) : undefined;
  receiver.faults.push(...Array<Fault>(100).fill(isPoison));
  const client = startClient(receiver.dsn);
  log(client, 100, { model: "poison" });
  log(client, 7);
  while (!await client.delivery.flush(20));
  expect(client.delivery.stats()).toMatchObject({
    accepted: 7,
    requests: limits.attemptsRefusedMax + 1,
    dropped: { send_failed: 100 },
  });
});

test(
  "a server that hangs is left after some seconds, and nobody waits for it",
  async () => {
    using receiver = startReceiver();
    receiver.faults.push(hang);
    const client = startClient(receiver.dsn);
    log(client, 1);
    const start = performance.now();
    expect(await client.delivery.flush(100)).toBe(false);
    expect(performance.now() - start).toBeLessThan(limits.requestMsMax - 100);
    await until(() => receiver.events.size === 1, limits.requestMsMax + 5000);
    expect(performance.now() - start).toBeGreaterThan(
      limits.requestMsMax - 100,
    );
    expect(said()[0]).toContain(`no answer within ${limits.requestMsMax} ms`);
  },
  15_000,
);

test("a server that resets connections, and then none at all", async () => {
  const server = createServer((socket) => socket.resetAndDestroy());
  const port = await new Promise<number>((resolve) =>
    server.listen(
      0,
      "127.0.0.1",
      () => resolve((server.address() as { port: number }).port),
    )
  );
  const client = startClient(`http://a-key@127.0.0.1:${port}/p`);
  log(client, 3);
  expect(await client.delivery.flush(300)).toBe(false);
  server.close();
  expect(await client.delivery.flush(100)).toBe(false);
  const { waiting, accepted, dropped } = client.delivery.stats();
  expect({ waiting, accepted, dropped }).toEqual({
    waiting: 3,
    accepted: 0,
    dropped: {},
  });
  expect(said()).toHaveLength(1);
  expect(said()[0]).toContain("cannot be reached");
});

test("after a refused key nothing more is sent", async () => {
  using receiver = startReceiver();
  receiver.faults.push(() => problem(401));
  const client = startClient(receiver.dsn);
  log(client, 1);
  await client.delivery.flush(5000);
  log(client, 5);
  expect(await client.delivery.flush(5000)).toBe(true);
  expect(receiver.requests).toHaveLength(1);
  expect(client.delivery.stats().dropped).toEqual({ unauthorized: 6 });
  expect(said()).toHaveLength(1);
});
