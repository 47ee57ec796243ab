// What was usual at every moment of a stretch of history, asked for a day at a time: half an hour at a
// time would be a thousand questions for a week.
import type { Rule } from "../alert/rule.ts";
import { type AlertValues, valuesInPast } from "../query/alerts.ts";
import type { Reader } from "../query/question.ts";
import { middleOf, type Usual, usualOf, windowsAround } from "./baselines.ts";
import { askOf } from "./look.ts";

const minuteMs = 60_000;
const halfHourMs = 30 * minuteMs;
const dayMs = 24 * 60 * minuteMs;
/** Values in memory, windows times groups. */
const cellsMax = 1_000_000;
const seriesMin = 10;
const seriesMax = 1000;

/** Null when windows of this width lie differently in every half hour. */
export async function baselinesOfPast(
  reader: Reader,
  project_id: string,
  rule: Rule,
  { sinceMs, untilMs }: { sinceMs: number; untilMs: number },
): Promise<Usual | null> {
  if (rule.baseline === undefined) return null;
  const windowMs = rule.window_minutes * minuteMs;
  const { stepMs, steps, beforeMs } = windowsAround(windowMs);
  const gridMs = steps === 1 ? halfHourMs : stepMs;
  if (halfHourMs % gridMs !== 0) return null;
  const { days } = rule.baseline;
  const firstMs = middleOf(sinceMs) - days * dayMs - beforeMs;
  const lastMs = middleOf(untilMs) - dayMs + beforeMs;
  const cells = (lastMs - firstMs) / gridMs + 1;
  const seriesAsked = Math.max(seriesMin, Math.min(seriesMax, Math.floor(cellsMax / cells)));
  const byEnd = new Map<number, AlertValues>();
  for (let atMs = firstMs; atMs <= lastMs; atMs += dayMs) {
    const stepsOfDay = Math.min(dayMs, lastMs - atMs + gridMs) / gridMs;
    const looks = await valuesInPast(reader, {
      project_id,
      ask: askOf(rule),
      seriesMax: seriesAsked,
      past: { firstMs: atMs, stepMs: gridMs, windowMs, steps: stepsOfDay },
    });
    looks.forEach((values, step) => byEnd.set(atMs + step * gridMs, values));
  }
  // Moments of one half hour have the same middle, and follow one another.
  let kept: { middle: number; usual: ReturnType<typeof usualOf> } | null = null;
  return ({ at }) => {
    const middle = middleOf(at);
    if (kept?.middle !== middle) {
      const looks = Array.from(
        { length: days },
        (_, day) =>
          Array.from({ length: steps }, (_, step) => {
            const end = middle - (day + 1) * dayMs - beforeMs + step * stepMs;
            return byEnd.get(end) ?? { values: [], groups: 0 };
          }),
      );
      kept = { middle, usual: usualOf(looks) };
    }
    return Promise.resolve(kept.usual);
  };
}
