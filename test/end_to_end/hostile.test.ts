// What a hostile or broken client would send, against a real server: a clear answer in bounded
// time and memory, never a 5xx, and nothing that was accepted before is harmed.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { limits } from "../../src/limits.ts";
import { temporaryFolder } from "../store/fixture.ts";
import { fromSource, type RunningServer, startServer } from "./binary.ts";

const key = "a-key-for-the-tests-only";
const answerMsMax = 5000;
/** At the worst moment of it; the largest body inflates to 64 MiB. */
const residentMBMax = 900;
const MiB = 1024 * 1024;

const folder = temporaryFolder();
let server: RunningServer;
let readKey = "";

beforeAll(async () => {
  server = await startServer({
    dataDir: folder.path,
    command: fromSource,
    env: { WATCHLLM_INIT_PROJECT: "shop", WATCHLLM_INIT_KEY: key },
  });
  expect(await post(JSON.stringify(kept))).toMatchObject({ status: 202 });
  readKey = await makeKey("read");
}, 60_000);
afterAll(async () => {
  await server.kill();
  folder.remove();
});

const kept = Array.from(
  { length: 50 },
  (_, at) => ({ event_id: `kept-${at}`, event_type: "span" }),
);

type Body = string | Uint8Array | ReadableStream;
/** Undefined takes a header away that is usually sent. */
type Headers = Record<string, string | undefined>;

async function makeKey(scope: string): Promise<string> {
  const response = await fetch(`${server.url}/api/keys`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ scopes: [scope], name: scope }),
  });
  const made = await response.json() as { key: string };
  expect([response.status, made.key]).toEqual([201, expect.any(String)]);
  return made.key;
}

async function post(
  body: Body | undefined,
  headers: Headers = {},
  path = "/v1/events",
): Promise<{ status: number; answer: Record<string, unknown> }> {
  const response = await fetch(server.url + path, {
    method: "POST",
    headers: Object.entries({
      authorization: `Bearer ${key}`,
      "content-type": "application/json",
      ...headers,
    }).filter((header): header is [string, string] => header[1] !== undefined),
    body: body as string,
    signal: AbortSignal.timeout(answerMsMax),
  });
  return { status: response.status, answer: await response.json() as Record<string, unknown> };
}

const gzip = { "content-encoding": "gzip" };
const zstd = { "content-encoding": "zstd" };
const lines = { "content-type": "application/x-ndjson" };
const bomb = Buffer.alloc(200 * MiB, " ");
const deep = (levels: number, open: string, close: string) =>
  open.repeat(levels) + "1" + close.repeat(levels);
const inside = (levels: number) =>
  `{"event_type":"span","attributes":{"a":${deep(levels - 1, "[", "]")}}}`;
const whole = '{"event_type":"span","event_id":"cut","input":{"a":[1,"zwei",null]}}';

async function* chunks(bytes: number) {
  for (let sent = 0; sent < bytes; sent += MiB) yield new Uint8Array(MiB).fill(0x20);
}

