// `watchllm export`: everything about a user, a session, a run or an event, as newline-delimited JSON.
// The server that holds the data directory answers; without one, this process does.
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { exportLines } from "../export.ts";
import { type Asker, askerOf } from "./by_server.ts";
import { type Call, exitCodes, Failure } from "./command.ts";
import { alone, subjectOption } from "./erase.ts";
import { say } from "./output.ts";

const stdout = 1;

interface FileLine {
  sha256: string;
  base64: string | null;
}

type End = Record<string, number | null>;

export async function run(call: Call): Promise<number> {
  const { options } = call;
  const subject = subjectOption(call);
  const asker = askerOf(call);
  process.umask(0o077);
  const output = new Output(options.get("out") ?? null, options.get("files") ?? null);
  try {
    if (asker !== null) await byServer(asker, call, subject, output);
    else {
      await alone(call, async ({ exporting }, projects) => {
        for (const project_id of projects) {
          const asked = { project_id, ...subject, files: options.has("files") };
          for await (const line of exportLines(exporting, asked)) output.line(line);
        }
      });
    }
    output.finish();
  } catch (error) {
    output.abandon();
    throw error;
  }
  say(Object.entries(output.counts).map(([name, count]) => `${count} ${name}`).join(", "));
  return exitCodes.done;
}

async function byServer(
  asker: Asker,
  { options }: Call,
  { kind, id }: ReturnType<typeof subjectOption>,
  output: Output,
): Promise<void> {
  const named = options.get("project");
  const { projects } = named === undefined
    ? await asker.json("GET", "/api/projects") as { projects: { project_id: string }[] }
    : { projects: [{ project_id: named }] };
  for (const { project_id } of projects) {
    const query = new URLSearchParams({ project_id, [`${kind}_id`]: id });
    if (options.has("files")) query.set("files", "true");
    const response = await asker.response(`/api/export?${query}`);
    const decoder = new TextDecoder();
    let rest = "";
    let isEnded = false;
    for await (const chunk of response.body!) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        output.line(line);
        isEnded = line.startsWith('{"end":');
      }
    }
    if (!isEnded) throw new Failure("The export was cut off; nothing of it is kept.");
  }
}

/** Standard output, or a file that is whole or not there; files of events beside it. */
class Output {
  /** Of all projects. */
  readonly counts: End = {};
  #path: string | null;
  #files: string | null;
  #fd: number;

  constructor(path: string | null, files: string | null) {
    this.#path = path;
    this.#files = files;
    try {
      this.#fd = path === null ? stdout : openSync(`${path}.draft`, "w", 0o600);
      if (files !== null) mkdirSync(files, { recursive: true });
    } catch (error) {
      throw new Failure(error instanceof Error ? error.message : String(error));
    }
  }

  line(line: string): void {
    if (line.startsWith('{"end":')) {
      for (const [name, count] of Object.entries((JSON.parse(line) as { end: End }).end)) {
        if (count !== null) this.counts[name] = (this.counts[name] ?? 0) + count;
      }
    }
    if (this.#files === null || !line.startsWith('{"file":')) return this.#write(`${line}\n`);
    const { sha256, base64 } = (JSON.parse(line) as { file: FileLine }).file;
    if (base64 === null) return this.#write(`${line}\n`);
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw new Failure("The server names a file that is none.");
    const fd = openSync(join(this.#files, sha256), "w", 0o600);
    writeSync(fd, Buffer.from(base64, "base64"));
    closeSync(fd);
  }

  finish(): void {
    if (this.#path === null) return;
    fsyncSync(this.#fd);
    closeSync(this.#fd);
    renameSync(`${this.#path}.draft`, this.#path);
  }

  abandon(): void {
    if (this.#path === null) return;
    closeSync(this.#fd);
    rmSync(`${this.#path}.draft`, { force: true });
  }

  #write(text: string): void {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length;) {
      try {
        at += writeSync(this.#fd, bytes, at, bytes.length - at);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
        Bun.sleepSync(1); // The reader at the other end of the pipe is slower.
      }
    }
  }
}
