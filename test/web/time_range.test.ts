// Stretches of time: what is chosen, and what fits the data at a first visit.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { fitRange, instantMs, rangeLabel, shifted } from "../../web/parts/time_range.ts";
import { checks } from "../check.ts";

const now = Date.parse("2026-11-23T12:00:00Z");
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const before = (ms: number) => new Date(now - ms).toISOString();

const fits = checks(
  "fits",
  ([oldest, newest]: [number, number]) => fitRange(before(oldest), before(newest), now),
);

fits("events of this minute", [20_000, 0], { since: "-15m", until: null });
fits("almost an hour of traffic", [50 * minute, 0], { since: "-1h", until: null });
// A preset would be mostly empty: the range starts with the data, and stays open at its end.
fits("two days of traffic", [2 * day, 0], { since: "2026-11-21T11:02:24Z", until: null });
fits("two days of traffic, long ago", [60 * day, 58 * day], {
  since: "2026-09-24T11:02:24Z",
  until: "2026-09-26T12:57:36Z",
});
fits("a year of traffic, still coming in", [365 * day, minute], { since: "-30d", until: null });

test("whatever the data, its newest event is inside the range", () => {
  const ages = fc.tuple(
    fc.integer({ min: 0, max: 3 * 365 * day }),
    fc.integer({ min: 0, max: 90 * day }),
  );
  fc.assert(fc.property(ages, ([newest, length]) => {
    const range = fitRange(before(newest + length), before(newest), now);
    const since = instantMs(range.since ?? "", now) ?? Number.NaN;
    const until = range.until === null ? now + 1 : instantMs(range.until, now) ?? Number.NaN;
    expect(since).toBeLessThanOrEqual(now - newest);
    expect(until).toBeGreaterThan(now - newest);
  }));
});

const label = checks("label", rangeLabel);
label("a preset", { since: "-24h", until: null }, "Last 24 hours");
label("everything", { since: null, until: null }, "All time");

const instant = checks("instant", (text: string) => instantMs(text, now));
instant("relative", "-2h", now - 2 * hour);
instant("now", "now", now);
instant("absolute", "2026-11-23T11:00:00Z", now - hour);
instant("no time", "yesterday", null);
instant("empty", "", null);

const moved = checks("moved", (how: "back" | "forward" | "out") => shifted(now - hour, now, how));
moved("back", "back", { since: "2026-11-23T10:00:00Z", until: "2026-11-23T11:00:00Z" });
moved("forward", "forward", { since: "2026-11-23T12:00:00Z", until: "2026-11-23T13:00:00Z" });
moved("out", "out", { since: "2026-11-23T10:30:00Z", until: "2026-11-23T12:30:00Z" });
