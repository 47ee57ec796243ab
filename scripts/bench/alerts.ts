// What a thousand alert rules cost beside one hand-written query, over one lake in one run:
//   bun scripts/bench/alerts.ts [--events 10000000] [--rules 1000] [--ticks 20] [--lake <folder>] [--tiny]
// Rules that ask one thing with other thresholds; rules as people have them; rules each with a filter
// of its own. Time is that of the processor, on all cores. The folder of --lake is filled once and
// stays for further runs; without it everything is removed.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ruleSchema } from "../../src/alert/rule.ts";
import { literal, openDuckDB, rowsOf } from "../../src/store/duckdb.ts";
import { Manifest } from "../../src/store/manifest.ts";
import { AlertStore } from "../../src/store/alerts.ts";
import { openState } from "../../src/store/state.ts";
import { folders, Store } from "../../src/store/store.ts";
import { Watch } from "../../src/watch.ts";
import { root } from "../inputs.ts";
import { fillLake } from "./lake.ts";

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "10000000" },
    rules: { type: "string", default: "1000" },
    ticks: { type: "string", default: "20" },
    lake: { type: "string", default: "" },
    tiny: { type: "boolean", default: false },
  },
});
const eventCount = values.tiny ? 20_000 : Number(values.events);
const ruleCount = values.tiny ? 50 : Number(values.rules);
const ticks = values.tiny ? 2 : Number(values.ticks);
const days = values.tiny ? 3 : 30;

const dayMs = 86_400_000;
const intervalMs = 30_000;
const untilMs = Date.UTC(2026, 0, 31);
const sinceMs = untilMs - days * dayMs;
const queryTimeoutMs = 30_000;
const cacheDir = join(root, "node_modules/.cache/library");
const folder = values.lake || mkdtempSync(join(tmpdir(), "watchllm-bench-"));

type Fields = Record<string, unknown>;

/** One call in five is a tool's; 5,000 users, 12 models, 3 environments, 8 releases. */
function dayOfEvents(day: number): string {
  const count = Math.round(eventCount / days);
  const firstUs = (sinceMs + day * dayMs) * 1000;
  const stepUs = Math.floor(dayMs * 1000 / count);
  const of = (name: string, count: number, salt: number) =>
    `'${name}' || (hash(i, ${salt}) % ${count})::VARCHAR`;
  return `SELECT 'bench' AS project_id, 'e${day}-' || i::VARCHAR AS event_id,
    'r${day}-' || (i // 5)::VARCHAR AS run_id,
    make_timestamptz(${firstUs} + i * ${stepUs}) AS timestamp,
    make_timestamptz(${firstUs} + i * ${stepUs}) AS received_at,
    CASE i % 5 WHEN 0 THEN 'tool_call' ELSE 'prompt_call' END AS event_type,
    CASE WHEN hash(i, ${day}) % 50 = 0 THEN 'error' ELSE 'success' END AS status,
    ${of("user-", 5000, 1)} AS user_id,
    ${of("model-", 12, 2)} AS model,
    ${of("env-", 3, 3)} AS env,
    ${of("1.", 8, 4)} AS release,
    CASE i % 5 WHEN 0 THEN ${of("tool-", 20, 5)} END AS tool_name,
    (200 + hash(i, 6) % 3000)::DOUBLE AS latency_ms,
    (100 + hash(i, 7) % 900)::BIGINT AS tokens_input,
    (10 + hash(i, 8) % 90)::BIGINT AS tokens_output,
    0.0001 * (hash(i, 9) % 100)::DOUBLE AS cost_estimate_usd
    FROM range(${count}) t(i)`;
}

/** Those that an earlier run has left whole. */
function daysFilled(): Set<string> {
  const path = join(folder, folders.manifest);
  if (!existsSync(path)) return new Set();
  const manifest = new Manifest(path);
  const dates = manifest.files().map(({ date }) => date);
  manifest.close();
  return new Set(dates);
}

