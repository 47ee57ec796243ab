// Random events, many asks at once and windows of the past: every value is the one of /api/metrics,
// which plain TypeScript computes from the events that were sent.
import { afterAll, beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import { alertMetrics } from "../../src/alert/rule.ts";
import {
  type AlertAsk,
  type AlertValue,
  nothingOf,
  valuesInPast,
  valuesInWindow,
} from "../../src/query/alerts.ts";
import { groupings } from "../../src/query/metrics.ts";
import { type OpenStore, openStore, temporaryFolder } from "../store/fixture.ts";
import * as naive from "./naive.ts";
import type { Sent } from "./naive.ts";

const folder = temporaryFolder();
let lake: OpenStore;
let projects = 0;

beforeAll(async () => lake = await openStore(folder.path));
afterAll(async () => {
  await lake.close();
  folder.remove();
});

const check = { seed: 20260131, numRuns: 5 };
const minuteMs = 60_000;
const firstMs = Date.UTC(2026, 0, 31, 22);

const someAsk: fc.Arbitrary<AlertAsk> = fc.record({
  metric: fc.constantFrom(...alertMetrics),
  by: fc.constantFrom(null, null, ...groupings),
  falling: fc.boolean(),
  values: naive.someFilter.map(({ values }) => values as AlertAsk["values"]),
});

async function store(events: Sent[], flushed: number): Promise<string> {
  const project_id = `p${++projects}`;
  if (flushed > 0) {
    await lake.send(events.slice(0, flushed), project_id);
    await lake.store.flush();
  }
  if (events.length > flushed) await lake.send(events.slice(flushed), project_id);
  return project_id;
}

function expectedOf(events: Sent[], ask: AlertAsk, sinceMs: number, untilMs: number): AlertValue[] {
  const since = new Date(sinceMs).toISOString();
  const until = new Date(untilMs).toISOString();
  const matching = events.filter((event) =>
    naive.matches(event, { values: ask.values }) &&
    event.timestamp >= since.replace("Z", "000Z") && event.timestamp < until.replace("Z", "000Z")
  );
  const groups = new Map<string, Sent[]>();
  for (const event of matching) {
    for (const group of groupsOf(event, ask.by)) {
      groups.set(group, [...groups.get(group) ?? [], event]);
    }
  }
  if (ask.by === null && matching.length === 0) return [nothingOf(ask.metric)];
  return [...groups].map(([group, own]) => ({
    group,
    requests: own.length,
    value: valueOf(own, ask),
  }))
    .sort((a, b) => a.group < b.group ? -1 : 1);
}

function groupsOf(event: Sent, by: AlertAsk["by"]): string[] {
  if (by === null) return [""];
  if (by === "tag") return event.tags?.length ? [...new Set(event.tags)] : [""];
  return [String(event[by as keyof Sent] ?? "")];
}

function valueOf(events: Sent[], { metric }: AlertAsk): number | null {
  if (metric !== "tokens_call_max") return naive.measuresOf(events)[metric as "requests"];
  const tokens = naive.known(events.map(naive.tokensOf));
  return tokens.length === 0 ? null : Math.max(...tokens);
}

/** By group; sums of floats differ in their last digits. */
const sorted = (values: AlertValue[]) =>
  values.map(({ value, ...rest }) => ({
    ...rest,
    value: value === null ? null : Number(value.toPrecision(9)),
  })).sort((a, b) => a.group < b.group ? -1 : 1);

const someStored = naive.someEvents.chain((events) =>
  fc.record({ events: fc.constant(events), flushed: fc.nat(events.length) })
);

test("many asks of one window", async () => {
  const asks = fc.array(someAsk, { minLength: 1, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(someStored, asks, async ({ events, flushed }, asks) => {
      const project_id = await store(events, flushed);
      const sinceMs = firstMs - minuteMs;
      const untilMs = firstMs + 60 * minuteMs;
      const found = await valuesInWindow(lake.store.reader, {
        project_id,
        since: new Date(sinceMs).toISOString(),
        until: new Date(untilMs).toISOString(),
        seriesMax: 100,
        asks,
      });
      asks.forEach((ask, at) => {
        expect(sorted(found[at]!.values)).toEqual(
          sorted(expectedOf(events, ask, sinceMs, untilMs)),
        );
      });
    }),
    check,
  );
});

test("one ask of many windows, apart or overlapping", async () => {
  const past = fc.constantFrom(
    { firstMs, stepMs: minuteMs, windowMs: minuteMs, steps: 5 },
    { firstMs: firstMs + minuteMs, stepMs: 30_000, windowMs: 5 * minuteMs, steps: 9 },
    { firstMs: firstMs - 90_000, stepMs: 7000, windowMs: 20_000, steps: 40 },
    { firstMs: firstMs + 1, stepMs: 60 * minuteMs, windowMs: minuteMs, steps: 3 },
  );
  await fc.assert(
    fc.asyncProperty(someStored, someAsk, past, async ({ events, flushed }, ask, past) => {
      const project_id = await store(events, flushed);
      const found = await valuesInPast(lake.store.reader, {
        project_id,
        ask,
        seriesMax: 100,
        past,
      });
      expect(found).toHaveLength(past.steps);
      found.forEach(({ values }, step) => {
        const until = past.firstMs + step * past.stepMs;
        expect(sorted(values)).toEqual(
          sorted(expectedOf(events, ask, until - past.windowMs, until)),
        );
      });
    }),
    { ...check, numRuns: 12 },
  );
});

test("of too many groups the furthest out are told, and that there are more", async () => {
  const project_id = await store(
    Array.from({ length: 9 }, (_, at) => ({
      event_id: `e${at}`,
      event_type: "prompt_call",
      timestamp: new Date(firstMs).toISOString(),
      status: "success",
      run_id: "r",
      tool_name: "t",
      user_id: `u${at}`,
      cost_reported_usd: at,
    })),
    4,
  );
  const ask = { metric: "cost_usd", by: "user_id" as const, values: {} };
  const asked = {
    project_id,
    since: new Date(firstMs).toISOString(),
    until: new Date(firstMs + 1).toISOString(),
    seriesMax: 2,
    asks: [{ ...ask, falling: false }, { ...ask, falling: true }],
  };
  const [most, least] = await valuesInWindow(lake.store.reader, asked);
  expect(most).toMatchObject({ groups: 9, values: [{ group: "u8" }, { group: "u7" }] });
  expect(least).toMatchObject({ groups: 9, values: [{ group: "u0" }, { group: "u1" }] });
});

test("alerts that rules made are no traffic, unless they are asked for", async () => {
  const project_id = await store([{
    event_id: "alert",
    event_type: "performance_alert",
    timestamp: new Date(firstMs).toISOString(),
    status: "warning",
    run_id: "r",
    tool_name: "t",
  }], 0);
  const ask = { metric: "requests", by: null, falling: false };
  const asks = [{ ...ask, values: {} }, { ...ask, values: { event_type: ["performance_alert"] } }];
  const since = new Date(firstMs).toISOString();
  const until = new Date(firstMs + 1).toISOString();
  const now = await valuesInWindow(lake.store.reader, {
    project_id,
    since,
    until,
    seriesMax: 9,
    asks,
  });
  expect(now.map(({ values }) => values[0]!.value)).toEqual([0, 1]);
  for (const [at, ask] of asks.entries()) {
    const [past] = await valuesInPast(lake.store.reader, {
      project_id,
      ask,
      seriesMax: 9,
      past: { firstMs: firstMs + 1, stepMs: 1000, windowMs: 1000, steps: 1 },
    });
    expect(past!.values[0]!.value).toBe(at);
  }
});
