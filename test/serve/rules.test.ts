// A rule from its creation to the notification, through the API of a whole server.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eventually, type Receiver, startReceiver } from "../notify/receiver.ts";
import { startTestServer, type TestServer } from "./fixture.ts";

type Json = Record<string, unknown>;

const secret = "a-secret-of-the-webhook";
let server: TestServer;
let receiver: Receiver;
let channel: string;

beforeAll(async () => {
  server = await startTestServer([
    ["alert-interval-s", "1"],
    ["allow-private-webhooks", "true"],
  ]);
  receiver = startReceiver({ secret });
  const made = await ask("/api/channels", "POST", {
    type: "webhook",
    name: "Receiver",
    url: receiver.url,
    secret,
  });
  channel = String(made.body.id);
});
afterAll(async () => {
  await server.stop();
  await receiver.stop();
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

const calls = (count: number, status: string, env = "production") =>
  Array.from({ length: count }, () => ({
    event_type: "prompt_call",
    status,
    env,
    timestamp: new Date().toISOString(),
  }));

const smallest = () => ({
  project_id: "shop",
  name: "Errors in production",
  metric: "error_rate",
  filter: { env: "production" },
  window_minutes: 5,
  operator: ">",
  critical: 0.05,
  channels: [channel],
});

test("the smallest rule fires, is told once, signed, is an event, and resolves", async () => {
  const made = await ask("/api/rules", "POST", smallest());
  const id = made.body.id as string;
  expect(made).toMatchObject({
    status: 201,
    body: { enabled: true, state: { status: "unknown" } },
  });
  await server.send([...calls(9, "success"), ...calls(1, "error")]);
  const told = await receiver.until(({ json }) => json.kind === "firing");
  expect(told.signed).toBe(true);
  expect(told.json).toMatchObject({
    status: "firing",
    level: "critical",
    title: "Critical: Errors in production",
    text: "Error rate for env production is 10 % over 5 minutes; the critical threshold is 5 %.",
    rule: { id, name: "Errors in production" },
    alerts: [{ value: 0.1, threshold: 0.05, labels: {} }],
  });
  const { body: { alerts } } = await ask("/api/alerts?status=firing");
  const [alert] = alerts as Json[];
  expect(alert).toMatchObject({ rule_id: id, status: "firing", value: 0.1, notifications: 1 });
  const atLevel = async (level: string) =>
    ((await ask(`/api/alerts?status=firing&level=${level}`)).body.alerts as Json[]).length;
  expect([await atLevel("critical"), await atLevel("warning")]).toEqual([1, 0]);

  const event = await eventually(async () => {
    const { body } = await ask("/api/events?event_type=performance_alert");
    return (body.events as Json[])[0];
  });
  expect(event).toMatchObject({ event_id: alert!.id, alert_type: "error_rate_spike" });

  await server.send(calls(300, "success"));
  const resolved = await receiver.until(({ json }) => json.kind === "resolved");
  expect(resolved.json).toMatchObject({
    alerts: [{ id: alert!.id, resolved_reason: "recovered" }],
  });
  expect(receiver.received.map(({ json }) => json.kind)).toEqual(["firing", "resolved"]);

  const log = await eventually(async () => {
    const { body } = await ask(`/api/deliveries?channel_id=${channel}`);
    const all = body.deliveries as Json[];
    return all.length === 2 && all.every(({ status }) => status === "delivered") ? all : null;
  });
  expect(log[1]).toMatchObject({ attempts: 1, last_status: 200, kind: "firing" });
  expect(await ask(`/api/rules/${id}`, "DELETE")).toMatchObject({ status: 200, body: { id } });
  expect((await ask(`/api/rules/${id}`)).status).toBe(404);
  expect((await ask(`/api/alerts/${alert!.id}`)).status).toBe(200);
});

test("a rule is listed, read, changed and replaced", async () => {
  const { body: { id } } = await ask("/api/rules", "POST", { ...smallest(), name: "One" });
  expect((await ask("/api/rules")).body.rules).toMatchObject([{ id, name: "One" }]);
  expect((await ask("/api/rules", "GET", undefined, "bank")).body.rules).toEqual([]);
  const changed = await ask(`/api/rules/${id}`, "PATCH", { critical: 0.2, filter: null });
  expect(changed).toMatchObject({ status: 200, body: { critical: 0.2, name: "One" } });
  expect(changed.body).not.toHaveProperty("filter");
  const put = await ask(`/api/rules/${id}`, "PUT", { ...smallest(), enabled: false });
  expect(put.body).toMatchObject({ enabled: false, critical: 0.05, state: { status: "disabled" } });
  for (const method of ["GET", "PUT", "PATCH", "DELETE"]) {
    const body = method === "PUT" ? smallest() : method === "PATCH" ? {} : undefined;
    expect((await ask(`/api/rules/${id}`, method, body, "bank")).status).toBe(404);
  }
  await ask(`/api/rules/${id}`, "DELETE");
});

describe("a rule that is not valid is refused, and told why", () => {
  const cases: [change: Json, word: string][] = [
    [{ name: "" }, "name"],
    [{ metric: "errors_rate" }, "metric"],
    [{ metric: undefined }, "metric"],
    [{ sql: "SELECT 1" }, "metric"],
    [{ critical: undefined }, "critical"],
    [{ critical: "0.05" }, "critical"],
    [{ warning: 0.1 }, "warning"],
    [{ recovery: 0.1 }, "recovery"],
    [{ operator: "==" }, "operator"],
    [{ window_minutes: 0 }, "window_minutes"],
    [{ filter: { environment: "x" } }, "environment"],
    [{ filter: { status: "bad" } }, "filter.status"],
    [{ filter: { env: [] } }, "filter.env"],
    [{ group_by: "prompt" }, "group_by"],
    [{ channels: ["ch_none"] }, "ch_none"],
    [{ mute: [{ from: "25:00", until: "08:00" }] }, "mute.0.from"],
    [{ mute: [{ from: "22:00", until: "08:00", timezone: "Mars" }] }, "mute.0.timezone"],
    [{ threshold: 1 }, "threshold"],
    [{ runbook: { url: "javascript:alert(1)" } }, "runbook.url"],
  ];
  test.each(cases)("%j: %s", async (change, word) => {
    const { status, body } = await ask("/api/rules", "POST", { ...smallest(), ...change });
    expect(status).toBe(400);
    expect(String(body.detail)).toContain(word);
  });
});

describe("a rule in SQL that cannot be answered is refused, and told why", () => {
  const cases: [sql: string, word: string][] = [
    ["SELEC 1", "SELEC"],
    ["SELECT * FROM evnts", "evnts"],
    ["DELETE FROM events", "SELECT"],
    ["SELECT * FROM read_text('/etc/passwd')", "read_text"],
    ["SELECT 1; SELECT 2", "statement"],
    ["SELECT model AS value FROM events", "must be a number"],
    ["SELECT 1 AS a, 2 AS b", "`value`"],
  ];
  test.each(cases)("%s: %s", async (sql, word) => {
    const { name } = smallest();
    const { status, body } = await ask("/api/rules", "POST", { name, sql, critical: 1 });
    expect([status, String(body.detail)]).toEqual([400, expect.stringContaining(word)]);
  });

  test("nor does a change make it so", async () => {
    const sql = "SELECT count(*) AS value FROM events WHERE timestamp >= $since";
    const { body: { id }, status } = await ask("/api/rules", "POST", {
      name: "Counted",
      sql,
      critical: 1e9,
    });
    expect(status).toBe(201);
    expect((await ask(`/api/rules/${id}`, "PATCH", { sql: "SELECT" })).status).toBe(400);
    expect((await ask(`/api/rules/${id}`, "PATCH", { name: "More" })).status).toBe(200);
    expect((await ask(`/api/rules/${id}`)).body).toMatchObject({ sql, name: "More" });
    await ask(`/api/rules/${id}`, "DELETE");
  });
});

test("a secret is never shown again, and is not on disk in the clear", async () => {
  const answers = await Promise.all([
    ask("/api/channels"),
    ask(`/api/channels/${channel}`),
    ask(`/api/channels/${channel}`, "PATCH", { name: "Receiver" }),
  ]);
  for (const { status, body } of answers) {
    expect(status).toBe(200);
    expect(JSON.stringify(body)).not.toContain(secret);
  }
  expect(answers[1]!.body).toMatchObject({ type: "webhook", secrets: ["secret"] });
});

test("a channel is tested, and in use is not deleted", async () => {
  const tried = await ask(`/api/channels/${channel}/test`, "POST");
  expect(tried).toMatchObject({ status: 200, body: { delivered: true, status: 200 } });
  const told = await receiver.until(({ json }) => json.kind === "test");
  expect(told.signed).toBe(true);
  const rule = await ask("/api/rules", "POST", smallest());
  expect((await ask(`/api/channels/${channel}`, "DELETE")).status).toBe(409);
  await ask(`/api/rules/${rule.body.id}`, "DELETE");
});

test.each([
  [{ type: "pigeon" }, "type"],
  [{ url: "ftp://example.com" }, "url"],
  [{ url: undefined }, "url"],
  [{ secret: "short" }, "secret"],
  [{ colour: "red" }, "colour"],
])("a channel with %j is refused with a word about %s", async (change, word) => {
  const { status, body } = await ask("/api/channels", "POST", {
    type: "webhook",
    name: "x",
    url: "https://example.com/",
    ...change,
  });
  expect(status).toBe(400);
  expect(String(body.detail)).toContain(word);
});

test("a channel tells in words of its own", async () => {
  const message = { title: "{{project}}: {{title}}" };
  await ask(`/api/channels/${channel}`, "PATCH", { message });
  await ask(`/api/channels/${channel}/test`, "POST");
  await receiver.until(({ json }) => json.title === "shop: Test: WatchLLM reaches this channel");
  const bad = await ask(`/api/channels/${channel}`, "PATCH", { message: { title: "{{secret}}" } });
  expect([bad.status, String(bad.body.detail)]).toEqual([
    400,
    expect.stringContaining("message.title: places are {{title}}"),
  ]);
  const plain = await ask(`/api/channels/${channel}`, "PATCH", { message: null });
  expect(plain.body).not.toHaveProperty("message");
});

test("only an admin changes them", async () => {
  const key = await ask("/api/keys", "POST", { scopes: ["read"] });
  for (const path of ["/api/rules", "/api/channels"]) {
    const response = await server.ask(path, null, {
      method: "POST",
      headers: { authorization: `Bearer ${key.body.key}` },
      body: JSON.stringify(
        path === "/api/rules" ? smallest() : { type: "webhook", name: "x", url: receiver.url },
      ),
    });
    expect(response.status).toBe(403);
  }
});

test("the actions of a runbook: told once more, muted, resolved", async () => {
  const rule = await ask("/api/rules", "POST", {
    name: "Refunds fail",
    metric: "errors",
    filter: { env: "refunds" },
    critical: 0,
    channels: [channel],
    runbook: {
      steps: ["Call the bank."],
      actions: [
        { type: "page", channel },
        { type: "mute", minutes: 30 },
        { type: "resolve" },
      ],
    },
  });
  await server.send(calls(1, "error", "refunds"));
  const told = await receiver.until(({ json }) => json.title === "Critical: Refunds fail");
  expect(told.json).toMatchObject({ rule: { runbook: { steps: ["Call the bank."] } } });
  const [{ id }] = told.json.alerts as [{ id: string }];
  const act = (index: number) => ask(`/api/alerts/${id}/actions/${index}`, "POST");
  expect(await act(0)).toMatchObject({ status: 200, body: { done: "told" } });
  await receiver.until(({ json }) => json.kind === "page");
  expect(await act(1)).toMatchObject({ status: 200, body: { done: "muted" } });
  const muted = await ask(`/api/rules/${rule.body.id}`);
  expect(muted.body).toMatchObject({ state: { muted: true, status: "firing" } });
  expect(await act(2)).toMatchObject({ status: 200, body: { done: "resolved" } });
  expect(await act(2)).toMatchObject({ status: 409 });
  expect(await act(3)).toMatchObject({ status: 404 });
  expect((await ask(`/api/alerts/${id}`)).body).toMatchObject({
    status: "resolved",
    resolved_reason: "resolved_by_hand",
  });
  await ask(`/api/rules/${rule.body.id}`, "DELETE");
});

describe("over stored history", () => {
  const minuteMs = 60_000;
  const nowMs = Date.now();
  const call = (minutesAgo: number, status: string) => ({
    event_type: "tool_call",
    tool_name: "search",
    env: "past",
    status,
    timestamp: new Date(nowMs - minutesAgo * minuteMs).toISOString(),
  });
  const tried = (fields: Json) =>
    ask("/api/rules/backtest", "POST", {
      metric: "error_rate",
      filter: { env: "past" },
      window_minutes: 5,
      critical: 0.5,
      since: "-6h",
      ...fields,
    });

  beforeAll(async () => {
    const events = Array.from({ length: 360 }, (_, minute) => {
      const isBad = (minute > 60 && minute < 80) || (minute > 200 && minute < 220);
      return call(minute + 0.5, isBad ? "error" : "success");
    });
    await server.send(events);
  });

  test("a rule tells how often it would have fired, and when", async () => {
    const { status, body } = await tried({});
    expect(status).toBe(200);
    expect(body).toMatchObject({
      alerts_total: 2,
      notifications: 4,
      windows: 720,
      step_seconds: 30,
    });
    const [first] = body.alerts as { fired_at: string; resolved_at: string }[];
    const minutesAgo = (time: string) => (nowMs - Date.parse(time)) / minuteMs;
    expect(minutesAgo(first!.fired_at)).toBeWithin(215, 219);
    expect(minutesAgo(first!.resolved_at)).toBeWithin(195, 200);
    expect((body.values as Json[]).length).toBe(720);
  });

  test.each([
    [{ critical: 0.99, for_minutes: 30 }, 0],
    [{ for_minutes: 2 }, 2],
    [{ metric: "requests", operator: "<", critical: 1 }, 0],
    [{ metric: "requests", operator: "<", critical: 1, filter: { env: "nowhere" } }, 1],
    [{ group_by: "tool_name" }, 2],
    [{ since: "-2h" }, 1],
  ])("%j fires %d times", async (fields, alerts_total) => {
    expect((await tried(fields)).body).toMatchObject({ alerts_total });
  });

  test("so does one in SQL that says its window", async () => {
    const sql = "SELECT tool_name, count(*) AS value FROM events WHERE env = 'past' " +
      "AND status = 'error' AND timestamp >= $since AND timestamp < $until GROUP BY 1";
    const fields = { metric: undefined, filter: undefined, sql, window_minutes: 30, critical: 5 };
    expect((await tried(fields)).body).toMatchObject({ alerts_total: 2, windows: 24 });
  });

  test.each([
    [{ metric: undefined, filter: undefined, sql: "SELECT 1 AS value" }, "$until"],
    [{ metric: undefined, filter: undefined, sql: "SELECT $until nonsense FROM" }, "syntax"],
    [{ since: "-365d", window_minutes: 1 }, "windows"],
    [{ since: "soon" }, "since"],
    [{ since: "now", until: "-1h" }, "until"],
  ])("%j is refused with a word about %s", async (fields, word) => {
    const { status, body } = await tried(fields);
    expect([status, String(body.detail)]).toEqual([400, expect.stringContaining(word)]);
  });

  test("every template is a rule that can be tried", async () => {
    const { body } = await ask("/api/rules/templates");
    for (const { rule } of body.templates as { rule: Json }[]) {
      const { status } = await ask("/api/rules/backtest", "POST", { ...rule, since: "-1h" });
      expect([rule.name, status]).toEqual([rule.name, 200]);
    }
  });
});
