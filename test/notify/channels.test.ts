// What each kind of channel sends, to a receiver that looks at it.
import { afterAll, describe, expect, test } from "bun:test";
import type { Settings } from "../../src/notify/channel.ts";
import { channelKinds, channelSchema, kindOf } from "../../src/notify/channels.ts";
import { alert, notification, transport } from "./fixture.ts";
import { startReceiver } from "./receiver.ts";

type Json = Record<string, unknown>;

const receiver = startReceiver({
  secret: "a-secret-of-a-test",
  answer: ({ path }) => new Response(null, { status: path.startsWith("/v2") ? 202 : 204 }),
});
afterAll(() => receiver.stop());
const base = receiver.url.replace("/hook", "");

/** The requests that a notification makes. */
async function sent(type: string, settings: Settings, told = notification()) {
  const parsed = channelSchema.parse({ type, name: "Channel", ...settings }) as Settings;
  const { type: _, name: __, ...config } = parsed;
  const before = receiver.received.length;
  const outcome = await kindOf(type)!.send(config, told, transport());
  expect(outcome).toMatchObject({ ok: true });
  return receiver.received.slice(before);
}

const settings: Record<string, Settings> = {
  webhook: { url: receiver.url, secret: "a-secret-of-a-test" },
  slack: { url: receiver.url },
  teams: { url: receiver.url },
  discord: { url: receiver.url },
  pagerduty: { routing_key: "key-of-pagerduty", url: `${base}/v2/enqueue` },
  opsgenie: { api_key: "key-of-opsgenie", url: base },
  datadog: { api_key: "key-of-datadog", url: base },
  otlp: { url: `${base}/v1/logs`, headers: { "x-api-key": "key-of-otlp" } },
  alertmanager: { url: `${base}/`, token: "token-of-alertmanager" },
};

const title = "Critical: Errors <b> & *co* (model gpt-5)";
const text = "Error rate for env production, model gpt-5 is 25 % over 5 minutes; " +
  "the critical threshold is 20 %.";

test("a webhook: the whole notification, signed", async () => {
  const [one] = await sent("webhook", settings.webhook!);
  expect(one!.signed).toBe(true);
  expect(one!.headers).toMatchObject({ "x-watchllm-delivery": "dl_firing" });
  expect(one!.json).toMatchObject({
    kind: "firing",
    status: "firing",
    level: "critical",
    title,
    text,
  });
  const [end] = await sent("webhook", settings.webhook!, notification("resolved"));
  expect(end!.json).toMatchObject({
    status: "resolved",
    text: "Error rate for env production, model gpt-5 is back to normal; " +
      "it began at 2026-01-31T11:58:00.000Z.",
  });
});

test("Slack: no label is markup", async () => {
  const [one] = await sent("slack", settings.slack!);
  expect(one!.json).toMatchObject({
    text: "Critical: Errors &lt;b&gt; &amp; *co* (model gpt-5)",
    attachments: [{
      color: "#d1242f",
      blocks: [{ type: "header", text: { text: title } }, {}, {}],
    }],
  });
  expect(one!.body).toContain("2. Roll it back.\\nRunbook: https://example.com/runbook");
});

test("Teams: an adaptive card", async () => {
  const [one] = await sent("teams", settings.teams!);
  expect(one!.json).toMatchObject({
    type: "message",
    attachments: [{
      contentType: "application/vnd.microsoft.card.adaptive",
      content: {
        body: [
          { color: "Attention", text: String.raw`Critical: Errors <b> & \*co\* \(model gpt-5\)` },
          {},
          {},
        ],
        actions: [{ url: "https://example.com/runbook" }],
      },
    }],
  });
});

test("Discord: an embed that mentions nobody", async () => {
  const [one] = await sent("discord", settings.discord!);
  expect(one!.json).toMatchObject({
    embeds: [{ title, color: 0xd1242f, timestamp: "2026-01-31T12:00:00.000Z" }],
    allowed_mentions: { parse: [] },
  });
});

test("PagerDuty: an incident for each alert, resolved by its key; a test leaves none", async () => {
  const [begin] = await sent("pagerduty", settings.pagerduty!);
  expect(begin!.json).toMatchObject({
    routing_key: "key-of-pagerduty",
    event_action: "trigger",
    dedup_key: "al_1",
    payload: {
      severity: "critical",
      source: "shop",
      custom_details: { model: "gpt-5", value: 0.25 },
    },
  });
  const [end] = await sent("pagerduty", settings.pagerduty!, notification("resolved"));
  expect(end!.json).toMatchObject({ event_action: "resolve", dedup_key: "al_1" });
  const tried = await sent("pagerduty", settings.pagerduty!, notification("test"));
  expect(tried.map(({ json }) => [json.event_action, json.dedup_key])).toEqual([
    ["trigger", "dl_test"],
    ["resolve", "dl_test"],
  ]);
});

