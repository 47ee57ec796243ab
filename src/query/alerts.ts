// The values that rules are held against: many asks of one window at once, and one ask over many
// windows of the past. Metrics are those of metrics.ts.
import { z } from "zod";
import windowSql from "../../queries/alerts/window.sql" with { type: "text" };
import windowsSql from "../../queries/alerts/windows.sql" with { type: "text" };
import asksSql from "../../queries/schema/alert_asks.sql" with { type: "text" };
import windowsOfSql from "../../queries/schema/alert_windows.sql" with { type: "text" };
import { type FilterField, setFilter } from "./filter.ts";
import type { Grouping } from "./metrics.ts";
import { answer, question, type Reader } from "./question.ts";

/** What a rule asks of a window. */
export interface AlertAsk {
  metric: string;
  by: Grouping | null;
  /** Of too many groups, the lowest values are of interest. */
  falling: boolean;
  values: Partial<Record<FilterField, string[]>>;
}

export interface AlertValue {
  /** Empty without a grouping, and for events without a value of it. */
  group: string;
  requests: number;
  /** Null when it is not known. */
  value: number | null;
}

export interface AlertValues {
  values: AlertValue[];
  /** Groups that there are. */
  groups: number;
}

const valueRow = z.object({
  group: z.string(),
  requests: z.int(),
  value: z.number().nullable(),
  groups: z.int(),
});

export const window = question(windowSql, z.object({}), valueRow.extend({ id: z.int() }));
export const windows = question(windowsSql, z.object({}), valueRow.extend({ step: z.int() }));

/** Metrics that are 0, not unknown, when there is no event. */
const counts = new Set(["requests", "errors", "unpriced"]);

/** Without events a count is 0, and anything else is not known. */
export function nothingOf(metric: string): AlertValue {
  return { group: "", requests: 0, value: counts.has(metric) ? 0 : null };
}

/** Values of all the asks in one window, in their order; `since` and `until` are ISO 8601. */
export async function valuesInWindow(
  reader: Reader,
  asked: {
    project_id: string;
    since: string;
    until: string;
    seriesMax: number;
    asks: readonly AlertAsk[];
  },
): Promise<AlertValues[]> {
  const { project_id, since, until, seriesMax, asks } = asked;
  const rows = await reader.snapshot({ project_id, since, until }, async (ask) => {
    const alert_asks = {
      since,
      until,
      uses: usesOf(asks),
      series_max: seriesMax,
      asks: asks.map(({ values, ...rest }, id) => ({ id, ...rest, ...values })),
    };
    await ask(asksSql, { alert_asks: JSON.stringify(alert_asks) });
    return await answer(ask, window, {});
  });
  const found: AlertValues[] = asks.map(() => ({ values: [], groups: 0 }));
  for (const { id, groups, ...value } of rows) {
    found[id]!.values.push(value);
    found[id]!.groups = groups;
  }
  asks.forEach(({ by, metric }, at) => {
    if (by === null && found[at]!.values.length === 0) found[at]!.values.push(nothingOf(metric));
  });
  return found;
}

/** Columns that any of the asks needs; the others are not read. */
function usesOf(asks: readonly AlertAsk[]): string[] {
  const uses = new Set<string>();
  for (const { values, by, metric } of asks) {
    for (const field of Object.keys(values)) uses.add(field);
    if (by !== null) uses.add(by);
    if (metric.startsWith("latency_")) uses.add("latency");
    if (metric.startsWith("ttft_")) uses.add("ttft");
  }
  return [...uses];
}

export interface PastWindows {
  /** End of the first window; milliseconds since 1970, as all of these. */
  firstMs: number;
  stepMs: number;
  windowMs: number;
  steps: number;
}

/** Values of one ask in windows of the past: a list for each, in order of time. */
export async function valuesInPast(
  reader: Reader,
  asked: { project_id: string; ask: AlertAsk; seriesMax: number; past: PastWindows },
): Promise<AlertValues[]> {
  const { project_id, ask: { metric, by, falling, values }, seriesMax, past } = asked;
  const filter = {
    project_id,
    since: new Date(past.firstMs - past.windowMs).toISOString(),
    until: new Date(past.firstMs + (past.steps - 1) * past.stepMs).toISOString(),
    values,
  };
  const rows = await reader.snapshot(filter, async (ask) => {
    await setFilter(ask, filter);
    const alert_windows = {
      first_us: past.firstMs * 1000,
      step_us: past.stepMs * 1000,
      window_us: past.windowMs * 1000,
      steps: past.steps,
      metric,
      by,
      falling,
      alerts_too: values.event_type !== undefined,
      series_max: seriesMax,
    };
    await ask(windowsOfSql, { alert_windows: JSON.stringify(alert_windows) });
    return await answer(ask, windows, {});
  });
  const found: AlertValues[] = Array.from(
    { length: past.steps },
    () => ({ values: [], groups: 0 }),
  );
  for (const { step, groups, ...value } of rows) {
    found[step]!.values.push(value);
    found[step]!.groups = groups;
  }
  if (by === null) {
    for (const one of found) if (one.values.length === 0) one.values.push(nothingOf(metric));
  }
  return found;
}
