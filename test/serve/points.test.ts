import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestServer, type TestServer } from "./fixture.ts";

let server: TestServer;
beforeAll(async () => void (server = await startTestServer()));
afterAll(() => server.stop());

const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });
const nanos = (ms: number) => String(BigInt(ms) * 1_000_000n);
const now = Math.floor(Date.now() / 60_000) * 60_000;

function exportOf(user: string, points: [secondsAgo: number, tokens: number][]) {
  return {
    resourceMetrics: [{
      resource: { attributes: [attribute("service.name", "claude-code")] },
      scopeMetrics: [{
        scope: { name: "meter" },
        metrics: [{
          name: "claude_code.token.usage",
          unit: "tokens",
          sum: {
            aggregationTemporality: 2,
            isMonotonic: true,
            dataPoints: points.map(([secondsAgo, tokens]) => ({
              startTimeUnixNano: nanos(now - 3_600_000),
              timeUnixNano: nanos(now - secondsAgo * 1000),
              asInt: String(tokens),
              attributes: [attribute("user.email", user), attribute("type", "input")],
            })),
          },
        }],
      }],
    }],
  };
}

const send = (body: unknown, project: "shop" | "bank" = "shop") =>
  server.ask("/v1/metrics", project, { method: "POST", body: JSON.stringify(body) });

async function get(path: string, project: "shop" | "bank" = "shop") {
  const response = await server.ask(path, project);
  return { status: response.status, body: await response.json() as Record<string, unknown> };
}

async function sql(text: string): Promise<unknown> {
  const response = await server.ask("/api/sql", "shop", {
    method: "POST",
    body: JSON.stringify({ sql: text }),
  });
  return (await response.json() as { rows?: unknown }).rows;
}

test("points: an export is stored once, and seen by its own routes and SQL only", async () => {
  const body = exportOf("ann@example.com", [[120, 100], [60, 250]]);
  for (let round = 0; round < 2; round++) expect((await send(body)).status).toBe(200);
  expect((await get("/api/points/names")).body).toMatchObject({
    names: [{ name: "claude_code.token.usage", type: "sum", unit: "tokens", points: 2, series: 1 }],
  });
  const asked = "/api/points?name=claude_code.token.usage&since=-30m&interval=1m&group_by=type";
  expect((await get(asked)).body).toMatchObject({
    metric: { monotonic: true, temporality: "cumulative" },
    interval_seconds: 60,
    // What came before the range is not known, so neither is the growth of the first.
    groups: [{ group: "input", value: 150, points: 2 }],
    series: [{ value: null }, { value: 150, rate: 2.5 }],
  });
  expect((await get("/api/points/attributes?name=claude_code.token.usage")).body).toEqual({
    attributes: [
      { attribute: "type", of_resource: false, values: 1 },
      { attribute: "user.email", of_resource: false, values: 1 },
      { attribute: "service.name", of_resource: true, values: 1 },
    ],
  });
  expect(await sql("SELECT value, service, attributes ->> 'type' FROM metrics ORDER BY 1")).toEqual(
    [
      [100, "claude-code", "input"],
      [250, "claude-code", "input"],
    ],
  );
  expect(await sql("SELECT count(*) FROM events")).toEqual([[0]]);
  expect((await get("/api/events")).body).toMatchObject({ total: 0 });
  expect((await get("/api/points/names", "bank")).body).toEqual({ names: [] });
  expect((await get("/api/status")).body).toMatchObject({ points_total: 2, events_total: 0 });
});

test("points: attributes are masked like labels, so that series stay apart", async () => {
  await server.ask("/api/redaction", "shop", {
    method: "PUT",
    body: JSON.stringify({ mode: "mask" }),
  });
  for (const user of ["bob", "eve"]) {
    expect((await send(exportOf(`${user}@example.com`, [[30, 10], [20, 20]]))).status).toBe(200);
  }
  const rows = await sql(
    "SELECT count(DISTINCT series_id), count(DISTINCT attributes), " +
      "count(*) FILTER (contains(attributes, 'example.com')), min(redactions) " +
      "FROM metrics WHERE redactions IS NOT NULL",
  );
  expect(rows).toEqual([[2, 2, 0, '{"EMAIL_ADDRESS":1}']]);
});

const refusals: [path: string, status: number][] = [
  ["/api/points", 400],
  ["/api/points?name=x&since=yesterday", 400],
  ["/api/points?name=x&interval=never", 400],
  ["/api/points?name=x&model=gpt", 400],
  ["/api/points?name=claude_code.token.usage&since=2001-01-01T00:00:00Z&interval=1s", 400],
  ["/api/points/names?limit=0", 400],
  ["/api/points/names?project_id=bank", 403],
  ["/api/points?name=none", 200],
];
test.each(refusals)("points: %s gives %d", async (path, status) => {
  expect((await get(path)).status).toBe(status);
});
