// The queue of what is to be told: one at a time of each thread, in order, and never too long.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { AlertStore } from "../../src/store/alerts.ts";
import { waitingPerChannelMax } from "../../src/store/alerts/outbox.ts";
import { openState, type State } from "../../src/store/state.ts";
import { temporaryFolder } from "./fixture.ts";

const folder = temporaryFolder();
const now = "2026-01-31T12:00:00.000Z";
const later = "2026-01-31T14:00:00.000Z";
let state: State;
let store: AlertStore;
beforeAll(async () => {
  const path = join(folder.path, "state.db");
  state = await openState(path);
  await state.createProject("shop");
  store = new AlertStore(path);
});
afterAll(async () => {
  store.close();
  await state.close();
  folder.remove();
});

const add = (id: string, channel_id: string | null, thread: string) =>
  store.outbox.add({
    id,
    project_id: "shop",
    channel_id,
    channel_name: "Channel",
    channel_type: "webhook",
    rule_id: "rule",
    kind: "firing",
    thread,
    body: { title: id },
  }, now);
const due = () => store.outbox.due(now, later, 1000).map(({ id }) => id);
const delivered = (id: string) =>
  store.outbox.put({
    ...store.outbox.get(id)!,
    status: "delivered",
    next_attempt_at: null,
    finished_at: now,
  });

test("the first of each thread and channel is due, and then the next", () => {
  store.commit(() => {
    add("a1", "ch_a", "t1");
    add("a2", "ch_a", "t1");
    add("a3", "ch_a", "t2");
    add("b1", "ch_b", "t1");
    add("e1", null, "t1");
    add("e2", null, "t1");
    add("a1", "ch_a", "t1");
  });
  expect(due()).toEqual(["a1", "a3", "b1", "e1"]);
  for (const id of ["a1", "e1"]) delivered(id);
  expect(due()).toEqual(["a2", "a3", "b1", "e2"]);
  store.outbox.put({ ...store.outbox.get("a2")!, next_attempt_at: "2026-01-31T12:00:09.000Z" });
  expect(due()).toEqual(["a3", "b1", "e2"]);
  for (const id of ["a2", "a3", "b1", "e2"]) delivered(id);
  expect([due(), store.outbox.nextAt()]).toEqual([[], null]);
});

test("of too many the oldest are given up, and thousands that wait cost no time", () => {
  const channels = ["ch_1", "ch_2", "ch_3"];
  const began = performance.now();
  for (const channel of channels) {
    store.commit(() => {
      for (let at = 0; at < waitingPerChannelMax + 5; at++) add(`${channel} ${at}`, channel, "t");
    });
  }
  expect(due()).toEqual(channels.map((channel) => `${channel} 5`));
  expect(performance.now() - began).toBeLessThan(20_000);
  expect(store.outbox.get("ch_1 4")).toMatchObject({
    status: "failed",
    last_error: "Given up: more than 1000 notifications wait for this channel.",
  });
  store.outbox.cancel("ch_1", now, "The channel was deleted.");
  expect(due()).toEqual(["ch_2 5", "ch_3 5"]);
});
