// Monitors through the API of a whole server: made, checked, shown as runs, told of; and their keys,
// which nobody sees again.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { completion, type Endpoint, startEndpoint } from "../monitor/endpoint.ts";
import { eventually, type Receiver, startReceiver } from "../notify/receiver.ts";
import { startTestServer, type TestServer } from "./fixture.ts";

type Json = Record<string, unknown>;

let server: TestServer;
let endpoint: Endpoint;
let receiver: Receiver;
let dataDir: string;

beforeAll(async () => {
  server = await startTestServer([
    ["allow-private-webhooks", "true"],
    ["redaction", "mask"],
    ["alert-interval-s", "1"],
  ]);
  const { body } = await ask("/api/status");
  dataDir = String(body.data_dir);
  endpoint = startEndpoint();
  receiver = startReceiver();
});
afterAll(async () => {
  await server.stop();
  await endpoint.stop();
  await receiver.stop();
});
beforeEach(() => {
  endpoint.answer = () => completion("Paris.");
});

async function ask(
  path: string,
  method = "GET",
  body?: unknown,
  project: "shop" | "bank" = "shop",
) {
  const response = await server.ask(path, project, {
    method,
    ...body === undefined ? {} : { body: JSON.stringify(body) },
  });
  return { status: response.status, body: await response.json() as Json };
}

const capital = (more: Json = {}): Json => ({
  name: "Capital",
  type: "openai",
  url: `${endpoint.url}/v1`,
  model: "gpt-4o-mini",
  prompt: "Capital of France?",
  retries: 0,
  assertions: [{ type: "contains", value: "Paris" }, { type: "cost", max_usd: 0.01 }],
  ...more,
});

const checked = (id: unknown) =>
  eventually(async () => {
    const { body } = await ask(`/api/monitors/${id}`);
    return (body.state as Json).last === null ? null : body;
  });

test("a monitor is checked at once, its check is a run, and its key is never shown", async () => {
  const key = "sk-live-very-secret-0001";
  const made = await ask("/api/monitors", "POST", {
    project_id: "shop",
    ...capital({ env: "production", headers: { "X-Team": "a-secret-header" } }),
    api_key: key,
  });
  expect(made).toMatchObject({
    status: 201,
    body: {
      name: "Capital",
      interval_minutes: 5,
      secrets: ["api_key", "headers.x-team"],
      state: { failures: 0 },
      uptime: { "24h": { uptime: null, latency_ms: null, cost_usd: null } },
    },
  });
  const { id } = made.body;
  const body = await checked(id);
  expect(body).toMatchObject({
    state: { status: "ok", running: false, failures: 0, firing: false, last: { outcome: "ok" } },
    uptime: { "24h": { checks: 1, uptime: 1 }, "30d": { ok: 1, erroring: 0 } },
    recent: [{ outcome: "ok" }],
  });
  const last = (body.state as Json).last as Json;
  expect(last.cost_usd).toBeCloseTo(0.000195, 9);
  expect(endpoint.asked[0]!.headers).toMatchObject({
    authorization: `Bearer ${key}`,
    "x-team": "a-secret-header",
  });
  const run = await ask(`/api/runs/${last.id}`);
  expect(run.body.run).toMatchObject({
    run_id: last.id,
    name: "Capital",
    status: "success",
    prompt_call_count: 1,
    env: "production",
  });
  const { body: { events } } = await ask(`/api/events?tag=monitor:${id}&event_type=prompt_call`);
  expect(events).toMatchObject([{
    response: "Paris.",
    tokens_input: 1000,
    cost_estimate_usd: last.cost_usd,
  }]);
  const results = await ask(`/api/monitors/${id}/results`);
  expect(results.body).toMatchObject({ results: [{ id: last.id }], next_cursor: null });
  for (
    const path of [`/api/monitors`, `/api/monitors/${id}`, `/api/events?view=full`, `/api/status`]
  ) {
    expect(JSON.stringify((await ask(path)).body)).not.toMatch(/very-secret|a-secret-header/);
  }
  const database = new Database(`${dataDir}/state.db`, { readonly: true });
  const rows = JSON.stringify([
    database.query("SELECT * FROM monitors").all(),
    database.query("SELECT * FROM monitor_checks").all(),
  ]);
  database.close();
  expect(rows).not.toMatch(/very-secret|a-secret-header/);
});

