// Monitors on their clock: once and not twice, whatever ends, jumps, hangs or is deleted in between.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Notification } from "../../src/notify/channel.ts";
import { eventually } from "../notify/receiver.ts";
import { type Answer, completion, type Endpoint, monitor, startEndpoint } from "./endpoint.ts";
import { openPlace, type Place } from "./fixture.ts";

const minuteMs = 60_000;
const startMs = Date.UTC(2026, 0, 31, 12);
let place: Place;
const endpoints: Endpoint[] = [];

beforeEach(async () => {
  place = await openPlace(startMs);
});
afterEach(async () => {
  for (const one of endpoints.splice(0)) await one.stop();
  await place.close();
});

function endpoint(answer?: Answer): Endpoint {
  const started = startEndpoint(answer);
  endpoints.push(started);
  return started;
}

const paris = { assertions: [{ type: "contains", value: "Paris" }] };
const hanging: Answer = () => new Promise(() => {});

test("a check is a run: a span, a call with its tokens, and what does not hold", async () => {
  const { url } = endpoint(() => completion("Lyon."));
  const life = place.live();
  life.save("mon_1", monitor({ url, ...paris, retries: 0, env: "production" }), { api_key: "k" });
  await life.turn();
  const { last, failures } = life.store.monitors.state("mon_1");
  expect(last).toMatchObject({
    outcome: "failing",
    problem: "assertion_failed",
    message: 'Not so: contains "Paris".',
    status: 200,
    attempts: 1,
    stored: "stored",
    by: "schedule",
    assertions: [{ text: 'contains "Paris"', holds: false }],
  });
  // 800 fresh, 200 cached and 100 output tokens of gpt-4o-mini.
  expect(last!.cost_usd).toBeCloseTo(0.000195, 9);
  expect(failures).toBe(1);
  const events = await place.events();
  expect(events.map(({ event_type, status, run_id, tags }) => [event_type, status, run_id, tags]))
    .toEqual([
      ["span", "warning", last!.id, ["monitor", "monitor:mon_1"]],
      ["prompt_call", "success", last!.id, ["monitor", "monitor:mon_1"]],
      ["assertion_failed", "assertion_failed", last!.id, ["monitor", "monitor:mon_1"]],
    ]);
  expect(events[1]).toMatchObject({ env: "production", response: "Lyon." });
  expect(life.errors).toEqual([]);
});

test("it is checked once an interval, however often the clock ticks", async () => {
  const { url, asked } = endpoint();
  const life = place.live();
  life.save("mon_1", monitor({ url, interval_minutes: 5 }));
  life.monitors.tick();
  life.monitors.tick();
  await life.turn();
  expect(asked.length).toBe(1);
  for (let second = 0; second < 3600; second++) {
    place.clock.now += 1000;
    life.monitors.tick();
    if (life.monitors.isRunning("mon_1")) await life.monitors.settle();
  }
  expect(asked.length).toBeWithin(12, 14);
  expect(life.store.checks.list("mon_1", null, 100).length).toBe(asked.length);
  expect(life.store.checks.summaries("shop", startMs).get("mon_1")).toMatchObject({
    ok: asked.length,
    failing: 0,
    erroring: 0,
  });
});

test("one that hangs delays no other, and there are never too many at once", async () => {
  const hung = endpoint(hanging);
  const quick = endpoint();
  const life = place.live();
  for (let at = 0; at < 40; at++) {
    life.save(`mon_h${at}`, monitor({ url: hung.url, retries: 0, timeout_seconds: 1 }));
  }
  life.monitors.tick();
  await eventually(() => Promise.resolve(hung.asked.length === 16));
  expect(life.store.monitors.all().filter(({ id }) => life.monitors.isRunning(id)).length).toBe(16);
  // While those wait, another has its turn as soon as one of them ends.
  life.save("mon_q", monitor({ url: quick.url }));
  await eventually(() => {
    life.monitors.tick();
    return Promise.resolve(quick.asked.length === 1 && hung.asked.length === 40);
  });
  await life.monitors.settle();
  expect(life.store.monitors.state("mon_q").last?.outcome).toBe("ok");
  expect(life.store.monitors.state("mon_h39").last).toMatchObject({
    outcome: "erroring",
    problem: "timeout",
    latency_ms: null,
    cost_usd: null,
  });
}, 30_000);

