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

export class Baselines {
  #kept = new Map<string, Baseline>();

  constructor(readonly reader: Reader) {}

  async of(asked: BaselineAsked): Promise<Baseline> {
    const slot = Math.floor(asked.at / keptMs);
    const { project_id, ask, windowMs, days } = asked;
    const key = JSON.stringify([project_id, askKey(ask), windowMs, days, slot]);
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    // The middle of the slot: whoever asks first, the answer is the same.
    const baseline = await this.#ask({ ...asked, at: (slot + 0.5) * keptMs });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= keptMax && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(key, baseline);
    return baseline;
  }

  /** Points with what is usual for each, for a rule that asks for it. */
  async into(
    points: Point[],
    { values }: AlertValues,
    { project_id, rule, at }: { project_id: string; rule: Rule; at: number },
  ): Promise<Point[]> {
    if (rule.baseline === undefined) return points;
    const usual = await this.of({
      project_id,
      ask: askOf(rule),
      windowMs: rule.window_minutes * minuteMs,
      days: rule.baseline.days,
      at,
    });
    return points.map((point, place) => ({
      ...point,
      baseline: usual.get(values[place]!.group) ?? [],
    }));
  }

  async #ask({ project_id, ask, windowMs, days, at }: BaselineAsked): Promise<Baseline> {
    const stepMs = Math.max(windowMs, stepMsMin);
    const isWide = stepMs > aroundMs;
    const steps = isWide ? 1 : Math.floor(2 * aroundMs / stepMs) + 1;
    const found = new Map<string, number[]>();
    for (let day = 1; day <= days; day++) {
      const middle = at - day * dayMs;
      const firstMs = isWide ? middle : middle - aroundMs;
      const looks = await valuesInPast(this.reader, {
        project_id,
        ask,
        seriesMax: seriesAsked(steps),
        past: { firstMs, stepMs, windowMs, steps },
      });
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
}
