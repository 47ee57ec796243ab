// GET /api/metrics and /api/facets as a client sees them; the numbers are checked in test/query.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestServer, type TestServer } from "./fixture.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.send([
    { event_type: "span", timestamp: "2026-01-31T12:00:30Z", tags: ["a"], latency_ms: 10 },
    { event_type: "span", timestamp: "2026-01-31T12:01:00Z", tags: [], status: "timeout" },
    { event_type: "prompt_call", timestamp: "2026-01-31T13:59:59.999999Z", tokens_input: 5 },
  ]);
});
afterAll(() => server.stop());

interface Metrics {
  since: string | null;
  until: string | null;
  interval_seconds: number;
  groups: Record<string, unknown>[];
  groups_total: number;
  series: Record<string, unknown>[];
  summary: Record<string, unknown>;
}

async function metrics(query: string, project: "shop" | "bank" = "shop"): Promise<Metrics> {
  const response = await server.ask(`/api/metrics?${query}`, project);
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
  return await response.json() as Metrics;
}

test("a project without events has no numbers, and no zero that was never measured", async () => {
  expect(await metrics("group_by=model", "bank")).toEqual({
    since: null,
    until: null,
    interval_seconds: 60,
    group_by: "model",
    summary: {
      requests: 0,
      errors: 0,
      error_rate: null,
      tokens_input: null,
      tokens_output: null,
      tokens_total: null,
      cost_usd: null,
      unpriced: 0,
      latency_avg_ms: null,
      latency_p50_ms: null,
      latency_p95_ms: null,
      latency_p99_ms: null,
      ttft_p50_ms: null,
    },
    groups: [],
    groups_total: 0,
    series: [],
  } as never);
  const facets = await (await server.ask("/api/facets", "bank")).json() as Record<string, unknown>;
  expect(new Set(Object.values(facets).map(String))).toEqual(new Set([""]));
});

test("without a range it is that of the events", async () => {
  const { since, until, interval_seconds, series } = await metrics("");
  expect([since, until, interval_seconds]).toEqual([
    "2026-01-31T12:00:30.000000Z",
    "2026-01-31T13:59:59.999999Z",
    60,
  ]);
  expect(series.map(({ bucket, requests, errors }) => [bucket, requests, errors])).toEqual([
    ["2026-01-31T12:00:00.000000Z", 1, 0],
    ["2026-01-31T12:01:00.000000Z", 1, 1],
    ["2026-01-31T13:59:00.000000Z", 1, 0],
  ]);
});

test.each([
  ["since=2026-01-31T00:00:00Z&until=2026-02-01T00:00:00Z", 900],
  ["since=2026-01-31T12:00:00Z&until=2026-01-31T12:00:00Z", 1],
  ["since=2026-01-31T12:00:00Z&until=2026-01-31T12:02:00Z", 1],
  ["since=2026-01-31T12:00:00Z&until=2026-01-31T12:02:00.000001Z", 1],
  ["since=2026-01-31T12:00:00Z&until=2026-01-31T12:02:01Z", 2],
  ["since=0001-01-01T00:00:00Z&until=9999-01-01T00:00:00Z", 31_536_000],
  ["interval=90", 90],
  ["interval=2h", 7200],
  ["interval=", 60],
])("interval of %s: %i s", async (query, seconds) => {
  expect((await metrics(query)).interval_seconds).toBe(seconds);
});

test("what has no tag and what has none of several are one group", async () => {
  const { groups, groups_total, series } = await metrics("group_by=tag&interval=1d");
  expect(groups.map(({ group, requests }) => [group, requests])).toEqual([[null, 2], ["a", 1]]);
  expect(groups_total).toBe(2);
  expect(series.map(({ bucket, group }) => [bucket, group])).toEqual([
    ["2026-01-31T00:00:00.000000Z", null],
    ["2026-01-31T00:00:00.000000Z", "a"],
  ]);
});

test("groups beyond the bound are counted, not shown", async () => {
  const { groups, groups_total, series } = await metrics("group_by=status&groups=1");
  expect([groups.length, groups_total]).toEqual([1, 2]);
  expect(new Set(series.map(({ group }) => group))).toEqual(new Set(["success"]));
});

test("facets count the values of matching events", async () => {
  const facets = await (await server.ask("/api/facets?event_type=span&limit=1")).json();
  expect(facets).toMatchObject({
    event_type: [{ value: "span", count: 2 }],
    status: [{ value: "success", count: 1 }],
    tag: [{ value: "a", count: 1 }],
    model: [],
  });
});
