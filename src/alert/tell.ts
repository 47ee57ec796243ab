// Who is to be told what, now: beginnings, higher levels, reminders and ends of alerts, unless the
// rule is muted. It compares what fires with what was told, so nothing is missed after a mute.
import { isMuted } from "./mute.ts";
import type { Rule } from "./rule.ts";
import type { Alert, RuleState } from "./state.ts";

export const noticeKinds = ["firing", "escalated", "reminder", "resolved"] as const;
export type NoticeKind = (typeof noticeKinds)[number];

/** One thing to tell; the alerts of a rule that share a kind go together. */
export interface Notice {
  kind: NoticeKind;
  at: number;
  alerts: Alert[];
}

const minuteMs = 60_000;

/** `state` remembers what was told: the caller stores both together. */
export function tell(rule: Rule, state: RuleState, at: number): Notice[] {
  if (isMuted(rule, at)) return [];
  const firing = Object.values(state.series).flatMap(({ alert }) => alert === null ? [] : [alert]);
  const isHeld = state.told_at !== null &&
    at - state.told_at < rule.group_interval_minutes * minuteMs;
  const of = (wanted: NoticeKind) => firing.filter((alert) => kindOf(rule, alert, at) === wanted);
  const begun = isHeld ? [] : of("firing");
  const raised = of("escalated");
  const due = of("reminder");
  const ended = isHeld ? [] : state.ended;
  if (!isHeld) state.ended = [];
  const notices: Notice[] = [
    { kind: "firing" as const, at, alerts: begun },
    { kind: "escalated" as const, at, alerts: raised },
    { kind: "reminder" as const, at, alerts: due },
    { kind: "resolved" as const, at, alerts: rule.notify_resolved ? ended : [] },
  ].filter(({ alerts }) => alerts.length > 0);
  for (const { kind, alerts } of notices) {
    if (kind === "firing" || kind === "resolved") state.told_at = at;
    for (const alert of alerts) {
      alert.told = { level: alert.level, at, count: (alert.told?.count ?? 0) + 1 };
    }
  }
  // Copies: the alert goes on to change, what was said of it does not.
  return notices.map((notice) => ({ ...notice, alerts: notice.alerts.map((one) => ({ ...one })) }));
}

function kindOf(rule: Rule, { told, level }: Alert, at: number): NoticeKind | null {
  if (told === null) return "firing";
  if (told.level !== level) return "escalated";
  const repeatMs = rule.repeat_minutes * minuteMs;
  return repeatMs > 0 && at - told.at >= repeatMs ? "reminder" : null;
}
