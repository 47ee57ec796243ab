// One child from start to kill, seen by its parent: the conversation of frames.ts, and the bounds
// that the child cannot be trusted with: its deadline and its memory.
import { type ChildProcess as Spawned, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join, parse } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { nativeFiles } from "../../embedded.ts";
import { hidePaths } from "./errors.ts";
import {
  bytesOf,
  type Column,
  type Ending,
  type Failure,
  type FailureReason,
  FrameReader,
  type Job,
  type Reply,
  type Setup,
} from "./frames.ts";
import { type Question, viewOf } from "./view.ts";

/** Loading DuckDB takes 0.3 s; on a machine that swaps, far longer. */
const startMsMax = 20_000;
const memoryPollMs = 50;
/** Bun, DuckDB's code and what DuckDB does not count, beside the two databases of an answer. */
const overheadBytes = 512 * 1024 * 1024;
/** Of what the child prints; the end of it says why it died. */
const stderrCharactersMax = 2_000;

/** A child is this very program: the compiled binary, or Bun with the verb's source file. */
export function selfCommand(): string[] {
  if (nativeFiles !== null) return [process.execPath, "sql-child"];
  return [
    process.execPath,
    fileURLToPath(new URL("../../command/sql_child.ts", import.meta.url).href),
  ];
}

export interface ChildOptions extends Setup {
  temporaryDir: string;
}

export class ChildProcess {
  readonly #process: Spawned;
  readonly #temporaryDir: string;
  readonly #memoryBytesMax: number;
  readonly #exited: Promise<void>;
  /** Why we killed it; null when it ended by itself. */
  #cause: FailureReason | null = null;
  #alive = true;
  #stderr = "";
  #folder = "";
  /** The user's SQL is in its hands. */
  #asked = false;