// deno-fmt-ignore
const table: [string, number, () => Body | undefined, (Headers | (() => Headers))?, string?][] = [
  ["nothing", 400, () => undefined],
  ["an empty body", 400, () => ""],
  ["a word", 400, () => "hello"],
  ["NUL bytes", 400, () => new Uint8Array(1000)],
  ["a byte order mark and nothing", 400, () => "\ufeff"],
  ["a million brackets", 400, () => "[".repeat(1_000_000)],
  ["ten million brackets", 400, () => "[".repeat(10_000_000)],
  ["a million nested objects", 400, () => '{"a":'.repeat(1_000_000)],
  ["nesting at the bound", 202, () => inside(limits.jsonDepthMax)],
  ["nesting beyond the bound", 400, () => inside(limits.jsonDepthMax + 1)],
  ["deep but valid", 400, () => `{"event_type":"span","input":${deep(100_000, "[", "]")}}`],
  ["a body that is too long", 413, () => " ".repeat(limits.bodyBytesMax + 1)],
  ["a body that is too long, in chunks", 413, () => ReadableStream.from(chunks(limits.bodyBytesMax + 2 * MiB))],
  ["a gzip bomb", 413, () => gzipSync(bomb), gzip],
  ["a zstd bomb", 413, () => zstdCompressSync(bomb), zstd],
  ["gzip in gzip", 400, () => gzipSync(gzipSync(whole)), gzip],
  ["no gzip at all", 400, () => whole, gzip],
  ["no zstd at all", 400, () => whole, zstd],
  ["half of a gzip", 400, () => gzipSync(whole).subarray(0, 30), gzip],
  ["half of a zstd", 400, () => zstdCompressSync(Buffer.from(whole.repeat(50))).subarray(0, 60), zstd],
  ["deflate as it should be", 202, () => deflateSync(whole.replace("cut", "deflate-ok")), { "content-encoding": "deflate" }],
  ["an unknown encoding", 415, () => whole, { "content-encoding": "br" }],
  ["gzip as it should be", 202, () => gzipSync(whole.replace("cut", "gzip-ok")), gzip],
  ["zstd as it should be", 202, () => zstdCompressSync(Buffer.from(whole.replace("cut", "zstd-ok"))), zstd],
  ["an event of 9 MiB", 400, () => JSON.stringify({ event_type: "span", input: "x".repeat(9 * MiB) })],
  ["10,001 events", 413, () => `[${Array(10_001).fill('{"event_type":"span"}').join()}]`],
  ["a million rejected events", 413, () => `[${Array(1_000_000).fill("{}").join()}]`],
  ["a million rejected lines", 413, () => "{}\n".repeat(1_000_000), lines],
  ["10,000 rejected events", 400, () => `[${Array(10_000).fill("{}").join()}]`],
  ["lone surrogates", 202, () => '{"event_type":"span","event_id":"surrogate","input":"\\ud800","\\udfff":1}'],
  ["NUL in a text", 202, () => '{"event_type":"span","event_id":"nul","input":"a\\u0000b","name":"\\u0000"}'],
  ["__proto__ and constructor", 202, () => '{"event_type":"span","event_id":"proto","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'],
  ["keys twice", 202, () => '{"event_type":"span","event_id":"twice-a","event_id":"twice-b"}'],
  ["numbers that no double holds", 202, () => '{"event_type":"span","event_id":"wide","attributes":{"a":1e400,"b":123456789012345678901234567890}}'],
  ["an id of numbers", 400, () => '{"event_type":"span","event_id":5}'],
  ["a time that does not exist", 400, () => '{"event_type":"span","timestamp":"2026-02-30T00:00:00Z"}'],
  ["a time in the year 9999", 400, () => '{"event_type":"span","timestamp":"9999-01-01T00:00:00Z"}'],
  ["bytes that are no UTF-8", 202, () => Buffer.concat([Buffer.from('{"event_type":"span","event_id":"latin","input":"'), Buffer.from([0xe9, 0xff, 0xc0]), Buffer.from('"}')])],
  ["the content type of a form", 202, () => '{"event_type":"span","event_id":"form"}', { "content-type": "application/x-www-form-urlencoded" }],
  ["text where a number belongs", 400, () => '{"event_type":"prompt_call","latency_ms":"fast"}'],
  ["a negative count", 400, () => '{"event_type":"prompt_call","tokens_input":-1}'],
  ["a count beyond 2^53", 400, () => '{"event_type":"prompt_call","tokens_input":9007199254740993}'],
  ["a cost beyond every double", 400, () => '{"event_type":"prompt_call","cost_estimate_usd":1e400}'],
  ["null for an event", 400, () => "[null]"],
  ["events in events in events", 400, () => '{"events":[{"events":[{"events":[]}]}]}'],
  ["a type that is unknown", 400, () => '{"event_type":"DROP TABLE events"}'],
  ["an id of 10,000 characters", 400, () => JSON.stringify({ event_type: "span", event_id: "x".repeat(10_000) })],
  ["100,000 unknown fields", 202, () => JSON.stringify({ event_type: "span", ...Object.fromEntries(Array.from({ length: 100_000 }, (_, at) => [`f${at}`, at])) })],
  ["a body in another encoding than it says", 400, () => zstdCompressSync(Buffer.from(whole)), gzip],
  ["two encodings", 415, () => whole, { "content-encoding": "gzip, gzip" }],
  ["a wrong key", 401, () => whole, { authorization: "Bearer wrong-key-wrong-key" }],
  ["no key but a word", 401, () => whole, { authorization: "please" }],
  ["a key that may only read", 403, () => whole, () => ({ authorization: `Bearer ${readKey}` })],
  ["no key, for another host", 401, () => whole, { authorization: undefined, host: "evil.example" }],
  ["no key, from a page elsewhere", 401, () => whole, { authorization: undefined, origin: "https://evil.example" }],
  ["another project by path", 403, () => whole, {}, "/v1/projects/bank/events"],
  ["a path out of the lake", 403, () => whole, {}, "/v1/projects/..%2f..%2fetc/events"],
  ["another project in the event", 400, () => '{"event_type":"span","project_id":"bank"}'],
];

