// A simulated month with planted incidents, watched by the rules of the templates and, beside each, by
// the fixed thresholds that somebody would have set after the first week:
//   bun scripts/alert_month.ts [--seed 1] [--days 30] [--each 5] [--tiny]
// Prints when each incident was found, how many were missed, how many alerts were false, and how often
// people were told. Ends with 1 when the rules of the templates missed one.
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { median } from "../src/alert/spike.ts";
import type { Alert } from "../src/alert/state.ts";
import { sentenceOf } from "../src/notify/words.ts";
import type { Reader } from "../src/query/question.ts";
import { Random } from "../src/std/random.ts";
import { literal } from "../src/store/duckdb.ts";
import { Store } from "../src/store/store.ts";
import { fillLake } from "./bench/lake.ts";
import { root } from "./inputs.ts";
import {
  callsOfMinute,
  dayMs,
  type Incident,
  type IncidentKind,
  incidentKinds,
  minuteMs,
  plant,
} from "./alert_month/traffic.ts";
import {
  naive,
  naiveKinds,
  play,
  type Told,
  type Watched,
  watched,
} from "./alert_month/watching.ts";

const { values: options } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    days: { type: "string", default: "30" },
    each: { type: "string", default: "5" },
    tiny: { type: "boolean", default: false },
  },
});
const seed = Number(options.seed);
const days = options.tiny ? 2 : Number(options.days);
const each = options.tiny ? 1 : Number(options.each);
/** Without incidents: it is what later ones are told from. */
const quietDays = options.tiny ? 4 : 7;
const kinds: readonly IncidentKind[] = options.tiny
  ? ["errors", "latency", "drop", "large_call"]
  : incidentKinds;
/** An alert that comes later than this after an incident is not of it. */
const lateMs = 15 * minuteMs;

const projectId = "month";
const sinceMs = Date.UTC(2026, 0, 5);
const untilMs = sinceMs + days * dayMs;
const quiet = { sinceMs: sinceMs - quietDays * dayMs, untilMs: sinceMs };
const cacheDir = join(root, "node_modules/.cache/library");
const folder = mkdtempSync(join(tmpdir(), "watchllm-month-"));

/** Writes the calls of a day and returns the query that reads them. */
function dayOfCalls(random: Random, dayStart: number, incidents: readonly Incident[]) {
  const path = join(folder, `${dayStart}.ndjson`);
  const file = openSync(path, "w");
  for (let atMs = dayStart; atMs < dayStart + dayMs; atMs += minuteMs) {
    const calls = callsOfMinute(random, atMs, incidents);
    if (calls.length > 0) writeSync(file, `${calls.join("\n")}\n`);
  }
  closeSync(file);
  return `SELECT * EXCLUDE (timestamp_us), ${literal(projectId)} AS project_id,
      event_id AS run_id, 'prompt_call' AS event_type,
      make_timestamptz(timestamp_us) AS timestamp, make_timestamptz(timestamp_us) AS received_at
    FROM read_json(${literal(path)}, format = 'newline_delimited', columns = {
      event_id: 'VARCHAR', timestamp_us: 'BIGINT', status: 'VARCHAR', user_id: 'VARCHAR',
      model: 'VARCHAR', latency_ms: 'DOUBLE', tokens_input: 'BIGINT', tokens_output: 'BIGINT',
      cost_estimate_usd: 'DOUBLE'
    })`;
}

interface Score {
  /** By incident: how long it took to be found; null when it was not. */
  delays: Map<Incident, number | null>;
  falseAlarms: Alert[];
  notifications: number;
}

function scoreOf(one: Watched, { alerts, notifications }: Told, incidents: readonly Incident[]) {
  const windowMs = one.rule.window_minutes * minuteMs;
  const touches = (alert: Alert, { startMs, endMs }: Incident) =>
    alert.fired_at >= startMs && alert.fired_at <= endMs + windowMs + lateMs;
  const moves: readonly IncidentKind[] = [...one.finds, ...one.alsoMoves];
  const own = incidents.filter(({ kind }) => moves.includes(kind));
  const delays = new Map<Incident, number | null>();
  for (const incident of incidents.filter(({ kind }) => one.finds.includes(kind))) {
    // One that fires before and goes on tells nothing of it.
    const first = alerts.filter((alert) => touches(alert, incident))
      .reduce((least, { fired_at }) => Math.min(least, fired_at), Infinity);
    delays.set(incident, first === Infinity ? null : first - incident.startMs);
  }
  const falseAlarms = alerts.filter((alert) => !own.some((incident) => touches(alert, incident)));
  return { delays, falseAlarms, notifications } satisfies Score;
}

