// What is usual at this hour: values of a rule's windows around the same time of earlier days, kept
// for half an hour at most.
import type { Point } from "../alert/decide.ts";
import { isWeekend } from "../alert/mute.ts";
import type { Rule } from "../alert/rule.ts";
import { type AlertAsk, type AlertValues, valuesInPast } from "../query/alerts.ts";
import type { Reader } from "../query/question.ts";
import { askKey, askOf, seriesAsked } from "./look.ts";

const minuteMs = 60_000;
const dayMs = 24 * 60 * 60_000;
/** Windows that end so long before and after the same time of day count. */
const aroundMs = 30 * 60_000;
const stepMsMin = 5 * 60_000;
const slotMsMax = 30 * 60_000;
/** Of the same kind as this one; fewer are joined by the others. */
const likeDaysMin = 2;
const likeValuesMin = 3;
/** Baselines in memory; the oldest are asked for anew. */
const keptMax = 5000;

export interface BaselineAsked {
  project_id: string;
  ask: AlertAsk;
  windowMs: number;
  days: number;
  timezone: string;
  at: number;
}

/** What is usual for each group. */
export type Baseline = ReadonlyMap<string, NonNullable<Point["baseline"]>>;

/** What is usual for a rule, from wherever it is known. */
export type Usual = (asked: BaselineAsked) => Promise<Baseline>;

export class Baselines {
  #kept = new Map<string, Baseline>();

  constructor(readonly reader: Reader) {}

  async of(asked: BaselineAsked): Promise<Baseline> {
    const { project_id, ask, windowMs, days, timezone, at } = asked;
    const middle = middleOf(at, windowMs);
    const key = JSON.stringify([project_id, askKey(ask), windowMs, days, timezone, middle]);
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    const baseline = await this.#ask(asked, middle);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= keptMax && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(key, baseline);
    return baseline;
  }

  async #ask({ project_id, ask, windowMs, days, timezone }: BaselineAsked, middle: number) {
    const { stepMs, steps, beforeMs, isPooled } = windowsAround(windowMs);
    const found: EarlierDay[] = [];
    for (let day = 1; day <= days; day++) {
      const at = middle - day * dayMs;
      const past = { firstMs: at - beforeMs, stepMs, windowMs, steps };
      const asked = { project_id, ask, seriesMax: seriesAsked(steps), past };
      const looks = await valuesInPast(this.reader, asked);
      found.push({ looks, isLike: isLike(at, middle, timezone) });
    }
    return usualOf(found, isPooled);
  }
}

/** Windows of an earlier day around the same time. */
export interface EarlierDay {
  looks: readonly AlertValues[];
  /** It is a working day, or of a weekend, as the day that is compared with it. */
  isLike: boolean;
}

export function isLike(one: number, other: number, timezone: string): boolean {
  return isWeekend(one, timezone) === isWeekend(other, timezone);
}

/** The middle of the time for which an answer holds: whoever asks first in it, it is the same. */
export function middleOf(at: number, windowMs: number): number {
  const slotMs = slotOf(windowMs);
  return (Math.floor(at / slotMs) + 0.5) * slotMs;
}

/** A wide window is held against few, and must not be far from them; half an hour at most. */
export function slotOf(windowMs: number): number {
  if (windowMs <= aroundMs || windowMs >= 6 * slotMsMax) return slotMsMax;
  return windowMs >= 3 * slotMsMax ? slotMsMax / 2 : slotMsMax / 3;
}

/** Which windows of an earlier day count: how far apart, how many, the first ends how long before. */
export function windowsAround(windowMs: number): {
  stepMs: number;
  steps: number;
  beforeMs: number;
  /** All of them together say what is usual; else each does for itself. */
  isPooled: boolean;
} {
  const stepMs = Math.max(windowMs, stepMsMin);
  if (stepMs <= aroundMs) {
    const steps = Math.floor(2 * aroundMs / stepMs) + 1;
    return { stepMs, steps, beforeMs: aroundMs, isPooled: true };
  }
  // Those that end where the time for which they hold begins and ends: what comes at its own minute
  // every day may be in one of them and not in the other.
  const slotMs = slotOf(windowMs);
  return { stepMs: slotMs, steps: 2, beforeMs: slotMs / 2, isPooled: false };
}

/** Of the days that are like this one; of all of them while too few are. */
export function usualOf(days: readonly EarlierDay[], isPooled: boolean): Baseline {
  // A day without any event says nothing of what is usual: the project may not have been there.
  const known = days.filter(({ looks }) =>
    looks.some(({ values }) => values.some(({ requests }) => requests > 0))
  );
  const steps = known[0]?.looks.length ?? 0;
  const parts = isPooled
    ? [known]
    : Array.from({ length: steps }, (_, step) =>
      known.map((day) => ({ ...day, looks: [day.looks[step]!] })));
  const usual = new Map<string, number[][][]>();
  for (const part of parts) {
    for (const [group, lists] of likeLists(part)) {
      usual.set(group, [...usual.get(group) ?? [], lists]);
    }
  }
  return usual;
}

function likeLists(days: readonly EarlierDay[]): Map<string, number[][]> {
  const all = new Map<string, number[][]>();
  const like = new Map<string, number[][]>();
  for (const { looks, isLike } of days) {
    for (const [group, list] of byGroup(looks)) {
      for (const found of isLike ? [all, like] : [all]) {
        found.set(group, [...found.get(group) ?? [], list]);
      }
    }
  }
  return new Map([...all].map(([group, lists]) => {
    const own = like.get(group) ?? [];
    const isEnough = own.length >= likeDaysMin && own.flat().length >= likeValuesMin;
    return [group, isEnough ? own : lists];
  }));
}

function byGroup(looks: readonly AlertValues[]): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const { group, value } of looks.flatMap(({ values }) => values)) {
    if (value === null) continue;
    const list = found.get(group);
    if (list === undefined) found.set(group, [value]);
    else list.push(value);
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
    timezone: rule.baseline.timezone,
    at,
  });
  return points.map((point, place) => ({
    ...point,
    baseline: baseline.get(values[place]!.group) ?? [],
  }));
}
