// The program's own log, on stderr: standard output is for data. Prompts, answers and keys are
// never logged.
import {
  configure,
  getAnsiColorFormatter,
  getJsonLinesFormatter,
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
    ? getJsonLinesFormatter({ properties: "flatten" })
    : terminal && !process.env.NO_COLOR
    ? getAnsiColorFormatter({ timestamp: "time" })
    : getTextFormatter({ timestamp: "rfc3339" });
  await configure({
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

/** At once, so that the last words of a process that ends are heard. */
function write(line: string): void {
  try {
    writeSync(stderr, line);
  } catch {
    // Nobody listens any more (EPIPE), or cannot keep up (EAGAIN): the server goes on.
  }
}