const minutesText = (ms: number | null | undefined) =>
  ms === null || ms === undefined ? "missed" : `${(ms / minuteMs).toFixed(0)} min`;

function totalsText(name: string, scores: readonly Score[]): string {
  const delays = scores.flatMap(({ delays }) => [...delays.values()]);
  const found = delays.filter((delay) => delay !== null);
  const sum = (of: (score: Score) => number) =>
    scores.reduce((total, score) => total + of(score), 0);
  const late = found.length === 0 ? "" : `, found after ${minutesText(median(found))} (median), ` +
    `${minutesText(Math.max(...found))} (longest)`;
  return `${name}: ${found.length} of ${delays.length} incidents found, ` +
    `${sum(({ falseAlarms }) => falseAlarms.length)} false alarms${late}, ` +
    `${sum(({ notifications }) => notifications)} notifications`;
}

async function scoreAll(reader: Reader, incidents: readonly Incident[]) {
  const names = ["templates", ...naiveKinds] as const;
  const scores = new Map<string, Score[]>(names.map((name) => [name, []]));
  const span = { sinceMs, untilMs };
  for (const one of watched.filter(({ finds }) => finds.some((kind) => kinds.includes(kind)))) {
    const line: string[] = [];
    for (const name of names) {
      const rule = name === "templates"
        ? one.rule
        : await naive(reader, projectId, one.rule, name, quiet);
      const score = scoreOf(one, await play(reader, projectId, rule, span), incidents);
      scores.get(name)!.push(score);
      const found = [...score.delays.values()].filter((delay) => delay !== null).length;
      line.push(`${name} ${found} of ${score.delays.size}, ${score.falseAlarms.length} false`);
    }
    console.log(`${one.rule.name}: ${line.join("; ")}`);
    for (const alert of scores.get("templates")!.at(-1)!.falseAlarms) {
      const at = new Date(alert.fired_at).toISOString().slice(0, 16);
      console.log(`  false at ${at}: ${sentenceOf(one.rule, alert)}`);
    }
  }
  return scores;
}

function report(incidents: readonly Incident[], scores: ReadonlyMap<string, Score[]>): void {
  const delayOf = (name: string, incident: Incident) =>
    scores.get(name)!.flatMap(({ delays }) =>
      delays.has(incident) ? [delays.get(incident)!] : []
    )[0];
  for (const incident of incidents) {
    const start = new Date(incident.startMs).toISOString().slice(0, 16);
    const lasted = (incident.endMs - incident.startMs) / minuteMs;
    const delays = [...scores.keys()].map((name) =>
      `${name} ${minutesText(delayOf(name, incident))}`
    );
    console.log(`${start} ${incident.kind}, ${lasted} min: ${delays.join("; ")}`);
  }
  for (const [name, all] of scores) console.log(totalsText(name, all));
}

async function main(): Promise<boolean> {
  const random = new Random(seed);
  const incidents = plant(random, { sinceMs, untilMs }, kinds, each);
  const parts = Array.from(
    { length: quietDays + days },
    (_, day) => dayOfCalls(random, quiet.sinceMs + day * dayMs, incidents),
  );
  const { rows } = await fillLake(folder, cacheDir, parts);
  console.log(
    `seed ${seed}: ${rows} calls in ${quietDays} quiet days and ${days} with ` +
      `${incidents.length} incidents of ${kinds.length} kinds`,
  );
  const store = await Store.open({
    dataDir: folder,
    cacheDir,
    memoryLimit: "1GB",
    threads: 2,
    queryConcurrency: 2,
    queryTimeoutMs: 60_000,
    dedupeEventsMin: 1000,
    dedupePointsMin: 1000,
    clock: { nowMs: () => untilMs },
    onError: (what, error) => {
      throw new Error(what, { cause: error });
    },
  });
  try {
    const scores = await scoreAll(store.reader, incidents);
    report(incidents, scores);
    return scores.get("templates")!.every(({ delays }) => ![...delays.values()].includes(null));
  } finally {
    await store.close();
  }
}

try {
  const isAllFound = await main();
  if (!isAllFound) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