test("a check that a long one stands beside goes on, and a long one stands in nobody's way", async () => {
  const hung = endpoint(hanging);
  const quick = endpoint();
  let monotonicMs = 0;
  const life = place.live({ monotonicMs: () => monotonicMs });
  for (let at = 0; at < 16; at++) {
    life.save(`mon_h${at}`, monitor({ url: hung.url, timeout_seconds: 60 }), {}, "bank");
  }
  life.monitors.tick();
  life.save("mon_q", monitor({ url: quick.url }));
  life.monitors.tick();
  expect(quick.asked.length).toBe(0);
  expect(life.monitors.isRunning("mon_q")).toBe(false);
  monotonicMs = 11_000;
  life.monitors.tick();
  await eventually(() => Promise.resolve(life.store.monitors.state("mon_q").last !== null));
  life.end();
});

describe("a server that ends during a check", () => {
  test("does not check again at once, and says that it does not know", async () => {
    const hung = endpoint(hanging);
    const first = place.live();
    first.save("mon_1", monitor({ url: hung.url, interval_minutes: 5 }));
    first.monitors.tick();
    await eventually(() => Promise.resolve(hung.asked.length === 1));
    first.end();
    hung.answer = () => completion("Paris.");
    place.clock.now += 10_000;
    const second = place.live();
    await second.turn();
    expect(hung.asked.length).toBe(1);
    const [only] = second.store.checks.list("mon_1", null, 10);
    expect(only).toMatchObject({ outcome: "interrupted", latency_ms: null, cost_usd: null });
    expect(second.store.monitors.state("mon_1")).toMatchObject({ last: null, failures: 0 });
    // What is not known counts neither for nor against it.
    expect(second.store.checks.summaries("shop", startMs).get("mon_1")).toBeUndefined();
    // The machine slept: what is late waits for its part of a minute.
    place.clock.now += 9 * minuteMs;
    await second.turn();
    place.clock.now += minuteMs;
    await second.turn();
    expect(hung.asked.length).toBe(2);
    expect(second.store.checks.list("mon_1", null, 10).map(({ outcome }) => outcome))
      .toEqual(["ok", "interrupted"]);
    expect(await place.events()).toHaveLength(2);
  });

  test("a hundred times, at any moment, checks each time it lives once", async () => {
    const { url, asked } = endpoint();
    place.live().save("mon_1", monitor({ url, interval_minutes: 1 }));
    for (let round = 1; round <= 100; round++) {
      const life = place.live();
      life.monitors.tick();
      for (let turn = 0; turn < round; turn++) await new Promise(setImmediate);
      life.monitors.tick();
      const { next_at } = life.store.monitors.state("mon_1");
      life.end();
      expect(asked.length).toBeLessThanOrEqual(round);
      place.clock.now = next_at!;
    }
    const life = place.live();
    await life.turn();
    // Each that was begun is told of, once; and some ended before the life did, and some did not.
    const results = life.store.checks.list("mon_1", null, 500);
    expect(new Set(results.map(({ id }) => id)).size).toBe(101);
    expect(results.length).toBe(101);
    expect([...new Set(results.map(({ outcome }) => outcome))].toSorted())
      .toEqual(["interrupted", "ok"]);
    const roots = (await place.events()).filter(({ event_type }) => event_type === "span");
    expect(new Set(roots.map(({ run_id }) => run_id)).size).toBe(roots.length);
    life.end();
  }, 30_000);
});

test("after a day of downtime each is checked once, spread over a minute", async () => {
  const { url, asked } = endpoint();
  const before = place.live();
  for (let at = 0; at < 50; at++) before.save(`mon_${at}`, monitor({ url, interval_minutes: 10 }));
  while (asked.length < 50) await before.turn();
  before.end();
  place.clock.now += 24 * 60 * minuteMs;
  const life = place.live();
  const perTick: number[] = [];
  for (let second = 0; second < 61; second++) {
    const seen = asked.length;
    await life.turn();
    perTick.push(asked.length - seen);
    place.clock.now += 1000;
  }
  expect(asked.length).toBe(100);
  expect(Math.max(...perTick)).toBeLessThan(8);
});