test("what fails is told, shown, and ends; an alert of a monitor is resolved by hand", async () => {
  const channel = await ask("/api/channels", "POST", {
    type: "webhook",
    name: "Receiver",
    url: receiver.url,
  });
  endpoint.answer = () => completion("Write to ann@example.com.");
  const made = await ask(
    "/api/monitors",
    "POST",
    capital({ name: "Told", failures_to_alert: 1, channels: [channel.body.id] }),
  );
  const { id } = made.body;
  const told = await receiver.until(({ json }) => json.kind === "firing");
  expect(told.json).toMatchObject({
    title: "Critical: Told",
    text: 'The last check of "Told" failed. Not so: contains "Paris".',
    rule: { id, name: "Told" },
  });
  expect((await ask(`/api/monitors/${id}`)).body).toMatchObject({
    state: { status: "failing", failures: 1, firing: true },
    uptime: { "24h": { uptime: 0 } },
  });
  // The answer was masked before it was stored, wherever it is.
  const { body: { events } } = await ask(`/api/events?tag=monitor:${id}&view=full`);
  const broken = (events as Json[]).find(({ event_type }) => event_type === "assertion_failed");
  expect(broken).toMatchObject({
    assertion_name: 'contains "Paris"',
    actual: "Write to [EMAIL_ADDRESS].",
  });
  expect(JSON.stringify(events)).not.toContain("ann@example.com");
  expect(JSON.stringify((await ask(`/api/monitors/${id}`)).body)).not.toContain("ann@example");

  expect((await ask(`/api/channels/${channel.body.id}`, "DELETE")).status).toBe(409);
  const { body: { alerts } } = await ask(`/api/alerts?rule_id=${id}&status=firing`);
  const [alert] = alerts as Json[];
  expect(alert).toMatchObject({ rule_name: "Told", level: "critical", value: 1, threshold: 1 });
  expect((await ask(`/api/alerts/${alert!.id}/resolve`, "POST")).body).toMatchObject({
    status: "resolved",
    resolved_reason: "resolved_by_hand",
  });
  await receiver.until(({ json }) => json.kind === "resolved");
  endpoint.answer = () => completion("Paris.");
  expect((await ask(`/api/monitors/${id}/run`, "POST")).body).toMatchObject({
    outcome: "ok",
    by: "hand",
  });
  const event = await eventually(async () => {
    const { body } = await ask("/api/events?event_type=performance_alert");
    return (body.events as Json[])[0];
  });
  expect(event).toMatchObject({ name: "Told", event_id: alert!.id });
  expect((await ask(`/api/monitors/${id}`, "DELETE")).body).toEqual({ id });
  expect((await ask(`/api/channels/${channel.body.id}`, "DELETE")).status).toBe(200);
});

test("a rule watches what monitors find, as it does the events of any program", async () => {
  endpoint.answer = () => new Response("no", { status: 500 });
  const made = await ask("/api/monitors", "POST", capital({ name: "Watched" }));
  const { id } = made.body;
  const rule = await ask("/api/rules", "POST", {
    name: "Failures of the monitor",
    metric: "errors",
    filter: { tag: `monitor:${id}` },
    operator: ">=",
    critical: 1,
  });
  expect(rule.status).toBe(201);
  const alert = await eventually(async () => {
    const { body } = await ask(`/api/alerts?rule_id=${rule.body.id}`);
    return (body.alerts as Json[])[0];
  });
  // One check that failed is one error.
  expect(alert).toMatchObject({ status: "firing", value: 1 });
  await ask(`/api/rules/${rule.body.id}`, "DELETE");
  await ask(`/api/monitors/${id}`, "DELETE");
});

describe("a monitor is changed", () => {
  let id: string;
  beforeAll(async () => {
    const made = await ask("/api/monitors", "POST", {
      ...capital({ name: "Changed", enabled: false, headers: { "x-a": "1", "x-b": "2" } }),
      api_key: "sk-1-abcdefgh",
    });
    id = String(made.body.id);
  });
  const change = (fields: Json) => ask(`/api/monitors/${id}`, "PATCH", fields);

  test("in part, and secrets that are not named stay", async () => {
    expect(await change({ description: "Words", headers: { "X-B": null, "x-c": "3" } }))
      .toMatchObject({
        status: 200,
        body: {
          description: "Words",
          secrets: ["api_key", "headers.x-a", "headers.x-c"],
          state: { status: "paused", next_at: null },
        },
      });
    const cleared = await change({ description: null });
    expect(cleared.body).not.toHaveProperty("description");
    endpoint.asked.length = 0;
    await ask(`/api/monitors/${id}/run`, "POST");
    const { headers } = endpoint.asked[0]!;
    expect([headers.authorization, headers["x-a"], headers["x-b"], headers["x-c"]])
      .toEqual(["Bearer sk-1-abcdefgh", "1", undefined, "3"]);
  });

  test("but no kept key goes to another server", async () => {
    const elsewhere = { url: "http://127.0.0.1:9/v1" };
    expect(await change(elsewhere)).toMatchObject({ status: 400, body: { field: "api_key" } });
    expect(await change({ ...elsewhere, api_key: "sk-2" }))
      .toMatchObject({ status: 400, body: { field: "headers" } });
    const tried = await ask("/api/monitors/try", "POST", { ...capital(), ...elsewhere, id });
    expect(tried).toMatchObject({ status: 400, body: { field: "api_key" } });
    expect((await change({ ...elsewhere, api_key: null, headers: null })).body)
      .toMatchObject({ ...elsewhere, secrets: [] });
  });

  test("as a whole", async () => {
    const put = await ask(`/api/monitors/${id}`, "PUT", {
      name: "Health",
      type: "http",
      url: `${endpoint.url}/health`,
      assertions: [{ type: "status", values: [200] }],
      api_key: "k",
    });
    expect(put.body).toMatchObject({ name: "Health", type: "http", enabled: true });
    expect(put.body).not.toHaveProperty("prompt");
    expect((await ask(`/api/monitors/${id}`, "PUT", { ...capital(), project_id: "bank" })).status)
      .toBe(400);
  });
});

