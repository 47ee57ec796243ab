// Measures the product beside bare references in the same run, on the same machine:
//   deno task bench [--seconds 10] [--events 200000] [--bytes 1024] [--tiny]
// Ingestion: a server that parses and syncs and does nothing else. Queries: hand-written SQL in a
// DuckDB of our own on the same Parquet files. Ratios are what counts; machines differ.
import { DuckDBInstance } from "@duckdb/node-api";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { makeEvents } from "./bench/events.ts";
import { load, type LoadResult } from "./bench/load.ts";
import { root } from "./inputs.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "10" },
    events: { type: "string", default: "200000" },
    bytes: { type: "string", default: "1024" },
    binary: { type: "string", default: "" },
    tiny: { type: "boolean", default: false },
  },
});
const seconds = values.tiny ? 0.3 : Number(values.seconds);
const eventCount = values.tiny ? 2000 : Number(values.events);
const eventBytes = Number(values.bytes);
const repeats = values.tiny ? 2 : 15;

const key = "bench-key-of-the-benchmark";
const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
const folder = mkdtempSync(join(tmpdir(), "watchllm-bench-"));
const untilMs = Date.now();

interface Server {
  url: string;
  process: Bun.Subprocess;
}

async function startBare(): Promise<Server> {
  const script = join(root, "scripts/bench/bare_server.ts");
  const child = Bun.spawn([process.execPath, script, join(folder, "bare.log")], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const { value } = await child.stdout.getReader().read();
  const port = new TextDecoder().decode(value).trim();
  return { url: `http://127.0.0.1:${port}/v1/events`, process: child };
}

async function startProduct(): Promise<Server> {
  const probe = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  const listen = `127.0.0.1:${probe.port}`;
  await probe.stop(true);
  const program = values.binary === ""
    ? [process.execPath, join(root, "src/main.ts")]
    : [values.binary];
  const child = Bun.spawn([...program, "serve"], {
    env: {
      ...process.env,
      WATCHLLM_LISTEN: listen,
      WATCHLLM_DATA_DIR: join(folder, "data"),
      WATCHLLM_INIT_PROJECT: "bench",
      WATCHLLM_INIT_KEY: key,
      WATCHLLM_FLUSH_INTERVAL_S: "2",
    },
    stdin: "ignore",
    stdout: "pipe",
    // Its greeting would stand among the figures.
    stderr: "ignore",
  });
  const url = `http://${listen}`;
  for (const deadline = performance.now() + 30_000; performance.now() < deadline;) {
    const ready = await fetch(`${url}/readyz`).then((r) => r.ok, () => false);
    if (ready) return { url, process: child };
    await Bun.sleep(20);
  }
  throw new Error("The server was not ready after 30 s.");
}

/** Bodies with ids that were never sent before, made ahead: the generator shares the machine. */
function bodies(seed: number, eventsPerRequest: number): () => string {
  const templates = Array.from(
    { length: 20 },
    (_, at) =>
      JSON.stringify(
        makeEvents(seed, at * eventsPerRequest, eventsPerRequest, eventBytes, untilMs),
      ),
  );
  let sent = 0;
  return () => {
    const unique = `${seed}x${sent}`;
    return templates[sent++ % templates.length]!.replaceAll(`bench-${seed}`, `bench-${unique}`);
  };
}

function report(name: string, bare: LoadResult, product: LoadResult): void {
  const row = (what: string, result: LoadResult) =>
    console.log(
      `  ${what.padEnd(9)} ${
        Math.round(result.perSecond).toLocaleString("en").padStart(9)
      } events/s` +
        `   p50 ${result.p50Ms.toFixed(1)} ms   p99 ${result.p99Ms.toFixed(1)} ms` +
        (result.refused > 0 ? `   ${result.refused} refused` : ""),
    );
  console.log(`${name}: ${(product.perSecond / bare.perSecond).toFixed(2)} of bare`);
  row("bare", bare);
  row("watchllm", product);
}

function residentMB({ process: { pid } }: Server): number {
  const [, kB] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Math.round(Number(kB) / 1024);
}

async function benchIngest(bare: Server, product: Server): Promise<void> {
  const runs = [
    { name: "ingest, batches of 100", connections: 8, eventsPerRequest: 100 },
    { name: "ingest, single events", connections: 64, eventsPerRequest: 1 },
  ];
  let seed = 1;
  for (const { name, connections, eventsPerRequest } of runs) {
    const measure = (url: string) =>
      load(url, {
        connections,
        seconds,
        eventsPerRequest,
        headers,
        body: bodies(seed++, eventsPerRequest),
      });
    // One warm-up each: code is compiled and disk space taken for the first time.
    for (const url of [bare.url, `${product.url}/v1/events`]) {
      await load(url, {
        connections,
        seconds: seconds / 5,
        eventsPerRequest,
        headers,
        body: bodies(seed++, eventsPerRequest),
      });
    }
    report(name, await measure(bare.url), await measure(`${product.url}/v1/events`));
  }
  console.log(`  resident after ingestion: ${residentMB(product)} MB`);
}

async function seedEvents(product: Server): Promise<void> {
  for (let first = 0; first < eventCount; first += 1000) {
    const events = makeEvents(7777, first, Math.min(1000, eventCount - first), eventBytes, untilMs);
    const response = await fetch(`${product.url}/v1/events?project_id=bench`, {
      method: "POST",
      headers,
      body: JSON.stringify(events),
    });
    if (response.status === 503) first -= 1000;
    else if (response.status !== 202) throw new Error(await response.text());
    await response.arrayBuffer().catch(() => {});
  }
  for (const deadline = performance.now() + 60_000; performance.now() < deadline;) {
    const status = await fetch(`${product.url}/api/status`, { headers }).then((r) => r.json()) as {
      pending_flush_events: number;
    };
    if (status.pending_flush_events === 0) return;
    await Bun.sleep(100);
  }
  throw new Error("The events were not in Parquet after a minute.");
}

async function median(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const started = performance.now();
    await work();
    times.push(performance.now() - started);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(repeats / 2)]!;
}

