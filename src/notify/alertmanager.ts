// Prometheus Alertmanager, by API v2: it groups, silences and routes as it does for Prometheus.
import { z } from "zod";
import { channelKind, json, type Notification, type ToldAlert } from "./channel.ts";
import { webhookUrl } from "./webhook.ts";

export const alertmanager = channelKind({
  type: "alertmanager",
  schema: z.strictObject({
    url: webhookUrl.describe("Where it runs, such as http://alertmanager:9093."),
    username: z.string().max(200).optional(),
    password: z.string().max(1000).optional(),
    token: z.string().max(4000).optional().describe("A bearer token."),
  }).refine(
    ({ username, token }) => username === undefined || token === undefined,
    "either a username or a token",
  ),
  secrets: ["password", "token"],
  perAlert: false,
  send({ url, username, password = "", token }, notification, transport) {
    const pair = Buffer.from(`${username}:${password}`).toString("base64");
    return transport.post({
      url: `${url.replace(/\/+$/, "")}/api/v2/alerts`,
      headers: {
        ...json,
        ...username === undefined ? {} : { authorization: `Basic ${pair}` },
        ...token === undefined ? {} : { authorization: `Bearer ${token}` },
      },
      body: JSON.stringify(alertsOf(notification, transport.nowMs())),
    });
  },
});

const dayMs = 24 * 60 * 60 * 1000;
/**
 * Alertmanager ends an alert that is not sent again in minutes unless it bears an end. We send it when
 * something happens: its end is set far off, and moved to now when it ends.
 */
const openEndMs = 30 * dayMs;

function alertsOf(notification: Notification, nowMs: number) {
  if (notification.kind === "test") return [testOf(notification, nowMs)];
  return notification.alerts.flatMap((alert) => {
    const now = alertOf(notification, alert, alert.level, alert.resolved_at);
    // The level is a label, so the alert of the level before is another one, and has ended.
    return notification.kind === "escalated"
      ? [alertOf(notification, alert, "warning", notification.at), now]
      : [now];
  });
}

function alertOf(
  notification: Notification,
  alert: ToldAlert,
  severity: string,
  endsAt: string | null,
) {
  const { rule, project_id } = notification;
  return {
    labels: labelsOf({
      ...rule.labels,
      ...alert.labels,
      alertname: rule.name,
      severity,
      project_id,
      rule_id: rule.id,
    }),
    annotations: labelsOf({
      summary: notification.title,
      description: alert.text,
      runbook_url: rule.runbook.url ?? "",
      runbook: rule.runbook.steps.join("\n"),
    }),
    startsAt: alert.fired_at,
    endsAt: endsAt ?? new Date(Date.parse(alert.fired_at) + openEndMs).toISOString(),
  };
}

/** It ends by itself within a minute. */
function testOf({ title, text, project_id }: Notification, nowMs: number) {
  return {
    labels: labelsOf({ alertname: "WatchLLM test", severity: "info", project_id }),
    annotations: labelsOf({ summary: title, description: text }),
    startsAt: new Date(nowMs).toISOString(),
    endsAt: new Date(nowMs + 60_000).toISOString(),
  };
}

/** Names of labels are letters, digits and _; an empty value is no label. */
function labelsOf(values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== "")
      .map((
        [name, value],
      ) => [name.replaceAll(/[^a-zA-Z0-9_]/g, "_").replace(/^(\d)/, "_$1"), value]),
  );
}
