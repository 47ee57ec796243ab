// Metrics of OpenTelemetry over time and by attribute: what grew, where a gauge stood, and how the
// values of a histogram were spread.
import { z } from "zod";
import attributesSql from "../../queries/points/attributes.sql" with { type: "text" };
import distributionsSql from "../../queries/points/distributions.sql" with { type: "text" };
import namesSql from "../../queries/points/names.sql" with { type: "text" };
import seriesSql from "../../queries/points/series.sql" with { type: "text" };
import filterSql from "../../queries/schema/point_filter.sql" with { type: "text" };
import stepsSql from "../../queries/schema/point_steps.sql" with { type: "text" };
import { Distributions, stretchesOf } from "./distribution.ts";
import { intervalFor, IntervalTooNarrow } from "./metrics.ts";
import { answer, type Ask, question, type Reader } from "./question.ts";

export const metricName = z.object({
  name: z.string(),
  type: z.string(),
  unit: z.string().nullable(),
  description: z.string().nullable(),
  temporality: z.string().nullable(),
  monotonic: z.boolean().nullable(),
  points: z.int(),
  series: z.int().describe("Sets of attributes; estimated when there are many."),
  first_seen: z.string(),
  last_seen: z.string(),
});
export type MetricName = z.infer<typeof metricName>;

export const pointAttribute = z.object({
  attribute: z.string(),
  of_resource: z.boolean().describe("Only the resource has it, not the points."),
  values: z.int().describe("Different ones, among the series that were looked at."),
});
export type PointAttribute = z.infer<typeof pointAttribute>;

const cell = {
  points: z.int().describe("Data points."),
  series: z.int().describe("Resources and sets of attributes that they are of."),
  value: z.number().nullable().describe(
    "Of a sum that only grows: by how much it grew. Of other sums: the total of each series' last " +
      "value. Of a gauge: the last value, averaged over series.",
  ),
  count: z.int().nullable().describe("Of histograms: values measured."),
  sum: z.number().nullable().describe("Their sum; of a sum, by how much it grew."),
  avg: z.number().nullable(),
  min: z.number().nullable(),
  max: z.number().nullable(),
};
const seriesRow = z.object({
  bucket: z.string().nullable(),
  group: z.string().nullable(),
  ...cell,
  growth: z.number().nullable(),
  cells: z.int(),
});
const distributionRow = z.object({
  bucket: z.string().nullable(),
  group: z.string().nullable(),
  distribution: z.string().nullable(),
  before: z.string().nullable(),
});

export const names = question(
  namesSql,
  z.object({
    since: z.string().nullable(),
    until: z.string().nullable(),
    name: z.string().nullable(),
    limit: z.int(),
  }),
  metricName,
);
export const attributes = question(
  attributesSql,
  z.object({
    since: z.string().nullable(),
    until: z.string().nullable(),
    name: z.string(),
    series: z.int(),
    limit: z.int(),
  }),
  pointAttribute,
);
export const series = question(seriesSql, z.object({ limit: z.int() }), seriesRow);
export const distributions = question(
  distributionsSql,
  z.object({ limit: z.int() }),
  distributionRow,
);

/** What a cell of the answer says. */
export const measurement = z.object({
  ...cell,
  rate: z.number().nullable().describe("Growth, or values measured, a second."),
  p50: z.number().nullable().describe("Estimated from the buckets of histograms."),
  p90: z.number().nullable(),
  p95: z.number().nullable(),
  p99: z.number().nullable(),
});
export type Measurement = z.infer<typeof measurement>;

export interface PointsScope {
  project_id: string;
  since?: string;
  until?: string;
}

export interface PointsAsked {
  scope: PointsScope;
  name: string;
  intervalS: number | null;
  /** Attribute of the points, or else of their resource. */
  groupBy: string | null;
  groupsMax: number;
}

export interface PointsAnswer {
  metric: MetricName | null;
  since: string | null;
  until: string | null;
  interval_seconds: number;
  groups: ({ group: string | null } & Measurement)[];
  groups_total: number;
  series: ({ bucket: string; group: string | null } & Measurement)[];
  /** False when there are too many histograms, or some cannot be read: they are null then. */
  quantiles_known: boolean;
}

/** What a cumulative series is compared with may lie so long before the range. */
const lookbackMs = 15 * 60 * 1000;
const shares = [0.5, 0.9, 0.95, 0.99];
/** Histograms that are read for the quantiles of one answer. */
const distributionsMax = 20_000;
/** Series whose attributes are looked at, and attributes that are told. */
const attributeSeriesMax = 1000;
const attributesMax = 200;
const cellsMax = 50_000;

export async function namesOf(
  reader: Reader,
  { since, until, ...scope }: PointsScope,
  limit: number,
): Promise<MetricName[]> {
  const range = { ...scope, ...since && { since }, ...until && { until } };
  return await reader.snapshot(
    { ...range, view: "metrics" },
    (ask) => answer(ask, names, { since: since ?? null, until: until ?? null, name: null, limit }),
  );
}

