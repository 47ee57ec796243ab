// The other decisions: deviations from what is usual, when nobody is told, which windows are due.
import { describe, expect, test } from "bun:test";
import { isMuted } from "../../src/alert/mute.ts";
import { alertMetrics, type Level, ruleFilterFields, ruleGroupings } from "../../src/alert/rule.ts";
import { dueOf, setBack } from "../../src/alert/schedule.ts";
import { judge, median } from "../../src/alert/spike.ts";
import { filterFields } from "../../src/query/filter.ts";
import { groupings, measures } from "../../src/query/metrics.ts";
import { minuteMs, play, rule, startMs } from "./fixture.ts";

test("metrics, filters and groupings are those of the charts", () => {
  expect<readonly string[]>(ruleFilterFields).toEqual([...filterFields]);
  expect<readonly string[]>(ruleGroupings).toEqual([...groupings]);
  expect(alertMetrics.filter((name) => name !== "tokens_call_max"))
    .toEqual(Object.keys(measures.shape) as never);
});

test.each([[[3], 3], [[1, 2], 1.5], [[9, 1, 5], 5], [[4, 1, 3, 2], 2.5]])(
  "median of %j is %d",
  (values, expected) => expect(median(values)).toBe(expected),
);

describe("deviation from what is usual", () => {
  const calm = [100, 101, 99, 100, 102, 98, 100];
  const cases: [
    question: string,
    fields: Record<string, unknown>,
    value: number | null,
    baseline: number[],
    level: string | null | "no data",
  ][] = [
    ["as ever", {}, 101, calm, null],
    ["far beyond", {}, 200, calm, "critical"],
    ["an incident among the days hides nothing", {}, 200, [...calm, 5000, 9000], "critical"],
    ["many deviations, but a small change", {}, 125, [100, 100, 100, 100], null],
    ["a fall is no rise", {}, 10, calm, null],
    ["a fall is looked for", { operator: "<" }, 10, calm, "critical"],
    ["days that vary much", {}, 200, [50, 250, 100, 20, 300, 150, 80], null],
    ["too few days", {}, 900, [1, 2], "no data"],
    ["no value", {}, null, calm, "no data"],
    [
      "a rate that was always 0, a few errors of many",
      { metric: "error_rate" },
      0.01,
      [0, 0, 0, 0],
      null,
    ],
    ["and many of many", { metric: "error_rate" }, 0.2, [0, 0, 0, 0], "critical"],
    ["twice as slow is far", { metric: "latency_p95_ms" }, 2000, [1000, 980, 1020], "critical"],
    ["a quarter slower is not", { metric: "latency_p95_ms" }, 1250, [1000, 980, 1020], null],
    ["twice the cost", { metric: "cost_usd" }, 0.2, [0.1, 0.098, 0.1], "critical"],
    ["some cost where there was none", { metric: "cost_usd" }, 0.2, [0, 0, 0], "critical"],
    ["a cost that varies by factors", { metric: "cost_usd" }, 0.8, [0.1, 0.2, 0.4, 0.8], null],
  ];
  test.each(cases)("%s", (_question, fields, value, baseline, level) => {
    const given = rule({ metric: "requests", baseline: {}, critical: 5, ...fields });
    const judged = judge(given, {
      labels: {},
      value,
      requests: 200,
      baseline: [baseline.map((value) => [value])],
    });
    expect(judged === null ? "no data" : judged.level).toBe(level);
  });
});

describe("few events", () => {
  /** Days of ten windows, one of them with an error in twenty requests. */
  const days = Array.from({ length: 7 }, () => [0.05, ...Array<number>(9).fill(0)]);
  const given = rule({ baseline: {}, warning: 4, critical: 8 });
  const judged = (errors: number, requests: number) =>
    judge(given, { labels: {}, value: errors / requests, requests, baseline: [days] })!;

  test.each<[errors: number, requests: number, level: Level | null]>([
    [1, 20, null],
    [3, 20, null],
    [6, 20, "warning"],
    [14, 20, "critical"],
    [6, 200, null],
    [60, 200, "critical"],
  ])("%d errors of %d: %p", (errors, requests, level) => {
    expect(judged(errors, requests).level).toBe(level);
  });

  test("the threshold that is told is where the level begins", () => {
    const { threshold } = judged(3, 20);
    const at = (value: number) =>
      judge(given, { labels: {}, value, requests: 20, baseline: [days] })!.level;
    expect([at(threshold! * 0.999), at(threshold! * 1.001)]).toEqual([null, "warning"]);
  });
});

test("of two that are usual the one that is nearer counts", () => {
  const given = rule({ metric: "cost_usd", baseline: {}, critical: 5 });
  const quiet = [[1], [1.02], [0.98]];
  const busy = [[3], [3.1], [2.9]];
  const at = (value: number) =>
    judge(given, { labels: {}, value, requests: 9, baseline: [quiet, busy] })!;
  expect([at(1).level, at(3).level, at(9).level]).toEqual([null, null, "critical"]);
  expect(at(9).expected).toBe(3);
});

