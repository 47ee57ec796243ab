// A data directory of two projects, each with events in the lake and in the log's tail.
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { copyToParquet, createTable, readSegments } from "../../src/store/duckdb.ts";
import { loadDuckDB } from "../../src/store/duckdb_library.ts";
import { encodeCommit } from "../../src/store/segment.ts";
import type { Answer, Question, SandboxOptions, Sink, Snapshot } from "../../src/store/sandbox.ts";
import { Sandbox } from "../../src/store/sandbox.ts";

export interface Fixture {
  root: string;
  /** Of project `mine`. */
  mine: Snapshot;
  /** Parquet file of project `other`. */
  otherFile: string;
  /** Log segment with events of both. */
  segment: string;
  /** The sandbox's own folder. */
  work: string;
  /** Path and hash of every file outside of it, to see that nothing was written. */
  hashes(): string[];
  remove(): void;
}

/** A word in every event of `other`: it must never be seen. */
export const secret = "the-secret-of-the-other-project";

/** Lake: 3 events of `mine`, 2 of `other`. Tail: 2 of `mine`, 1 of `other`, then a torn write. */
export async function makeFixture(): Promise<Fixture> {
  const root = mkdtempSync(join(tmpdir(), "watchllm-sandbox-"));
  const work = join(root, "sandbox");
  mkdirSync(work);
  const myFile = await writeLake(root, "mine", ["m1", "m2", "m3"].map((id) => event(id, "mine")));
  const otherFile = await writeLake(root, "other", ["o1", "o2"].map((id) => event(id, "other")));
  const segment = join(root, "log", "0000000000000001.ndjson");
  const lines = [event("m4", "mine"), event("o3", "other"), event("m5", "mine")];
  const commit = encodeCommit(lines.map((line) => `${JSON.stringify(line)}\n`).join(""), 3);
  const torn = `${JSON.stringify(event("m6", "mine"))}\n{"event_id":"m7","proj`;
  mkdirSync(dirname(segment));
  writeFileSync(segment, Buffer.concat([commit, Buffer.from(torn)]));
  writeFileSync(join(root, "state.db"), `not a database, but ${secret}`);
  return {
    root,
    mine: { files: [myFile], segments: [{ path: segment, bytes: commit.length, points: 0 }] },
    otherFile,
    segment,
    work,
    hashes: () => hashes(root).filter((line) => !line.startsWith(work)),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

function event(event_id: string, project_id: string): Record<string, unknown> {
  return {
    event_id,
    project_id,
    run_id: event_id,
    event_type: "prompt_call",
    timestamp: `2026-11-01T00:00:0${event_id.slice(1)}.000123Z`,
    received_at: "2026-11-01T00:00:09Z",
    status: "success",
    tags: ["a", "b"],
    prompt: project_id === "mine" ? "hello" : secret,
    tokens_input: 10,
  };
}

async function writeLake(root: string, project_id: string, events: unknown[]): Promise<string> {
  const file = join(root, "events", `project_id=${project_id}`, "date=2026-11-01", "a.parquet");
  mkdirSync(dirname(file), { recursive: true });
  const source = join(root, "source.ndjson");
  writeFileSync(source, events.map((event) => `${JSON.stringify(event)}\n`).join(""));
  const { DuckDBInstance } = await loadDuckDB(join(root, "cache"));
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  await connection.run(createTable("rows"));
  await connection.run(`INSERT INTO rows ${readSegments([source])}`);
  await connection.run(copyToParquet("SELECT * FROM rows", file, 1));
  connection.closeSync();
  rmSync(source);
  return file;
}

function hashes(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => `${path} ${createHash("sha256").update(readFileSync(path)).digest("hex")}`)
    .sort();
}

export function makeSandbox(fixture: Fixture, options: Partial<SandboxOptions> = {}): Sandbox {
  return new Sandbox({
    cacheDir: join(fixture.root, "cache"),
    temporaryDir: fixture.work,
    memoryLimit: "256MB",
    threads: 1,
    childrenMax: 2,
    waitingMax: 100,
    waitMsMax: 60_000,
    spareIdleMs: 0,
    ...options,
  });
}

export interface Told {
  answer: Answer;
  text: string;
  bytes: Buffer;
}

/** Asks as project `mine` and gathers the answer. */
export async function ask(
  sandbox: Sandbox,
  question: Snapshot & { sql: string } & Partial<Question>,
  signal?: AbortSignal,
): Promise<Told> {
  const pieces: Uint8Array[] = [];
  const sink: Sink = (piece) => void pieces.push(Uint8Array.from(piece));
  const answer = await sandbox.ask(
    {
      project_id: "mine",
      format: "rows",
      rowsMax: 1_000,
      bytesMax: 1_000_000,
      deadlineMs: 30_000,
      ...question,
    },
    sink,
    signal,
  );
  const bytes = Buffer.concat(pieces);
  return { answer, bytes, text: bytes.toString() };
}
