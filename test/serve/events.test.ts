// GET /api/events and /api/events/{event_id} as a client sees them.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestServer, type TestServer } from "./fixture.ts";

let server: TestServer;
beforeAll(async () => server = await startTestServer());
afterAll(() => server.stop());

interface Page {
  events: Record<string, unknown>[];
  total: number;
  has_more: boolean;
  next_cursor: string | null;
}

async function page(query: string): Promise<Page> {
  const response = await server.ask(`/api/events?${query}`);
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
  return await response.json() as Page;
}

const call = {
  event_id: "call 1/ü",
  event_type: "prompt_call",
  run_id: "views",
  timestamp: "2026-01-31T12:00:00.123456Z",
  model: "gpt-x",
  tags: [],
  tokens_input: 3,
  client: { platform: "linux" },
  prompt: [{ role: "system", content: "Be kind." }, { role: "user", content: "Who is there?" }],
  response: "x".repeat(300),
  attributes: { nested: { deep: [1, null] } },
  error: { message: "cut short", type: "Cut", code: 7 },
};

/** What a failure is grouped by. */
const issue = {
  issue: expect.stringMatching(/^i1_[0-9a-f]{16}$/),
  issue_kind: "provider_error",
  issue_title: "Cut: cut short",
  issue_place: "gpt-x",
};

test("full: all that was sent, and when it was received", async () => {
  await server.send([call]);
  const { events: [found] } = await page("run_id=views");
  const { received_at, ...event } = found!;
  expect(event).toEqual({ ...call, ...issue, project_id: "shop", status: "error" });
  expect(received_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  const one = await server.ask(`/api/events/${encodeURIComponent(call.event_id)}`);
  expect(await one.json()).toEqual(found);
});

test("light: no heavy text, but how it begins, and why it failed", async () => {
  const { events: [found] } = await page("run_id=views&view=light");
  const { received_at: _, ...event } = found!;
  const { prompt: _prompt, response: _response, attributes: _attributes, error: _error, ...sent } =
    call;
  expect(event).toEqual({
    ...sent,
    ...issue,
    project_id: "shop",
    status: "error",
    error_message: "cut short",
    error_type: "Cut",
    error_code: "7",
    input_preview: "Who is there?",
    output_preview: "x".repeat(200),
  });
});

test("pages follow one another by cursor, and the last one says so", async () => {
  const many = Array.from({ length: 5 }, (_, at) => ({
    event_id: `many-${at}`,
    event_type: "span",
    session_id: "many",
    latency_ms: at === 2 ? undefined : at * 10,
  }));
  await server.send(many);
  const query = "session_id=many&sort=latency_ms&order=asc&limit=2";
  const ids: unknown[] = [];
  const pages: [count: number, has_more: boolean][] = [];
  let cursor = "";
  do {
    const { events, total, has_more, next_cursor } = await page(`${query}&cursor=${cursor}`);
    expect(total).toBe(5);
    ids.push(...events.map((event) => event.event_id));
    pages.push([events.length, has_more]);
    cursor = next_cursor ?? "";
  } while (cursor !== "");
  expect(ids).toEqual(["many-0", "many-1", "many-3", "many-4", "many-2"]);
  expect(pages).toEqual([[2, true], [2, true], [1, false]]);
});

test("an event that comes meanwhile does not shift the next page", async () => {
  const at = (hour: number) => `2026-02-01T${hour}:00:00Z`;
  const span = (event_id: string, timestamp: string) => ({
    event_id,
    timestamp,
    event_type: "span",
    session_id: "shift",
  });
  await server.send([span("s1", at(11)), span("s2", at(12)), span("s3", at(13))]);
  const first = await page("session_id=shift&limit=2");
  await server.send([span("s4", at(14))]);
  const second = await page(`session_id=shift&limit=2&cursor=${first.next_cursor}`);
  const ids = [first, second].map(({ events }) => events.map((event) => event.event_id));
  expect(ids).toEqual([["s3", "s2"], ["s1"]]);
});

test("numbers beyond all measure are listed, summed up and drawn", async () => {
  const huge = (event_id: string) => ({
    event_id,
    event_type: "prompt_call",
    run_id: "huge",
    latency_ms: 1e300,
    cost_estimate_usd: 1.7e308,
    tokens_input: Number.MAX_SAFE_INTEGER,
    tokens_output: Number.MAX_SAFE_INTEGER,
  });
  await server.send([huge("h1"), huge("h2")]);
  const paths = ["latency_ms", "cost", "tokens"].flatMap((sort) =>
    ["asc", "desc"].map((order) => `/api/events?run_id=huge&sort=${sort}&order=${order}&limit=1`)
  );
  paths.push("/api/runs?run_id=huge", "/api/runs/huge", "/api/metrics?run_id=huge");
  for (const path of paths) {
    const response = await server.ask(path);
    expect([path, response.status]).toEqual([path, 200]);
    const { next_cursor } = await response.json() as { next_cursor?: string | null };
    if (!next_cursor) continue;
    const next = await server.ask(`${path}&cursor=${next_cursor}`);
    const { events } = await next.json() as Page;
    expect([path, events.length]).toEqual([path, 1]);
  }
});
