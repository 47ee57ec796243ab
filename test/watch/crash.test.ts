// A hundred lives that end at a random step between evaluating and delivering: each incident is told,
// none is lost, and what is told twice bears one id.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { Random } from "../../src/std/random.ts";
import { type Receiver, startReceiver } from "../notify/receiver.ts";
import { Crash, openPlace, type Place, type Step, steps } from "./fixture.ts";

const rounds = 100;
const minuteMs = 60_000;
const seed = Number(process.env.SEED ?? 20260131);
const startMs = Date.UTC(2026, 0, 31, 12);

let sentWhileDying = 0;
let place: Place;
let receiver: Receiver;
beforeAll(async () => {
  place = await openPlace(startMs);
  receiver = startReceiver();
  place.addChannel("ch", receiver.url);
});
afterAll(async () => {
  await place.close();
  await receiver.stop();
});

test(`killed at any step, seed ${seed}`, async () => {
  const random = new Random(seed);
  const crashes = new Map<Step, number>();
  let twice = 0;
  for (let round = 0; round < rounds; round++) {
    const env = `round-${round}`;
    const rule = place.addRule({
      metric: "errors",
      filter: { env },
      window_minutes: 1,
      critical: 0,
      channels: ["ch"],
    });
    await place.lake.send([{
      event_type: "prompt_call",
      status: "error",
      env,
      timestamp: new Date(place.clock.now - 1000).toISOString(),
    }]);
    await live(random, crashes);
    place.clock.now += 2 * minuteMs;
    await live(random, crashes);
    const told = receiver.received.filter(({ json }) =>
      (json.rule as { id: string }).id === rule.id
    );
    for (const kind of ["firing", "resolved"]) {
      const own = told.filter(({ json }) => json.kind === kind);
      expect([round, kind, own.length >= 1]).toEqual([round, kind, true]);
      expect([round, kind, new Set(own.map(({ json }) => json.id)).size]).toEqual([round, kind, 1]);
      if (own.length > 1) twice++;
    }
    place.addRule({ metric: "errors", critical: 0, enabled: false }, rule.id);
  }
  const seen = await place.lake.store.reader.snapshot({ project_id: "shop" }, (ask) =>
    ask(
      "SELECT count(*)::INT AS n, count(DISTINCT event_id)::INT AS ids FROM events " +
        "WHERE event_type = 'performance_alert'",
      {},
    ));
  expect(seen).toEqual([{ n: rounds, ids: rounds }]);
  // Only a crash between the receiver's answer and the disk tells twice.
  expect(twice).toBeLessThanOrEqual((crashes.get("after_send") ?? 0) + sentWhileDying);
  for (const step of steps) expect(crashes.get(step) ?? 0).toBeGreaterThan(5);
}, 120_000);

/** Lives that crash, and then one that does not. */
async function live(random: Random, crashes: Map<Step, number>): Promise<void> {
  const deadly = random.pick(steps);
  let count = random.integer(1, 2);
  let isDead = false;
  const doomed = await place.live({
    onStep: (step) => {
      if (isDead) {
        // Sent while it died elsewhere: nothing of that is on disk either.
        if (step === "after_send") sentWhileDying++;
        throw new Crash();
      }
      if (step !== deadly || --count > 0) return;
      isDead = true;
      crashes.set(step, (crashes.get(step) ?? 0) + 1);
      throw new Crash();
    },
  });
  await doomed.turn();
  doomed.end();
  expect(doomed.errors).toEqual([]);
  const next = await place.live();
  await next.turn();
  await next.turn();
  next.end();
  expect(next.errors).toEqual([]);
}
