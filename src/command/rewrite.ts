// `watchllm remap` and `watchllm reprice`: stored events mapped or priced again. The server that holds
// the data directory does it; without one, this process does.
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { customPricesSetting, Prices } from "../price/pricer.ts";
import {
  noCounts,
  type RewriteCounts,
  rewriteHistory,
  type RewriteKind,
  type RewriteOrder,
} from "../rewrite.ts";
import { Problem } from "../serve/errors.ts";
import { timeOf } from "../serve/filter.ts";
import { systemClock } from "../std/clock.ts";
import { DataDirError, holderOf, lockDataDir } from "../store/lock.ts";
import { folders, Store } from "../store/store.ts";
import { type Call, exitCodes, Failure } from "./command.ts";
import { chooseProject, withState } from "./open_state.ts";
import { print, say, tableText } from "./output.ts";

export const remap = (call: Call) => run("remap", call);
export const reprice = (call: Call) => run("reprice", call);

const pollMs = 250;
const requestMsMax = 30_000;
/** How often a person is told how far it is. */
const tellMs = 2000;

type Outcome = RewriteCounts & { state: string; message: string | null };

async function run(kind: RewriteKind, call: Call): Promise<number> {
  const { options, config } = call;
  const order = {
    kind,
    since: rangeOption("since", call),
    until: rangeOption("until", call),
    dry_run: options.get("dry-run") === "true",
  };
  const cancel = new AbortController();
  const onSignal = () => cancel.abort(new Error("Stopped. What was changed stays so."));
  process.once("SIGINT", onSignal);
  process.once("SIGTERM", onSignal);
  try {
    const url = options.get("url") ?? serverOf(config.data_dir);
    const outcome = url === null
      ? await byItself(order, call, cancel.signal)
      : await byServer(url.replace(/\/+$/, ""), order, call, cancel.signal);
    if (outcome.state === "failed") throw new Failure(outcome.message ?? "It failed.");
    await print(options.get("format") === "json" ? jsonOf(outcome) : textOf(order, outcome));
    if (outcome.state !== "cancelled") return exitCodes.done;
    say(outcome.message ?? "Stopped.");
    return exitCodes.interrupted;
  } finally {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  }
}

function rangeOption(name: "since" | "until", { options }: Call): string | null {
  try {
    return timeOf(name, options.get(name), systemClock.nowMs());
  } catch (error) {
    if (error instanceof Problem) throw new Failure(`--${error.detail}`, exitCodes.usage);
    throw error;
  }
}

/** Where the server that holds the directory is reached; null when nobody holds it. */
function serverOf(dataDir: string): string | null {
  const holder = holderOf(dataDir);
  if (holder === null) return null;
  const url = holder === "unknown" ? null : holder.url;
  if (url !== null) return url;
  throw new Failure(
    `Another process uses ${dataDir}, and does not say where it is reached. ` +
      "Name its address with --url, or try again in a moment.",
  );
}

type Asked = Omit<RewriteOrder, "project_ids">;

async function byItself(asked: Asked, call: Call, signal: AbortSignal): Promise<Outcome> {
  const { config, options } = call;
  const known = await stat(join(config.data_dir, folders.manifest)).then(() => true, () => false);
  if (!known) {
    throw new Failure(`${config.data_dir} holds no WatchLLM data. Name it with --data-dir.`);
  }
  const lock = locked(config.data_dir);
  try {
    return await withState(config, async (state) => {
      const named = options.get("project");
      const project_ids = named === undefined
        ? state.projects.map(({ project_id }) => project_id)
        : [chooseProject(state, named)];
      const store = await openStore(call);
      const run = { order: { ...asked, project_ids }, counts: noCounts() };
      const timer = tellNowAndThen(() => run.counts);
      try {
        const prices = new Prices((id) => state.setting(id, customPricesSetting));
        await rewriteHistory(store, prices, run, signal);
        return { ...run.counts, state: "done", message: null };
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        return { ...run.counts, state: signal.aborted ? "cancelled" : "failed", message };
      } finally {
        clearInterval(timer);
        await store.close();
      }
    });
  } finally {
    lock.release();
  }
}

