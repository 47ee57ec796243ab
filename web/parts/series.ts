// Buckets of /api/metrics as lines of a chart: every bucket of the range has a place, those without
// events hold null. Pure.
import type { Measures, Metrics } from "../api.ts";

export type Measure = keyof Measures;
type Point = Metrics["series"][number];

/** More places than a screen has pixels would show nothing more. */
const bucketsMax = 5000;

export interface Buckets {
  /** Seconds since 1970. */
  times: number[];
  /** Points by group, each in the place of its bucket. */
  groups: Map<string | null, (Point | null)[]>;
}

export function bucketsOf({ since, until, interval_seconds, series }: Metrics): Buckets {
  const starts = series.map(({ bucket }) => Date.parse(bucket) / 1000);
  const first = Math.min(
    Math.floor(Date.parse(since) / 1000 / interval_seconds) * interval_seconds,
    ...starts,
  );
  // Buckets are aligned by the server; what is shown follows theirs.
  const shift = (starts[0] ?? first) % interval_seconds;
  const from = Math.floor((first - shift) / interval_seconds) * interval_seconds + shift;
  const last = Math.max(Date.parse(until) / 1000, ...starts);
  const count = Math.min(
    bucketsMax,
    Math.max(1, Math.ceil((last - from + 0.001) / interval_seconds)),
  );
  const times = Array.from({ length: count }, (_, index) => from + index * interval_seconds);
  const groups = new Map<string | null, (Point | null)[]>();
  series.forEach((point, index) => {
    const place = Math.round(((starts[index] ?? from) - from) / interval_seconds);
    let points = groups.get(point.group);
    if (points === undefined) {
      points = new Array<Point | null>(count).fill(null);
      groups.set(point.group, points);
    }
    if (place >= 0 && place < count) points[place] = point;
  });
  return { times, groups };
}

export function valuesOf(
  points: (Point | null)[] | undefined,
  count: number,
  measure: Measure,
): (number | null)[] {
  if (points === undefined) return new Array<null>(count).fill(null);
  return points.map((point) => point === null ? null : point[measure]);
}
