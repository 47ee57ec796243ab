// Erasure: everything of a subject goes, everything of others stays, and a crash at any step changes
// neither. What is left is looked for in the bytes of every file.
import { afterEach, expect, test } from "bun:test";
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { EraseStep } from "../src/erase.ts";
import { eraseSteps } from "../src/erase.ts";
import { type OpenErasing, openErasing } from "../src/erase/open.ts";
import { Langfuse } from "../src/langfuse.ts";
import { newState } from "../src/alert/state.ts";
import { systemClock } from "../src/std/clock.ts";
import { AlertStore } from "../src/store/alerts.ts";
import { openDuckDB } from "../src/store/duckdb.ts";
import type { Erasure } from "../src/store/erasures.ts";
import { Pending } from "../src/store/pending.ts";
import { openState } from "../src/store/state.ts";
import { folders } from "../src/store/store.ts";
import type { SubjectKind } from "../src/store/subject.ts";
import { type ErasedReport, verifyErased } from "../src/store/verify_erased.ts";
import { type OpenStore, openStore, temporaryFolder } from "./store/fixture.ts";

const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function folder(): string {
  const { path, remove } = temporaryFolder();
  cleanups.push(remove);
  return path;
}

const ann = "ann-of-the-tests";
const bob = "bob-of-the-tests";
const png = (text: string) => {
  const bytes = Buffer.alloc(1200, text);
  Buffer.from("89504e470d0a1a0a", "hex").copy(bytes);
  return `data:image/png;base64,${bytes.toString("base64")}`;
};

interface Open extends OpenStore, OpenErasing {
  alerts: AlertStore;
  pending: Pending;
  langfuse: Langfuse;
}

/** Everything that erasure touches, in one folder. */
async function open(path: string, onStep?: (step: EraseStep) => void): Promise<Open> {
  // A damaged file is told of, and no failure.
  const opened = await openStore(path, { onError: () => {} });
  const state = await openState(join(path, "state.db"));
  for (const id of ["shop", "bank"]) await state.createProject(id);
  await state.close();
  const alerts = new AlertStore(join(path, "state.db"));
  const pending = new Pending(join(path, folders.pending));
  const langfuse = new Langfuse({
    pending,
    ingest: opened.ingest,
    stored: () => Promise.resolve(null),
    hold: (project_id, hashes) => opened.store.blobs.hold(project_id, hashes),
    clock: systemClock,
  });
  const erasing = await openErasing({
    dataDir: path,
    store: opened.store,
    pending,
    langfuse,
    alerts,
    redaction: { of: () => null },
    clock: systemClock,
    settleMs: 0,
    ...onStep === undefined ? {} : { onStep },
  });
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    await erasing.close();
    alerts.close();
    pending.close();
    await opened.close();
  };
  cleanups.push(close);
  return { ...opened, ...erasing, alerts, pending, langfuse, close };
}

const event = (event_id: string, more: Record<string, unknown>) => ({
  event_id,
  event_type: "prompt_call",
  model: "m",
  ...more,
});

