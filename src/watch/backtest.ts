// What a rule would have done over stored history: the same question and the same decisions, window
// by window, without anybody being told.
import { decide, type Look } from "../alert/decide.ts";
import type { Rule } from "../alert/rule.ts";
import { type Alert, newState } from "../alert/state.ts";
import { tell } from "../alert/tell.ts";
import { valuesInPast } from "../query/alerts.ts";
import type { Reader } from "../query/question.ts";
import { type Baselines, type Usual, withUsual } from "./baselines.ts";
import { baselinesOfPast } from "./baselines_past.ts";
import { askOf, pointsOf, seriesAsked } from "./look.ts";
import { askSqlOfMany, type SqlDeps } from "./sql_rule.ts";

export interface BacktestDeps extends SqlDeps {
  reader: Reader;
  baselines: Baselines;
}

export interface Backtest {
  /** Milliseconds between two looks; on the clock they are closer. */
  stepMs: number;
  windows: number;
  /** Each alert that would have fired, in order of time; the first of them. */
  alerts: Alert[];
  alerts_total: number;
  notifications: number;
  /** Time during which something fired. */
  firingMs: number;
  /** The worst value of each window; null is no data. */
  values: { at: number; value: number | null }[];
}

/** There is nothing to try it on, or too much. */
export class CannotBacktest extends Error {}

const minuteMs = 60_000;
const stepMsMin = 30_000;
const stepsWanted = 2000;
const stepsMax = 10_080;
/** Each window is a part of one statement. */
const sqlStepsMax = 24;
const alertsToldMax = 200;

export async function backtest(
  deps: BacktestDeps,
  project_id: string,
  rule: Rule,
  { sinceMs, untilMs }: { sinceMs: number; untilMs: number },
): Promise<Backtest> {
  const windowMs = rule.window_minutes * minuteMs;
  const spanMs = untilMs - sinceMs;
  if (spanMs <= 0) throw new CannotBacktest("until must be after since.");
  const isSql = rule.sql !== undefined;
  if (isSql && !/\$until\b/.test(rule.sql!)) {
    throw new CannotBacktest(
      "An sql rule is tried over history when it says $since and $until instead of now().",
    );
  }
  const wanted = isSql ? sqlStepsMax : stepsWanted;
  const finest = Math.max(stepMsMin, Math.ceil(spanMs / wanted));
  // A step wider than the window would leave events out; SQL is too slow to be asked that often.
  const stepMs = isSql ? finest : Math.min(windowMs, finest);
  const steps = Math.max(1, Math.floor(spanMs / stepMs));
  if (steps > stepsMax) {
    throw new CannotBacktest(
      `These are ${steps} windows; choose a shorter time, or a wider window.`,
    );
  }
  const past = { firstMs: untilMs - (steps - 1) * stepMs, stepMs, windowMs, steps };
  const run = new Run(rule);
  if (isSql) {
    const ats = Array.from({ length: steps }, (_, step) => past.firstMs + step * stepMs);
    const answers = await askSqlOfMany(deps, project_id, rule, ats);
    for (const [step, points] of answers.entries()) run.look({ at: ats[step]!, points });
  } else {
    const ask = askOf(rule);
    const answers = await valuesInPast(deps.reader, {
      project_id,
      ask,
      seriesMax: seriesAsked(steps),
      past,
    });
    const usual: Usual =
      await baselinesOfPast(deps.reader, project_id, rule, { sinceMs, untilMs }) ??
        ((asked) => deps.baselines.of(asked));
    for (const [step, values] of answers.entries()) {
      const at = past.firstMs + step * stepMs;
      const found = { project_id, rule, at };
      const points = await withUsual(usual, pointsOf(rule, values), values, found);
      run.look({ at, points, truncated: values.groups > values.values.length });
    }
  }
  return run.result(stepMs);
}

class Run {
  #state = newState();
  #alerts = new Map<string, Alert>();
  #notifications = 0;
  #firing = 0;
  #values: Backtest["values"] = [];

  constructor(readonly rule: Rule) {}

  look(look: Look): void {
    for (const alert of decide("backtest", this.rule, this.#state, look)) {
      this.#alerts.set(alert.id, { ...alert });
    }
    this.#notifications += tell(this.rule, this.#state, look.at).length;
    const series = Object.values(this.#state.series);
    if (series.some(({ phase }) => phase === "firing")) this.#firing++;
    this.#values.push({ at: look.at, value: worst(this.rule, look) });
  }

  result(stepMs: number): Backtest {
    const alerts = [...this.#alerts.values()].toSorted((a, b) => a.fired_at - b.fired_at);
    return {
      stepMs,
      windows: this.#values.length,
      alerts: alerts.slice(0, alertsToldMax),
      alerts_total: alerts.length,
      notifications: this.#notifications,
      firingMs: this.#firing * stepMs,
      values: this.#values,
    };
  }
}

function worst({ operator }: Rule, { points }: Look): number | null {
  const values = points.flatMap(({ value }) => value === null ? [] : [value]);
  if (values.length === 0) return null;
  const looksForLess = operator === "<" || operator === "<=";
  return values.reduce((one, other) => looksForLess ? Math.min(one, other) : Math.max(one, other));
}
