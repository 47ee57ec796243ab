import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Measurement, namesOf, pointsOf } from "../../src/query/points.ts";
import type { MetricPoint } from "../../src/receive/otlp/telemetry.ts";
import { type OpenStore, openStore, temporaryFolder } from "../store/fixture.ts";
import { point, resource } from "../store/point.ts";

const noonMs = Date.UTC(2026, 0, 31, 12);
/** Nanoseconds at so many minutes after noon. */
const at = (minute: number) => BigInt(noonMs + minute * 60_000) * 1_000_000n;

type More = Partial<MetricPoint>;
const sum = (minute: number, value: number, more: More = {}) =>
  point(value, {
    name: "calls",
    type: "sum",
    temporality: "cumulative",
    monotonic: true,
    unit: "1",
    start: at(0),
    time: at(minute),
    attributes: { model: "a" },
    ...more,
  });
const histogram = (minute: number, counts: number[], more: More = {}) =>
  point(0, {
    name: "duration",
    type: "histogram",
    temporality: "cumulative",
    value: null,
    start: at(0),
    time: at(minute),
    count: counts.reduce((a, b) => a + b, 0),
    sum: counts.reduce((a, b) => a + b, 0) * 2,
    distribution: { bounds: [0, 10, 20], counts },
    ...more,
  });

const folder = temporaryFolder();
let opened: OpenStore;

beforeAll(async () => {
  opened = await openStore(folder.path);
  const sent = [
    // One series, restarted after minute 2; another that falls without a new start.
    ...[[1, 10], [2, 15]].map(([minute, value]) => sum(minute!, value!)),
    ...[[3, 4], [4, 6]].map(([minute, value]) => sum(minute!, value!, { start: at(2.5) })),
    ...[[1, 100], [2, 130], [3, 7]].map(([minute, value]) =>
      sum(minute!, value!, { attributes: { model: "b" }, start: 0n })
    ),
    ...[[1, 3], [2, 4]].map(([minute, value]) =>
      sum(minute!, value!, { name: "calls.delta", temporality: "delta" })
    ),
    ...[["x", 5], ["y", 2]].flatMap(([queue, value]) =>
      [1, 1.5].map((minute) =>
        sum(minute, Number(value) * minute, {
          name: "active",
          monotonic: false,
          attributes: { queue: queue! },
        })
      )
    ),
    ...[[1, 20], [1.5, 30], [2, 10]].map(([minute, value]) =>
      point(value!, { name: "temperature", time: at(minute!) })
    ),
    histogram(1, [0, 4, 0, 0]),
    histogram(2, [0, 4, 8, 0]),
    histogram(3, [0, 2, 0, 0], { start: at(2) }),
    histogram(1, [0, 10, 0, 0], { name: "duration.delta", temporality: "delta", min: 1, max: 9 }),
    histogram(1.5, [0, 0, 10, 0], {
      name: "duration.delta",
      temporality: "delta",
      min: 11,
      max: 19,
    }),
  ];
  // Half in the lake, half in the tail.
  for (const half of [sent.slice(0, 9), sent.slice(9)]) {
    const receipt = await opened.ingest.takePoints("shop", half, 1);
    expect(receipt).toMatchObject({ accepted: half.length });
    if (half.length === 9) await opened.store.flush();
  }
});
afterAll(async () => {
  await opened.close();
  folder.remove();
});

interface Case {
  name: string;
  sinceMinute?: number;
  by?: string;
  fields: (keyof Measurement)[];
  /** By bucket and group: minute, group, fields. */
  expected: (string | number | null)[][];
}

function check(what: string, { name, sinceMinute, by, fields, expected }: Case): void {
  test(`points: ${what}`, async () => {
    const since = sinceMinute === undefined
      ? {}
      : { since: new Date(noonMs + sinceMinute * 60_000).toISOString() };
    const { series } = await pointsOf(opened.store.reader, {
      scope: { project_id: "shop", ...since },
      name,
      intervalS: 60,
      groupBy: by ?? null,
      groupsMax: 10,
    });
    expect(
      series.map((cell) => [
        (Date.parse(cell.bucket) - noonMs) / 60_000,
        cell.group,
        ...fields.map((field) => cell[field]),
      ]),
    ).toEqual(expected);
  });
}

