// What rules ask, and how the answers become points.
import type { Point } from "../alert/decide.ts";
import { filterValues, type Rule, ruleBounds } from "../alert/rule.ts";
import type { AlertAsk, AlertValues } from "../query/alerts.ts";

/** Rows of a question about many windows, groups times windows. */
const cellsMax = 200_000;
const seriesMin = 10;

export function askOf(rule: Rule): AlertAsk {
  return {
    metric: rule.metric!,
    by: rule.group_by ?? null,
    falling: rule.operator === "<" || rule.operator === "<=",
    values: filterValues(rule),
  };
}

/** Rules with the same key ask the same thing. */
export function askKey(ask: AlertAsk): string {
  return JSON.stringify([ask.metric, ask.by, ask.falling, ask.values]);
}

export function pointsOf(rule: Rule, { values }: AlertValues): Point[] {
  return values.map(({ group, requests, value }) => ({
    labels: rule.group_by === undefined ? {} : { [rule.group_by]: group },
    requests,
    value,
  }));
}

/** One more than are followed, so that it is seen when there are more. */
export function seriesAsked(steps = 1): number {
  const fit = Math.floor(cellsMax / steps);
  return Math.max(seriesMin, Math.min(ruleBounds.seriesMax, fit));
}
