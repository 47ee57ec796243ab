// Words of one's own: a channel's title and text with places that are filled with what is told.
import { z } from "zod";
import type { Notification, ToldAlert } from "./channel.ts";
import { cut, labelsText, valueText } from "./words.ts";

const templateCharactersMax = 2000;
const filledCharactersMax = 4000;

const places = {
  title: ({ title }: Notification) => title,
  text: ({ text }: Notification, alert?: ToldAlert) => alert?.text ?? text,
  kind: ({ kind }: Notification) => kind,
  level: ({ level }: Notification, alert?: ToldAlert) => alert?.level ?? level,
  rule: ({ rule }: Notification) => rule.name,
  description: ({ rule }: Notification) => rule.description ?? "",
  project: ({ project_id }: Notification) => project_id,
  time: ({ at }: Notification) => at,
  count: ({ alerts_total }: Notification) => String(alerts_total),
  value: ({ rule, alerts }: Notification, alert = alerts[0]) =>
    alert === undefined ? "" : valueText(rule.metric ?? undefined, alert.value),
  threshold: ({ rule, alerts }: Notification, alert = alerts[0]) =>
    alert === undefined || alert.threshold === null
      ? ""
      : valueText(rule.metric ?? undefined, alert.threshold),
  labels: ({ alerts }: Notification, alert = alerts[0]) => labelsText(alert?.labels ?? {}),
  runbook: ({ rule }: Notification) => rule.runbook.url ?? "",
} satisfies Record<string, (notification: Notification, alert?: ToldAlert) => string>;

const placeNames = Object.keys(places) as (keyof typeof places)[];
/** `{{rule}}`, `{{label.team}}`: of the rule, or else of the alert. */
const place = /\{\{\s*(?:label\.([^{}\s]{1,100})|([^{}]{0,100}?))\s*\}\}/g;

const template = z.string().min(1).max(templateCharactersMax).refine(
  (text) =>
    [...text.matchAll(place)].every(([, label, name]) => label !== undefined || isPlace(name)),
  `places are {{${placeNames.join("}}, {{")}}} and {{label.<name>}}`,
);

export const messageSchema = z.strictObject({
  title: template.optional(),
  text: template.optional(),
})
  .describe(
    `Words of one's own, with places: {{${placeNames.join("}}, {{")}}} and {{label.<name>}}. ` +
      "The text stands for each alert.",
  );
export type Message = z.infer<typeof messageSchema>;

function isPlace(name: string | undefined): name is keyof typeof places {
  return name !== undefined && Object.hasOwn(places, name);
}

export function withMessage(
  notification: Notification,
  message: Message | undefined,
): Notification {
  if (message === undefined) return notification;
  const { title, text } = message;
  return {
    ...notification,
    ...title === undefined ? {} : { title: oneLine(fill(title, notification)) },
    ...text === undefined ? {} : {
      text: fill(text, notification, notification.alerts[0]),
      alerts: notification.alerts.map((alert) => ({
        ...alert,
        text: fill(text, notification, alert),
      })),
    },
  };
}

/** What is filled in is never looked at for places again. */
function fill(template: string, notification: Notification, alert?: ToldAlert): string {
  const labels = { ...(alert ?? notification.alerts[0])?.labels, ...notification.rule.labels };
  const filled = template.replaceAll(place, (all, label?: string, name?: string) => {
    if (label !== undefined) return Object.hasOwn(labels, label) ? oneLine(labels[label]!) : "";
    return isPlace(name) ? places[name](notification, alert) : all;
  });
  return cut(filled, filledCharactersMax);
}

/** What events say of themselves does not begin lines of ours. */
function oneLine(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replaceAll(/[\x00-\x20\x7f\u2028\u2029]+/g, " ").trim();
}
