// `watchllm erase`: everything of a user, a session, a run or an event goes. The server that holds the
// data directory does it; without one, this process does. `erase list` shows the record, and
// `erase verify` reads every file again to prove that nothing is left.
import { stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type OpenErasing, openErasing, openErasures } from "../erase/open.ts";
import { Langfuse } from "../langfuse.ts";
import { redactionOf } from "../server.ts";
import { Problem } from "../serve/errors.ts";
import { shown, subjectOf } from "../serve/erasures.ts";
import { systemClock } from "../std/clock.ts";
import { AlertStore } from "../store/alerts.ts";
import { openDuckDB } from "../store/duckdb.ts";
import type { Erasure } from "../store/erasures.ts";
import { Pending } from "../store/pending.ts";
import { type State, statePath } from "../store/state.ts";
import { folders } from "../store/store.ts";
import type { SubjectKind } from "../store/subject.ts";
import { type ErasedReport, type Finding, verifyErased } from "../store/verify_erased.ts";
import { type Asker, askerOf, openStore, takeDataDir } from "./by_server.ts";
import { type Call, exitCodes, Failure } from "./command.ts";
import { chooseProject, withState } from "./open_state.ts";
import { print, say, tableText } from "./output.ts";

type Shown = ReturnType<typeof shown>;
type Subject = { kind: SubjectKind; id: string };
type Would = { project_id: string; events: number; points: number; pieces: number }[];

const pollMs = 200;

export async function run(call: Call): Promise<number> {
  const { options } = call;
  const subject = subjectOption(call);
  const asker = askerOf(call);
  if (options.get("dry-run") === "true") {
    const would = asker === null
      ? await lookAlone(call, subject)
      : await lookBy(asker, call, subject);
    await print(
      options.get("format") === "json" ? JSON.stringify(would, null, 2) : lookText(would),
    );
    return exitCodes.done;
  }
  const done = asker === null
    ? await eraseAlone(call, subject)
    : await eraseBy(asker, call, subject);
  await print(options.get("format") === "json" ? JSON.stringify(done, null, 2) : listText(done));
  const late = done.filter(({ state }) => state !== "done");
  for (const { id, message } of late) say(`${id} is not done: ${message ?? "it goes on."}`);
  return late.length === 0 ? exitCodes.done : exitCodes.failed;
}

export async function list({ config, options }: Call): Promise<number> {
  const found = await recorded(config.data_dir, (all) => all.map(shown));
  const project = options.get("project");
  const rows = found.filter(({ project_id }) => project === undefined || project_id === project);
  await print(
    options.get("format") === "json" ? JSON.stringify(rows, null, 2) : listText(rows),
  );
  return exitCodes.done;
}