/** Ann and Bob, in files, in the tail, in pieces, in alerts and in the quarantine. */
async function fill({ send, store, langfuse, alerts }: Open, path: string): Promise<void> {
  await send([
    event("a1", { user_id: ann, run_id: "ra", prompt: "secret of ann" }),
    event("a2", { run_id: "ra", event_type: "tool_call", tool_name: "t", output: "ann's order" }),
    event("a3", {
      run_id: "ra2",
      session_id: "sa",
      user_id: ann,
      timestamp: "2026-01-01T00:00:00Z",
    }),
    event("a4", { run_id: "ra3", session_id: "sa" }),
    event("b1", { user_id: bob, run_id: "rb", session_id: "both", prompt: `bob on ${ann}` }),
    event("b2", { run_id: "rb", event_type: "tool_call", tool_name: "t" }),
    event("c1", { run_id: "rc", session_id: "both" }),
  ]);
  await store.flush();
  await send([event("x1", { user_id: ann, run_id: "rx" })], "bank");
  await send([
    event("a5", { user_id: ann, session_id: "both", run_id: "ra4" }),
    event("a6", { user_id: ann, run_id: "ra5" }),
    event("b3", { user_id: bob, run_id: "rb2", timestamp: "2026-01-01T00:00:00Z" }),
  ]);
  await store.flush();
  // An older file that is kept for readers, and a tail.
  while (await store.compact());
  await send([event("a7", { user_id: ann, run_id: "ra6" }), event("b4", { user_id: bob })]);
  const picture = await store.keepBlobs("shop", []);
  picture();
  const now = new Date().toISOString();
  const trace = (id: string, userId: string) => ({
    id: `envelope-${id}`,
    type: "trace-create",
    timestamp: now,
    body: { id, userId, name: "chat", input: `of ${userId}` },
  });
  const span = (id: string, traceId: string) => ({
    id: `envelope-${id}`,
    type: "span-create",
    timestamp: now,
    body: { id, traceId, name: "step", startTime: now },
  });
  await langfuse.take(
    "shop",
    [trace("ta", ann), span("oa", "ta"), trace("tb", bob), span("ob", "tb")],
    100,
  );
  tellOf(alerts);
  mkdirSync(join(path, "quarantine"), { recursive: true });
  const received_at = "2026-01-01T00:00:00.000000Z";
  const line = (user_id: string) =>
    JSON.stringify({ event_id: `q-${user_id}`, project_id: "shop", received_at, user_id });
  writeFileSync(
    join(path, "quarantine", "0000000000000001.ndjson"),
    `${line(ann)}\n${line(bob)}\n{"broken":"${ann}\n{"broken":"${bob}\n`,
  );
}

function tellOf(alerts: AlertStore): void {
  const labelled = (id: string, user_id: string) => ({
    id,
    labels: { user_id },
    level: "warning" as const,
    value: 1,
    threshold: 1,
    expected: null,
    started_at: 1,
    fired_at: 1,
    resolved_at: null,
    resolved_reason: null,
    told: null,
  });
  alerts.commit(() => {
    alerts.rules.put({
      id: "rule",
      project_id: "shop",
      rule: { name: "spend" } as never,
      version: 1,
      created_at: "2026-01-01",
      updated_at: "2026-01-01",
    });
    const state = newState();
    for (const user_id of [ann, bob]) {
      const alert = labelled(`alert-${user_id.slice(0, 3)}`, user_id);
      alerts.alerts.put({ project_id: "shop", rule_id: "rule", rule_name: "spend", alert });
      alerts.outbox.add({
        id: `told-${user_id.slice(0, 3)}`,
        project_id: "shop",
        channel_id: null,
        channel_name: "",
        channel_type: "event",
        rule_id: "rule",
        kind: "firing",
        thread: alert.id,
        body: { text: `spend of ${user_id}`, labels: { user_id } },
      }, "2026-01-01");
      state.series[JSON.stringify([["user_id", user_id]])] = {
        labels: { user_id },
        phase: "firing",
        value: 1,
        valued_at: 1,
        seen_at: 1,
        breach_since: 1,
        critical_since: null,
        recovered_since: null,
        alert,
      };
    }
    alerts.rules.putState("rule", state);
    alerts.rules.remember("rule", state);
    for (const user of [ann, bob]) {
      alerts.alerts.database.query(
        `INSERT INTO issues (project_id, issue, state, first_seen, last_seen, note)
         VALUES ('shop', ?, 'open', '2026-01-01', '2026-01-01', ?)`,
      ).run(`issue of ${user.slice(0, 3)}`, `asked ${user} about it`);
    }
  });
}