check("a cumulative sum is shown by its growth, restarts considered", {
  name: "calls",
  by: "model",
  fields: ["value", "rate"],
  expected: [
    [1, "b", 100, 100 / 60],
    [1, "a", 10, 10 / 60],
    [2, "b", 30, 0.5],
    [2, "a", 5, 5 / 60],
    [3, "b", 7, 7 / 60],
    [3, "a", 4, 4 / 60],
    [4, "a", 2, 2 / 60],
  ],
});
check("what is compared may lie before the range", {
  name: "calls",
  by: "model",
  sinceMinute: 2,
  fields: ["value"],
  expected: [[2, "b", 30], [2, "a", 5], [3, "b", 7], [3, "a", 4], [4, "a", 2]],
});
check("without a group all series count together", {
  name: "calls",
  fields: ["value", "series", "points"],
  expected: [[1, null, 110, 2, 2], [2, null, 35, 2, 2], [3, null, 11, 2, 2], [4, null, 2, 1, 1]],
});
check("a delta sum adds up", {
  name: "calls.delta",
  fields: ["value", "rate"],
  expected: [[1, null, 3, 0.05], [2, null, 4, 4 / 60]],
});
check("a sum that also falls: the last of each series, in total", {
  name: "active",
  fields: ["value", "rate", "max"],
  expected: [[1, null, 10.5, null, 7.5]],
});
check("a gauge: the last value", {
  name: "temperature",
  fields: ["value", "avg", "min", "max", "sum"],
  expected: [[1, null, 30, 25, 20, 30, null], [2, null, 10, 10, 10, 10, null]],
});
check("grouped by an attribute of the resource", {
  name: "temperature",
  by: "service.name",
  fields: ["points"],
  expected: [[1, "checkout", 2], [2, "checkout", 1]],
});
check("grouped by an attribute that none has", {
  name: "temperature",
  by: `"~/$.*[0]'`,
  fields: ["points"],
  expected: [[1, null, 2], [2, null, 1]],
});
check("a cumulative histogram: what was measured within the bucket", {
  name: "duration",
  fields: ["count", "sum", "avg", "p50", "p99", "rate", "min"],
  expected: [
    [1, null, 4, 8, 2, 5, 9.9, 4 / 60, null],
    [2, null, 8, 16, 2, 15, 19.9, 8 / 60, null],
    [3, null, 2, 4, 2, 5, 9.9, 2 / 60, null],
  ],
});
check("a histogram from within: the first bucket is taken off", {
  name: "duration",
  sinceMinute: 2,
  fields: ["count", "p50"],
  expected: [[2, null, 8, 15], [3, null, 2, 5]],
});
check("a delta histogram: all points together", {
  name: "duration.delta",
  fields: ["count", "p50", "p95", "min", "max"],
  expected: [[1, null, 20, 10, 19, 1, 19]],
});
check("no such metric", { name: "nothing", fields: [], expected: [] });

test("points: a series that began before anything is known of it has no growth", async () => {
  await opened.ingest.takePoints("bank", [
    sum(20, 1000, { start: at(0) }),
    sum(21, 1001, { start: at(0) }),
  ], 1);
  const since = new Date(noonMs + 10 * 60_000).toISOString();
  const { series, groups } = await pointsOf(opened.store.reader, {
    scope: { project_id: "bank", since },
    name: "calls",
    intervalS: 60,
    groupBy: null,
    groupsMax: 10,
  });
  expect(series.map(({ value }) => value)).toEqual([null, 1]);
  expect(groups.map(({ value }) => value)).toEqual([1]);
});

test("points: names, types and when they were seen", async () => {
  const names = await namesOf(opened.store.reader, { project_id: "shop" }, 100);
  expect(names.map(({ name, type, points }) => [name, type, points])).toEqual([
    ["active", "sum", 4],
    ["calls", "sum", 7],
    ["calls.delta", "sum", 2],
    ["duration", "histogram", 3],
    ["duration.delta", "histogram", 2],
    ["temperature", "gauge", 3],
  ]);
  expect(names[1]).toMatchObject({
    unit: "1",
    monotonic: true,
    temporality: "cumulative",
    series: 2,
    first_seen: "2026-01-31T12:01:00.000000Z",
    last_seen: "2026-01-31T12:04:00.000000Z",
  });
  expect(resource.attributes["service.name"]).toBe("checkout");
});
