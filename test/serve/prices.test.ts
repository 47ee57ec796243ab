// /api/prices, and events that are priced on their way in, by a whole server.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Project, startTestServer, type TestServer } from "./fixture.ts";

/** What the answers of these routes have, each some of it. */
interface Answer {
  custom: unknown[];
  prices: { price: string }[];
  total: number;
  next_cursor: string | null;
  models: Record<string, unknown>[];
  summary: { cost_usd: number | null; unpriced: number };
  cost_usd: number | null;
  cost_details: { tier: unknown } | null;
  reason: string | null;
  field: string;
  parameter: string;
}

/** As it is read back. */
interface Stored {
  cost_estimate_usd?: number | null;
  cost_reported_usd?: number | null;
  cost_details?: Record<string, unknown> | null;
}

let server: TestServer;
let made = 0;

beforeAll(async () => server = await startTestServer());
afterAll(() => server.stop());

async function get(path: string, project: Project = "shop") {
  const response = await server.ask(path, project);
  return { status: response.status, body: await response.json() as Answer };
}

async function put(prices: unknown, project: Project = "shop") {
  const response = await server.ask("/api/prices/custom", project, {
    method: "PUT",
    body: JSON.stringify({ prices }),
  });
  return { status: response.status, body: await response.json() as Answer };
}

/** Sends a model call and reads it back. */
async function stored(
  fields: Record<string, unknown>,
  project: Project = "shop",
): Promise<Stored> {
  const event_id = `priced-${++made}`;
  await server.send([{ event_type: "prompt_call", event_id, ...fields }], project);
  return await (await server.ask(`/api/events/${event_id}`, project)).json() as Stored;
}

describe("an event that is sent", () => {
  test("is priced by its own time, and says how", async () => {
    const tokens = { tokens_input: 1_000_000, tokens_output: 0 };
    const before = await stored({ model: "o3", timestamp: "2025-06-09T12:00:00Z", ...tokens });
    const after = await stored({ model: "o3", timestamp: "2025-06-10T12:00:00Z", ...tokens });
    expect([before.cost_estimate_usd, after.cost_estimate_usd]).toEqual([10, 2]);
    expect(after.cost_details).toMatchObject({
      price: "openai/o3",
      valid_from: "2025-06-10",
      parts: { input: 2 },
    });
  });

  test("keeps what its producer says", async () => {
    const told = { cost_estimate_usd: 7, cost_reported_usd: 8, cost_details: { price: "forged" } };
    const event = await stored({ model: "gpt-4o", tokens_input: 10, tokens_output: 1, ...told });
    expect([event.cost_estimate_usd, event.cost_reported_usd]).toEqual([7, 8]);
    expect(event.cost_details ?? null).toBeNull();
  });

  test("stays without a cost when nobody knows it", async () => {
    for (const fields of [{ model: "gpt-4o" }, { model: "mystery", tokens_input: 5 }]) {
      const event = await stored(fields);
      expect([event.cost_estimate_usd ?? null, event.cost_details ?? null]).toEqual([null, null]);
    }
  });
});

test("models without a price are listed, and cost is counted beside them", async () => {
  const tokens = { tokens_input: 10, tokens_output: 2 };
  await server.send([
    { event_type: "prompt_call", model: "novel", provider: "acme", ...tokens, user_id: "u" },
    { event_type: "prompt_call", model: "novel", provider: "acme", ...tokens, user_id: "u" },
    { event_type: "prompt_call", model_requested: "asked-for", tokens_output: 3, user_id: "u" },
    { event_type: "prompt_call", model: "told", ...tokens, cost_reported_usd: 0.5, user_id: "u" },
    { event_type: "prompt_call", model: "gpt-4o", tokens_input: 200_000, user_id: "u" },
    { event_type: "prompt_call", model: "uncounted", user_id: "u" },
    { event_type: "agent_step", model: "not-a-call", user_id: "u" },
  ]);
  const { body } = await get("/api/prices/unpriced?user_id=u&since=-1h");
  const rows = body.models.map((row) => {
    expect(Date.parse(String(row.first_seen))).toBeLessThanOrEqual(
      Date.parse(String(row.last_seen)),
    );
    const { first_seen: _first, last_seen: _last, ...rest } = row;
    return rest;
  });
  expect(rows).toEqual([
    { model: "novel", provider: "acme", calls: 2, tokens_input: 20, tokens_output: 4 },
    { model: "asked-for", provider: null, calls: 1, tokens_input: null, tokens_output: 3 },
  ]);
  const { summary } = (await get("/api/metrics?user_id=u")).body;
  expect([summary.cost_usd, summary.unpriced]).toEqual([1, 3]);
});

