// The watch over a real store: absence, late events, clocks that jump, rules that are slow or broken,
// receivers that hang or fail for an hour.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import type { Reader } from "../../src/query/question.ts";
import type { Answer } from "../../src/store/sandbox.ts";
import { type Receiver, startReceiver } from "../notify/receiver.ts";
import { type Life, openPlace, type Place } from "./fixture.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const startMs = Date.UTC(2026, 0, 31, 12);

let place: Place;
let receiver: Receiver;
const lives: Life[] = [];
let rounds = 0;

beforeAll(async () => {
  place = await openPlace(startMs);
  receiver = startReceiver();
  place.addChannel("ch", receiver.url);
});
afterEach(() => {
  for (const life of lives.splice(0)) life.end();
  for (const id of ruleIds.splice(0)) {
    place.addRule({ metric: "errors", critical: 0, enabled: false }, id);
  }
});
afterAll(async () => {
  await place.close();
  await receiver.stop();
});

const ruleIds: string[] = [];

async function live(options: Parameters<Place["live"]>[0] = {}): Promise<Life> {
  const life = await place.live(options);
  lives.push(life);
  return life;
}

/** A rule on errors of an environment of its own. */
function watched(fields: Record<string, unknown> = {}) {
  const env = `env-${++rounds}`;
  const { id } = place.addRule({
    name: env,
    metric: "errors",
    filter: { env },
    window_minutes: 5,
    critical: 0,
    channels: ["ch"],
    ...fields,
  });
  ruleIds.push(id);
  const fail = (atMs: number) =>
    place.lake.send([{
      event_type: "prompt_call",
      status: "error",
      env,
      timestamp: new Date(atMs).toISOString(),
    }]);
  const told = () =>
    receiver.received.filter(({ json }) => (json.rule as { id: string }).id === id)
      .map(({ json }) => String(json.kind));
  return { id, env, fail, told };
}

test("an incident that came and went while the server was away is told when it is back", async () => {
  const { fail, told } = watched();
  const first = await live();
  await first.turn();
  const awaySince = place.clock.now;
  await fail(awaySince + hourMs);
  place.clock.now += 3 * hourMs;
  const second = await live();
  await second.turn();
  expect(told()).toEqual(["firing", "resolved"]);
  const [told1] = receiver.received.filter(({ json }) => json.kind === "firing").slice(-1);
  const [alert] = told1!.json.alerts as [{ fired_at: string }];
  const delayMs = Date.parse(alert.fired_at) - (awaySince + hourMs);
  expect(delayMs).toBeGreaterThan(0);
  expect(delayMs).toBeLessThan(5 * minuteMs);
  await second.turn();
  expect(told()).toEqual(["firing", "resolved"]);
});

test("after an absence, too, rules that ask the same share one question", async () => {
  for (let at = 0; at < 20; at++) watched({ filter: { env: `away-${at % 3}` }, critical: at });
  await (await live()).turn();
  place.clock.now += hourMs;
  let questions = 0;
  const { reader } = place.lake.store;
  const life = await live({
    reader: {
      snapshot: (scope, work) => {
        questions++;
        return reader.snapshot(scope, work);
      },
    },
  });
  await life.turn();
  expect(questions).toBe(3);
});

test("what fires goes on over a restart, and is not told anew", async () => {
  const { fail, told } = watched();
  await fail(place.clock.now - 1000);
  await (await live()).turn();
  place.clock.now += 30_000;
  await (await live()).turn();
  expect(told()).toEqual(["firing"]);
});

test("an event that comes four minutes late is seen by a window of five", async () => {
  const { fail, told } = watched();
  const life = await live();
  await life.turn();
  place.clock.now += 30_000;
  await life.turn();
  await fail(place.clock.now - 4 * minuteMs);
  place.clock.now += 30_000;
  await life.turn();
  expect(told()).toEqual(["firing"]);
});

test("one that comes later than the window is seen when the rule waits for it", async () => {
  const soon = watched({ window_minutes: 1 });
  const later = watched({ window_minutes: 1, delay_seconds: 180 });
  const life = await live();
  await life.turn();
  for (const { fail } of [soon, later]) await fail(place.clock.now - 2 * minuteMs);
  for (let at = 0; at < 8; at++) {
    place.clock.now += 30_000;
    await life.turn();
  }
  expect(soon.told()).toEqual([]);
  expect(later.told()).toEqual(["firing", "resolved"]);
});