export async function attributesOf(
  reader: Reader,
  { since, until, ...scope }: PointsScope,
  name: string,
): Promise<PointAttribute[]> {
  const range = { ...scope, ...since && { since }, ...until && { until } };
  return await reader.snapshot({ ...range, view: "metrics" }, (ask) =>
    answer(ask, attributes, {
      since: since ?? null,
      until: until ?? null,
      name,
      series: attributeSeriesMax,
      limit: attributesMax,
    }));
}

export async function pointsOf(reader: Reader, asked: PointsAsked): Promise<PointsAnswer> {
  const { name, groupBy } = asked;
  const { since, until, project_id } = asked.scope;
  const from = since === undefined
    ? undefined
    : new Date(Date.parse(since) - lookbackMs).toISOString();
  const range = { project_id, ...from && { since: from }, ...until && { until } };
  return await reader.snapshot({ ...range, view: "metrics" }, async (ask) => {
    const about = { since: since ?? null, until: until ?? null, name, limit: 1 };
    const [metric] = await answer(ask, names, about);
    const first = since ?? metric?.first_seen ?? null;
    const last = until ?? metric?.last_seen ?? null;
    const interval_seconds = asked.intervalS ?? intervalFor(first, last);
    const empty = { metric: null, groups: [], groups_total: 0, series: [], quantiles_known: true };
    if (metric === undefined) return { ...empty, since: first, until: last, interval_seconds };
    const filter = { name, since, from, until, by: groupBy === null ? null : pointer(groupBy) };
    const rangeS = (Date.parse(last!) - Date.parse(first!)) / 1000;
    await setPoints(ask, filter);
    const all = await answer(ask, series, { limit: asked.groupsMax });
    if (rangeS / interval_seconds * Math.max(1, all.length) > cellsMax) {
      throw new IntervalTooNarrow(`wider: at most ${cellsMax} buckets are made`);
    }
    const groups = groupBy === null
      ? null
      : all.map(({ group }) => group === null ? "" : `=${group}`);
    await setPoints(ask, { ...filter, groups });
    const spread = await spreadOf(ask);
    const interval_us = interval_seconds * 1_000_000;
    await setPoints(ask, { ...filter, groups, interval_us });
    const narrow = await answer(ask, series, { limit: cellsMax + all.length });
    const narrowSpread = spread === null ? null : await spreadOf(ask);
    return {
      metric,
      since: first,
      until: last,
      interval_seconds,
      groups: all.map((row) => measured(row, rangeS, spread)).map(({ bucket: _, ...cell }) => cell),
      groups_total: all[0]?.cells ?? 0,
      series: narrow.map((row) =>
        measured(row, interval_seconds, narrowSpread)
      ) as PointsAnswer["series"],
      quantiles_known: narrowSpread !== null,
    };
  });
}

/** JSON pointer to a key, whatever characters it has. */
function pointer(key: string): string {
  return `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

type Cell = { bucket: string | null; group: string | null } & Measurement;

/** Names what the questions that follow are about. */
async function setPoints(ask: Ask, filter: Record<string, unknown>): Promise<void> {
  await ask(filterSql, { points: JSON.stringify(filter) });
  await ask(stepsSql, {});
}

type Spread = Map<string, (number | null)[]>;

function measured(
  { growth, cells: _, ...row }: z.infer<typeof seriesRow>,
  seconds: number,
  spread: Spread | null,
): Cell {
  const counted = growth ?? row.count;
  const rate = counted === null || seconds <= 0 ? null : counted / seconds;
  const [p50, p90, p95, p99] = spread?.get(keyOf(row)) ?? [];
  return {
    ...row,
    rate,
    p50: p50 ?? null,
    p90: p90 ?? null,
    p95: p95 ?? null,
    p99: p99 ?? null,
  };
}

/** Quantiles of each cell; null when there are too many histograms, or one cannot be read. */
async function spreadOf(ask: Ask): Promise<Spread | null> {
  const rows = await answer(ask, distributions, { limit: distributionsMax + 1 });
  if (rows.length > distributionsMax) return null;
  const cells = new Map<string, Distributions>();
  for (const row of rows) {
    const stretches = row.distribution === null ? null : stretchesOf(row.distribution, row.before);
    // One that cannot be read would make the others look like all there were.
    if (stretches === null) return null;
    const key = keyOf(row);
    let cell = cells.get(key);
    if (cell === undefined) cells.set(key, cell = new Distributions());
    cell.add(stretches);
  }
  return new Map([...cells].map(([key, cell]) => [key, cell.quantiles(shares)]));
}

function keyOf({ bucket, group }: { bucket: string | null; group: string | null }): string {
  return JSON.stringify([bucket, group]);
}
