// A server is killed with SIGKILL at every step between asking and delivering, again and again, while
// incidents begin and end. Each of them is told, and what is told again bears the same id.
import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import { Random } from "../../src/std/random.ts";
import { eventually, startReceiver } from "../notify/receiver.ts";
import { temporaryFolder } from "../store/fixture.ts";
import { type RunningServer, startServer } from "./binary.ts";

/** Of incidents, each of which kills two servers; more with WATCHLLM_TEST_ALERT_KILLS. */
const rounds = Number(process.env.WATCHLLM_TEST_ALERT_KILLS ?? 4);
const seed = Number(process.env.SEED ?? 20260207);
const diesMsMax = 60_000;
const key = "a-key-for-the-tests-only";
const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };

const steps = [
  "while_asking",
  "before_commit",
  "after_commit",
  "before_send",
  "while_sending",
  "after_send",
  "before_record",
  "after_record",
  "any_moment",
] as const;
type Step = (typeof steps)[number];
type Kind = "firing" | "resolved";
const env = {
  WATCHLLM_INIT_PROJECT: "shop",
  WATCHLLM_INIT_KEY: key,
  WATCHLLM_ALERT_INTERVAL_S: "1",
  WATCHLLM_ALLOW_PRIVATE_WEBHOOKS: "true",
};
const source = join(import.meta.dir, "../../src/main.ts");
const doom = join(import.meta.dir, "doom.ts");

async function ask(server: RunningServer, path: string, body?: unknown) {
  const response = await fetch(server.url + path, {
    headers,
    ...body === undefined ? {} : { method: "POST", body: JSON.stringify(body) },
  });
  const answer = await response.json() as Record<string, unknown>;
  if (!response.ok) throw new Error(`${path}: ${response.status} ${JSON.stringify(answer)}`);
  return answer;
}

const folder = temporaryFolder();
const receiver = startReceiver();
const random = new Random(seed);
const deaths = new Map<Step, number>();
/** Ids of rules, in order of the incidents. */
const rules: string[] = [];
/** Of the step that comes next: all of them are tried, whatever the number of rounds. */
let turn = random.integer(0, steps.length - 1);
afterAll(async () => {
  await receiver.stop();
  folder.remove();
});

function live(doomed: { step?: Step; rule?: string; kind?: string } = {}): Promise<RunningServer> {
  const { step = "", rule = "", kind = "" } = doomed;
  return startServer({
    dataDir: folder.path,
    command: [process.execPath, "--preload", doom, source],
    env: { ...env, DOOM_STEP: step, DOOM_RULE: rule, DOOM_KIND: kind },
  });
}

/** What the receiver was told of an incident. */
function told(round: number, kind: Kind) {
  return receiver.received.filter(({ json }) =>
    json.kind === kind && (json.rule as { id: string }).id === rules[round]
  );
}

async function setUp(): Promise<void> {
  await using server = await live();
  const channel = { type: "webhook", name: "Receiver", url: receiver.url };
  const { id } = await ask(server, "/api/channels", channel);
  for (let round = 0; round < rounds; round++) {
    const made = await ask(server, "/api/rules", {
      name: `Incident ${round}`,
      metric: "error_rate",
      filter: { env: `env-${round}` },
      window_minutes: 60,
      critical: 0.5,
      channels: [id],
    });
    rules.push(String(made.id));
  }
}

/** A life in which an incident begins or ends, and which ends at the step whose turn it is. */
async function die(round: number, kind: Kind): Promise<void> {
  const step = steps[turn++ % steps.length]!;
  await using server = await live({ step, rule: rules[round]!, kind });
  const [status, count] = kind === "firing" ? ["error", 1] as const : ["success", 9] as const;
  const call = { event_type: "prompt_call", status, env: `env-${round}` };
  await ask(server, "/v1/events", Array.from({ length: count }, () => call));
  if (step === "any_moment") await Bun.sleep(random.integer(0, 1500));
  else {
    const late = Bun.sleep(diesMsMax).then(() => "late");
    const ended = await Promise.race([server.process.exited.then(() => "dead"), late]);
    expect([round, kind, step, ended]).toEqual([round, kind, step, "dead"]);
  }
  deaths.set(step, (deaths.get(step) ?? 0) + 1);
}

/** What was told twice, more often than once; every incident was told, each time by one id. */
function timesToldAgain(): number {
  let again = 0;
  for (let round = 0; round < rounds; round++) {
    for (const kind of ["firing", "resolved"] as const) {
      const ids = told(round, kind).map(({ json }) => json.id);
      expect([round, kind, new Set(ids).size]).toEqual([round, kind, 1]);
      again += ids.length - 1;
    }
  }
  return again;
}

test(`${rounds} incidents, two deaths each, seed ${seed}`, async () => {
  await setUp();
  // The end of an incident comes two rounds after its beginning; lives between tell what is left.
  for (let round = 0; round < rounds + 2; round++) {
    if (round < rounds) await die(round, "firing");
    if (round < 2) continue;
    const before = round - 2;
    if (told(before, "firing").length === 0) {
      await using server = await live();
      await eventually(() => Promise.resolve(told(before, "firing").length > 0));
      await server.stop();
    }
    await die(before, "resolved");
  }
  await using last = await live();
  for (let round = 0; round < rounds; round++) {
    await eventually(() => Promise.resolve(told(round, "resolved").length > 0));
  }
  const again = timesToldAgain();
  // Only a life that ends between the receiver's answer and the disk is told again by the next.
  expect(again).toBeLessThanOrEqual(rounds * 2);
  // Each incident is one event of the project, and one alert that has ended.
  await eventually(async () => {
    const found = await ask(last, "/api/metrics?event_type=performance_alert");
    return (found.summary as { requests: number }).requests === rounds;
  });
  const { alerts } = await ask(last, "/api/alerts?limit=500") as { alerts: { status: string }[] };
  expect(alerts.map(({ status }) => status)).toEqual(Array(rounds).fill("resolved"));
  const failed = await ask(last, "/api/deliveries?status=failed&limit=500");
  expect(failed.deliveries).toEqual([]);
  const counts = steps.map((step) => `${step} ${deaths.get(step) ?? 0}`).join(", ");
  console.log(`${rounds * 2} deaths (${counts}): none untold, ${again} told again`);
}, 120_000 + rounds * 15_000);