export async function verify(call: Call): Promise<number> {
  const { config, options } = call;
  const [id = ""] = call.arguments;
  const erasure = await recorded(config.data_dir, (all) => all.find((one) => one.id === id));
  if (erasure === undefined) {
    throw new Failure(`There is no erasure "${id}" in ${config.data_dir}.`);
  }
  const instance = await openDuckDB({
    cacheDir: config.cache_dir,
    temporaryDir: tmpdir(),
    memoryLimit: config.memory_limit,
    threads: navigator.hardwareConcurrency,
  });
  const connection = await instance.connect();
  let report: ErasedReport;
  try {
    report = await verifyErased(config.data_dir, connection, erasure);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
  const isProved = erasure.state === "done" && report.left.length === 0;
  await print(
    options.get("format") === "json"
      ? JSON.stringify({ proved: isProved, ...shown(erasure), ...report }, null, 2)
      : reportText(erasure, report, isProved),
  );
  return isProved ? exitCodes.done : exitCodes.failed;
}

export function subjectOption({ options }: Pick<Call, "options">): Subject {
  try {
    return subjectOf({
      user_id: options.get("user"),
      session_id: options.get("session"),
      run_id: options.get("run"),
      event_id: options.get("event"),
    });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    throw new Failure("Give exactly one of --user, --session, --run, --event.", exitCodes.usage);
  }
}

async function recorded<T>(dataDir: string, work: (all: Erasure[]) => T): Promise<T> {
  const known = await stat(join(dataDir, folders.erasures)).then(() => true, () => false);
  if (!known) return work([]);
  const erasures = await openErasures(dataDir, { readonly: true });
  try {
    return work(erasures.list());
  } finally {
    erasures.close();
  }
}

function bodyOf({ options }: Call, { kind, id }: Subject) {
  return { project_id: options.get("project") ?? null, [`${kind}_id`]: id };
}

async function lookBy(asker: Asker, call: Call, subject: Subject): Promise<Would> {
  const body = { ...bodyOf(call, subject), dry_run: true };
  return (await asker.json("POST", "/api/erasures", body) as { would_erase: Would }).would_erase;
}

async function eraseBy(asker: Asker, call: Call, subject: Subject): Promise<Shown[]> {
  const { erasures } = await asker.json("POST", "/api/erasures", bodyOf(call, subject)) as {
    erasures: Shown[];
  };
  const done: Shown[] = [];
  for (const { id } of erasures) {
    for (;;) {
      const now = await asker.json("GET", `/api/erasures/${id}`) as Shown;
      if (now.state === "done" || now.message !== null) {
        done.push(now);
        break;
      }
      await Bun.sleep(pollMs);
    }
  }
  return done;
}

function lookAlone(call: Call, subject: Subject): Promise<Would> {
  return alone(call, async ({ erasing }, projects) => {
    const would: Would = [];
    for (const project_id of projects) {
      would.push({ project_id, ...await erasing.look({ project_id, ...subject }) });
    }
    return would;
  });
}

function eraseAlone(call: Call, subject: Subject): Promise<Shown[]> {
  return alone(call, async ({ erasing, erasures }, projects) => {
    const ordered = projects.map((project_id) =>
      erasing.request({ project_id, ...subject, by: null })
    );
    await erasing.idle();
    return ordered.map(({ id }) => shown(erasures.get(id)!));
  });
}

/** The data directory in this process, as the server would have it. */
export async function alone<T>(
  call: Call,
  work: (open: OpenErasing, projects: readonly string[]) => Promise<T>,
): Promise<T> {
  const { config } = call;
  const known = await stat(join(config.data_dir, folders.manifest)).then(() => true, () => false);
  if (!known) {
    throw new Failure(`${config.data_dir} holds no WatchLLM data. Name it with --data-dir.`);
  }
  const lock = takeDataDir(config.data_dir);
  try {
    return await withState(config, (state) => withErasing(call, state, work));
  } finally {
    lock.release();
  }
}

async function withErasing<T>(
  call: Call,
  state: State,
  work: (open: OpenErasing, projects: readonly string[]) => Promise<T>,
): Promise<T> {
  const { config, options } = call;
  const named = options.get("project");
  const projects = named === undefined
    ? state.projects.map(({ project_id }) => project_id)
    : [chooseProject(state, named)];
  const store = await openStore(call);
  const pending = new Pending(join(config.data_dir, folders.pending));
  const alerts = new AlertStore(statePath(config));
  try {
    const open = await openErasing({
      dataDir: config.data_dir,
      store,
      pending,
      langfuse: new Langfuse({
        pending,
        // Nothing comes in, and what waits goes on waiting.
        ingest: { prepare: refuse, take: refuse },
        stored: () => Promise.resolve(null),
        hold: (project_id, hashes) => store.blobs.hold(project_id, hashes),
        clock: systemClock,
      }),
      alerts,
      redaction: await redactionOf(config, state),
      clock: systemClock,
      settleMs: 0,
    });
    try {
      return await work(open, projects);
    } finally {
      await open.close();
    }
  } finally {
    alerts.close();
    pending.close();
    await store.close();
  }
}

function refuse(): Promise<never> {
  return Promise.reject(new Error("Nothing is taken in."));
}

function lookText(would: Would): string {
  const rows = would.map(({ project_id, events, points, pieces }) => [
    project_id,
    ...[events, points, pieces].map(String),
  ]);
  return tableText(["project_id", "events", "points", "pieces"], rows);
}

function listText(erasures: readonly Shown[]): string {
  const rows = erasures.map((one) => [
    one.id,
    one.project_id,
    one.kind,
    one.subject,
    one.state,
    String(one.counts.events),
    one.requested_at,
    one.ended_at ?? "",
  ]);
  const names = [
    "id",
    "project_id",
    "kind",
    "subject",
    "state",
    "events",
    "requested_at",
    "ended_at",
  ];
  return tableText(names, rows);
}

function reportText(erasure: Erasure, report: ErasedReport, isProved: boolean): string {
  const { files, bytes, left, later, mentions } = report;
  const of = (title: string, findings: readonly Finding[]) =>
    findings.length === 0 ? [] : [
      "",
      title,
      tableText(
        ["file", "what", "count"],
        findings.map(({ path, what, count }) => [path, what, String(count)]),
      ),
    ];
  const verdict = isProved
    ? "Nothing is left"
    : erasure.state === "done"
    ? "Something is left"
    : "Not done yet";
  return [
    `${verdict}: ${files} files, ${bytes} bytes read.`,
    ...of("Left:", left),
    ...of("Received after the order, and not touched:", later),
    ...of("Mentioned in what belongs to others:", mentions),
  ].join("\n");
}
