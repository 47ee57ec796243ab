// What is usual at this hour: values of a rule's windows around the same time of earlier days, kept
// for half an hour.
import type { Point } from "../alert/decide.ts";
import type { Rule } from "../alert/rule.ts";
import { type AlertAsk, type AlertValues, valuesInPast } from "../query/alerts.ts";
import type { Reader } from "../query/question.ts";
import { askKey, askOf, seriesAsked } from "./look.ts";

const minuteMs = 60_000;
const dayMs = 24 * 60 * 60_000;
/** Windows that end so long before and after the same time of day count. */
const aroundMs = 30 * 60_000;
const stepMsMin = 5 * 60_000;
const keptMs = 30 * 60_000;
/** Baselines in memory; the oldest are asked for anew. */
const keptMax = 5000;

export interface BaselineAsked {
  project_id: string;
  ask: AlertAsk;
  windowMs: number;
  days: number;
  at: number;
}

/** Values of earlier windows, by group. */
export type Baseline = ReadonlyMap<string, readonly number[]>;

/** What is usual for a rule, from wherever it is known. */
export type Usual = (asked: BaselineAsked) => Promise<Baseline>;

export class Baselines {
  #kept = new Map<string, Baseline>();

  constructor(readonly reader: Reader) {}

  async of(asked: BaselineAsked): Promise<Baseline> {
    const middle = middleOf(asked.at);
    const { project_id, ask, windowMs, days } = asked;
    const key = JSON.stringify([project_id, askKey(ask), windowMs, days, middle]);
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    const baseline = await this.#ask(asked, middle);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= keptMax && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(key, baseline);
    return baseline;
  }

  async #ask({ project_id, ask, windowMs, days }: BaselineAsked, middle: number) {
    const { stepMs, steps, beforeMs } = windowsAround(windowMs);
    const looks: AlertValues[][] = [];
    for (let day = 1; day <= days; day++) {
      const firstMs = middle - day * dayMs - beforeMs;
      const past = { firstMs, stepMs, windowMs, steps };
      looks.push(
        await valuesInPast(this.reader, { project_id, ask, seriesMax: seriesAsked(steps), past }),
      );
    }
    return usualOf(looks);
  }
}

/** The middle of the half hour: whoever asks first in it, the answer is the same. */
export function middleOf(at: number): number {
  return (Math.floor(at / keptMs) + 0.5) * keptMs;
}

/** Which windows of an earlier day count: how far apart, how many, the first ends how long before. */
export function windowsAround(
  windowMs: number,
): { stepMs: number; steps: number; beforeMs: number } {
  const stepMs = Math.max(windowMs, stepMsMin);
  return stepMs > aroundMs
    ? { stepMs, steps: 1, beforeMs: 0 }
    : { stepMs, steps: Math.floor(2 * aroundMs / stepMs) + 1, beforeMs: aroundMs };
}

/** Of the windows of each earlier day. */
export function usualOf(days: readonly (readonly AlertValues[])[]): Baseline {
  const found = new Map<string, number[]>();
  for (const looks of days) {
    // A day without any event says nothing of what is usual: the project may not have been there.
    if (!looks.some(({ values }) => values.some(({ requests }) => requests > 0))) continue;
    for (const { values } of looks) {
      for (const { group, value } of values) {
        if (value === null) continue;
        const list = found.get(group) ?? [];
        list.push(value);
        found.set(group, list);
      }
    }
  }
  return found;
}

/** Points with what is usual for each, for a rule that asks for it. */
export async function withUsual(
  usual: Usual,
  points: Point[],
  { values }: AlertValues,
  { project_id, rule, at }: { project_id: string; rule: Rule; at: number },
): Promise<Point[]> {
  if (rule.baseline === undefined) return points;
  const baseline = await usual({
    project_id,
    ask: askOf(rule),
    windowMs: rule.window_minutes * minuteMs,
    days: rule.baseline.days,
    at,
  });
  return points.map((point, place) => ({
    ...point,
    baseline: baseline.get(values[place]!.group) ?? [],
  }));
}
