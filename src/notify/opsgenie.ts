// Opsgenie, by its Alert API: each alert has its own id as the alias.
import { z } from "zod";
import { channelKind, json, type Notification } from "./channel.ts";
import { webhookUrl } from "./webhook.ts";
import { bodyLines, cut } from "./words.ts";

const messageCharactersMax = 130;
const textCharactersMax = 15_000;
const tagCharactersMax = 50;
const tagsMax = 20;

export const opsgenie = channelKind({
  type: "opsgenie",
  schema: z.strictObject({
    api_key: z.string().min(1).max(200),
    url: webhookUrl.default("https://api.opsgenie.com")
      .describe("https://api.eu.opsgenie.com for accounts in the EU."),
  }),
  secrets: ["api_key"],
  perAlert: true,
  async send({ api_key, url }, notification, transport) {
    const headers = { ...json, authorization: `GenieKey ${api_key}` };
    const base = `${url.replace(/\/+$/, "")}/v2/alerts`;
    const alias = notification.alerts[0]?.id ?? notification.id;
    const open = () =>
      transport.post({ url: base, headers, body: JSON.stringify(alertOf(alias, notification)) });
    const close = () =>
      transport.post({
        url: `${base}/${encodeURIComponent(alias)}/close?identifierType=alias`,
        headers,
        body: JSON.stringify({ source: "WatchLLM", note: notification.text }),
      });
    if (notification.kind === "resolved") return await close();
    const outcome = await open();
    return outcome.ok && notification.kind === "test" ? await close() : outcome;
  },
});

function alertOf(alias: string, notification: Notification) {
  const { title, level, kind, project_id, rule, alerts: [alert] } = notification;
  const details = { ...rule.labels, ...alert?.labels, rule_id: rule.id, project_id };
  return {
    message: cut(title, messageCharactersMax),
    alias,
    description: cut(bodyLines(notification).join("\n"), textCharactersMax),
    priority: kind === "test" ? "P5" : level === "critical" ? "P1" : "P3",
    source: "WatchLLM",
    entity: project_id,
    tags: [project_id, level, ...Object.values(rule.labels)].slice(0, tagsMax)
      .map((tag) => cut(tag, tagCharactersMax)),
    details,
  };
}
