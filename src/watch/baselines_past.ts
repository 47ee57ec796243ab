// What was usual at every moment of a stretch of history, asked for a day at a time: half an hour at a
// time would be a thousand questions for a week.
import type { Rule } from "../alert/rule.ts";
import { type AlertValues, valuesInPast } from "../query/alerts.ts";
import type { Reader } from "../query/question.ts";
import { isLike, middleOf, slotOf, type Usual, usualOf, windowsAround } from "./baselines.ts";
import { askOf } from "./look.ts";

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
/** Values in memory, windows times groups. */
const cellsMax = 1_000_000;
const seriesMin = 10;
const seriesMax = 1000;

/** Null when windows of this width lie differently around each middle. */
export async function baselinesOfPast(
  reader: Reader,
  project_id: string,
  rule: Rule,
  { sinceMs, untilMs }: { sinceMs: number; untilMs: number },
): Promise<Usual | null> {
  if (rule.baseline === undefined) return null;
  const windowMs = rule.window_minutes * minuteMs;
  const { stepMs, steps, beforeMs, isPooled } = windowsAround(windowMs);
  if (slotOf(windowMs) % stepMs !== 0) return null;
  const { days, timezone } = rule.baseline;
  const firstMs = middleOf(sinceMs, windowMs) - days * dayMs - beforeMs;
  const lastMs = middleOf(untilMs, windowMs) - dayMs + beforeMs;
  const cells = (lastMs - firstMs) / stepMs + 1;
  const seriesAsked = Math.max(seriesMin, Math.min(seriesMax, Math.floor(cellsMax / cells)));
  const byEnd = new Map<number, AlertValues>();
  for (let atMs = firstMs; atMs <= lastMs; atMs += dayMs) {
    const stepsOfDay = Math.min(dayMs, lastMs - atMs + stepMs) / stepMs;
    const looks = await valuesInPast(reader, {
      project_id,
      ask: askOf(rule),
      seriesMax: seriesAsked,
      past: { firstMs: atMs, stepMs, windowMs, steps: stepsOfDay },
    });
    looks.forEach((values, step) => byEnd.set(atMs + step * stepMs, values));
  }
  // Moments follow one another, and many have the same middle.
  let kept: { middle: number; usual: ReturnType<typeof usualOf> } | null = null;
  return ({ at }) => {
    const middle = middleOf(at, windowMs);
    if (kept?.middle !== middle) {
      const earlier = Array.from({ length: days }, (_, day) => {
        const at = middle - (day + 1) * dayMs;
        const looks = Array.from(
          { length: steps },
          (_, step) => byEnd.get(at - beforeMs + step * stepMs) ?? { values: [], groups: 0 },
        );
        return { looks, isLike: isLike(at, middle, timezone) };
      });
      kept = { middle, usual: usualOf(earlier, isPooled) };
    }
    return Promise.resolve(kept.usual);
  };
}