async function benchQueries(product: Server): Promise<void> {
  const instance = await DuckDBInstance.create(":memory:", { threads: "2" });
  const duckdb = await instance.connect();
  await duckdb.run("SET TimeZone = 'UTC'");
  await duckdb.run("SET parquet_metadata_cache = true");
  const data = join(folder, "data", "events");
  const files = readdirSync(data, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".parquet")).map((name) => `'${join(data, name)}'`);
  await duckdb.run(`CREATE VIEW events AS SELECT * FROM read_parquet([${files.join()}])`);
  const day = new Date(untilMs - 24 * 3600 * 1000).toISOString();
  const cost = "sum(coalesce(cost_estimate_usd, cost_reported_usd))";
  const questions: [string, string, string][] = [
    [
      "newest page, filtered",
      "/api/events?limit=50&env=production&view=light",
      "SELECT event_id, timestamp, model, status, substr(prompt, 1, 200) FROM events " +
      "WHERE env = 'production' ORDER BY timestamp DESC LIMIT 50",
    ],
    [
      "run by id",
      `/api/runs/run-7777-${eventCount >> 4}`,
      `SELECT event_id, timestamp, model, status FROM events WHERE run_id = 'run-7777-${
        eventCount >> 4
      }'`,
    ],
    [
      "event by id",
      `/api/events/bench-7777-${eventCount >> 1}`,
      `SELECT * FROM events WHERE event_id = 'bench-7777-${eventCount >> 1}'`,
    ],
    [
      "metrics, 24 h by model",
      `/api/metrics?since=${day}&group_by=model`,
      `SELECT time_bucket(INTERVAL 15 minute, timestamp), model, count(*), ${cost}, ` +
      `quantile_cont(latency_ms, [0.5, 0.95, 0.99]) FROM events WHERE timestamp >= '${day}' GROUP BY ALL`,
    ],
    [
      "text search, no hit",
      "/api/events?q=zzqqxx&view=light",
      "SELECT event_id FROM events WHERE contains(lower(prompt), 'zzqqxx') OR " +
      "contains(lower(response), 'zzqqxx') ORDER BY timestamp DESC LIMIT 50",
    ],
  ];
  console.log(`queries over ${eventCount.toLocaleString("en")} seeded events and those above`);
  for (const [name, path, sql] of questions) {
    const ask = async () => {
      const response = await fetch(product.url + path, { headers });
      if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
      await response.arrayBuffer();
    };
    await ask();
    const [bare, ours] = [await median(() => duckdb.runAndReadAll(sql)), await median(ask)];
    console.log(
      `  ${name.padEnd(24)} watchllm ${ours.toFixed(1).padStart(7)} ms   duckdb ` +
        `${bare.toFixed(1).padStart(7)} ms   ratio ${(ours / bare).toFixed(2)}`,
    );
  }
}

const bare = await startBare();
const product = await startProduct();
try {
  console.log(`events of about ${eventBytes} bytes, ${navigator.hardwareConcurrency} cores`);
  await benchIngest(bare, product);
  await seedEvents(product);
  await benchQueries(product);
} finally {
  for (const { process: child } of [bare, product]) child.kill();
  await Promise.all([bare.process.exited, product.process.exited]);
  rmSync(folder, { recursive: true, force: true });
}