describe("prices of a project", () => {
  const mine = { match: "my-*", per_million: { input: 3, output: 6 } };

  test("count at once, for that project alone", async () => {
    expect<unknown>(await put([mine])).toEqual({ status: 200, body: { custom: [mine] } });
    const tokens = { model: "my-model", tokens_input: 1_000_000, tokens_output: 0 };
    expect((await stored(tokens)).cost_estimate_usd).toBe(3);
    expect((await stored(tokens, "bank")).cost_estimate_usd ?? null).toBeNull();
    const { body } = await get("/api/prices?q=my-");
    expect([body.custom, body.prices[0]!.price]).toEqual([[mine], "custom/my-*"]);
    expect((await get("/api/prices?q=my-", "bank")).body.custom).toEqual([]);
  });

  test("are taken away by an empty list", async () => {
    await put([mine]);
    await put([]);
    expect((await get("/api/prices?q=my-")).body.custom).toEqual([]);
  });

  test("that are none are refused by name, and the old ones stay", async () => {
    await put([mine]);
    const { status, body } = await put([mine, { match: "x", per_million: { input: -1 } }]);
    expect([status, body.field]).toEqual([400, "prices.1.per_million.input"]);
    expect((await get("/api/prices")).body.custom).toEqual([mine]);
    await put([]);
  });

  test("need an admin's key", async () => {
    const created = await server.ask("/api/keys", "shop", {
      method: "POST",
      body: JSON.stringify({ scopes: ["read"] }),
    });
    const { key } = await created.json() as { key: string };
    const headers = { authorization: `Bearer ${key}` };
    const asked = await server.ask("/api/prices", null, { headers });
    const set = await server.ask("/api/prices/custom", null, {
      method: "PUT",
      headers,
      body: JSON.stringify({ prices: [] }),
    });
    expect([asked.status, set.status]).toEqual([200, 403]);
  });
});

test("the list is read page by page, every card once", async () => {
  const seen: string[] = [];
  let cursor: string | null = "";
  let total = 0;
  while (cursor !== null) {
    const { body }: { body: Answer } = await get(`/api/prices?limit=500&cursor=${cursor}`);
    seen.push(...body.prices.map(({ price }) => price));
    ({ next_cursor: cursor, total } = body);
  }
  expect(seen.length).toBe(total);
  expect(total).toBeGreaterThan(3000);
  expect(seen.length - new Set(seen).size).toBeLessThan(total / 100);
});

describe("a quotation", () => {
  test("is what an event costs", async () => {
    const { body } = await get(
      "/api/prices/quote?model=claude-opus-4-6&at=2026-03-12T00:00:00Z" +
        "&tokens_input=300000&tokens_output=1000",
    );
    expect(body.cost_usd).toBeCloseTo(3.0375, 12);
    expect(body.cost_details!.tier).toEqual({ service: "standard", context_above: 200_000 });
    expect(body.reason).toBeNull();
  });

  test.each([
    ["model=mystery&tokens_input=1", "unknown_model"],
    ["model=gpt-4o", "no_tokens"],
    ["model=text-embedding-3-small&tokens_output=1", "unpriced_unit"],
  ])("%s has none: %s", async (query, reason) => {
    const { body } = await get(`/api/prices/quote?${query}`);
    expect([body.cost_usd, body.reason]).toEqual([null, reason]);
  });

  test.each([
    ["model=gpt-4o&tokens_input=-1", "tokens_input"],
    ["model=gpt-4o&tokens_inputs=1", "tokens_inputs"],
    ["model=gpt-4o&at=yesterday", "at"],
    ["tokens_input=1", "model"],
  ])("%s is refused for %s", async (query, parameter) => {
    const { status, body } = await get(`/api/prices/quote?${query}`);
    expect([status, body.parameter]).toEqual([400, parameter]);
  });
});