const metrics = ["error_rate", "latency_p95_ms", "cost_usd", "requests", "tokens_total"];
/** No threshold is crossed: what is measured is looking, not telling. */
const beyondAll = 1e12;

/** By the case: how the rule number `at` differs from the others. */
const cases: [name: string, rule: (at: number) => Fields][] = [
  ["one question, other thresholds", (at) => ({
    metric: "error_rate",
    filter: { env: "env-1" },
    critical: beyondAll + at,
  })],
  ["as people have them", (at) => {
    const metric = metrics[at % metrics.length]!;
    const filter = at % 2 === 0
      ? { env: `env-${at % 3}`, model: `model-${at % 12}` }
      : { event_type: "tool_call", tool_name: `tool-${at % 20}` };
    // Half of them look at five minutes, one in forty at a day of every user.
    if (at % 40 === 39) {
      return { metric: "cost_usd", group_by: "user_id", window_minutes: 1440 };
    }
    if (at % 40 === 19) return { metric, filter, baseline: { days: 7 }, window_minutes: 10 };
    if (at % 4 === 3) return { metric, group_by: "model", window_minutes: 15 };
    return { metric, filter, window_minutes: [5, 5, 60][at % 3] };
  }],
  ["a filter each", (at) => ({
    metric: metrics[at % metrics.length]!,
    filter: {
      env: `env-${at % 3}`,
      model: `model-${Math.floor(at / 3) % 12}`,
      release: `1.${Math.floor(at / 36) % 8}`,
      ...at < 288 ? {} : { event_type: at % 2 === 0 ? "tool_call" : "prompt_call" },
    },
    window_minutes: 15,
  })],
  ["a user each", (at) => ({
    metric: "cost_usd",
    filter: { user_id: `user-${at}` },
    window_minutes: 60,
  })],
];

/** Milliseconds of the processor, on all cores, that the work took. */
async function costOf(work: () => Promise<void>): Promise<{ cpuMs: number; wallMs: number }> {
  const began = performance.now();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { cpuMs: (user + system) / 1000, wallMs: performance.now() - began };
}

async function median(times: number, work: () => Promise<void>): Promise<number> {
  const costs: number[] = [];
  for (let at = 0; at < times; at++) costs.push((await costOf(work)).cpuMs);
  return costs.toSorted((a, b) => a - b)[times >> 1]!;
}

/** The error rate and p95 of five minutes, as somebody would write it, in a DuckDB of its own. */
async function handWritten(): Promise<number> {
  const temporaryDir = join(folder, "tmp");
  const instance = await openDuckDB({ cacheDir, temporaryDir, memoryLimit: "1GB", threads: 2 });
  const connection = await instance.connect();
  const files = literal(join(folder, "events/*/*/*.parquet"));
  const until = literal(new Date(untilMs - 60_000).toISOString());
  const ask = async () => {
    await rowsOf(
      connection,
      `SELECT count(*) AS requests, count(*) FILTER (status = 'error') / count(*) AS error_rate,
         quantile_cont(latency_ms, 0.95) AS p95
       FROM read_parquet(${files}) WHERE env = 'env-1'
         AND timestamp >= TIMESTAMPTZ ${until} - INTERVAL 5 MINUTE
         AND timestamp < TIMESTAMPTZ ${until}`,
    );
  };
  await ask();
  const cost = await median(values.tiny ? 1 : 9, ask);
  connection.closeSync();
  instance.closeSync();
  return cost;
}

interface Result {
  firstMs: number;
  tickMs: number;
  slowestMs: number;
  questions: number;
}

