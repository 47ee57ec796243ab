// What a read of the API refuses, and in which words: every list, chart and stream alike.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startTestServer, type TestServer } from "./fixture.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
  await server.send([
    { event_id: "a", event_type: "span", latency_ms: 1, timestamp: "2026-01-31T12:00:00Z" },
    { event_id: "b", event_type: "span", latency_ms: 2, timestamp: "2026-01-31T12:00:00Z" },
  ]);
});
afterAll(() => server.stop());

const cursor = (place: unknown) => Buffer.from(JSON.stringify(place)).toString("base64url");
const ofEvents = { sort: "timestamp", order: "desc", event_id: "a", rank: null };

describe("a parameter that is not valid is a problem that names it", () => {
  const cases: [path: string, parameter: string, detail: string][] = [
    ["/api/events?modle=x", "modle", "Did you mean model?"],
    ["/api/runs?sort=cost", "sort", 'no parameter "sort"'],
    ["/api/metrics?groupby=model", "groupby", "Did you mean group_by?"],
    ["/api/facets?tags=a", "tags", "Did you mean tag?"],
    ["/api/live?modle=x", "modle", "Did you mean model?"],
    ["/api/live?q=word", "q", 'no parameter "q"'],
    ["/api/events/a?since=-1h", "since", 'no parameter "since"'],
    ["/api/runs/a?veiw=light", "veiw", 'no parameter "veiw"'],
    ["/api/events?since=yesterday", "since", "2026-01-31T12:00:00Z"],
    ["/api/events?since=2026-02-30T00:00:00Z", "since", "2026-01-31T12:00:00Z"],
    ["/api/metrics?until=-5y", "until", "-24h"],
    ["/api/runs?since=1&since=2", "since", "since"],
    ["/api/events?limit=0", "limit", "limit"],
    ["/api/events?limit=1001", "limit", "limit"],
    ["/api/events?limit=1.5", "limit", "limit"],
    ["/api/events?limit=ten", "limit", "limit"],
    ["/api/runs?limit=1001", "limit", "limit"],
    ["/api/runs/a?limit=20001", "limit", "limit"],
    ["/api/facets?limit=101", "limit", "limit"],
    ["/api/metrics?groups=101", "groups", "groups"],
    ["/api/events?sort=price", "sort", "sort"],
    ["/api/events?order=up", "order", "order"],
    ["/api/events?view=heavy", "view", "view"],
    ["/api/events?event_type=llm_call", "event_type", "prompt_call"],
    ["/api/events?event_type=span,llm_call", "event_type", '"llm_call"'],
    ["/api/live?status=failed", "status", "timeout"],
    ["/api/metrics?group_by=colour", "group_by", "group_by"],
    ["/api/metrics?interval=0", "interval", "5m"],
    ["/api/metrics?interval=5y", "interval", "5m"],
    ["/api/metrics?interval=-1m", "interval", "5m"],
    ["/api/metrics?interval=1s&since=-30d&until=now", "interval", "50000"],
    [`/api/events?q=${"x".repeat(1001)}`, "q", "q"],
    ["/api/events?cursor=nonsense", "cursor", "next_cursor"],
    [`/api/events?cursor=${cursor([])}`, "cursor", "next_cursor"],
    [`/api/events?cursor=${cursor({ ...ofEvents, timestamp: "then" })}`, "cursor", "next_cursor"],
    [
      `/api/events?cursor=${cursor({ ...ofEvents, timestamp: "2026-02-30T00:00:00.000000Z" })}`,
      "cursor",
      "next_cursor",
    ],
    [`/api/runs?cursor=${cursor({ run_id: "a", started_at: "x" })}`, "cursor", "next_cursor"],
    [`/api/runs?cursor=${"x".repeat(3000)}`, "cursor", "cursor"],
  ];
  test.each(cases)("%s", async (path, parameter, detail) => {
    const response = await server.ask(path);
    expect(response.status).toBe(400);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    const problem = await response.json() as Record<string, unknown>;
    expect(problem).toMatchObject({
      type: expect.stringMatching(/^urn:watchllm:problem:[a-z-]+$/),
      title: expect.any(String),
      status: 400,
      parameter,
    });
    expect(problem.detail).toContain(detail);
  });

  const change: [name: string, query: string][] = [
    ["another sort", "sort=cost"],
    ["another order", "order=asc"],
    ["time", "sort=latency_ms&order=asc"],
  ];
  test.each(change)("a cursor of one list is refused by that of %s", async (_, query) => {
    const first = await server.ask("/api/events?limit=1");
    const { next_cursor } = await first.json() as { next_cursor: string };
    const response = await server.ask(`/api/events?limit=1&${query}&cursor=${next_cursor}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ parameter: "cursor" });
  });
});

describe("a search finds words in text and in messages alike", () => {
  beforeAll(async () => {
    const said = 'She said "Hi"\nC:\\Temp ÄÖ';
    await server.send([
      { event_id: "text", event_type: "span", prompt: said },
      { event_id: "messages", event_type: "span", prompt: [{ role: "user", content: said }] },
    ], "bank");
  });
  const cases: [q: string, total: number][] = [
    ["she SAID", 2],
    ['said "hi"', 2],
    ['hi"\nc:', 2],
    ["c:\\temp", 2],
    ["äö", 2],
    ["role", 1],
  ];
  test.each(cases)("%j → %i", async (q, total) => {
    const response = await server.ask(`/api/events?q=${encodeURIComponent(q)}`, "bank");
    expect([response.status, await response.json()]).toMatchObject([200, { total }]);
  });
});

describe("what is unusual but means something", () => {
  const cases: [path: string, total: number][] = [
    ["/api/events?q=&model=&since=&until=&cursor=", 2],
    ["/api/events?since=2026-01-31T13:00:00%2B01:00", 2],
    ["/api/events?since=2026-01-31T13:00:00+01:00", 2],
    ["/api/events?since=2026-01-31T12:00:00Z&until=2026-01-31T12:00:00Z", 0],
    ["/api/events?since=now&until=-1h", 0],
    ["/api/events?since=-999999999w", 2],
    ["/api/events?since=0001-01-01T00:00:00Z&until=9999-12-31T23:59:59Z", 2],
    ["/api/events?event_type=span,tool_call", 2],
    ["/api/events?event_type=span&event_type=tool_call", 2],
    ["/api/events?run_id=a&run_id=b", 2],
    ["/api/events?run_id=a,b", 0],
    ["/api/events?run_id=%00", 0],
    ["/api/events?q=%00", 0],
    ["/api/events?q=%ff", 0],
    ["/api/events?q=%27%3B%20DROP%20TABLE%20tail_1%3B%20--", 0],
    ["/api/events?tag=%22%7D%5D", 0],
    ["/api/events?project_id=shop", 2],
    [`/api/events?name=${"x".repeat(2000)}`, 0],
  ];
  test.each(cases)("%s → %i", async (path, total) => {
    const response = await server.ask(path);
    expect([response.status, await response.json()]).toMatchObject([200, { total }]);
  });

  test.each([
    ["/api/events/none", "none"],
    ["/api/runs/none", "none"],
    ["/api/events/a%2Fb", "a/b"],
    ["/api/events/%00", "\0"],
    ["/api/runs/%25", "%"],
    ["/api/unknown", "/api/unknown"],
  ])("%s is not found", async (path, named) => {
    const response = await server.ask(path);
    expect(response.status).toBe(404);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    const { detail, ...problem } = await response.json() as { detail: string };
    expect(problem).toEqual({
      type: "urn:watchllm:problem:not-found",
      title: "Not found",
      status: 404,
    });
    expect(detail).toContain(named);
  });

  test.each(["/api/events/%ff", "/api/events/%", "/api/runs/%E0%A4"])(
    "%s is no fault of the server",
    async (path) => expect((await server.ask(path)).status).toBeOneOf([400, 404]),
  );

  test("the local user has to name one of several projects", async () => {
    const unnamed = await server.ask("/api/events", null);
    expect([unnamed.status, await unnamed.json()]).toMatchObject([400, {
      title: "Project required",
    }]);
    const named = await server.ask("/api/events?project_id=shop", null);
    expect(await named.json()).toMatchObject({ total: 2 });
    expect((await server.ask("/api/events?project_id=none", null)).status).toBe(403);
  });
});
