// Buckets of /api/metrics and /api/points as lines of a chart: every bucket of the range has a place,
// those without data hold null. Pure.

interface Point {
  bucket: string;
  group: string | null;
}

interface Series<P extends Point> {
  since: string;
  until: string;
  interval_seconds: number;
  series: P[];
}

/** More places than a screen has pixels would show nothing more. */
const bucketsMax = 5000;

export interface Buckets<P extends Point> {
  /** Seconds since 1970. */
  times: number[];
  /** Points by group, each in the place of its bucket. */
  groups: Map<string | null, (P | null)[]>;
}

export function bucketsOf<P extends Point>(
  { since, until, interval_seconds, series }: Series<P>,
): Buckets<P> {
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
  const groups = new Map<string | null, (P | null)[]>();
  series.forEach((point, index) => {
    const place = Math.round(((starts[index] ?? from) - from) / interval_seconds);
    let points = groups.get(point.group);
    if (points === undefined) {
      points = new Array<P | null>(count).fill(null);
      groups.set(point.group, points);
    }
    if (place >= 0 && place < count) points[place] = point;
  });
  return { times, groups };
}

export function valuesOf<K extends string>(
  points: (Record<K, number | null> | null)[] | undefined,
  count: number,
  measure: K,
): (number | null)[] {
  if (points === undefined) return new Array<null>(count).fill(null);
  return points.map((point) => point === null ? null : point[measure]);
}

/**
 * Seconds from one point of a group to its next, in the middle case; 0 when there is no next. Programs
 * that tell a metric once a minute have nothing to say in narrower buckets.
 */
export function stepOf(series: Point[]): number {
  const last = new Map<string | null, number>();
  const steps: number[] = [];
  for (const { bucket, group } of series) {
    const at = Date.parse(bucket) / 1000;
    const before = last.get(group);
    if (before !== undefined) steps.push(at - before);
    last.set(group, at);
  }
  return steps.toSorted((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 0;
}