async function measure(store: Store, statePath: string, rule: (at: number) => Fields) {
  const alerts = new AlertStore(statePath);
  const clock = { now: untilMs - ticks * intervalMs - 60_000, nowMs: () => clock.now };
  let elapsedMs = 0;
  let questions = 0;
  const errors: string[] = [];
  const watch = new Watch({
    store: alerts,
    reader: {
      snapshot: (scope, work) => {
        questions++;
        return store.reader.snapshot(scope, work);
      },
    },
    sandbox: {
      ask: () => Promise.resolve({ ok: false, reason: "busy", message: "Not measured here." }),
    },
    source: (project_id) => store.source(project_id),
    timeoutMs: queryTimeoutMs,
    hasProject: () => true,
    clock,
    // As far apart as ticks are on the clock, so that what rests does so for as long.
    monotonicMs: () => performance.now() + elapsedMs,
    intervalMs,
    wake: () => {},
    onError: (what, error) => errors.push(`${what}: ${error}`),
  });
  const time = new Date(clock.now).toISOString();
  alerts.commit(() => {
    for (const { id } of alerts.rules.all()) alerts.rules.delete(id);
    for (let at = 0; at < ruleCount; at++) {
      const fields = { name: `Rule ${at}`, critical: beyondAll, ...rule(at) };
      alerts.rules.put({
        id: `rule_${String(at).padStart(6, "0")}`,
        project_id: "bench",
        rule: ruleSchema.parse(fields),
        version: 1,
        created_at: time,
        updated_at: time,
      });
    }
  });
  const first = await costOf(() => watch.tick());
  questions = 0;
  const costs: { cpuMs: number; wallMs: number }[] = [];
  for (let at = 0; at < ticks; at++) {
    clock.now += intervalMs;
    elapsedMs += intervalMs;
    costs.push(await costOf(() => watch.tick()));
  }
  const failing = alerts.rules.all().filter(({ id }) => alerts.rules.state(id).health !== "ok");
  await watch.stop();
  alerts.close();
  if (errors.length > 0) throw new Error(errors[0]);
  if (failing.length > 0) throw new Error(`${failing.length} rules could not be looked at.`);
  const sum = costs.reduce((total, { cpuMs }) => total + cpuMs, 0);
  return {
    firstMs: first.cpuMs,
    tickMs: sum / ticks,
    slowestMs: Math.max(...costs.map(({ wallMs }) => wallMs)),
    questions: questions / ticks,
  } satisfies Result;
}

async function main(): Promise<void> {
  const began = performance.now();
  const filled = daysFilled();
  const missing = Array.from({ length: days }, (_, day) => day)
    .filter((day) => !filled.has(new Date(sinceMs + day * dayMs).toISOString().slice(0, 10)));
  const { rows, bytes } = await fillLake(folder, cacheDir, missing.map(dayOfEvents));
  console.log(
    `${eventCount} events of ${days} days; ${rows} of them written now, ` +
      `${(bytes / 1e6).toFixed(0)} MB, in ${((performance.now() - began) / 1000).toFixed(0)} s`,
  );
  const statePath = join(folder, "state.db");
  rmSync(statePath, { force: true });
  const state = await openState(statePath);
  await state.createProject("bench");
  const store = await Store.open({
    dataDir: folder,
    cacheDir,
    memoryLimit: "1GB",
    threads: 2,
    queryConcurrency: 2,
    queryTimeoutMs,
    dedupeEventsMin: 1000,
    dedupePointsMin: 1000,
    clock: { nowMs: () => untilMs },
    onError: (what, error) => {
      throw new Error(what, { cause: error });
    },
  });
  const queryMs = await handWritten();
  console.log(`one hand-written query: ${queryMs.toFixed(1)} ms`);
  for (const [name, rule] of cases) {
    const found = await measure(store, statePath, rule);
    const share = found.tickMs / intervalMs * 100;
    console.log(
      `${ruleCount} rules, ${name}: ${found.tickMs.toFixed(1)} ms a tick, ` +
        `${(found.tickMs / queryMs).toFixed(2)} of the query, ` +
        `${share.toFixed(2)} % of one core at ${intervalMs / 1000} s ` +
        `(${found.questions.toFixed(1)} questions a tick, first tick ` +
        `${found.firstMs.toFixed(0)} ms, slowest ${found.slowestMs.toFixed(0)} ms on the clock)`,
    );
  }
  await store.close();
  await state.close();
}

try {
  await main();
} finally {
  if (values.lake === "") rmSync(folder, { recursive: true, force: true });
}
