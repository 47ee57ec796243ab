// Random events, some in Parquet and some still in the tail: every number, facet, page and run is the
// one that plain TypeScript computes from the events that were sent.
import { afterAll, beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import { type EventsAsked, pageOfEvents, type Place, sorts } from "../../src/query/events.ts";
import { facetNames, facetsOf } from "../../src/query/facets.ts";
import type { Filter } from "../../src/query/filter.ts";
import { groupings, intervalFor, type Metrics, metricsOf } from "../../src/query/metrics.ts";
import { pageOfRuns, type Run, type RunPlace } from "../../src/query/runs.ts";
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

const check = { seed: 20260131, numRuns: 6 };

/** A project that holds the events, the first of them in Parquet. */
async function store(events: Sent[], flushed: number): Promise<string> {
  const project_id = `p${++projects}`;
  if (flushed > 0) {
    await lake.send(events.slice(0, flushed), project_id);
    await lake.store.flush();
  }
  if (events.length > flushed) await lake.send(events.slice(flushed), project_id);
  return project_id;
}

/** Stores random events, and asks random questions of them with random filters. */
async function holds<Q>(
  question: fc.Arbitrary<Q>,
  property: (events: Sent[], filter: Filter, question: Q) => Promise<void>,
): Promise<void> {
  const stored = naive.someEvents.chain((events) =>
    fc.record({
      events: fc.constant(events),
      flushed: fc.oneof(fc.constantFrom(0, events.length), fc.nat(events.length)),
    })
  );
  const asked = fc.array(fc.tuple(naive.someFilter, question), { minLength: 5, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(stored, asked, async ({ events, flushed }, asked) => {
      const project_id = await store(events, flushed);
      for (const [condition, question] of asked) {
        await property(events, { ...condition, project_id }, question);
      }
    }),
    check,
  );
}

test("metrics", async () => {
  const question = fc.record({
    intervalS: fc.constantFrom(null, 1, 60, 3600, 86_400),
    groupBy: fc.constantFrom(null, "tag" as const, ...groupings),
    groupsMax: fc.integer({ min: 1, max: 4 }),
  });
  await holds(question, async (events, filter, question) => {
    const found = await metricsOf(lake.store.reader, { ...question, filter });
    const matching = events.filter((event) => naive.matches(event, filter));
    expect(naive.rounded(found)).toEqual(naive.rounded(metricsFrom(matching, question, filter)));
  });
});

function metricsFrom(
  matching: Sent[],
  { intervalS, groupBy, groupsMax }: {
    intervalS: number | null;
    groupBy: Metrics["group_by"];
    groupsMax: number;
  },
  filter: Filter,
): Metrics {
  const times = matching.map((event) => event.timestamp).sort();
  const since = filter.since ?? times[0] ?? null;
  const until = filter.until ?? times.at(-1) ?? null;
  const interval_seconds = intervalS ?? intervalFor(since, until);
  const rows = matching.flatMap((event) =>
    naive.groupsOf(event, groupBy).map((group) => ({ event, group }))
  );
  const all = [...Map.groupBy(rows, (row) => row.group)]
    .map(([group, rows]) => ({ group, ...naive.measuresOf(rows.map((row) => row.event)) }))
    .sort((a, b) => b.requests - a.requests || naive.compare(a.group, b.group));
  const groups = groupBy === null ? [] : all.slice(0, groupsMax);
  const shown = new Set(groupBy === null ? [null] : groups.map((row) => row.group));
  const cells = Map.groupBy(
    rows.filter((row) => shown.has(row.group)),
    ({ event, group }) => JSON.stringify([bucketOf(event.timestamp, interval_seconds), group]),
  );
  const series = [...cells].map(([cell, rows]) => {
    const [bucket, group] = JSON.parse(cell) as [string, string | null];
    return { bucket, group, ...naive.measuresOf(rows.map((row) => row.event)) };
  }).sort((a, b) =>
    naive.compare(a.bucket, b.bucket) || b.requests - a.requests || naive.compare(a.group, b.group)
  );
  return {
    since,
    until,
    interval_seconds,
    group_by: groupBy,
    summary: naive.measuresOf(matching),
    groups,
    groups_total: groupBy === null ? 0 : all.length,
    series,
  };
}

function bucketOf(timestamp: string, intervalS: number): string {
  const second = Math.floor(Date.parse(timestamp) / 1000);
  return new Date((second - second % intervalS) * 1000).toISOString().replace("Z", "000Z");
}

test("facets", async () => {
  await holds(fc.integer({ min: 1, max: 3 }), async (events, filter, limit) => {
    const matching = events.filter((event) => naive.matches(event, filter));
    const expected = facetNames.map((name) => {
      const values = matching.flatMap((event) => naive.groupsOf(event, name))
        .filter((value) => value !== null);
      const counts = [...Map.groupBy(values, (value) => value)]
        .map(([value, same]) => ({ value, count: same.length }))
        .sort((a, b) => b.count - a.count || naive.compare(a.value, b.value));
      return [name, counts.slice(0, limit)];
    });
    const found = await facetsOf(lake.store.reader, filter, limit);
    expect(found).toEqual(Object.fromEntries(expected));
  });
});

test("pages of events, one after another, are the sorted list", async () => {
  const question = fc.record({
    sort: fc.constantFrom(...sorts),
    order: fc.constantFrom("asc", "desc"),
    limit: fc.integer({ min: 5, max: 30 }),
    view: fc.constantFrom("full", "light"),
  });
  await holds(question, async (events, filter, question) => {
    const expected = events.filter((event) => naive.matches(event, filter))
      .sort(order(question)).map((event) => event.event_id);
    const found: unknown[] = [];
    let after: Place | null = null;
    do {
      const page = await pageOfEvents(lake.store.reader, { ...question, filter, after });
      expect(page.total).toBe(expected.length);
      expect(page.events.length).toBeLessThanOrEqual(question.limit);
      found.push(...page.events.map((event) => event.event_id));
      // As a cursor would carry it.
      after = JSON.parse(JSON.stringify(page.next)) as Place | null;
    } while (after !== null && found.length <= expected.length);
    expect(found).toEqual(expected);
  });
});

function order({ sort, order }: Pick<EventsAsked, "sort" | "order">) {
  const sign = order === "desc" ? -1 : 1;
  const rank = (event: Sent) =>
    sort === "cost"
      ? naive.costOf(event)
      : sort === "tokens"
      ? naive.tokensOf(event)
      : event.latency_ms;
  return (a: Sent, b: Sent): number => {
    if (sort === "timestamp") {
      return sign *
        (naive.compare(a.timestamp, b.timestamp) || naive.compare(a.event_id, b.event_id));
    }
    const [left, right] = [rank(a), rank(b)];
    if (left === right) return naive.compare(b.event_id, a.event_id);
    // What is not known comes last in either direction.
    if (left === undefined) return 1;
    return right === undefined ? -1 : sign * (left - right);
  };
}

test("pages of runs, one after another, are the runs of matching events", async () => {
  await holds(fc.integer({ min: 1, max: 5 }), async (events, filter, limit) => {
    const expected = runsFrom(events, filter);
    const found: Run[] = [];
    let after: RunPlace | null = null;
    do {
      const page = await pageOfRuns(lake.store.reader, { filter, limit, after });
      expect(page.total).toBe(expected.length);
      found.push(...page.runs);
      after = page.next;
    } while (after !== null && found.length <= expected.length);
    expect(naive.rounded(found)).toEqual(naive.rounded(expected));
  });
});

function runsFrom(events: Sent[], filter: Filter): Run[] {
  const chosen = Map.groupBy(
    events.filter((event) => naive.matches(event, filter)),
    (event) => event.run_id,
  );
  const begun = [...chosen].map(([run_id, events]) => ({
    run_id,
    first: events.map((event) => event.timestamp).sort()[0]!,
  })).sort((a, b) => naive.compare(b.first, a.first) || naive.compare(b.run_id, a.run_id));
  const { since, until, project_id } = filter;
  const range = { since, until, project_id, values: {} };
  return begun.map(({ run_id }) =>
    runFrom(
      run_id,
      events.filter((event) => event.run_id === run_id && naive.matches(event, range)),
    )
  );
}

function runFrom(run_id: string, unordered: Sent[]): Run {
  const events = unordered.toSorted((a, b) =>
    naive.compare(a.timestamp, b.timestamp) ||
    Number(a.parent_span_id !== undefined) - Number(b.parent_span_id !== undefined) ||
    naive.compare(a.event_id, b.event_id)
  );
  const firstOf = (field: "user_id" | "session_id" | "release" | "env" | "prompt") =>
    naive.known(events.map((event) => event[field]))[0] ?? null;
  const micros = (event: Sent) =>
    Date.parse(event.timestamp) * 1000 + Number(event.timestamp.slice(23, 26));
  const ended = Math.max(...events.map((event) => micros(event) + (event.latency_ms ?? 0) * 1000));
  const ended_at = new Date(Math.floor(ended / 1000)).toISOString()
    .replace("Z", `${String(ended % 1000).padStart(3, "0")}Z`);
  const [first] = events as [Sent];
  const errors = events.filter(naive.failed);
  return {
    run_id,
    name: first.name ?? first.tool_name,
    started_at: first.timestamp,
    ended_at,
    duration_ms: (ended - micros(first)) / 1000,
    status: errors.length > 0 ? "error" : "success",
    event_count: events.length,
    error_count: errors.length,
    prompt_call_count: events.filter((event) => event.event_type === "prompt_call").length,
    tool_call_count: events.filter((event) => event.event_type === "tool_call").length,
    tokens_input: naive.sum(events.map((event) => event.tokens_input)),
    tokens_output: naive.sum(events.map((event) => event.tokens_output)),
    cost_usd: naive.sum(events.map(naive.costOf)),
    unpriced: naive.measuresOf(events).unpriced,
    models: [...new Set(naive.known(events.map((event) => event.model)))].sort(),
    user_id: firstOf("user_id"),
    session_id: firstOf("session_id"),
    release: firstOf("release"),
    env: firstOf("env"),
    tags: [...new Set(events.flatMap((event) => event.tags ?? []))].sort(),
    input_preview: firstOf("prompt"),
    output_preview: naive.known(events.map((event) => event.response)).at(-1) ?? null,
    error_message: null,
  };
}
