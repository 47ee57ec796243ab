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
import { folders } from "../store/store.ts";
import { type Asker, askerOf, openStore, takeDataDir } from "./by_server.ts";
import { type Call, exitCodes, Failure } from "./command.ts";
import { chooseProject, withState } from "./open_state.ts";
import { print, say, tableText } from "./output.ts";

export const remap = (call: Call) => run("remap", call);
export const reprice = (call: Call) => run("reprice", call);

const pollMs = 250;
/** How often a person is told how far it is. */
const tellMs = 2000;

type Outcome = RewriteCounts & { state: string; message: string | null };

async function run(kind: RewriteKind, call: Call): Promise<number> {
  const { options } = call;
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
    const asker = askerOf(call);
    const outcome = asker === null
      ? await byItself(order, call, cancel.signal)
      : await byServer(asker, order, call, cancel.signal);
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

type Asked = Omit<RewriteOrder, "project_ids">;

async function byItself(asked: Asked, call: Call, signal: AbortSignal): Promise<Outcome> {
  const { config, options } = call;
  const known = await stat(join(config.data_dir, folders.manifest)).then(() => true, () => false);
  if (!known) {
    throw new Failure(`${config.data_dir} holds no WatchLLM data. Name it with --data-dir.`);
  }
  const lock = takeDataDir(config.data_dir);
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

async function byServer(
  asker: Asker,
  asked: Asked,
  { options }: Call,
  signal: AbortSignal,
): Promise<Outcome> {
  const body = { ...asked, project_id: options.get("project") ?? null };
  const { id } = await asker.json("POST", "/api/rewrite", body) as { id: string };
  let job: Outcome;
  let toldMs = performance.now();
  for (;;) {
    job = await asker.json(signal.aborted ? "DELETE" : "GET", `/api/rewrite/${id}`) as Outcome;
    if (job.state !== "running") return job;
    if (process.stderr.isTTY && performance.now() - toldMs > tellMs) {
      say(progressText(job));
      toldMs = performance.now();
    }
    await Bun.sleep(pollMs);
  }
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
