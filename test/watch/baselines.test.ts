// What is usual, asked for half an hour at a time on the clock, and a day at a time over history: both
// are the same.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { ruleSchema } from "../../src/alert/rule.ts";
import { Random } from "../../src/std/random.ts";
import { type Baseline, Baselines } from "../../src/watch/baselines.ts";
import { baselinesOfPast } from "../../src/watch/baselines_past.ts";
import { askOf } from "../../src/watch/look.ts";
import { type OpenStore, openStore, temporaryFolder } from "../store/fixture.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const untilMs = Date.UTC(2026, 0, 31, 12);

const folder = temporaryFolder();
let lake: OpenStore;
beforeAll(async () => {
  lake = await openStore(folder.path);
  const random = new Random(7);
  // A week with a day without any event.
  const events = Array.from({ length: 4000 }, () => ({
    event_type: "prompt_call",
    status: random.chance(0.2) ? "error" : "success",
    model: random.pick(["a", "b", "c"]),
    timestamp: untilMs - random.integer(0, 7 * dayMs),
  })).filter(({ timestamp }) => Math.floor((untilMs - timestamp) / dayMs) !== 2)
    .map(({ timestamp, ...event }) => ({ ...event, timestamp: new Date(timestamp).toISOString() }));
  await lake.send(events);
});
afterAll(async () => {
  await lake.close();
  folder.remove();
});

test.each([
  { window_minutes: 5 },
  { window_minutes: 10, group_by: "model" },
  { window_minutes: 1, metric: "requests" },
  { window_minutes: 30 },
  { window_minutes: 60, group_by: "model" },
  { window_minutes: 1440 },
])("with %j", async (fields) => {
  const rule = ruleSchema.parse({
    name: "Usual",
    metric: "error_rate",
    critical: 6,
    baseline: { days: 4 },
    ...fields,
  });
  const { reader } = lake.store;
  const sinceMs = untilMs - 3 * hourMs;
  const past = await baselinesOfPast(reader, "shop", rule, { sinceMs, untilMs });
  const onClock = new Baselines(reader);
  for (const at of [sinceMs, sinceMs + 44 * minuteMs, sinceMs + 46 * minuteMs, untilMs]) {
    const asked = {
      project_id: "shop",
      ask: askOf(rule),
      windowMs: rule.window_minutes * minuteMs,
      days: 4,
      timezone: "UTC",
      at,
    };
    const sorted = (found: Baseline) =>
      Object.fromEntries(
        [...found].map(([group, days]) => [
          group,
          days.map((lists) => lists.map((list) => list.toSorted())),
        ]),
      );
    const usual = sorted(await past!(asked));
    expect(usual).toEqual(sorted(await onClock.of(asked)));
    expect(Object.keys(usual).sort()).toEqual(rule.group_by === "model" ? ["a", "b", "c"] : [""]);
  }
});

test("windows that lie differently in every half hour are asked for on the clock", async () => {
  const rule = ruleSchema.parse({
    name: "Odd",
    metric: "errors",
    window_minutes: 7,
    critical: 6,
    baseline: {},
  });
  const span = { sinceMs: untilMs - hourMs, untilMs };
  expect(await baselinesOfPast(lake.store.reader, "shop", rule, span)).toBeNull();
});