describe("the clock", () => {
  test("goes forward a day: nothing fires that did not happen, what fires ends", async () => {
    const { fail, told } = watched();
    const life = await live();
    await fail(place.clock.now - 1000);
    await life.turn();
    place.clock.now += 24 * hourMs;
    await life.turn();
    expect(told()).toEqual(["firing", "resolved"]);
  });

  test("goes back a day: the rule is looked at again at once", async () => {
    const { fail, told } = watched();
    const life = await live();
    await life.turn();
    place.clock.now -= 24 * hourMs;
    await fail(place.clock.now - 1000);
    place.clock.now += 1000;
    await life.turn();
    expect(told()).toEqual(["firing"]);
    place.clock.now += 24 * hourMs;
    await life.turn();
    expect(told()).toEqual(["firing", "resolved"]);
  });
});

describe("a rule that fails does not delay the others", () => {
  const broken = (reader: Reader, model: string): Reader => ({
    snapshot: (scope, work) =>
      reader.snapshot(scope, (ask) =>
        work((sql, params) => {
          if (JSON.stringify(params).includes(model)) throw new Error("Out of Memory Error");
          return ask(sql, params);
        })),
  });

  test("though it shares their question; it says why", async () => {
    const good = watched();
    const bad = watched({ filter: { model: "poison" } });
    const life = await live({ reader: broken(place.lake.store.reader, "poison") });
    await good.fail(place.clock.now - 1000);
    await life.turn();
    expect(good.told()).toEqual(["firing"]);
    expect(life.store.rules.state(bad.id)).toMatchObject({
      health: "failing",
      failures: 1,
      last_error: "Out of Memory Error",
    });
    expect(life.store.rules.state(good.id).health).toBe("ok");
  });

  test("nor do many others of which few fail: they are found by halves, and asked apart", async () => {
    const good = Array.from({ length: 30 }, () => watched());
    const bad = Array.from({ length: 2 }, () => watched({ filter: { model: "poison" } }));
    let questions = 0;
    const reader = broken(place.lake.store.reader, "poison");
    const life = await live({
      reader: {
        snapshot: (scope, work) => {
          questions++;
          return reader.snapshot(scope, work);
        },
      },
    });
    await good[7]!.fail(place.clock.now - 1000);
    await life.turn();
    expect(good[7]!.told()).toEqual(["firing"]);
    expect(questions).toBeLessThan(20);
    questions = 0;
    place.clock.now += 30_000;
    await life.turn();
    expect(questions).toBe(1 + bad.length);
    for (const { id } of bad) expect(life.store.rules.state(id).failures).toBe(2);
  });

  test("though its SQL hangs", async () => {
    const good = watched();
    const hanging = watched({ metric: undefined, filter: undefined, sql: "SELECT slow" });
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const life = await live({ sandbox: { ask: () => promise } });
    await good.fail(place.clock.now - 1000);
    const turn = life.watch.tick();
    for (let at = 0; good.told().length === 0 && at < 400; at++) {
      await life.deliverer.settle();
      await Bun.sleep(5);
    }
    expect(good.told()).toEqual(["firing"]);
    // The next look at the others does not wait for it either.
    place.clock.now += 30_000;
    await life.watch.tick();
    resolve({ ok: false, reason: "timeout", message: "Stopped after 10 s." });
    await turn;
    expect(life.store.rules.state(hanging.id)).toMatchObject({
      health: "failing",
      last_error: "Stopped after 10 s.",
    });
  });
});

test("rules that ask the same share one question", async () => {
  for (let at = 0; at < 20; at++) watched({ filter: { env: `shared-${at % 3}` } });
  let questions = 0;
  const { reader } = place.lake.store;
  const life = await live({
    reader: {
      snapshot: (scope, work) => {
        questions++;
        return reader.snapshot(scope, work);
      },
    },
  });
  await life.turn();
  expect(questions).toBe(1);
});