test("a clock that is set back by a day does not silence it for a day", async () => {
  const { url, asked } = endpoint();
  const life = place.live();
  life.save("mon_1", monitor({ url, interval_minutes: 5 }));
  await life.turn();
  place.clock.now -= 24 * 60 * minuteMs;
  await life.turn();
  place.clock.now += minuteMs;
  await life.turn();
  expect(asked.length).toBe(2);
});

describe("what is deleted or changed during a check", () => {
  test("a project: its monitors stop, and nothing is recorded", async () => {
    const hung = endpoint(hanging);
    const life = place.live();
    life.save("mon_1", monitor({ url: hung.url }));
    life.save("mon_2", monitor({ url: hung.url }), {}, "bank");
    life.monitors.tick();
    await eventually(() => Promise.resolve(hung.asked.length === 2));
    await place.deleteProject("shop");
    life.monitors.tick();
    await eventually(() => Promise.resolve(!life.monitors.isRunning("mon_1")));
    expect(life.monitors.isRunning("mon_2")).toBe(true);
    expect(life.store.monitors.get("mon_1")).toBeNull();
    expect(await place.events()).toEqual([]);
    place.clock.now += 60 * minuteMs;
    life.monitors.tick();
    expect(hung.asked.length).toBe(2);
    expect(life.errors).toEqual([]);
    life.end();
  });

  test("a monitor that asks something else: the old answer is told, and says nothing", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const slow = endpoint(async (_, count) => {
      if (count === 1) await promise;
      return completion("Lyon.");
    });
    const life = place.live();
    life.save("mon_1", monitor({ url: slow.url, ...paris, retries: 0 }));
    life.monitors.tick();
    await eventually(() => Promise.resolve(slow.asked.length === 1));
    life.save("mon_1", monitor({ url: slow.url, prompt: "Another?" }));
    resolve();
    await life.monitors.settle();
    expect(life.store.monitors.state("mon_1")).toMatchObject({ last: null, failures: 0 });
    await life.turn();
    expect(life.store.monitors.state("mon_1").last?.outcome).toBe("ok");
    expect(life.store.checks.list("mon_1", null, 10).map(({ outcome }) => outcome).toSorted())
      .toEqual(["failing", "ok"]);
  });
});

