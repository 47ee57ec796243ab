// The actions of a rule's runbook: what one click does about an alert.
import type { RunbookAction } from "../alert/rule.ts";
import type { StoredAlert } from "../store/alerts/history.ts";
import type { StoredRule } from "../store/alerts/rules.ts";
import { deliveryOf } from "./news.ts";
import type { Alerting } from "./open.ts";

/** What was done; or why it cannot be done. */
export type Acted =
  | { done: "muted"; until: string }
  | { done: "resolved" }
  | { done: "told"; delivery_id: string }
  | { refused: string };

export function act(
  alerting: Alerting,
  stored: StoredRule,
  { alert }: StoredAlert,
  action: RunbookAction,
  nowMs: number,
): Acted {
  const { store, watch, deliverer } = alerting;
  switch (action.type) {
    case "mute": {
      const until = new Date(nowMs + action.minutes * 60_000).toISOString();
      const rule = { ...stored.rule, snoozed_until: until };
      const updated_at = new Date(nowMs).toISOString();
      store.commit(() =>
        store.rules.put({ ...stored, rule, version: stored.version + 1, updated_at })
      );
      return { done: "muted", until };
    }
    case "resolve":
      return watch.resolve(alert.id) === null
        ? { refused: "The alert has ended already." }
        : { done: "resolved" };
    case "page":
    case "webhook": {
      const channel = store.channels.get(action.channel);
      if (channel === null) return { refused: `The channel "${action.channel}" is gone.` };
      const delivery = deliveryOf(stored, { kind: "page", at: nowMs, alerts: [alert] }, channel);
      store.commit(() => store.outbox.add(delivery, new Date(nowMs).toISOString()));
      deliverer.wake();
      return { done: "told", delivery_id: delivery.id };
    }
  }
}
