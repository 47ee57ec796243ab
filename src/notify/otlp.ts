// OpenTelemetry: each alert as a log record, by OTLP/HTTP in JSON.
import { z } from "zod";
import { channelKind, json, type Notification, type ToldAlert } from "./channel.ts";
import { webhookUrl } from "./webhook.ts";

/** No line break starts a header of its own. */
const headerValue = z.string().max(4000).regex(/^[\t\x20-\x7e\x80-\xff]*$/, "text of one line");

export const otlp = channelKind({
  type: "otlp",
  schema: z.strictObject({
    url: webhookUrl.describe("Of the logs, such as http://collector:4318/v1/logs."),
    headers: z.record(z.string().regex(/^[!-9;-~]{1,200}$/), headerValue).default({})
      .describe("Sent with each request, such as an API key."),
  }),
  secrets: ["headers"],
  perAlert: false,
  send: ({ url, headers }, notification, transport) =>
    transport.post({
      url,
      headers: { ...headers, ...json },
      body: JSON.stringify(exportOf(notification)),
    }),
});

/** Of OpenTelemetry's scale: INFO, WARN, ERROR. */
const severities = { info: [9, "INFO"], warning: [13, "WARN"], critical: [17, "ERROR"] } as const;

function exportOf(notification: Notification) {
  const { alerts } = notification;
  const records = alerts.length === 0 ? [null] : alerts;
  return {
    resourceLogs: [{
      resource: {
        attributes: attributes({
          "service.name": "watchllm",
          "watchllm.project_id": notification.project_id,
        }),
      },
      scopeLogs: [{
        scope: { name: "watchllm.alerts" },
        logRecords: records.map((alert) => recordOf(notification, alert)),
      }],
    }],
  };
}

function recordOf({ kind, at, title, level, rule, id }: Notification, alert: ToldAlert | null) {
  const isQuiet = kind === "resolved" || kind === "test";
  const [severityNumber, severityText] = severities[isQuiet ? "info" : alert?.level ?? level];
  const time = `${Date.parse(at)}000000`;
  return {
    timeUnixNano: time,
    observedTimeUnixNano: time,
    severityNumber,
    severityText,
    eventName: `watchllm.alert.${kind}`,
    body: { stringValue: alert === null ? title : `${title}: ${alert.text}` },
    attributes: attributes({
      ...rule.labels,
      ...alert?.labels,
      "watchllm.delivery_id": id,
      "watchllm.rule_id": rule.id,
      "watchllm.rule_name": rule.name,
      "watchllm.alert_id": alert?.id,
      "watchllm.alert_level": alert?.level,
      "watchllm.metric": rule.metric ?? "sql",
      "watchllm.value": alert?.value,
      "watchllm.threshold": alert?.threshold,
    }),
  };
}

function attributes(values: Record<string, string | number | null | undefined>) {
  return Object.entries(values).flatMap(([key, value]) => {
    if (value === null || value === undefined) return [];
    return [{
      key,
      value: typeof value === "number" ? { doubleValue: value } : { stringValue: value },
    }];
  });
}