describe("people", () => {
  const addChannel = (life: ReturnType<Place["live"]>) => {
    const time = new Date(startMs).toISOString();
    life.store.commit(() =>
      life.store.channels.put({
        id: "ch_1",
        project_id: "shop",
        name: "Team",
        type: "webhook",
        config: { url: "http://a.test" },
        sealed: null,
        created_at: time,
        updated_at: time,
      })
    );
  };
  const told = (life: ReturnType<Place["live"]>) =>
    life.store.outbox.list({
      project_id: "shop",
      status: null,
      channel_id: "ch_1",
      rule_id: "mon_1",
      before: null,
      limit: 100,
    }).toReversed().map(({ body, kind }) => [kind, (body as Notification).text]);
  const next = async (life: ReturnType<Place["live"]>) => {
    place.clock.now = life.store.monitors.state("mon_1").next_at ?? place.clock.now;
    await life.turn();
  };

  test("are told after so many failures in a row, across restarts, once; and of the end", async () => {
    const at = endpoint(() => new Response("no", { status: 500 }));
    let life = place.live();
    addChannel(life);
    const watched = monitor({
      url: at.url,
      retries: 0,
      interval_minutes: 1,
      failures_to_alert: 3,
      channels: ["ch_1"],
    });
    life.save("mon_1", watched);
    await life.turn();
    await next(life);
    expect(told(life)).toEqual([]);
    life.end();
    life = place.live();
    await next(life);
    const down = 'The last 3 checks of "Capital" failed. Answered 500.';
    expect(told(life)).toEqual([["firing", down]]);
    life.end();
    life = place.live();
    await next(life);
    await next(life);
    expect(told(life)).toEqual([["firing", down]]);
    const open = life.store.alerts.list({
      project_id: "shop",
      status: "firing",
      rule_id: null,
      before: null,
      limit: 10,
    });
    expect(open).toMatchObject([{
      rule_id: "mon_1",
      rule_name: "Capital",
      alert: { level: "critical", threshold: 3 },
    }]);
    at.answer = () => completion("Paris.");
    await next(life);
    expect(told(life)).toEqual([
      ["firing", down],
      ["resolved", 'The check of "Capital" is right again.'],
    ]);
    // One failure alone is not told.
    at.answer = () => new Response("no", { status: 500 });
    await next(life);
    expect(told(life)).toHaveLength(2);
    expect(life.errors).toEqual([]);
  });

  test.each([
    ["paused", { enabled: false }, 'The monitor "Capital" is paused.'],
    ["changed", { prompt: "Another?" }, 'The monitor "Capital" asks something else now.'],
    ["deleted", null, 'The monitor "Capital" was deleted.'],
  ])("are told of the end when it is %s", async (_what, fields, text) => {
    const at = endpoint(() => new Response("no", { status: 500 }));
    const life = place.live();
    addChannel(life);
    const watched = { url: at.url, retries: 0, failures_to_alert: 1, channels: ["ch_1"] };
    const stored = life.save("mon_1", monitor(watched));
    await life.turn();
    expect(told(life)).toHaveLength(1);
    if (fields === null) life.monitors.remove(stored);
    else life.save("mon_1", monitor({ ...watched, ...fields }));
    expect(told(life)[1]).toEqual(["resolved", text]);
  });

  test("may resolve it by hand; it fires again only after a check that was right", async () => {
    const at = endpoint(() => new Response("no", { status: 500 }));
    const life = place.live();
    addChannel(life);
    life.save(
      "mon_1",
      monitor({ url: at.url, retries: 0, failures_to_alert: 1, channels: ["ch_1"] }),
    );
    await life.turn();
    const [open] = life.store.alerts.list({
      project_id: "shop",
      status: "firing",
      rule_id: "mon_1",
      before: null,
      limit: 1,
    });
    const { id } = open!.alert;
    expect(life.monitors.resolve(id)).toMatchObject({ resolved_reason: "resolved_by_hand" });
    expect(life.monitors.resolve(id)).toBeNull();
    await next(life);
    expect(told(life).map(([kind]) => kind)).toEqual(["firing", "resolved"]);
    at.answer = () => completion("Paris.");
    await next(life);
    at.answer = () => new Response("no", { status: 500 });
    await next(life);
    expect(told(life).map(([kind]) => kind)).toEqual(["firing", "resolved", "firing"]);
  });
});

test("what the store refuses is told, and the check counts", async () => {
  const { url } = endpoint();
  const refusal = { reason: "disk_full" as const, message: "The disk is full." };
  const life = place.live({ ingest: { take: () => Promise.resolve(refusal) } });
  life.save("mon_1", monitor({ url }));
  await life.turn();
  expect(life.store.monitors.state("mon_1").last).toMatchObject({
    outcome: "ok",
    stored: "refused",
  });
});

test("a key that cannot be opened any more is told, not left out", async () => {
  const { url, asked } = endpoint();
  const life = place.live();
  const stored = life.save("mon_1", monitor({ url }), { api_key: "sk-1" });
  life.monitors.save({ ...stored, sealed: stored.sealed!.replace(/.{6}$/, "AAAAAA") }, stored);
  await life.turn();
  expect(life.store.monitors.state("mon_1").last).toMatchObject({
    outcome: "erroring",
    problem: "no_secret",
  });
  expect(asked).toEqual([]);
});

test("by hand it is checked at once, but not beside a check that is under way", async () => {
  const hung = endpoint(hanging);
  const quick = endpoint();
  const life = place.live();
  const one = life.save("mon_1", monitor({ url: hung.url }));
  const two = life.save("mon_2", monitor({ url: quick.url, enabled: false }));
  life.monitors.tick();
  expect(await life.monitors.runNow(one)).toBe("under_way");
  expect(await life.monitors.runNow(two)).toMatchObject({ outcome: "ok", by: "hand" });
  life.end();
});
