// Datadog, as events.
import { z } from "zod";
import { channelKind, json, type Notification } from "./channel.ts";
import { webhookUrl } from "./webhook.ts";
import { bodyLines, cut } from "./words.ts";

const titleCharactersMax = 100;
const textCharactersMax = 4000;
const tagCharactersMax = 200;

export const datadog = channelKind({
  type: "datadog",
  schema: z.strictObject({
    api_key: z.string().min(1).max(200),
    url: webhookUrl.default("https://api.datadoghq.com")
      .describe("That of the account's site, such as https://api.datadoghq.eu."),
  }),
  secrets: ["api_key"],
  perAlert: false,
  send: ({ api_key, url }, notification, transport) =>
    transport.post({
      url: `${url.replace(/\/+$/, "")}/api/v1/events`,
      headers: { ...json, "dd-api-key": api_key },
      body: JSON.stringify(eventOf(notification)),
    }),
});

function eventOf(notification: Notification) {
  const { title, kind, level, project_id, rule, at } = notification;
  const labels = { ...rule.labels, ...notification.alerts[0]?.labels };
  return {
    title: cut(title, titleCharactersMax),
    text: cut(bodyLines(notification).join("\n"), textCharactersMax),
    date_happened: Math.floor(Date.parse(at) / 1000),
    alert_type: kind === "resolved"
      ? "success"
      : kind === "test"
      ? "info"
      : level === "critical"
      ? "error"
      : "warning",
    priority: "normal",
    // Beginning, reminders and end of a rule's alerts are shown as one.
    aggregation_key: rule.id,
    source_type_name: "watchllm",
    tags: [`project:${project_id}`, `rule:${rule.name}`, `level:${level}`]
      .concat(Object.entries(labels).map(([name, value]) => `${name}:${value}`))
      .map((tag) => cut(tag, tagCharactersMax)),
  };
}