function locked(dataDir: string) {
  try {
    return lockDataDir(dataDir, new Date(systemClock.nowMs()));
  } catch (error) {
    throw error instanceof DataDirError ? new Failure(error.message) : error;
  }
}

function openStore({ config }: Call): Promise<Store> {
  return Store.open({
    dataDir: config.data_dir,
    cacheDir: config.cache_dir,
    memoryLimit: config.memory_limit,
    threads: navigator.hardwareConcurrency,
    queryConcurrency: 1,
    queryTimeoutMs: config.query_timeout_s * 1000,
    // Nothing comes in.
    dedupeEventsMin: 1,
    dedupePointsMin: 1,
    clock: systemClock,
    onError: (what, error) => say(`Failed: ${what}: ${error}`),
  });
}

async function byServer(
  url: string,
  asked: Asked,
  { config, options }: Call,
  signal: AbortSignal,
): Promise<Outcome> {
  // The key of the server's own settings stays on this machine.
  const key = options.get("key") ?? (options.has("url") ? null : config.init_key);
  const ask = (method: string, path: string, body?: unknown) =>
    request(url, key, method, path, body);
  const body = { ...asked, project_id: options.get("project") ?? null };
  const { id } = await ask("POST", "/api/rewrite", body) as { id: string };
  let job: Outcome;
  let toldMs = performance.now();
  for (;;) {
    job = await ask(signal.aborted ? "DELETE" : "GET", `/api/rewrite/${id}`) as Outcome;
    if (job.state !== "running") return job;
    if (process.stderr.isTTY && performance.now() - toldMs > tellMs) {
      say(progressText(job));
      toldMs = performance.now();
    }
    await Bun.sleep(pollMs);
  }
}

async function request(
  url: string,
  key: string | null,
  method: string,
  path: string,
  body?: unknown,
): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(url + path, {
      method,
      headers: {
        ...key === null ? {} : { authorization: `Bearer ${key}` },
        ...body === undefined ? {} : { "content-type": "application/json" },
      },
      ...body === undefined ? {} : { body: JSON.stringify(body) },
      signal: AbortSignal.timeout(requestMsMax),
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure(`${url} does not answer: ${reason}`);
  }
  if (response.ok) return await response.json();
  const problem = await response.json().catch(() => null) as { detail?: string } | null;
  const hint = response.status === 401 ? " Give an admin key with --key." : "";
  throw new Failure(
    `${url} answers ${response.status}: ${problem?.detail ?? response.statusText}${hint}`,
  );
}

function tellNowAndThen(counts: () => RewriteCounts): ReturnType<typeof setInterval> {
  return setInterval(() => {
    if (process.stderr.isTTY) say(progressText(counts()));
  }, tellMs);
}

function progressText({ looked_at, changed, files_looked_at, files_total }: RewriteCounts): string {
  return `${files_looked_at} of ${files_total} files, ${looked_at} events, ${changed} changed …`;
}

function jsonOf(outcome: Outcome): string {
  const { state, looked_at, changed, fields, refused, files_looked_at, files_written } = outcome;
  const files = { files_looked_at, files_written };
  return JSON.stringify({ state, looked_at, changed, fields, refused, ...files }, null, 2);
}

function textOf({ dry_run }: Asked, outcome: Outcome): string {
  const { looked_at, changed, fields, refused, files_written } = outcome;
  const rows = Object.entries(fields).sort(([, a], [, b]) => b - a)
    .map(([name, events]) => [name, String(events)]);
  return [
    `${looked_at} events looked at, ${changed} ${dry_run ? "would change" : "changed"}` +
    (dry_run ? "." : `, ${files_written} files written.`),
    ...refused > 0 ? [`${refused} stay as they are: what they would become is too large.`] : [],
    ...rows.length > 0 ? ["", tableText(["field", "events"], rows)] : [],
  ].join("\n");
}
