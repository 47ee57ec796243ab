// PagerDuty, by Events API v2: each alert is an incident with a key of its own.
import { z } from "zod";
import { channelKind, json, type Notification } from "./channel.ts";
import { webhookUrl } from "./webhook.ts";
import { cut } from "./words.ts";

const summaryCharactersMax = 1024;
const keyCharactersMax = 255;

export const pagerduty = channelKind({
  type: "pagerduty",
  schema: z.strictObject({
    routing_key: z.string().min(1).max(200).describe("Integration key of Events API v2."),
    url: webhookUrl.default("https://events.pagerduty.com/v2/enqueue")
      .describe("Another one for accounts in the EU: https://events.eu.pagerduty.com/v2/enqueue."),
  }),
  secrets: ["routing_key"],
  perAlert: true,
  async send({ routing_key, url }, notification, transport) {
    const tell = (action: "trigger" | "resolve") =>
      transport.post({
        url,
        headers: json,
        body: JSON.stringify(eventOf(routing_key, action, notification)),
      });
    if (notification.kind !== "test") {
      return await tell(notification.kind === "resolved" ? "resolve" : "trigger");
    }
    // A test leaves no incident behind.
    const outcome = await tell("trigger");
    return outcome.ok ? await tell("resolve") : outcome;
  },
});

function eventOf(routing_key: string, event_action: string, notification: Notification) {
  const { rule, title, text, project_id, level, at, kind } = notification;
  const [alert] = notification.alerts;
  const { url } = rule.runbook;
  return {
    routing_key,
    event_action,
    dedup_key: cut(alert?.id ?? notification.id, keyCharactersMax),
    client: "WatchLLM",
    ...url === null ? {} : { links: [{ href: url, text: "Runbook" }] },
    payload: {
      summary: cut(`${title}: ${text}`, summaryCharactersMax),
      source: project_id,
      severity: kind === "test" ? "info" : level,
      timestamp: at,
      component: rule.name,
      class: rule.metric ?? "sql",
      custom_details: {
        ...rule.labels,
        ...alert?.labels,
        value: alert?.value ?? null,
        threshold: alert?.threshold ?? null,
        started_at: alert?.started_at ?? null,
        steps: rule.runbook.steps,
      },
    },
  };
}
