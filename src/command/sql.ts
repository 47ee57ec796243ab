// `watchllm sql "<query>"`: the data directory asked in SQL, whether a server runs on it or not. The
// user owns the machine, so there are no bounds unless settings give them; the sandbox is the same
// as the server's, so that a query cannot harm the data either.
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir, totalmem } from "node:os";
import { type OfflineLake, openLakeReadOnly } from "../store/offline.ts";
import { type Answer, type Format, type Question, Sandbox } from "../store/sandbox.ts";
import { type Call, exitCodes, Failure } from "./command.ts";
import { print, say } from "./output.ts";
import { type Cell, renderTable } from "./sql_table.ts";

const stdout = 1;
const tableRowsMax = 1_000;
/** A server that runs may delete a file between our look at the list and the reading of it. */
const attemptsMax = 3;

const formats: Readonly<Record<string, Format>> = {
  table: "rows",
  json: "objects",
  csv: "csv",
  parquet: "parquet",
};

export async function run(call: Call): Promise<number> {
  const sql = call.arguments[0] === "-" ? await Bun.stdin.text() : call.arguments[0]!;
  const format = call.options.get("format") ?? "table";
  const output = call.options.get("output") ?? null;
  if (format === "parquet" && output === null && process.stdout.isTTY) {
    throw new Failure("Parquet is not for a terminal. Send it to a file: > answer.parquet");
  }
  const sandbox = new Sandbox(sandboxOptions(call));
  // An exit at once would leave the copy of the log behind.
  const interrupted = new AbortController();
  process.removeAllListeners("SIGINT").once("SIGINT", () => interrupted.abort());
  try {
    return await ask(call, sandbox, sql, format, output, interrupted.signal);
  } finally {
    await sandbox.close();
  }
}

async function ask(
  call: Call,
  sandbox: Sandbox,
  sql: string,
  format: string,
  output: string | null,
  signal: AbortSignal,
): Promise<number> {
  for (let attempt = 1;; attempt++) {
    const lake = await openLake(call);
    const target = format === "table" ? new TableTarget() : new ByteTarget(format, output);
    const question = toQuestion(call, lake, sql, format);
    let answer: Answer;
    try {
      answer = await sandbox.ask(question, (bytes) => target.write(bytes), signal);
      await target.end(answer);
    } catch (error) {
      target.abandon();
      // The reader (`| head`) has seen enough.
      if ((error as NodeJS.ErrnoException).code === "EPIPE") return exitCodes.done;
      const reason = error instanceof Error ? error.message : String(error);
      throw new Failure(`Cannot write the answer: ${reason}`);
    } finally {
      await lake.close();
    }
    if (answer.ok) return exitCodes.done;
    if (answer.reason === "aborted") return exitCodes.interrupted;
    if (answer.reason === "unavailable" && !target.written && attempt < attemptsMax) continue;
    const { message, diagnosis } = answer;
    throw new Failure(diagnosis === undefined ? message : `${message}\n${diagnosis}`);
  }
}

async function openLake({ config }: Call): Promise<OfflineLake> {
  try {
    return await openLakeReadOnly(config.data_dir, tmpdir());
  } catch (error) {
    throw new Failure(error instanceof Error ? error.message : String(error));
  }
}

/** A default is the server's, for many users; a value that was given holds here too. */
function given<T>({ origins }: Call, name: keyof Call["origins"], value: T): T | null {
  return origins[name].source === "default" ? null : value;
}

function sandboxOptions(call: Call): ConstructorParameters<typeof Sandbox>[0] {
  const { config } = call;
  return {
    cacheDir: config.cache_dir,
    temporaryDir: tmpdir(),
    memoryLimit: given(call, "sql_memory_limit", config.sql_memory_limit) ??
      `${Math.floor(totalmem() / 2)}B`,
    threads: navigator.hardwareConcurrency,
    childrenMax: 1,
    waitingMax: 0,
    waitMsMax: 0,
    spareIdleMs: 0,
  };
}

function toQuestion(call: Call, lake: OfflineLake, sql: string, format: string): Question {
  const { config } = call;
  const timeoutS = given(call, "sql_timeout_s", config.sql_timeout_s);
  return {
    sql,
    project_id: call.options.get("project") ?? null,
    files: lake.files,
    segments: lake.segments,
    format: formats[format]!,
    rowsMax: given(call, "sql_rows_max", config.sql_rows_max) ??
      (format === "table" ? tableRowsMax : null),
    bytesMax: null,
    deadlineMs: timeoutS === null ? null : timeoutS * 1000,
  };
}

/** Where an answer goes. */
interface Target {
  /** Something of it is out already. */
  readonly written: boolean;
  write(bytes: Uint8Array): void | Promise<void>;
  end(answer: Answer): Promise<void>;
  /** After an error of `write`. */
  abandon(): void;
}

/** JSON, CSV and Parquet: bytes to standard output, or to a file that is whole or not there. */
class ByteTarget implements Target {
  written = false;
  #format: string;
  #output: string | null;
  #fd: number | null;

  constructor(format: string, output: string | null) {
    this.#format = format;
    this.#output = output;
    this.#fd = output === null ? stdout : null;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (!this.written && this.#format === "json") await this.#put("[\n");
    await this.#put(bytes);
  }

  async end(answer: Answer): Promise<void> {
    if (!answer.ok) {
      this.abandon();
      return;
    }
    await this.#put(this.#format !== "json" ? "" : this.written ? "\n]\n" : "[]\n");
    if (this.#output !== null) closeSync(this.#fd!);
    if (answer.truncated) sayTruncated(answer.row_count);
  }

  abandon(): void {
    if (this.#output === null || this.#fd === null) return;
    closeSync(this.#fd);
    rmSync(this.#output, { force: true });
  }

  async #put(piece: Uint8Array | string): Promise<void> {
    const bytes = Buffer.from(piece);
    this.#fd ??= openSync(this.#output!, "w", 0o600);
    this.written ||= bytes.length > 0;
    for (let at = 0; at < bytes.length;) {
      try {
        at += writeSync(this.#fd, bytes, at, bytes.length - at);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
        await Bun.sleep(1); // The reader at the other end of the pipe is slower.
      }
    }
  }
}

/** A table's widths are known when its last row is. */
class TableTarget implements Target {
  readonly written = false;
  #pieces: Uint8Array[] = [];

  write(bytes: Uint8Array): void {
    this.#pieces.push(Uint8Array.from(bytes));
  }

  async end(answer: Answer): Promise<void> {
    if (!answer.ok) return;
    const rows = JSON.parse(`[${Buffer.concat(this.#pieces)}]`) as Cell[][];
    const width = process.stdout.isTTY ? process.stdout.columns : null;
    const { text, left_out } = renderTable(answer.columns, rows, width);
    await print(text);
    if (left_out.length > 0) say(`Not shown: ${left_out.join(", ")}.`);
    if (answer.truncated) sayTruncated(answer.row_count);
    else if (process.stderr.isTTY) say(`${count(answer.row_count)}, ${answer.elapsed_ms} ms`);
  }

  abandon(): void {}
}

function sayTruncated(rows: number): void {
  say(`${count(rows)} shown; there are more. Use LIMIT, or --format csv for all of them.`);
}

function count(rows: number): string {
  return `${rows.toLocaleString("en")} ${rows === 1 ? "row" : "rows"}`;
}
