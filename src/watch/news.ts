// What goes into the outbox when a rule has news: a notification for each channel, and an event for
// the project itself.
import type { Level, Rule } from "../alert/rule.ts";
import { type Alert, keyOf } from "../alert/state.ts";
import type { Notice } from "../alert/tell.ts";
import type { Notification } from "../notify/channel.ts";
import { kindOf } from "../notify/channels.ts";
import { notificationOf, sentenceOf } from "../notify/words.ts";
import type { StoredChannel } from "../store/alerts/channels.ts";
import type { NewDelivery } from "../store/alerts/outbox.ts";
import type { StoredRule } from "../store/alerts/rules.ts";

/** One delivery for each channel; for one that follows each alert by itself, one for each alert. */
export function deliveriesOf(
  stored: StoredRule,
  notice: Notice,
  channelOf: (id: string) => StoredChannel | null,
): NewDelivery[] {
  return [...new Set(stored.rule.channels)].flatMap((channel_id) => {
    const channel = channelOf(channel_id);
    if (channel === null || channel.project_id !== stored.project_id) return [];
    const parts = kindOf(channel.type)?.perAlert
      ? notice.alerts.map((alert) => ({ ...notice, alerts: [alert] }))
      : [notice];
    return parts.map((part) => deliveryOf(stored, part, channel));
  });
}

export function deliveryOf(
  stored: StoredRule,
  notice: Omit<Notice, "kind"> & { kind: Notification["kind"] },
  channel: StoredChannel,
): NewDelivery {
  const { id: rule_id, project_id, rule } = stored;
  // An alert is told a first, second, third time: the same news has the same key.
  const what = notice.alerts.map((alert) => `${alert.id} ${alert.told?.count ?? 0}`);
  const id = keyOf("dl", channel.id, rule_id, notice.kind, notice.at, ...what);
  const isAlone = kindOf(channel.type)?.perAlert ?? false;
  return {
    id,
    project_id,
    channel_id: channel.id,
    channel_name: channel.name,
    channel_type: channel.type,
    rule_id,
    kind: notice.kind,
    thread: isAlone ? notice.alerts[0]?.id ?? rule_id : rule_id,
    body: notificationOf({ id, project_id, rule_id, rule }, notice),
  };
}

/** The firing as an event of the project; its id is the alert's, so it is stored once. */
export function eventDelivery(stored: StoredRule, alert: Alert): NewDelivery {
  const { id: rule_id, project_id, rule } = stored;
  return {
    id: keyOf("dl", "event", alert.id),
    project_id,
    channel_id: null,
    channel_name: "Events of the project",
    channel_type: "event",
    rule_id,
    kind: "firing",
    thread: alert.id,
    body: eventOf(stored, rule, alert),
  };
}

const severities: Record<Level, string> = { warning: "medium", critical: "critical" };

function eventOf(stored: StoredRule, rule: Rule, alert: Alert): Record<string, unknown> {
  const { model, env, release } = rule.filter ?? {};
  const one = (value: unknown) => typeof value === "string" ? value : undefined;
  const models = rule.group_by === "model"
    ? [alert.labels.model!]
    : model === undefined
    ? undefined
    : [model].flat();
  const isCost = rule.metric === "cost_usd" || rule.metric === "unpriced";
  return withoutUndefined({
    event_id: alert.id,
    run_id: alert.id,
    event_type: isCost ? "cost_threshold_exceeded" : "performance_alert",
    timestamp: new Date(alert.fired_at).toISOString(),
    // Not an error: what is told of errors must not be counted as one.
    status: "warning",
    name: rule.name,
    alert_type: alertTypeOf(rule),
    threshold: alert.threshold ?? undefined,
    actual_value: alert.value ?? undefined,
    window_minutes: rule.window_minutes,
    affected_models: models,
    severity: severities[alert.level],
    user_id: alert.labels.user_id || undefined,
    env: alert.labels.env ?? one(env),
    release: alert.labels.release ?? one(release),
    attributes: {
      rule_id: stored.id,
      alert_id: alert.id,
      level: alert.level,
      metric: rule.metric ?? "sql",
      operator: rule.operator,
      labels: alert.labels,
      filter: rule.filter ?? {},
      text: sentenceOf(rule, alert),
    },
  });
}

function alertTypeOf({ metric }: Rule): string | undefined {
  if (metric === undefined || metric === "requests") return undefined;
  if (metric === "cost_usd" || metric === "unpriced") return "cost_spike";
  if (metric.startsWith("tokens_")) return "token_limit";
  return metric.endsWith("_ms") ? "latency_spike" : "error_rate_spike";
}

function withoutUndefined(object: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