test.each([
  { metric: "requests", operator: "<" },
  { metric: "requests" },
  { metric: "errors" },
  { metric: "latency_p95_ms" },
  { metric: "cost_usd", operator: "<" },
])("the threshold that is told of %j is where it fires", (fields) => {
  const given = rule({ baseline: { min_change: 0.1 }, critical: 5, ...fields });
  const baseline = [[90, 100, 105], [95, 110, 98], [100, 102, 107]];
  const at = (value: number) =>
    judge(given, { labels: {}, value, requests: 500, baseline: [baseline] })!;
  const { threshold, expected } = at(100);
  expect(expected).toBe(100);
  const outwards = given.operator === "<" ? -0.01 : 0.01;
  expect([at(threshold! - outwards).level, at(threshold! + outwards).level])
    .toEqual([null, "critical"]);
});

describe("muted", () => {
  const at = (text: string) => Date.parse(text);
  const cases: [mute: Record<string, unknown>, time: string, muted: boolean][] = [
    [{ from: "09:00", until: "17:00" }, "2026-01-31T09:00:00Z", true],
    [{ from: "09:00", until: "17:00" }, "2026-01-31T17:00:00Z", false],
    [{ from: "22:00", until: "06:00" }, "2026-01-31T23:00:00Z", true],
    [{ from: "22:00", until: "06:00" }, "2026-01-31T05:59:00Z", true],
    [{ from: "22:00", until: "06:00" }, "2026-01-31T12:00:00Z", false],
    // 2026-01-31 is a Saturday.
    [{ days: ["sat"], from: "22:00", until: "06:00" }, "2026-02-01T05:00:00Z", true],
    [{ days: ["sun"], from: "22:00", until: "06:00" }, "2026-02-01T05:00:00Z", false],
    [{ days: ["sat", "sun"], from: "00:00", until: "24:00" }, "2026-01-31T12:00:00Z", true],
    [{ days: ["mon"], from: "00:00", until: "24:00" }, "2026-01-31T12:00:00Z", false],
    // In Berlin it is an hour later; in Kathmandu 5:45; after the change of March two.
    [{ from: "13:00", until: "14:00", timezone: "Europe/Berlin" }, "2026-01-31T12:30:00Z", true],
    [{ from: "13:00", until: "14:00", timezone: "Europe/Berlin" }, "2026-06-30T12:30:00Z", false],
    [{ from: "18:00", until: "18:30", timezone: "Asia/Kathmandu" }, "2026-01-31T12:20:00Z", true],
  ];
  test.each(cases)("%j at %s: %p", (mute, time, muted) => {
    expect(isMuted(rule({ mute: [mute] }), at(time))).toBe(muted);
  });
});

describe("due", () => {
  const intervalMs = 30_000;
  const due = (window_minutes: number, gapMs: number | null, every = intervalMs) =>
    dueOf(
      { window_minutes, delay_seconds: 0 },
      { evaluated_until: gapMs === null ? null : startMs - gapMs },
      startMs,
      every,
    );
  const cases: [question: string, found: unknown, expected: Record<string, unknown>][] = [
    ["for the first time", due(5, null), { kind: "now", at: startMs }],
    ["at the same moment", due(5, 0), { kind: "not_yet" }],
    ["after a tick", due(5, 30_000), { kind: "now" }],
    ["after a slow tick", due(5, 80_000), { kind: "now" }],
    ["after ten minutes away", due(5, 600_000), { kind: "past", stepMs: 30_000, steps: 20 }],
    ["a window that is shorter than the interval", due(1, 300_000, 300_000), {
      kind: "past",
      stepMs: 60_000,
      steps: 5,
    }],
    ["a day away", due(60, 86_400_000), {
      kind: "past",
      stepMs: 432_000,
      steps: 200,
      isCut: false,
    }],
    ["a month away", due(1, 30 * 86_400_000), { kind: "past", steps: 10_080, isCut: true }],
    ["the clock a little back", due(5, -60_000), { kind: "not_yet" }],
    ["the clock a day back", due(5, -86_400_000), { kind: "set_back", at: startMs }],
  ];
  test.each(cases)("%s", (_question, found, expected) => expect(found).toMatchObject(expected));

  test("a question that was made to rest was not away, unless its window is over", () => {
    const rule = { window_minutes: 60, delay_seconds: 0 };
    const state = { evaluated_until: startMs - 150_000 };
    expect(dueOf(rule, state, startMs, intervalMs, 0).kind).toBe("past");
    expect(dueOf(rule, state, startMs, intervalMs, 100_000).kind).toBe("now");
    expect(dueOf({ ...rule, window_minutes: 2 }, state, startMs, intervalMs, 100_000).kind)
      .toBe("past");
  });

  test("the windows of an absence leave no gap, and end now", () => {
    for (const gapMs of [61_000, 95_000, 600_001, 7_777_777, 86_400_000]) {
      for (const window of [1, 5, 60]) {
        const found = due(window, gapMs);
        if (found.kind !== "past") continue;
        const { firstMs, stepMs, steps } = found;
        expect(firstMs + (steps - 1) * stepMs).toBe(startMs);
        expect(stepMs).toBeLessThanOrEqual(window * minuteMs);
        expect(firstMs - window * minuteMs).toBeLessThanOrEqual(startMs - gapMs);
      }
    }
  });

  test("after the clock was set back a day, what fires goes on, and ends", () => {
    const { state } = play(rule({ repeat_minutes: 5 }), [11]);
    const back = startMs - 24 * 60 * minuteMs;
    setBack(state, back);
    const { phases } = play(rule({ repeat_minutes: 5 }), [11, 9], state, back);
    expect(phases).toBe("C.");
  });
});