test("it is tried before it is kept: the answer, and what holds; nothing is stored", async () => {
  const tried = await ask("/api/monitors/try", "POST", {
    ...capital(),
    name: undefined,
    api_key: "sk-tried",
    assertions: [
      { type: "contains", value: "Paris" },
      { type: "contains", value: "Lyon" },
      { type: "finish_reason", values: ["stop"] },
    ],
  }, "bank");
  expect(tried).toMatchObject({
    status: 200,
    body: {
      outcome: "failing",
      problem: "assertion_failed",
      status: 200,
      answer: "Paris.",
      answer_truncated: false,
      tokens_input: 1000,
      assertions: [
        { holds: true, actual: null },
        { text: 'contains "Lyon"', holds: false, actual: "Paris." },
        { holds: true },
      ],
    },
  });
  expect((await ask("/api/events?tag=monitor", "GET", undefined, "bank")).body.total).toBe(0);
  expect((await ask("/api/monitors/try", "POST", capital({ url: "http://127.0.0.1:9" }))).body)
    .toMatchObject({ outcome: "erroring", problem: "unreachable", answer: null, cost_usd: null });
});

test.each<[string, Json]>([
  ["interval_minutes", { interval_minutes: 0 }],
  ["name", { name: "" }],
  ["model", { model: undefined }],
  ["channels", { channels: ["ch_none"] }],
  ["headers", { headers: { host: "a" } }],
  ["headers.x-a", { headers: { "x-a": "b\r\nx-c: d" } }],
  ["assertions.0.pattern", { assertions: [{ type: "regex", pattern: "(" }] }],
  ["url", { url: "file:///etc/passwd" }],
])("%s is refused", async (field, fields) => {
  const answer = await ask("/api/monitors", "POST", capital(fields));
  expect(answer).toMatchObject({ status: 400, body: { field } });
});

test("results come by page, newest first", async () => {
  const made = await ask("/api/monitors", "POST", capital({ name: "Paged", enabled: false }));
  const { id } = made.body;
  const ids: unknown[] = [];
  for (let at = 0; at < 3; at++) {
    ids.unshift((await ask(`/api/monitors/${id}/run`, "POST")).body.id);
  }
  const first = await ask(`/api/monitors/${id}/results?limit=2`);
  const next = await ask(`/api/monitors/${id}/results?limit=2&cursor=${first.body.next_cursor}`);
  expect([...first.body.results as Json[], ...next.body.results as Json[]].map(({ id }) => id))
    .toEqual(ids);
  expect(next.body.next_cursor).toBeNull();
  expect((await ask(`/api/monitors/${id}/results?limit=0`)).status).toBe(400);
});

test("a key of another project knows none of them; a key to read changes none", async () => {
  const made = await ask("/api/monitors", "POST", capital({ name: "Private", enabled: false }));
  const { id } = made.body;
  expect((await ask("/api/monitors", "GET", undefined, "bank")).body.monitors).toEqual([]);
  for (
    const [method, path, body] of [
      ["GET", "", undefined],
      ["GET", "/results", undefined],
      ["PUT", "", capital()],
      ["PATCH", "", {}],
      ["DELETE", "", undefined],
      ["POST", "/run", undefined],
    ] as const
  ) {
    expect((await ask(`/api/monitors/${id}${path}`, method, body, "bank")).status).toBe(404);
  }
  expect((await ask("/api/monitors/try", "POST", { ...capital(), id }, "bank")).status).toBe(404);
  const key = await ask("/api/keys", "POST", { scopes: ["read"] });
  const reader = { authorization: `Bearer ${key.body.key}` };
  const status = async (method: string, path: string, body?: unknown) =>
    (await server.ask(path, null, {
      method,
      headers: reader,
      ...body === undefined ? {} : { body: JSON.stringify(body) },
    })).status;
  expect(await status("GET", `/api/monitors/${id}`)).toBe(200);
  expect(await status("PATCH", `/api/monitors/${id}`, {})).toBe(403);
  expect(await status("POST", `/api/monitors/${id}/run`)).toBe(403);
  expect(await status("POST", "/api/monitors", capital())).toBe(403);
  expect(await status("POST", "/api/monitors/try", capital())).toBe(403);
});

test("addresses inside are refused where the setting says so", async () => {
  const closed = await startTestServer();
  const response = await closed.ask("/api/monitors/try", "shop", {
    method: "POST",
    body: JSON.stringify(capital()),
  });
  expect(await response.json()).toMatchObject({ outcome: "erroring", problem: "address_refused" });
  await closed.stop();
});
