// Rules and values for the decisions: a minute a step, and what happened at each as a letter.
import { decide, type Look } from "../../src/alert/decide.ts";
import { type Rule, ruleSchema } from "../../src/alert/rule.ts";
import { newState, type RuleState } from "../../src/alert/state.ts";
import { type Notice, tell } from "../../src/alert/tell.ts";

export const minuteMs = 60_000;
export const startMs = Date.UTC(2026, 0, 31, 12);

export function rule(fields: Record<string, unknown> = {}): Rule {
  return ruleSchema.parse({ name: "Rule", metric: "error_rate", critical: 10, ...fields });
}

export interface Played {
  /** `.` well, `p` pending, `w` and `C` firing, `x` closed by hand. */
  phases: string;
  notices: Notice[];
  state: RuleState;
}

/** The values of one series, a minute apart; null is no data. */
export function play(
  given: Rule,
  values: readonly (number | null)[],
  state: RuleState = newState(),
  fromMs = startMs,
): Played {
  let phases = "";
  const notices: Notice[] = [];
  values.forEach((value, step) => {
    const at = fromMs + step * minuteMs;
    const look: Look = { at, points: [{ labels: {}, value, requests: 100 }] };
    decide("rule", given, state, look);
    phases += letterOf(state);
    notices.push(...tell(given, state, at));
  });
  return { phases, notices, state };
}

function letterOf({ series }: RuleState): string {
  const one = series[""];
  if (one === undefined || one.phase === "ok") return ".";
  if (one.phase === "pending") return "p";
  if (one.phase === "closed") return "x";
  return one.alert!.level === "critical" ? "C" : "w";
}

/** "firing@2 resolved@5". */
export function timeline(notices: readonly Notice[]): string {
  return notices.map(({ kind, at }) => `${kind}@${(at - startMs) / minuteMs}`).join(" ");
}
