// The program's own log, on stderr: standard output is for data. Prompts, answers and keys are
// never logged.
import {
  configure,
  getAnsiColorFormatter,
  getLogger,
  getTextFormatter,
  type Logger,
  type LogRecord,
} from "@logtape/logtape";
import { writeSync } from "node:fs";
import type { Config } from "./config.ts";

const stderr = 2;

/** Call once, before anything logs. */
export async function configureLogging(
  { log_level, log_format }: Pick<Config, "log_level" | "log_format">,
): Promise<void> {
  const terminal = process.stderr.isTTY === true;
  const pretty = log_format === "auto" ? terminal : log_format === "pretty";
  const format = !pretty
    ? jsonLine
    : terminal && !process.env.NO_COLOR
    ? getAnsiColorFormatter({ timestamp: "time", value: plain })
    : getTextFormatter({ timestamp: "rfc3339", value: plain });
  await configure({
    reset: true,
    sinks: { stderr: (record: LogRecord) => write(format(record)) },
    loggers: [
      { category: ["watchllm"], sinks: ["stderr"], lowestLevel: log_level },
      { category: ["logtape", "meta"], sinks: ["stderr"], lowestLevel: "error" },
    ],
  });
}

/** One logger per part of the server: `loggerOf("ingest")`. */
export function loggerOf(part: string): Logger {
  return getLogger(["watchllm", part]);
}

function jsonLine({ timestamp, level, category, message, properties }: LogRecord): string {
  return JSON.stringify({
    time: new Date(timestamp).toISOString(),
    level,
    part: category.at(-1),
    // Texts and values by turns.
    message: message.map((piece, at) => at % 2 === 0 ? piece : plain(piece)).join(""),
    ...properties,
  }, replacer) + "\n";
}

/** A value inside a message, on one line: what somebody sent must not look like a line of ours. */
function plain(value: unknown): string {
  const text = value instanceof Error
    ? value.message
    : typeof value === "string"
    ? value
    : JSON.stringify(value, replacer) ?? String(value);
  return text.replaceAll(/\p{Cc}/gu, " ");
}

function replacer(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (!(value instanceof Error)) return value;
  return { name: value.name, message: value.message, stack: value.stack, cause: value.cause };
}

/** At once, so that the last words of a process that ends are heard. */
function write(line: string): void {
  try {
    writeSync(stderr, line);
  } catch {
    // Nobody listens any more (EPIPE), or cannot keep up (EAGAIN): the server goes on.
  }
}
