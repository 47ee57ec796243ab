// GET /api/runs and /api/runs/{run_id} as a client sees them.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestServer, type TestServer } from "./fixture.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.send([
    {
      event_id: "child",
      event_type: "prompt_call",
      run_id: "agent/1",
      timestamp: "2026-01-31T12:00:00Z",
      span_id: "s2",
      parent_span_id: "s1",
      name: "ask",
      model: "gpt-x",
      prompt: "first question",
      response: "first answer",
      latency_ms: 1500.5,
      tags: ["b", "a"],
    },
    {
      event_id: "root",
      event_type: "agent_step",
      run_id: "agent/1",
      timestamp: "2026-01-31T12:00:00Z",
      span_id: "s1",
      name: "agent",
      user_id: "u1",
    },
    {
      event_id: "tool",
      event_type: "tool_call",
      run_id: "agent/1",
      timestamp: "2026-01-31T12:00:01Z",
      span_id: "s3",
      parent_span_id: "lost",
      tool_name: "search",
      input: { q: 1 },
      error: "no network",
    },
    { event_id: "alone", event_type: "span", timestamp: "2026-01-31T13:00:00Z", tags: [] },
  ]);
});
afterAll(() => server.stop());

const agent = {
  run_id: "agent/1",
  name: "agent",
  started_at: "2026-01-31T12:00:00.000000Z",
  ended_at: "2026-01-31T12:00:01.500500Z",
  duration_ms: 1500.5,
  status: "error",
  event_count: 3,
  error_count: 1,
  prompt_call_count: 1,
  tool_call_count: 1,
  tokens_input: null,
  tokens_output: null,
  cost_usd: null,
  models: ["gpt-x"],
  user_id: "u1",
  session_id: null,
  release: null,
  env: null,
  tags: ["a", "b"],
  input_preview: "first question",
  error_message: "no network",
};

test("a run is summed up over its events; at one time the parent comes first", async () => {
  const response = await server.ask("/api/runs");
  const { runs, ...rest } = await response.json() as { runs: Record<string, unknown>[] };
  expect(rest).toEqual({ total: 2, has_more: false, next_cursor: null } as never);
  expect(runs.map((run) => run.run_id)).toEqual(["alone", "agent/1"]);
  expect(runs[1]).toMatchObject(agent);
  expect(runs[0]).toMatchObject({ models: [], tags: [], duration_ms: 0, status: "success" });
});

test("a filter chooses runs, and leaves each whole", async () => {
  const response = await server.ask("/api/runs?model=gpt-x&limit=1");
  const { runs, total } = await response.json() as { runs: unknown[]; total: number };
  expect(total).toBe(1);
  expect(runs).toMatchObject([agent]);
});

test("pages of runs", async () => {
  const first = await (await server.ask("/api/runs?limit=1")).json() as {
    has_more: boolean;
    next_cursor: string;
  };
  expect(first.has_more).toBe(true);
  const second = await (await server.ask(`/api/runs?limit=1&cursor=${first.next_cursor}`)).json();
  expect(second).toMatchObject({
    runs: [{ run_id: "agent/1" }],
    total: 2,
    has_more: false,
    next_cursor: null,
  });
});

test("one run is a tree, without heavy text", async () => {
  const response = await server.ask("/api/runs/agent%2F1");
  const detail = await response.json() as { events: Record<string, unknown>[] };
  expect(detail).toMatchObject({ run: agent, truncated: false });
  const places = detail.events.map(({ event_id, depth, parent_event_id, parent_missing }) => [
    event_id,
    depth,
    parent_event_id,
    parent_missing,
  ]);
  expect(places).toEqual([
    ["root", 0, null, false],
    ["child", 1, "root", false],
    ["tool", 0, null, true],
  ]);
  expect(detail.events[1]).toMatchObject({ input_preview: "first question" });
  expect(detail.events.some((event) => "prompt" in event || "error" in event)).toBe(false);
});

test("a run of more events than asked for is cut, and says so", async () => {
  const detail = await (await server.ask("/api/runs/agent%2F1?limit=2")).json() as {
    events: unknown[];
  };
  expect(detail).toMatchObject({ truncated: true, run: { event_count: 3 } });
  expect(detail.events.length).toBe(2);
});

test("the root speaks for a trace, whatever starts first or ends last", async () => {
  const span = (event_id: string, second: number, more: object) => ({
    event_id,
    event_type: "span",
    run_id: "trace",
    timestamp: `2026-02-01T12:00:0${second}Z`,
    span_id: event_id,
    ...more,
  });
  await server.send([
    span("early", 1, { parent_span_id: "top", name: "early", output: "half" }),
    span("top", 2, { name: "top", output: "whole", user_id: "u2" }),
    span("late", 3, { parent_span_id: "top", name: "late", output: "a detail", user_id: "u3" }),
  ]);
  const { run } = await (await server.ask("/api/runs/trace")).json() as { run: object };
  expect(run).toMatchObject({ name: "top", user_id: "u2", output_preview: "whole" });
});
