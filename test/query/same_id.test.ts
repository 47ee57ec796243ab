// An event id that was sent again after the store had forgotten it: two events, each shown as it is.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { pageOfEvents, type Place, type Sort, sorts } from "../../src/query/events.ts";
import { oneRun } from "../../src/query/runs.ts";
import { type OpenStore, openStore, spans, temporaryFolder } from "../store/fixture.ts";

const folder = temporaryFolder();
let lake: OpenStore;
const twice = (latency_ms: number, timestamp: string) => ({
  event_id: "twice",
  event_type: "span",
  run_id: "run",
  latency_ms,
  timestamp,
});

beforeAll(async () => {
  lake = await openStore(folder.path, { dedupeEventsMin: 2 });
  await lake.send([twice(1, "2026-01-31T12:00:00Z")]);
  await lake.send(spans("other", 50), "bank");
  await lake.store.flush();
  const { accepted } = await lake.send([twice(2, "2026-01-31T13:00:00Z")]);
  expect(accepted).toBe(1);
});
afterAll(async () => {
  await lake.close();
  folder.remove();
});

test.each(sorts.map((sort): [Sort, number] => [sort, 1]).concat(sorts.map((sort) => [sort, 9])))(
  "by %s, %i a page",
  async (sort, limit) => {
    const filter = { project_id: "shop", values: {} };
    const found: unknown[] = [];
    let after: Place | null = null;
    do {
      const asked = { filter, sort, order: "desc", limit, after, view: "light" } as const;
      const page = await pageOfEvents(lake.store.reader, asked);
      found.push(...page.events.map((event) => event.latency_ms));
      after = page.next;
    } while (after !== null);
    expect(found.toSorted()).toEqual([1, 2]);
  },
);

test("its run has both", async () => {
  const detail = await oneRun(lake.store.reader, "shop", "run", 10);
  expect(detail!.events.map((event) => event.latency_ms)).toEqual([1, 2]);
  expect(detail!.run.event_count).toBe(2);
});
