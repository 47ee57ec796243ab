// Requests, errors, tokens, cost and latency of matching events, over time and by group.
import { z } from "zod";
import extentSql from "../../queries/metrics/extent.sql" with { type: "text" };
import measuresSql from "../../queries/metrics/measures.sql" with { type: "text" };
import groupingSql from "../../queries/schema/grouping.sql" with { type: "text" };
import { type Filter, setFilter } from "./filter.ts";
import { answer, answerOne, type Ask, question, type Reader } from "./question.ts";

export const groupings = [
  "model",
  "provider",
  "env",
  "release",
  "user_id",
  "name",
  "tag",
  "event_type",
  "status",
  "tool_name",
  "service",
  "agent_name",
] as const;
export type Grouping = (typeof groupings)[number];

/** Null means unknown: never measured, or no event to measure. */
export const measures = z.object({
  requests: z.int().describe("Matching events."),
  errors: z.int().describe("Of these, with status error, timeout or assertion_failed."),
  error_rate: z.number().nullable(),
  tokens_input: z.int().nullable(),
  tokens_output: z.int().nullable(),
  tokens_total: z.int().nullable(),
  cost_usd: z.number().nullable().describe("Estimated, or else reported, cost."),
  unpriced: z.int().describe("Model calls with tokens but without a cost."),
  latency_avg_ms: z.number().nullable(),
  latency_p50_ms: z.number().nullable(),
  latency_p95_ms: z.number().nullable(),
  latency_p99_ms: z.number().nullable(),
  ttft_p50_ms: z.number().nullable().describe("Median time to the first token."),
});
export type Measures = z.infer<typeof measures>;

const measuresRow = measures.extend({
  bucket: z.string().nullable(),
  group: z.string().nullable(),
});

export const extent = question(
  extentSql,
  z.object({}),
  z.object({ first: z.string().nullable(), last: z.string().nullable() }),
);
export const measured = question(measuresSql, z.object({}), measuresRow);

export interface MetricsAsked {
  filter: Filter;
  /** Null chooses one that gives at most 120 buckets. */
  intervalS: number | null;
  groupBy: Grouping | null;
  groupsMax: number;
}

export interface Metrics {
  since: string | null;
  until: string | null;
  interval_seconds: number;
  group_by: Grouping | null;
  summary: Measures;
  groups: ({ group: string | null } & Measures)[];
  /** Groups that matching events have; the largest of them are in `groups` and `series`. */
  groups_total: number;
  series: ({ bucket: string; group: string | null } & Measures)[];
}

/** Choices for the width of a bucket, in seconds. */
// deno-fmt-ignore
const intervals = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200,
  86_400, 172_800, 604_800, 1_209_600, 2_592_000, 7_776_000, 31_536_000,
];
const bucketsMax = 120;
/** Rows of the series: buckets times groups. */
const cellsMax = 50_000;

/** The interval that was asked for would give more buckets than anyone can look at. */
export class IntervalTooNarrow extends Error {}

const nothing: Measures = {
  requests: 0,
  errors: 0,
  error_rate: null,
  tokens_input: null,
  tokens_output: null,
  tokens_total: null,
  cost_usd: null,
  unpriced: 0,
  latency_avg_ms: null,
  latency_p50_ms: null,
  latency_p95_ms: null,
  latency_p99_ms: null,
  ttft_p50_ms: null,
};

export async function metricsOf(reader: Reader, asked: MetricsAsked): Promise<Metrics> {
  const { filter, groupBy } = asked;
  return await reader.snapshot(filter, async (ask) => {
    await setFilter(ask, filter);
    const { since, until } = await rangeOf(ask, filter);
    const interval_seconds = asked.intervalS ?? intervalFor(since, until);
    const [total] = await measure(ask, { by: null, interval_us: null, groups: null });
    const groups = groupBy === null
      ? []
      : await measure(ask, { by: groupBy, interval_us: null, groups: null });
    const shown = groups.slice(0, asked.groupsMax);
    if (cellsOf(since, until, interval_seconds) * Math.max(1, shown.length) > cellsMax) {
      throw new IntervalTooNarrow(`wider: at most ${cellsMax} buckets are made`);
    }
    const series = await measure(ask, {
      by: groupBy,
      interval_us: interval_seconds * 1_000_000,
      groups: groupBy === null ? null : shown.map(({ group }) => group === null ? "" : `=${group}`),
    });
    return {
      since,
      until,
      interval_seconds,
      group_by: groupBy,
      summary: total === undefined ? nothing : without(total, "bucket", "group"),
      groups: shown.map((row) => without(row, "bucket")),
      groups_total: groups.length,
      series: series as Metrics["series"],
    };
  });
}

/** The range that was asked for; where it is open, as far as there are events. */
async function rangeOf(ask: Ask, { since, until }: Filter) {
  if (since !== undefined && until !== undefined) return { since, until };
  const { first, last } = await answerOne(ask, extent, {});
  return { since: since ?? first, until: until ?? last };
}

async function measure(
  ask: Ask,
  grouping: { by: Grouping | null; interval_us: number | null; groups: string[] | null },
) {
  await ask(groupingSql, { grouping: JSON.stringify(grouping) });
  return await answer(ask, measured, {});
}

/** The narrowest interval that gives at most 120 buckets. */
export function intervalFor(since: string | null, until: string | null): number {
  if (since === null || until === null) return 60;
  const seconds = (Date.parse(until) - Date.parse(since)) / 1000;
  return intervals.find((interval) => seconds / interval <= bucketsMax) ?? intervals.at(-1)!;
}

function cellsOf(since: string | null, until: string | null, intervalS: number): number {
  if (since === null || until === null) return 0;
  return (Date.parse(until) - Date.parse(since)) / 1000 / intervalS;
}

function without<T extends object, K extends keyof T>(row: T, ...names: K[]): Omit<T, K> {
  const rest = { ...row };
  for (const name of names) delete rest[name];
  return rest;
}