  constructor(command: readonly string[], options: ChildOptions) {
    const { cacheDir, memoryLimit, threads, temporaryDir } = options;
    this.#temporaryDir = temporaryDir;
    this.#memoryBytesMax = 1.5 * bytesOf(memoryLimit) + overheadBytes;
    this.#process = spawn(command[0]!, command.slice(1), {
      // No variable of ours reaches SQL, and no `.env` of the current folder does either.
      env: process.platform === "win32" ? { SystemRoot: process.env.SystemRoot } : {},
      cwd: parse(process.execPath).root,
      stdio: ["pipe", "ignore", "pipe", "pipe"],
      windowsHide: true,
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#exited = promise;
    const end = () => {
      this.#alive = false;
      resolve();
    };
    this.#process.once("exit", end);
    this.#process.once("error", (error) => {
      this.#stderr += error.message;
      end();
    });
    // A child that died says so by its end, not by its pipes.
    this.#process.stdin?.on("error", () => {});
    this.#process.stdio?.[3]?.on("error", () => {});
    this.#process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-stderrCharactersMax);
    });
    this.#send({ cacheDir, memoryLimit, threads } satisfies Setup);
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Kills it; resolves when the process is gone and its folder removed. */
  async end(): Promise<void> {
    this.#kill();
    await this.#exited;
    // A folder that cannot be removed is only litter.
    if (this.#folder !== "") {
      await rm(this.#folder, { recursive: true, force: true }).catch(() => {});
    }
  }

  #kill(): void {
    if (this.#alive) this.#process.kill("SIGKILL");
  }

  /** A child answers once. Throws only what the sink throws. */
  async ask(
    question: Question,
    sink: (bytes: Uint8Array) => void | Promise<void>,
    signal?: AbortSignal,
  ): Promise<Reply> {
    const { deadlineMs } = question;
    const stop = (cause: FailureReason) => {
      this.#cause ??= cause;
      this.#kill();
    };
    const onAbort = () => stop("aborted");
    if (signal?.aborted) onAbort();
    signal?.addEventListener("abort", onAbort);
    let timer = setTimeout(() => stop("unavailable"), startMsMax);
    const poll = setInterval(() => {
      if (this.#residentBytes() > this.#memoryBytesMax) stop("out_of_memory");
    }, memoryPollMs);
    const begin = (job: Job) => {
      clearTimeout(timer);
      if (deadlineMs !== null) timer = setTimeout(() => stop("timeout"), deadlineMs);
      this.#asked = true;
      this.#send(job);
    };
    try {
      // While the child starts.
      const job = await this.#makeJob(question);
      if ("reason" in job) return job;
      const reply = await this.#converse(() => begin(job), sink) ?? await this.#explain(deadlineMs);
      if (reply.ok) return reply;
      const paths = [...job.readable, ...question.segments.map((segment) => segment.path)];
      return { ...reply, message: hidePaths(reply.message, paths) };
    } finally {
      clearTimeout(timer);
      clearInterval(poll);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** Null when the child ends without a last word. */
  async #converse(
    begin: () => void,
    sink: (bytes: Uint8Array) => void | Promise<void>,
  ): Promise<Reply | null> {
    let columns: Column[] = [];
    const frames = new FrameReader();
    try {
      // A program that could not be started has no pipes.
      for await (const piece of (this.#process.stdio?.[3] ?? []) as Readable | []) {
        for (const frame of frames.push(piece)) {
          if (frame.kind === "ready") begin();
          else if (frame.kind === "columns") columns = JSON.parse(frame.body.toString());
          else if (frame.kind === "data") await sink(frame.body);
          else {
            const ending: Ending = JSON.parse(frame.body.toString());
            return ending.ok ? { ...ending, columns } : ending;
          }
        }
      }
    } catch (error) {
      // A killed child may reset the pipe. What the sink throws belongs to the caller.
      if (this.#cause === null) throw error;
    }
    return null;
  }

  async #explain(deadlineMs: number | null): Promise<Failure> {
    await this.#exited;
    const { signalCode, exitCode } = this.#process;
    const diagnosis = `The child ended by ${signalCode ?? exitCode}. ${this.#stderr}`.trim();
    // A SIGKILL that is not ours is the system's, out of memory.
    const reason = this.#cause ?? (signalCode === "SIGKILL" ? "out_of_memory" : "crashed");
    if (reason === "crashed" && !this.#asked) {
      return { ok: false, reason: "unavailable", message: "SQL could not be started.", diagnosis };
    }
    return { ok: false, reason, message: messages[reason](deadlineMs), diagnosis };
  }

  #send(line: unknown): void {
    this.#process.stdin?.write(`${JSON.stringify(line)}\n`);
  }

  async #makeJob(question: Question): Promise<Job | Failure> {
    const { segments, sql, format, rowsMax, bytesMax } = question;
    try {
      if (segments.length > 0 || format === "parquet") {
        await mkdir(this.#temporaryDir, { recursive: true, mode: 0o700 });
        this.#folder = await mkdtemp(join(this.#temporaryDir, "watchllm-sql-"));
      }
      const view = await viewOf(question, this.#folder);
      return { ...view, sql, format, rowsMax, bytesMax, folder: this.#folder };
    } catch (error) {
      const diagnosis = error instanceof Error ? error.message : String(error);
      return {
        ok: false,
        reason: "unavailable",
        message: "The data could not be read.",
        diagnosis,
      };
    }
  }

  /** 0 where the system does not tell. */
  #residentBytes(): number {
    if (process.platform !== "linux" || !this.#alive) return 0;
    try {
      const status = readFileSync(`/proc/${this.#process.pid}/status`, "utf8");
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
    } catch {
      return 0;
    }
  }
}

const messages: Record<FailureReason, (deadlineMs: number | null) => string> = {
  timeout: (deadlineMs) =>
    `The query ran longer than ${(deadlineMs ?? 0) / 1000} s and was stopped. ` +
    "Narrow it by time, or ask for fewer columns.",
  out_of_memory: () =>
    "The query needed more memory than a query may use and was stopped. " +
    "Narrow it by time, select fewer columns, or aggregate.",
  crashed: () => "The query ended the process that ran it. Simplify it.",
  aborted: () => "The caller went away.",
  unavailable: () => "SQL did not start in time.",
  busy: () => "Too many SQL queries are running. Try again in a moment.",
  refused: () => "The query was refused.",
  invalid: () => "The query failed.",
};
