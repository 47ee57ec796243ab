import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestServer, type TestServer } from "./fixture.ts";

let server: TestServer;
beforeAll(async () => void (server = await startTestServer()));
afterAll(() => server.stop());

type Job = Record<string, unknown> & { id: string; state: string };

const post = (body: unknown, project: "shop" | "bank" | null = "shop") =>
  server.ask("/api/rewrite", project, { method: "POST", body: JSON.stringify(body) });

async function ended(id: string, project: "shop" | null = "shop"): Promise<Job> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const job = await (await server.ask(`/api/rewrite/${id}`, project)).json() as Job;
    if (job.state !== "running") return job;
    if (performance.now() > deadline) throw new Error("The job does not end");
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function rewritten(order: Record<string, unknown>): Promise<Job> {
  const response = await post(order);
  expect(response.status).toBe(202);
  return await ended((await response.json() as Job).id);
}

const call = {
  event_type: "prompt_call",
  provider: "acme",
  model: "acme-1",
  tokens_input: 1_000_000,
  tokens_output: 0,
};

const setPrice = async (usd: number) => {
  const prices = [{ match: "acme-1", per_million: { input: usd, output: usd } }];
  const response = await server.ask("/api/prices/custom", "shop", {
    method: "PUT",
    body: JSON.stringify({ prices }),
  });
  expect([response.status, response.status === 200 ? "" : await response.text()]).toEqual([
    200,
    "",
  ]);
};

const costs = async () => {
  const response = await server.ask("/api/sql", "shop", {
    method: "POST",
    body: JSON.stringify({
      sql: "SELECT event_id, cost_estimate_usd, cost_original_usd FROM events " +
        "WHERE model = 'acme-1' ORDER BY event_id",
    }),
  });
  return (await response.json() as { rows: unknown[][] }).rows;
};

test("reprice: history costs what the prices of today say; the first estimate stays", async () => {
  await server.send([{ ...call, event_id: "early" }]);
  await setPrice(2);
  await server.send([
    { ...call, event_id: "late" },
    { ...call, event_id: "sent", cost_estimate_usd: 7 },
    { ...call, event_id: "old", timestamp: "2026-01-31T00:00:00Z" },
  ]);
  await setPrice(5);
  const before = await costs();
  expect(before).toEqual([
    ["early", null, null],
    ["late", 2, null],
    ["old", 2, null],
    ["sent", 7, null],
  ]);
  const range = { kind: "reprice", since: "-1h" };
  expect(await rewritten({ ...range, dry_run: true })).toMatchObject({
    state: "done",
    dry_run: true,
    changed: 2,
    files_written: 0,
    project_ids: ["shop"],
  });
  expect(await costs()).toEqual(before);
  expect(await rewritten(range)).toMatchObject({
    state: "done",
    looked_at: 3,
    changed: 2,
    fields: { cost_estimate_usd: 2, cost_details: 2, cost_original_usd: 1 },
    refused: 0,
  });
  const after = [["early", 5, null], ["late", 5, 2], ["old", 2, null], ["sent", 7, null]];
  expect(await costs()).toEqual(after);
  await setPrice(6);
  await rewritten(range);
  expect(await costs()).toEqual([
    ["early", 6, 5],
    ["late", 6, 2],
    ["old", 2, null],
    ["sent", 7, null],
  ]);
  expect(await rewritten(range)).toMatchObject({ changed: 0, files_written: 0 });
});

const attribute = (key: string, value: Record<string, unknown>) => ({ key, value });
const nanos = (ms: number) => String(BigInt(ms) * 1_000_000n);

test("remap: what OpenTelemetry sent is mapped as it was, and says so", async () => {
  const now = Date.now();
  const response = await server.ask("/v1/traces", "shop", {
    method: "POST",
    body: JSON.stringify({
      resourceSpans: [{
        resource: { attributes: [attribute("service.name", { stringValue: "agent" })] },
        scopeSpans: [{
          scope: { name: "s" },
          spans: ["a", "b"].map((digit) => ({
            traceId: digit.repeat(32),
            spanId: digit.repeat(16),
            name: "chat gpt-4o",
            kind: 3,
            startTimeUnixNano: nanos(now - 1000),
            endTimeUnixNano: nanos(now),
            attributes: [
              attribute("gen_ai.operation.name", { stringValue: "chat" }),
              attribute("gen_ai.provider.name", { stringValue: "openai" }),
              attribute("gen_ai.request.model", { stringValue: "gpt-4o" }),
              attribute("gen_ai.response.model", { stringValue: "gpt-4o-2024-08-06" }),
              attribute("gen_ai.usage.input_tokens", { intValue: "12" }),
              attribute("gen_ai.usage.output_tokens", { intValue: "5" }),
              attribute("gen_ai.input.messages", {
                stringValue: '[{"role":"user","parts":[{"type":"text","content":"Hi"}]}]',
              }),
              attribute("mine.own", { doubleValue: 0.5 }),
            ],
          })),
        }],
      }],
    }),
  });
  expect(response.status).toBe(200);
  const events = async () => {
    const response = await server.ask("/api/events?service=agent&order=asc&sort=timestamp");
    return (await response.json() as { events: unknown[] }).events;
  };
  const before = await events();
  expect(before.length).toBe(2);
  expect(await rewritten({ kind: "remap" })).toMatchObject({
    state: "done",
    looked_at: 6,
    fields: {},
    changed: 0,
    refused: 0,
    files_written: 0,
  });
  expect(await events()).toEqual(before);
});

const refusals: [what: string, body: unknown, project: "shop" | "bank" | null, status: number][] = [
  ["another project", { kind: "remap", project_id: "bank" }, "shop", 403],
  ["no such kind", { kind: "erase" }, "shop", 400],
  ["no time", { kind: "remap", since: "yesterday" }, "shop", 400],
  ["no project of that name", { kind: "remap", project_id: "none" }, null, 403],
];
test.each(refusals)("rewrite: %s is refused", async (_, body, project, status) => {
  expect((await post(body, project)).status).toBe(status);
});

test("rewrite: a job is its admin's; the local user's is of all projects", async () => {
  const all = await (await post({ kind: "remap", dry_run: true }, null)).json() as Job;
  expect(all.project_ids).toEqual(["shop", "bank"]);
  expect((await ended(all.id, null)).state).toBe("done");
  expect((await server.ask(`/api/rewrite/${all.id}`, "shop")).status).toBe(404);
  const own = await (await post({ kind: "remap" })).json() as Job;
  expect((await server.ask(`/api/rewrite/${own.id}`, "bank")).status).toBe(404);
  await ended(own.id);
  const stopped = await server.ask(`/api/rewrite/${own.id}`, "shop", { method: "DELETE" });
  expect(await stopped.json()).toMatchObject({ state: "done" });
  const key = await server.ask("/api/keys", "shop", {
    method: "POST",
    body: JSON.stringify({ scopes: ["read", "ingest"] }),
  });
  const { key: secret } = await key.json() as { key: string };
  const refused = await fetch(`${server.url}/api/rewrite`, {
    method: "POST",
    headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
    body: JSON.stringify({ kind: "remap" }),
  });
  expect(refused.status).toBe(403);
});
