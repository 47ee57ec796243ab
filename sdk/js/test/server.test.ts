// The SDK and the real server: what is logged can be read back, field by field.
import { afterAll, afterEach, beforeAll, expect, spyOn, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningServer, startServer } from "../../../test/end_to_end/binary.ts";
import { sent } from "../generate.ts";
import * as aisentry from "../src/index.ts";
import { type StoredEvent, until } from "./receiver.ts";

const key = "a-key-of-sixteen-or-more";
const dataDir = mkdtempSync(join(tmpdir(), "aisentry-server-"));
const start = (port?: number) =>
  startServer({
    dataDir,
    port,
    env: { WATCHLLM_INIT_PROJECT: "tests", WATCHLLM_INIT_KEY: key },
  });
let server: RunningServer;
const warned = spyOn(console, "warn").mockImplementation(() => {});
const said = () => warned.mock.calls.map((call) => String(call[0]));

beforeAll(async () => void (server = await start()), 60_000);
afterEach(async () => {
  await aisentry.close(500);
  warned.mockClear();
});
afterAll(async () => {
  warned.mockRestore();
  await server.kill();
  rmSync(dataDir, { recursive: true, force: true });
});

const init = (options: aisentry.Options = {}) =>
  aisentry.init({
    ...options,
    dsn: `http://${key}@127.0.0.1:${server.port}/tests`,
  });

async function read(path: string): Promise<unknown> {
  const response = await fetch(server.url + path, {
    headers: { authorization: `Bearer ${key}` },
  });
  if (!response.ok) {
    throw new Error(`${path}: ${response.status} ${await response.text()}`);
  }
  return await response.json();
}

async function stored(event_id: string | undefined): Promise<StoredEvent> {
  return await read(`/api/events/${event_id}`) as StoredEvent;
}

// Every field there is, once, with a value that must come back as it was.
const base = {
  run_id: "run-of-fields",
  timestamp: "2026-01-31T12:00:00.123Z",
  status: "warning",
  user_id: "u",
  session_id: "s",
  fingerprint: "f",
  tags: ["a", "b"],
  release: "1.2.3",
  env: "test",
  agent_name: "clerk",
  service: "shop",
  name: "n",
  span_id: "span",
  parent_span_id: "parent",
  latency_ms: 12.5,
  error: { message: "m", type: "t", code: "c", stack: "at" },
  attributes: { nested: { deep: [1, "two", null, true] } },
} as const;
const cases: [what: string, call: () => string | undefined, fields: object][] = [
  verb("prompt_call", aisentry.logPromptCall, {
    prompt: [{ role: "user", content: 'Grüße 😀 \n\u0000 " \\' }],
    prompt_template_id: "template",
    prompt_version: "7",
    system_prompt: "Be brief.",
    tool_definitions: [{ name: "search" }],
    model_parameters: { temperature: 0.5 },
    response_id: "r-1",
    model_requested: "gpt-4o-latest",
    service_tier: "batch",
    model: "gpt-4o",
    model_version: "2024-08-06",
    provider: "openai",
    tokens_input: 100,
    tokens_output: 50,
    tokens_cache_read: 10,
    tokens_cache_write: 5,
    tokens_cache_write_1h: 1,
    tokens_reasoning: 20,
    tokens_audio_input: 2,
    tokens_audio_output: 3,
    cost_estimate_usd: 0.25,
    cost_reported_usd: 0.125,
    response: "An answer.",
    response_metadata: { safety_score: 0.5 },
    tool_calls: [{ id: "call_1" }],
    time_to_first_token_ms: 3.5,
    finish_reason: "stop",
  }),
  verb("tool_call", aisentry.logToolCall, {
    tool_name: "search",
    tool_call_id: "call_1",
    input: { query: "x" },
    output: ["y"],
  }),
  verb("agent_step", aisentry.logAgentStep, {
    step_number: 3,
    step_name: "think",
    step_type: "reasoning",
    input_data: { a: 1 },
    output_data: "text",
    reasoning: "because",
    context: { memory: [] },
  }),
  verb("error", aisentry.logError, {
    context: { question: "q" },
    stack_trace: "at x",
  }),
  verb("assertion_failed", aisentry.logAssertionFailed, {
    assertion_name: "is JSON",
    assertion_type: "response_format",
    expected: { type: "object" },
    actual: "text",
    severity: "high",
  }),
  verb("hallucination_detected", aisentry.logHallucination, {
    detection_method: "heuristic",
    confidence_score: 0.75,
    flagged_content: "The moon is cheese.",
    ground_truth: "It is rock.",
    recommendations: ["ask again"],
  }),
  verb("score", aisentry.score, {
    score_value: 0.5,
    score_label: "fair",
    score_explanation: "half of it",
  }),
  verb("performance_alert", aisentry.logEvent, {
    alert_type: "latency_spike",
    threshold: 100,
    actual_value: 250.5,
    window_minutes: 5,
    affected_models: ["gpt-4o"],
  }),
  verb("span", aisentry.logEvent, {
    received_as: "span",
    span_kind: "server",
    fingerprint: "checkout",
    resource: { "service.name": "shop" },
    scope: { name: "tracer" },
    span_events: [{ name: "exception" }],
    span_links: [{ trace_id: "t" }],
    telemetry: { flags: 1 },
  }),
];

function verb<F extends object>(
  event_type: string,
  call: (fields: F) => string | undefined,
  fields: object,
): [string, () => string | undefined, object] {
  const all = { ...base, event_type, ...fields };
  return [event_type, () => call(all as unknown as F), all];
}