/** In a process of its own, as the command does it. */
async function verify(path: string, erasure: Erasure): Promise<ErasedReport> {
  const instance = await openDuckDB({
    cacheDir: join(path, "cache"),
    temporaryDir: folder(),
    memoryLimit: "512MB",
    threads: 1,
  });
  const connection = await instance.connect();
  try {
    return await verifyErased(path, connection, erasure);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** A crash of the process that has the folder now. */
function crash(path: string): string {
  const copy = folder();
  cpSync(path, copy, { recursive: true });
  return copy;
}

const bobs = ["b1", "b2", "b3", "b4", "c1"];

interface Row {
  what: string;
  kind: SubjectKind;
  id: string;
  left: string[];
  counts: Partial<Erasure["counts"]>;
}

const rows: Row[] = [
  {
    what: "a user, with what belongs to the runs and sessions of nobody else",
    kind: "user",
    id: ann,
    left: bobs,
    counts: { events: 7, points: 0, pieces: 2, alerts: 4, quarantined_files: 1 },
  },
  {
    what: "a session, with runs that name it once",
    kind: "session",
    id: "sa",
    left: ["a1", "a2", "a5", "a6", "a7", ...bobs],
    counts: { events: 2, pieces: 0, alerts: 0 },
  },
  {
    what: "a run",
    kind: "run",
    id: "rb",
    left: ["a1", "a2", "a3", "a4", "a5", "a6", "a7", "b3", "b4", "c1"],
    counts: { events: 2, pieces: 0, alerts: 0 },
  },
  {
    what: "an event",
    kind: "event",
    id: "a6",
    left: ["a1", "a2", "a3", "a4", "a5", "a7", ...bobs],
    counts: { events: 1, pieces: 0, alerts: 0 },
  },
  {
    what: "somebody who is not there",
    kind: "user",
    id: "'; DROP TABLE erasures; --\0\"\\",
    left: ["a1", "a2", "a3", "a4", "a5", "a6", "a7", ...bobs],
    counts: { events: 0, pieces: 0, alerts: 0, files_rewritten: 0 },
  },
];

for (const { what, kind, id, left, counts } of rows) {
  test(`erase: ${what}`, async () => {
    const path = folder();
    const opened = await open(path);
    await fill(opened, path);
    expect(await opened.erasing.look({ project_id: "shop", kind, id })).toMatchObject({
      events: counts.events!,
      pieces: counts.pieces!,
    });
    const asked = opened.erasing.request({ project_id: "shop", kind, id, by: null });
    await opened.erasing.idle();
    const done = opened.erasures.get(asked.id)!;
    expect(done).toMatchObject({ state: "done", message: null, subject: { kind, ids: [id] } });
    expect(done.counts).toMatchObject(counts);
    expect(await opened.ids()).toEqual(left.toSorted());
    // Another project's user of the same name is another user.
    expect(await opened.ids("bank")).toEqual(["x1"]);
    const report = await verify(crash(path), done);
    expect([report.left, report.later]).toEqual([[], []]);
    await opened.close();
    const again = await open(path);
    expect(await again.ids()).toEqual(left.toSorted());
  });
}

test("erase: a crash at every step, and it goes on where it was", async () => {
  const path = folder();
  const crashes: { step: EraseStep; copy: string }[] = [];
  const opened = await open(path, (step) => crashes.push({ step, copy: crash(path) }));
  await fill(opened, path);
  const { id } = opened.erasing.request({ project_id: "shop", kind: "user", id: ann, by: "key" });
  await opened.erasing.idle();
  const whole = opened.erasures.get(id)!;
  await opened.close();
  expect([...new Set(crashes.map(({ step }) => step))].toSorted()).toEqual(eraseSteps.toSorted());
  expect(crashes.filter(({ step }) => step === "file").length).toBeGreaterThan(2);
  for (const { step, copy } of crashes) {
    const again = await open(copy);
    await again.erasing.idle();
    const done = again.erasures.get(id)!;
    expect([step, done.state, done.message]).toEqual([step, "done", null]);
    expect([step, done.counts.events]).toEqual([step, whole.counts.events]);
    expect([step, await again.ids()]).toEqual([step, bobs]);
    const report = await verify(crash(copy), done);
    expect([step, report.left, report.later]).toEqual([step, [], []]);
    await again.close();
    expect([step, readdirSync(join(copy, "log"))]).toEqual([step, []]);
  }
});

test("erase: what is received later stays, and is told apart", async () => {
  const path = folder();
  const opened = await open(path);
  await fill(opened, path);
  const { id } = opened.erasing.request({ project_id: "shop", kind: "user", id: ann, by: null });
  // The clock that stamps events counts milliseconds.
  const requestedMs = Date.parse(opened.erasures.get(id)!.requested_at);
  while (Date.now() <= requestedMs) await new Promise((next) => setImmediate(next));
  await opened.send([event("a8", { user_id: ann })]);
  await opened.erasing.idle();
  expect(await opened.ids()).toEqual(["a8", ...bobs]);
  await opened.send([event("a9", { user_id: ann })]);
  const report = await verify(crash(path), opened.erasures.get(id)!);
  expect(report.left).toEqual([]);
  expect(report.later.reduce((sum, { count }) => sum + count, 0)).toBe(2);
});

test("erase: verify finds what an erasure did not touch", async () => {
  const path = folder();
  const opened = await open(path);
  await fill(opened, path);
  const { id } = opened.erasing.request({ project_id: "shop", kind: "user", id: ann, by: null });
  await opened.erasing.idle();
  const done = opened.erasures.get(id)!;
  const before = folder();
  const fresh = await open(before);
  await fill(fresh, before);
  const asked = { ...done, requested_at: new Date().toISOString() };
  const { left } = await verify(crash(before), asked);
  const places = new Set(left.map(({ path }) => path.split("/")[0]!.replace(/-wal$/, "")));
  expect([...places].toSorted()).toEqual(["events", "log", "pending.db", "quarantine", "state.db"]);
});

test("erase: a damaged file that has the rows goes as a whole, and is told", async () => {
  const path = folder();
  const opened = await open(path);
  await fill(opened, path);
  await opened.store.flush();
  const { files, release } = await opened.store.source("shop");
  release();
  const name = files.toSorted((a, b) => Bun.file(b).size - Bun.file(a).size)[0]!;
  const bytes = readFileSync(name);
  bytes.fill(0, 20, Math.floor(bytes.length / 2));
  writeFileSync(name, bytes);
  const { id } = opened.erasing.request({ project_id: "shop", kind: "user", id: ann, by: null });
  await opened.erasing.idle();
  const done = opened.erasures.get(id)!;
  expect(done).toMatchObject({ state: "done", message: null, counts: { quarantined_files: 2 } });
  expect((await opened.ids()).filter((id) => id.startsWith("a"))).toEqual([]);
  expect((await verify(crash(path), done)).left).toEqual([]);
});

test("erase: files that only erased events name go, and the bytes with them", async () => {
  const path = folder();
  const opened = await open(path);
  const keep = async (user_id: string, text: string) => {
    const bytes = Buffer.from(png(text));
    const sha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
    const release = await opened.store.keepBlobs("shop", [{ sha256, bytes } as never]);
    const line = JSON.stringify({
      event_id: `${user_id}-${text}`,
      project_id: "shop",
      run_id: text,
      event_type: "span",
      timestamp: "2026-01-01T00:00:00.000000Z",
      received_at: "2026-01-01T00:00:00.000000Z",
      status: "success",
      user_id,
      blobs: [sha256],
    });
    await opened.store.append(`${line}\n`, 1);
    release();
    return join("blobs", "project_id=shop", sha256.slice(0, 2), sha256);
  };
  const [only, shared] = [await keep(ann, "only"), await keep(ann, "shared")];
  await keep(bob, "shared");
  const { id } = opened.erasing.request({ project_id: "shop", kind: "user", id: ann, by: null });
  await opened.erasing.idle();
  expect(opened.erasures.get(id)!.counts).toMatchObject({ events: 2, blobs_deleted: 1 });
  const exists = (name: string) => Bun.file(join(path, name)).exists();
  expect([await exists(only), await exists(shared)]).toEqual([false, true]);
});
