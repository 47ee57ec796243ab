// Metrics as places on an axis.
import { expect, test } from "bun:test";
import type { Metrics } from "../../web/api.ts";
import { bucketsOf, stepOf, valuesOf } from "../../web/parts/series.ts";

test("a bucket without events is a gap, not a zero", () => {
  const point = (bucket: string, group: string | null, requests: number) =>
    ({ bucket, group, requests }) as Metrics["series"][number];
  const { times, groups } = bucketsOf({
    since: "2026-01-31T12:00:10Z",
    until: "2026-01-31T12:04:00Z",
    interval_seconds: 60,
    series: [
      point("2026-01-31T12:00:00Z", "a", 2),
      point("2026-01-31T12:03:00Z", "a", 1),
      point("2026-01-31T12:03:00Z", null, 5),
    ],
  } as Metrics);
  const first = Date.parse("2026-01-31T12:00:00Z") / 1000;
  expect(times.slice(0, 4)).toEqual([first, first + 60, first + 120, first + 180]);
  const values = (group: string | null) =>
    valuesOf(groups.get(group), times.length, "requests").slice(0, 4);
  expect(values("a")).toEqual([2, null, null, 1]);
  expect(values(null)).toEqual([null, null, null, 5]);
  expect(values("absent")).toEqual([null, null, null, null]);
});

test("the step of a metric is the usual time between two points of a group", () => {
  const at = (seconds: number, group: string | null = null) => ({
    bucket: new Date(seconds * 1000).toISOString(),
    group,
  });
  expect(stepOf([])).toBe(0);
  expect(stepOf([at(0), at(0, "a")])).toBe(0);
  expect(stepOf([at(0), at(0, "a"), at(60), at(60, "a"), at(150), at(180), at(240)])).toBe(60);
});