test.each(cases)("every field comes back: %s", async (_what, call, fields) => {
  init();
  const event_id = call();
  expect(await aisentry.flush()).toBe(true);
  expect(aisentry.stats()).toMatchObject({ accepted: 1, dropped: {} });
  const { timestamp, ...rest } = fields as StoredEvent;
  expect(await stored(event_id)).toMatchObject(rest);
  expect(Date.parse(String((await stored(event_id)).timestamp))).toBe(
    Date.parse(String(timestamp)),
  );
});

test("no field is left out above", () => {
  const told = new Set([
    "event_id",
    "client",
    ...cases.flatMap((row) => Object.keys(row[2])),
  ]);
  expect(sent.map((field) => field.name).filter((name) => !told.has(name)))
    .toEqual([]);
});

const cyclic: Record<string, unknown> = {};
cyclic.self = cyclic;
const oddities: [what: string, value: unknown, kept: unknown][] = [
  ["a cycle", cyclic, { self: "[circular]" }],
  ["a bigint", { id: 2n ** 60n }, { id: "1152921504606846976" }],
  ["NaN", [NaN, 1], [null, 1]],
  ["a map", new Map([["a", new Date(0)]]), { a: "1970-01-01T00:00:00.000Z" }],
  ["bytes", new Uint8Array(10), "[10 bytes]"],
  [
    "a key named __proto__",
    JSON.parse('{"__proto__": 1}'),
    JSON.parse('{"__proto__": 1}'),
  ],
  ["a lone surrogate", { text: "\ud800" }, { text: "\ufffd" }],
];
test.each(oddities)("the server takes %s", async (_what, value, kept) => {
  init();
  const event_id = aisentry.logToolCall({ tool_name: "t", output: value });
  expect(await aisentry.flush()).toBe(true);
  expect(aisentry.stats()).toMatchObject({ accepted: 1, dropped: {} });
  expect(JSON.stringify((await stored(event_id)).output)).toBe(
    JSON.stringify(kept),
  );
});

test("the largest event that the SDK lets through is taken", async () => {
  init();
  const texts = Array.from({ length: 4 }, () => "漢".repeat(1_000_000));
  const event_id = aisentry.logPromptCall({ prompt: texts, response: texts });
  expect(await aisentry.flush(10_000)).toBe(true);
  expect(aisentry.stats()).toMatchObject({ accepted: 1, dropped: {} });
  expect(JSON.stringify(await stored(event_id))).toContain(
    "truncated, 1000000 characters in all",
  );
}, 20_000);

test("the deepest value that the SDK lets through is taken", async () => {
  init();
  let deep: unknown = "bottom";
  for (let level = 0; level < 1000; level++) {
    deep = level % 2 ? [deep] : { deep };
  }
  aisentry.logPromptCall({ prompt: deep, unknown: deep } as object);
  expect(await aisentry.flush()).toBe(true);
  expect(aisentry.stats()).toMatchObject({ accepted: 1, dropped: {} });
});

test("a run is a tree", async () => {
  init();
  const run_id = aisentry.run("outer", (run) => {
    aisentry.run(
      "inner",
      () => aisentry.logToolCall({ tool_name: "t", error: new Error("no") }),
    );
    return run.run_id;
  });
  expect(await aisentry.flush()).toBe(true);
  const tree = await read(`/api/runs/${run_id}`) as {
    run: StoredEvent;
    events: {
      name?: string;
      tool_name?: string;
      depth: number;
      parent_missing: boolean;
    }[];
  };
  expect(tree.run).toMatchObject({
    name: "outer",
    status: "error",
    tool_call_count: 1,
  });
  expect(
    tree.events.map((event) => [event.name ?? event.tool_name, event.depth]),
  ).toEqual([
    ["outer", 0],
    ["inner", 1],
    ["t", 2],
  ]);
  expect(tree.events.some((event) => event.parent_missing)).toBe(false);
});

test("what the server rejects is counted and said once; its neighbours arrive", async () => {
  init();
  aisentry.logPromptCall({ timestamp: "yesterday" });
  const good = aisentry.logPromptCall({ model: "m" });
  aisentry.logEvent({ event_type: "party" } as never);
  expect(await aisentry.flush()).toBe(true);
  aisentry.logPromptCall({ run_id: "x".repeat(1000) });
  expect(await aisentry.flush()).toBe(true);
  expect(aisentry.stats()).toMatchObject({
    accepted: 1,
    dropped: { rejected: 3 },
  });
  expect((await stored(good)).model).toBe("m");
  expect(said()).toHaveLength(1);
  expect(said()[0]).toContain("timestamp must be");
});

test("a wrong key is said once, and nothing is stored", async () => {
  aisentry.init({
    dsn: `http://another-key-of-sixteen@127.0.0.1:${server.port}/tests`,
  });
  aisentry.logPromptCall({ name: "intruder" });
  expect(await aisentry.flush()).toBe(true);
  expect(aisentry.stats()!.dropped).toEqual({ unauthorized: 1 });
  expect(said()).toHaveLength(1);
  expect(await read("/api/events?name=intruder")).toMatchObject({ total: 0 });
});

test(
  "events of a time without a server arrive when it is back, once",
  async () => {
    init();
    aisentry.logPromptCall({ name: "outage" });
    expect(await aisentry.flush()).toBe(true);
    const { port } = server;
    await server.stop();
    for (let i = 1; i < 250; i++) aisentry.logPromptCall({ name: "outage" });
    expect(await aisentry.flush(200)).toBe(false);
    server = await start(port);
    expect(await aisentry.flush(20_000)).toBe(true);
    expect(aisentry.stats()).toMatchObject({ accepted: 250, dropped: {} });
    await until(() => aisentry.stats()!.waiting === 0);
    expect(await read("/api/events?name=outage&limit=1")).toMatchObject({
      total: 250,
    });
  },
  60_000,
);