test("Opsgenie: an alert by its alias, closed by it", async () => {
  const [begin] = await sent("opsgenie", settings.opsgenie!);
  expect(begin).toMatchObject({
    path: "/v2/alerts",
    headers: { authorization: "GenieKey key-of-opsgenie" },
    json: { alias: "al_1", priority: "P1", details: { team: "shop", model: "gpt-5" } },
  });
  const [end] = await sent("opsgenie", settings.opsgenie!, notification("resolved"));
  expect(end!.path).toBe("/v2/alerts/al_1/close");
});

test("Datadog: an event", async () => {
  const [one] = await sent("datadog", settings.datadog!);
  expect(one).toMatchObject({
    path: "/api/v1/events",
    headers: { "dd-api-key": "key-of-datadog" },
    json: { title, alert_type: "error", aggregation_key: "rule_1", date_happened: 1769860800 },
  });
  expect(one!.json.tags).toContain("model:gpt-5");
});

test("OpenTelemetry: a log record for each alert", async () => {
  const two = notification("firing", [alert(), alert({ id: "al_2", level: "warning" })]);
  const [one] = await sent("otlp", settings.otlp!, two);
  expect(one!.headers["x-api-key"]).toBe("key-of-otlp");
  const [{ scopeLogs: [{ logRecords }] }] = one!.json.resourceLogs as [
    { scopeLogs: [{ logRecords: Json[] }] },
  ];
  expect(logRecords).toMatchObject([
    {
      severityText: "ERROR",
      timeUnixNano: "1769860800000000000",
      eventName: "watchllm.alert.firing",
    },
    { severityText: "WARN" },
  ]);
  expect(logRecords[1]!.attributes).toContainEqual({
    key: "watchllm.alert_id",
    value: { stringValue: "al_2" },
  });
});

test("Alertmanager: labels, and a level that rises ends the one before", async () => {
  const [begin] = await sent("alertmanager", settings.alertmanager!);
  expect(begin).toMatchObject({
    path: "/api/v2/alerts",
    headers: { authorization: "Bearer token-of-alertmanager" },
  });
  expect(JSON.parse(begin!.body)).toMatchObject([{
    labels: { severity: "critical", model: "gpt-5", team: "shop", project_id: "shop" },
    annotations: { description: text, runbook_url: "https://example.com/runbook" },
    startsAt: "2026-01-31T12:00:00.000Z",
    endsAt: "2026-03-02T12:00:00.000Z",
  }]);
  const [raised] = await sent("alertmanager", settings.alertmanager!, notification("escalated"));
  const alerts = JSON.parse(raised!.body) as { labels: Json; endsAt: string }[];
  expect(alerts.map(({ labels, endsAt }) => [labels.severity, endsAt])).toEqual([
    ["warning", "2026-01-31T12:00:00.000Z"],
    ["critical", "2026-03-02T12:00:00.000Z"],
  ]);
});

describe("every kind", () => {
  const others = channelKinds.filter(({ type }) => type !== "email").map(({ type }) => type);
  const kinds = ["firing", "escalated", "reminder", "resolved", "test", "page"] as const;

  test.each(others)("%s can say everything, and hides what is secret", async (type) => {
    for (const kind of kinds) {
      const requests = await sent(type, settings[type]!, notification(kind));
      expect(requests.length).toBeGreaterThan(0);
      for (const { headers } of requests) expect(headers["content-type"]).toBe("application/json");
    }
    expect(kindOf(type)!.secrets.length).toBeGreaterThan(0);
  });

  test.each(others)("%s stays small however many and long the alerts", async (type) => {
    const labels = { model: "m".repeat(1000), tool: "\u{1f600}".repeat(500) };
    const many = Array.from({ length: 1000 }, (_, at) => alert({ id: `al_${at}`, labels }));
    for (const { body } of await sent(type, settings[type]!, notification("firing", many))) {
      expect(body.length).toBeLessThan(400_000);
    }
  });
});

test.each([
  [{ type: "alertmanager", url: "https://a.example", username: "u", token: "t" }, "username"],
  [{ type: "email", host: "mail.example", from: "a@example.com", to: [] }, "to"],
  [
    { type: "email", host: "mail.example", from: "a@example.com\r\nBcc: b@c.d", to: ["a@b.cd"] },
    "from",
  ],
  [{ type: "otlp", url: "https://a.example", headers: { "a b": "c" } }, "headers"],
  [{ type: "otlp", url: "https://a.example", headers: { "x": "a\r\nb: c" } }, "headers"],
])("settings %j are refused with a word about %s", (given, word) => {
  const result = channelSchema.safeParse({ name: "Channel", ...given });
  expect(result.success ? "accepted" : JSON.stringify(result.error.issues)).toContain(word);
});
