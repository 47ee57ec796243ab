// Langfuse's public API against a real server: what its SDKs send in pieces becomes whole events.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { Langfuse } from "../../src/langfuse.ts";
import { Pending } from "../../src/store/pending.ts";
import { join } from "node:path";
import { oneEvent } from "../../src/query/events.ts";
import { type OpenStore, openStore, temporaryFolder } from "../store/fixture.ts";
import { fromSource, type RunningServer, startServer } from "../end_to_end/binary.ts";

const key = "a-key-for-the-tests-only";
const visibleMsMax = 15_000;
const folder = temporaryFolder();
let server: RunningServer;

beforeAll(async () => {
  server = await startServer({
    dataDir: join(folder.path, "data"),
    command: fromSource,
    env: { WATCHLLM_INIT_PROJECT: "shop", WATCHLLM_INIT_KEY: key },
  });
}, 60_000);
afterAll(async () => {
  await server.kill();
  folder.remove();
});

const basic = (password: string) => ({ authorization: `Basic ${btoa(`shop:${password}`)}` });

async function post(path: string, body: unknown, headers: Record<string, string> = basic(key)) {
  const response = await fetch(`${server.url}/api/public/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  return { status: response.status, answer: await response.json() as Record<string, unknown> };
}

const envelope = (id: string, type: string, body: object) => ({
  id,
  type,
  timestamp: new Date().toISOString(),
  body,
});

async function stored(event_id: string): Promise<Record<string, unknown>> {
  for (const deadline = performance.now() + visibleMsMax;;) {
    const response = await fetch(`${server.url}/api/events/${event_id}`);
    const event = await response.json() as Record<string, unknown>;
    if (response.ok) return event;
    if (performance.now() > deadline) throw new Error(`Not stored: ${event_id}`);
    await Bun.sleep(50);
  }
}

const passwords: [string, Record<string, string>, number][] = [
  ["the key as the password", basic(key), 200],
  ["a wrong key", basic("another-key-of-16-letters"), 401],
  ["no password", { authorization: `Basic ${btoa(key)}` }, 401],
  ["no base64", { authorization: "Basic ???" }, 401],
  ["a bearer", { authorization: `Bearer ${key}` }, 200],
];
for (const [name, headers, status] of passwords) {
  test(`langfuse: ${name}`, async () => {
    const response = await fetch(`${server.url}/api/public/projects`, { headers });
    expect(response.status).toBe(status);
    const { data } = await response.json() as { data?: unknown };
    if (status === 200) expect(data).toMatchObject([{ id: "shop" }]);
  });
}

test("langfuse: health needs no key", async () => {
  const response = await fetch(`${server.url}/api/public/health`);
  expect(await response.json()).toMatchObject({ status: "OK" });
});

const hour = "2026-01-31T12:00:0";

test("langfuse: a call in three batches is one event, with its trace's user", async () => {
  const trace = { id: "t1", name: "trip", userId: "noor", sessionId: "s1", tags: ["beta"] };
  const first = await post("ingestion", {
    batch: [
      envelope("a", "trace-create", { ...trace, timestamp: `${hour}0.000Z` }),
      envelope("b", "generation-create", {
        id: "g1",
        traceId: "t1",
        name: "ask",
        startTime: `${hour}1.000Z`,
        model: "gpt-4o",
        input: [{ role: "user", content: "hi" }],
        metadata: { one: 1 },
      }),
    ],
  });
  expect(first).toMatchObject({
    status: 207,
    answer: { successes: [{ id: "a", status: 201 }, { id: "b", status: 201 }], errors: [] },
  });
  await post("ingestion", {
    batch: [envelope("c", "generation-update", { id: "g1", metadata: { two: 2 } })],
  });
  await post("ingestion", {
    batch: [
      envelope("d", "generation-update", {
        id: "g1",
        endTime: `${hour}3.500Z`,
        completionStartTime: `${hour}1.400Z`,
        output: "ho",
        usageDetails: { input: 10, input_cached_tokens: 30, output: 5 },
        costDetails: { total: 0.25 },
      }),
      envelope("e", "trace-create", { id: "t1", output: "booked" }),
    ],
  });
  expect(await stored("g1")).toMatchObject({
    event_type: "prompt_call",
    run_id: "t1",
    parent_span_id: "t1",
    user_id: "noor",
    session_id: "s1",
    tags: ["beta"],
    latency_ms: 2500,
    time_to_first_token_ms: 400,
    prompt: [{ role: "user", content: "hi" }],
    response: "ho",
    tokens_input: 40,
    tokens_cache_read: 30,
    tokens_output: 5,
    cost_reported_usd: 0.25,
    attributes: { metadata: { one: 1, two: 2 } },
  });
  expect(await stored("t1")).toMatchObject({
    event_type: "agent_step",
    name: "trip",
    user_id: "noor",
    output_data: "booked",
  });
  await post("ingestion", {
    batch: [envelope("f", "generation-update", { id: "g1", output: "x" })],
  });
}, 30_000);

test("langfuse: failures, events, scores and logs", async () => {
  await post("ingestion", {
    batch: [
      envelope("h", "span-create", {
        id: "sp1",
        traceId: "t2",
        startTime: `${hour}0.000Z`,
        endTime: `${hour}1.000Z`,
        level: "ERROR",
        statusMessage: "boom",
      }),
      envelope("i", "event-create", { id: "ev1", traceId: "t2", name: "note", input: "x" }),
      envelope("j", "score-create", { id: "sc1", traceId: "t2", name: "tone", value: "kind" }),
      envelope("k", "sdk-log", { log: { level: "debug" } }),
    ],
  });
  expect(await stored("sp1")).toMatchObject({ status: "error", error: { message: "boom" } });
  expect(await stored("ev1")).toMatchObject({ event_type: "span", name: "note", input: "x" });
  expect(await stored("sc1")).toMatchObject({ event_type: "score", score_label: "kind" });
  expect(await stored("k")).toMatchObject({ output: { level: "debug" } });
});

test("langfuse: a bad piece is named, and its neighbours are taken", async () => {
  const { status, answer } = await post("ingestion", {
    batch: [
      envelope("l", "dance-create", {}),
      { id: "m", type: "span-create" },
      envelope("n", "score-create", { name: "", value: 1 }),
      envelope("o", "score-create", { name: "fine", value: 1 }),
      7,
    ],
  });
  expect(status).toBe(207);
  expect(answer.successes).toEqual([{ id: "o", status: 201 }]);
  expect((answer.errors as { id: string }[]).map(({ id }) => id)).toEqual(["l", "m", "", "n"]);
});

test("langfuse: scores, alone and in lists", async () => {
  expect(await post("scores", { name: "one", value: 1 })).toMatchObject({ status: 200 });
  expect(await post("scores", [{ name: "two", value: 2 }])).toEqual({
    status: 202,
    answer: { message: "Accepted" },
  });
  expect(await post("scores", [{ name: "three", value: 3 }, { value: 4 }])).toMatchObject({
    status: 207,
    answer: { accepted: 1, rejected: 1 },
  });
  expect(await post("scores", { value: 1 })).toMatchObject({ status: 400 });
});

const bad: [string, unknown, number][] = [
  ["no batch", {}, 400],
  ["an array", [], 400],
  ["a batch of nothing", { batch: [] }, 207],
];
for (const [name, body, status] of bad) {
  test(`langfuse: ${name}`, async () => {
    expect((await post("ingestion", body)).status).toBe(status);
  });
}

test("langfuse: what is not here says so", async () => {
  const response = await fetch(`${server.url}/api/public/v2/prompts/greet`, {
    headers: basic(key),
  });
  expect(response.status).toBe(404);
});

function partsOf({ store, ingest }: OpenStore) {
  return {
    ingest,
    stored: (project_id: string, event_id: string) => oneEvent(store.reader, project_id, event_id),
    hold: (project_id: string, hashes: readonly string[]) => store.blobs.hold(project_id, hashes),
  };
}

/** Between two lives of the server. */
async function life<T>(
  path: string,
  nowMs: () => number,
  work: (langfuse: Langfuse, ids: () => Promise<string[]>) => Promise<T>,
): Promise<T> {
  const store = await openStore(join(path, "store"));
  const own = new Pending(join(path, "pending.db"));
  const langfuse = new Langfuse({ ...partsOf(store), pending: own, clock: { nowMs } });
  try {
    return await work(langfuse, () => store.ids());
  } finally {
    own.close();
    await store.close();
  }
}

test("langfuse: what was acknowledged in pieces survives a restart, and is stored once", async () => {
  const { path, remove } = temporaryFolder();
  const create = envelope("a", "span-create", { id: "s1", traceId: "t", name: "long" });
  const late = envelope("b", "span-update", { id: "s1", endTime: `${hour}9.000Z`, output: "done" });
  let nowMs = Date.now();
  const clock = () => nowMs;
  await life(path, clock, async (langfuse, ids) => {
    await langfuse.take("shop", [create], 0);
    await langfuse.settle();
    expect(await ids()).toEqual([]);
  });
  await life(path, clock, async (langfuse, ids) => {
    expect(langfuse.waiting).toBe(1);
    await langfuse.take("shop", [late], 0);
    expect(await ids()).toEqual(["s1"]);
    expect(langfuse.waiting).toBe(0);
  });
  await life(path, clock, async (langfuse, ids) => {
    // An update of what is stored is an event of its own.
    await langfuse.take("shop", [{ ...late, body: { ...late.body, output: "more" } }], 0);
    nowMs += 60_000;
    await langfuse.settle();
    const [one, two] = await ids();
    expect([one, two?.startsWith("s1-update-")]).toEqual(["s1", true]);
    expect(langfuse.waiting).toBe(0);
  });
  remove();
});

test("langfuse: a crash between storing and forgetting stores nothing twice", async () => {
  const { path, remove } = temporaryFolder();
  const whole = envelope("a", "span-create", { id: "s1", endTime: `${hour}9.000Z` });
  const store = await openStore(join(path, "store"));
  const pending = new Pending(join(path, "pending.db"));
  const forgetful = { all: () => pending.all(), put: pending.put.bind(pending), remove: () => {} };
  const clock = { nowMs: Date.now };
  await new Langfuse({ ...partsOf(store), pending: forgetful, clock }).take("shop", [whole], 0);
  expect(pending.all()).toHaveLength(1);
  const later = { nowMs: () => Date.now() + 3_600_000 };
  const next = new Langfuse({ ...partsOf(store), pending, clock: later });
  await next.settle();
  expect(await store.ids()).toEqual(["s1"]);
  expect(pending.all()).toEqual([]);
  pending.close();
  await store.close();
  remove();
});

const file = new TextEncoder().encode("a file of no great size, but of some");
const hashOf = (bytes: Uint8Array) => new Bun.CryptoHasher("sha256").update(bytes).digest("base64");
const announcement = {
  traceId: "trace-media",
  contentType: "text/plain",
  contentLength: file.length,
  sha256Hash: hashOf(file),
  field: "input",
};

type Change = [
  what: string,
  change: (url: URL) => void,
  body: Uint8Array<ArrayBuffer>,
  status: number,
];
const uploads: Change[] = [
  ["what was announced", () => {}, file, 200],
  ["the same again", () => {}, file, 200],
  ["other bytes", () => {}, new Uint8Array(file.length), 400],
  ["fewer bytes", () => {}, file.subarray(1), 400],
  ["no ticket", (url) => url.searchParams.delete("ticket"), file, 403],
  ["a ticket of its own making", (url) => url.searchParams.set("ticket", "e30.x"), file, 403],
  [
    "a ticket for another project",
    (url) => {
      const [text, seal] = url.searchParams.get("ticket")!.split(".");
      const promised = JSON.parse(Buffer.from(text!, "base64url").toString());
      const changed = Buffer.from(JSON.stringify({ ...promised, project_id: "bank" }));
      url.searchParams.set("ticket", `${changed.toString("base64url")}.${seal}`);
    },
    file,
    403,
  ],
];
for (const [what, change, body, status] of uploads) {
  test(`langfuse: a file, ${what}`, async () => {
    const announced = await post("media", announcement);
    expect(announced.status).toBe(201);
    const url = new URL(String(announced.answer.uploadUrl));
    change(url);
    expect((await fetch(url, { method: "PUT", body })).status).toBe(status);
  });
}

test("langfuse: a file becomes one event, however often it is sent", async () => {
  const path = `${server.url}/api/events?project_id=shop&run_id=${announcement.traceId}`;
  const { events } = await (await fetch(path)).json() as { events: Record<string, unknown>[] };
  expect(events.map(({ name, event_type }) => ({ name, event_type }))).toEqual([
    { name: "media", event_type: "span" },
  ]);
});

const announcements: [string, object, number][] = [
  ["no hash", { sha256Hash: undefined }, 400],
  ["nothing in it", { contentLength: 0 }, 400],
  ["more than a request may hold", { contentLength: 1e12 }, 413],
  ["a type with a line in it", { contentType: "text/plain\r\nx: y" }, 400],
];
for (const [what, change, status] of announcements) {
  test(`langfuse: a file with ${what} is refused when it is announced`, async () => {
    expect((await post("media", { ...announcement, ...change })).status).toBe(status);
  });
}
