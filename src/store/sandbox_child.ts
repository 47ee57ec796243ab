// The child's side of the sandbox: one question, one answer, one process. The order is the safety:
// run the parent's statements, lock the database, and only then look at the user's SQL.
import type { DuckDBConnection } from "@duckdb/node-api";
import { rmSync, writeFileSync, writeSync } from "node:fs";
import { loadDuckDB } from "./duckdb_library.ts";
import { lock, openDatabase } from "./sandbox/database.ts";
import { explainError, explainStart } from "./sandbox/errors.ts";
import {
  type Column,
  encodeHeader,
  type Ending,
  frameBytesMax,
  type FrameKind,
  type Job,
  type Setup,
} from "./sandbox/frames.ts";
import { writeParquet } from "./sandbox/parquet.ts";
import { refused, takeStatement } from "./sandbox/statement.ts";
import { writeText } from "./sandbox/text.ts";
import { isNameless, typeName } from "./sandbox/values.ts";

type Api = typeof import("@duckdb/node-api");

/** stdout is not ours alone: DuckDB may print to it. */
const answerFd = 3;

/** Serves the parent at the other end of stdin; does not return. */
export async function answerParent(): Promise<never> {
  dieFirst();
  const lines = new ParentLines();
  const setup = JSON.parse(await lines.next()) as Setup;
  const api = await loadDuckDB(setup.cacheDir);
  const connection = await openDatabase(api, setup);
  sendFrame("ready");
  const job = JSON.parse(await lines.next()) as Job;
  lines.folder = job.folder;
  sendFrame("end", JSON.stringify(await answer(api, connection, setup, job)));
  // The parent kills a child that has answered; an orderly end would only take longer.
  await Promise.withResolvers<never>().promise;
  throw new Error("unreachable");
}

async function answer(
  api: Api,
  connection: DuckDBConnection,
  setup: Setup,
  job: Job,
): Promise<Ending> {
  try {
    for (const statement of job.statements) await connection.run(statement);
    await lock(connection, job.readable);
  } catch (error) {
    return explainStart(error);
  }
  try {
    const statement = await takeStatement(api, connection, job.sql);
    if ("reason" in statement) return statement;
    const result = await statement.stream();
    const columns: Column[] = result.deduplicatedColumnNames().map((_, at) => ({
      name: result.columnName(at),
      type: typeName(result.columnType(at)),
    }));
    if (columns.some((_, at) => isNameless(result.columnType(at)))) {
      return refused("A row without names cannot be shown. Name its parts: {'a': 1, 'b': 2}.");
    }
    sendFrame("columns", JSON.stringify(columns));
    return job.format === "parquet"
      ? await writeParquet(api, result, setup, job, sendData)
      : await writeText(api, result, job, (text) => sendData(Buffer.from(text)));
  } catch (error) {
    return explainError(error);
  }
}

function sendData(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; at += frameBytesMax) {
    sendFrame("data", bytes.subarray(at, at + frameBytesMax));
  }
}

function sendFrame(kind: FrameKind, body: string | Uint8Array = ""): void {
  const bytes = Buffer.from(body);
  writeAll(encodeHeader(kind, bytes.length));
  writeAll(bytes);
}

/** Blocks while the parent reads slowly: the query waits with it. */
function writeAll(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(answerFd, bytes, at, bytes.length - at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

/** Lines from the parent. When stdin ends the parent is gone, and so is the reason to live. */
class ParentLines {
  folder = "";
  #text = "";
  #lines: string[] = [];
  #wanted: ((line: string) => void) | null = null;

  constructor() {
    process.stdin.setEncoding("utf8");
    process.stdin.on("data", (text: string) => this.#push(text));
    process.stdin.on("end", () => this.#end());
    process.stdin.on("error", () => this.#end());
  }

  next(): Promise<string> {
    const line = this.#lines.shift();
    if (line !== undefined) return Promise.resolve(line);
    return new Promise((resolve) => this.#wanted = resolve);
  }

  #push(text: string): void {
    const parts = (this.#text + text).split("\n");
    this.#text = parts.pop()!;
    for (const line of parts) {
      if (this.#wanted === null) this.#lines.push(line);
      else this.#wanted(line);
      this.#wanted = null;
    }
  }

  #end(): void {
    if (this.folder !== "") rmSync(this.folder, { recursive: true, force: true });
    // A running query would hold up an orderly exit.
    process.kill(process.pid, "SIGKILL");
  }
}

/** When memory runs out the system shall choose this process before the server. */
function dieFirst(): void {
  try {
    writeFileSync("/proc/self/oom_score_adj", "1000");
  } catch {
    // Only Linux has it.
  }
}
