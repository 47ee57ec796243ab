// A notification as a rule makes it, and a way out to receivers of this machine.
import { ruleSchema } from "../../src/alert/rule.ts";
import type { Alert } from "../../src/alert/state.ts";
import type { Notification, Transport } from "../../src/notify/channel.ts";
import { checkedAddress, type Resolve } from "../../src/notify/address.ts";
import { failure, post } from "../../src/notify/post.ts";
import { notificationOf } from "../../src/notify/words.ts";

export const atMs = Date.UTC(2026, 0, 31, 12);

export const rule = ruleSchema.parse({
  name: "Errors <b> & *co*",
  description: "Customers wait.",
  metric: "error_rate",
  filter: { env: "production" },
  group_by: "model",
  warning: 0.05,
  critical: 0.2,
  labels: { team: "shop" },
  runbook: { url: "https://example.com/runbook", steps: ["Look at the release.", "Roll it back."] },
});

export function alert(fields: Partial<Alert> = {}): Alert {
  return {
    id: "al_1",
    labels: { model: "gpt-5" },
    level: "critical",
    value: 0.25,
    threshold: 0.2,
    expected: null,
    started_at: atMs - 120_000,
    fired_at: atMs,
    resolved_at: null,
    resolved_reason: null,
    told: null,
    ...fields,
  };
}

export function notification(
  kind: Notification["kind"] = "firing",
  alerts: Alert[] = [
    alert(
      kind === "resolved" ? { resolved_at: atMs + 60_000, resolved_reason: "recovered" } : {},
    ),
  ],
): Notification {
  const told = { id: `dl_${kind}`, project_id: "shop", rule_id: "rule_1", rule };
  return notificationOf(told, { kind, at: atMs, alerts: kind === "test" ? [] : alerts });
}

export const toLoopback: Resolve = () => Promise.resolve(["127.0.0.1"]);

export function transport(
  options: { allowInside?: boolean; resolve?: Resolve; timeoutMs?: number; ca?: string } = {},
): Transport {
  const given = { allowInside: true, resolve: toLoopback, timeoutMs: 5000, ...options };
  return {
    post: (request) => post(request, given),
    resolve: async (host) => {
      const found = await checkedAddress(host, given);
      return "address" in found ? found : failure("address_refused", found.message);
    },
    nowMs: () => atMs,
  };
}