test("a question that is slow again and again rests, and that is no absence", async () => {
  const { id } = watched({ window_minutes: 60 });
  let mono = 0;
  const asked: number[] = [];
  const { reader } = place.lake.store;
  const life = await live({
    monotonicMs: () => mono,
    reader: {
      snapshot: (scope, work) => {
        asked.push(mono / 1000);
        mono += 10_000;
        return reader.snapshot(scope, work);
      },
    },
  });
  for (let at = 0; at < 12; at++) {
    await life.turn();
    mono += 30_000;
    place.clock.now += 30_000;
  }
  // Ten seconds are followed by two hundred; once is no rule.
  expect(asked.map((at) => Math.round(at / 10))).toEqual([0, 4, 26]);
  expect(life.store.rules.state(id).failures).toBe(0);
});

test("a rule of a project that is gone is left alone", async () => {
  const { fail, told } = watched();
  await fail(place.clock.now - 1000);
  await (await live({ hasProject: () => false })).turn();
  expect(told()).toEqual([]);
});

describe("a receiver", () => {
  const closing: Receiver[] = [];
  afterEach(async () => {
    for (const one of closing.splice(0)) await one.stop();
  });
  const start = (id: string, answer: () => Response | Promise<Response>) => {
    const one = startReceiver({ answer });
    closing.push(one);
    place.addChannel(id, one.url);
    return one;
  };

  test("that answers 500 for an hour is told in the end, once, and in order", async () => {
    let isUp = false;
    const one = start("ch_500", () => new Response("no", { status: isUp ? 200 : 500 }));
    const { fail } = watched({ channels: ["ch_500"], window_minutes: 1 });
    const life = await live();
    await fail(place.clock.now - 1000);
    await life.turn();
    for (let minute = 0; minute < 60; minute++) {
      place.clock.now += minuteMs;
      await life.turn();
    }
    expect(one.received.every(({ json }) => json.kind === "firing")).toBe(true);
    expect(one.received.length).toBeWithin(15, 45);
    isUp = true;
    const before = one.received.length;
    for (let minute = 0; minute < 10; minute++) {
      place.clock.now += minuteMs;
      await life.turn();
    }
    expect(one.received.slice(before).map(({ json }) => json.kind)).toEqual(["firing", "resolved"]);
    expect(new Set(one.received.map(({ json }) => json.id)).size).toBe(2);
  });

  test("that hangs does not hold up another", async () => {
    const hung = Promise.withResolvers<Response>();
    start("ch_hangs", () => hung.promise);
    const bad = watched({ channels: ["ch_hangs"] });
    const good = watched();
    const life = await live();
    await bad.fail(place.clock.now - 1000);
    await good.fail(place.clock.now - 1000);
    await life.watch.tick();
    life.deliverer.wake();
    await receiver.until(({ json }) => (json.rule as { id: string }).id === good.id, 1500);
    hung.resolve(new Response("late"));
    await life.deliverer.settle();
  });

  test("that says no for ever is given up after a while, and the log says why", async () => {
    start("ch_404", () => new Response("no such hook", { status: 404 }));
    const { id, fail } = watched({
      channels: ["ch_404"],
      repeat_minutes: 0,
      notify_resolved: false,
    });
    const life = await live();
    await fail(place.clock.now - 1000);
    await life.turn();
    for (let minute = 0; minute < 60; minute++) {
      place.clock.now += minuteMs;
      await life.turn();
    }
    const asked = {
      project_id: "shop",
      status: null,
      channel_id: "ch_404",
      before: null,
      limit: 9,
    };
    expect(life.store.outbox.list({ ...asked, rule_id: id })).toMatchObject([
      {
        status: "failed",
        attempts: 10,
        last_status: 404,
        last_error: "Answered 404: no such hook",
      },
    ]);
  });

  test("is told of what waits after the clock was set back", async () => {
    let isUp = false;
    const one = start("ch_back", () => new Response(null, { status: isUp ? 200 : 503 }));
    const { fail } = watched({ channels: ["ch_back"] });
    const life = await live();
    await fail(place.clock.now - 1000);
    await life.turn();
    isUp = true;
    place.clock.now -= 24 * hourMs;
    await life.turn();
    expect(one.received.map(({ json }) => json.kind)).toEqual(["firing", "firing", "resolved"]);
    place.clock.now += 24 * hourMs;
  });
});
