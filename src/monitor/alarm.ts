// When people are told of a monitor: by the decisions of alert rules, with "failed so many checks in a
// row" as the value. So reminders, ends and the delivery queue are those of any alert.
import { decide, endAll } from "../alert/decide.ts";
import { type Rule, ruleBounds, ruleSchema } from "../alert/rule.ts";
import type { Alert, ResolvedReason, RuleState } from "../alert/state.ts";
import { type Notice, tell } from "../alert/tell.ts";
import { tagOf } from "./events.ts";
import type { Monitor } from "./monitor.ts";
import type { CheckResult } from "./state.ts";

export interface Alarm {
  rule: Rule;
  state: RuleState;
  /** What began or ended. */
  changed: Alert[];
  notices: Notice[];
  /** What people read instead of the rule's own words. */
  text: string;
}

/** A monitor as the rule that would watch it. */
export function ruleOf(id: string, monitor: Monitor): Rule {
  const { name, description, channels, failures_to_alert, repeat_minutes, interval_minutes } =
    monitor;
  return ruleSchema.parse({
    name,
    ...(description === undefined ? {} : { description }),
    metric: "errors",
    filter: { tag: tagOf(id), ...(monitor.env === undefined ? {} : { env: monitor.env }) },
    operator: ">=",
    critical: failures_to_alert,
    window_minutes: Math.min(interval_minutes * failures_to_alert, ruleBounds.windowMinutesMax),
    channels,
    repeat_minutes,
  });
}

/** After a check. */
export function sound(
  id: string,
  monitor: Monitor,
  before: RuleState,
  { failures, result, at }: { failures: number; result: CheckResult; at: number },
): Alarm {
  const rule = ruleOf(id, monitor);
  const state = structuredClone(before);
  const points = [{ labels: {}, value: failures, requests: null }];
  const changed = decide(id, rule, state, { at, points }).map((alert) => ({ ...alert }));
  const notices = tell(rule, state, at);
  const why = result.message === null ? "" : ` ${result.message}`;
  const text = failures === 0
    ? `The check of "${monitor.name}" is right again.`
    : failures === 1
    ? `The last check of "${monitor.name}" failed.${why}`
    : `The last ${failures} checks of "${monitor.name}" failed.${why}`;
  return { rule, state, changed, notices, text };
}

/** When it is paused, deleted, or asks something else. */
export function silence(
  id: string,
  monitor: Monitor,
  before: RuleState,
  reason: ResolvedReason,
  at: number,
): Alarm {
  const rule = ruleOf(id, monitor);
  const state = structuredClone(before);
  const changed = endAll(state, at, reason);
  const notices = tell(rule, state, at);
  const words: Partial<Record<ResolvedReason, string>> = {
    rule_disabled: "is paused",
    rule_deleted: "was deleted",
    rule_changed: "asks something else now",
  };
  return {
    rule,
    state,
    changed,
    notices,
    text: `The monitor "${monitor.name}" ${words[reason] ?? "was resolved by hand"}.`,
  };
}