for (const [name, status, body, headers, path] of table) {
  test(`hostile: ${name}`, async () => {
    const sent = typeof headers === "function" ? headers() : headers;
    const { status: got, answer } = await post(body(), sent, path);
    expect([got, JSON.stringify(answer).slice(0, 300)]).toEqual([
      status,
      expect.stringContaining(status === 202 ? '"accepted":1' : `"status":${status}`),
    ]);
    if (status !== 202) expect(String(answer.detail).length).toBeGreaterThan(10);
  }, answerMsMax * 2);
}

test("hostile: an event cut at every byte", async () => {
  for (let bytes = 1; bytes < whole.length; bytes++) {
    expect((await post(whole.slice(0, bytes))).status).toBe(400);
  }
}, 60_000);

test("hostile: a batch cut at every 97th byte", async () => {
  const batch = JSON.stringify(Array(100).fill(JSON.parse(whole)));
  for (let bytes = 1; bytes < batch.length; bytes += 97) {
    expect((await post(batch.slice(0, bytes))).status).toBe(400);
  }
}, 60_000);

test("hostile: neighbours of a bad event are taken, each line for itself", async () => {
  const bad = ["{", "[]", "null", '{"event_type":5}', inside(limits.jsonDepthMax + 1)];
  const sent = bad.flatMap((line, at) => [line, `{"event_type":"span","event_id":"good-${at}"}`]);
  const { status, answer } = await post(sent.join("\n"), lines);
  const { accepted, rejected } = answer as { accepted: number; rejected: { index: number }[] };
  expect([status, accepted]).toEqual([202, bad.length]);
  expect(rejected.map(({ index }) => index)).toEqual([0, 2, 4, 6, 8]);
});

test("hostile: 10,000 events are taken", async () => {
  const events = Array.from({ length: 10_000 }, () => '{"event_type":"span","name":"many"}');
  expect((await post(`[${events}]`)).answer).toMatchObject({ accepted: 10_000 });
});

test("hostile: every other method is told the right one", async () => {
  for (const method of ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
    const response = await fetch(`${server.url}/v1/events`, { method });
    expect([method, response.status, response.headers.get("allow")]).toEqual([method, 405, "POST"]);
    expect(await response.json()).toMatchObject({ status: 405, title: "Method not allowed" });
  }
});

test("hostile: random bytes", async () => {
  let state = 20260131;
  for (let round = 0; round < 100; round++) {
    const bytes = new Uint8Array(200).map(() =>
      (state = (state * 1103515245 + 12345) >>> 0) >>> 16
    );
    const headers = [{}, gzip, zstd, lines][round % 4];
    expect((await post(bytes, headers)).status).toBe(400);
  }
}, 60_000);

test("hostile: after all of it, everything accepted is there once, and memory is bounded", async () => {
  const ids: string[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const page = await fetch(`${server.url}/api/events?view=light&limit=1000&cursor=${cursor}`, {
      headers: { authorization: `Bearer ${key}` },
    }).then((response) => response.json()) as {
      events: { event_id: string; attributes?: Record<string, unknown> }[];
      next_cursor: string | null;
    };
    ids.push(...page.events.map((event) => event.event_id));
    cursor = page.next_cursor;
  }
  expect(ids.length).toBe(new Set(ids).size);
  expect(ids).toEqual(expect.arrayContaining(kept.map((event) => event.event_id)));
  expect(ids).toEqual(expect.arrayContaining(["gzip-ok", "zstd-ok", "proto", "twice-b", "good-4"]));
  expect((await post(JSON.stringify(kept))).answer).toMatchObject({ accepted: 0, duplicates: 50 });
  const status = readFileSync(`/proc/${server.process.pid}/status`, "utf8");
  expect(Number(/VmHWM:\s+(\d+)/.exec(status)![1]) / 1024).toBeLessThan(residentMBMax);
  expect(server.output()).not.toContain('"level":"error"');
});
