// How programs end: with their last events sent, in time, and as they would have ended without us.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildPackage } from "../build.ts";
import { limits } from "../src/limits.ts";
import { hang, startReceiver } from "./receiver.ts";

const folder = mkdtempSync(join(tmpdir(), "aisentry-exit-"));
beforeAll(async () => void await buildPackage(join(folder, "dist")), 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A busy machine. */
const slackMs = 8000;

interface Case {
  what: string;
  program: string;
  server: "good" | "hangs" | "absent";
  /** Sent as soon as the program has written something. */
  signal?: NodeJS.Signals;
  /** What it ends with: an exit code or a signal. */
  end: number | NodeJS.Signals;
  events: number;
  msMax?: number;
  output?: RegExp;
}

const stay = "setInterval(() => {}, 1000); console.log('ready');";
const cases: Case[] = [
  { what: "it ends", program: "", server: "good", end: 0, events: 1 },
  {
    what: "it fails",
    program: "process.exitCode = 3;",
    server: "good",
    end: 3,
    events: 1,
  },
  {
    what: "it flushes",
    program: "console.log(await flush());",
    server: "good",
    end: 0,
    events: 1,
    output: /true/,
  },
  {
    what: "it flushes, and there is no server",
    program: "console.log(await flush(300));",
    server: "absent",
    end: 0,
    events: 0,
    output: /false/,
  },
  {
    what: "it ends, and there is no server",
    program: "",
    server: "absent",
    end: 0,
    events: 0,
    msMax: limits.exitMs,
  },
  {
    what: "it ends, and the server hangs",
    program: "",
    server: "hangs",
    end: 0,
    events: 0,
    msMax: limits.exitMs + limits.requestMsMax,
  },
  {
    what: "SIGTERM",
    program: stay,
    server: "good",
    signal: "SIGTERM",
    end: "SIGTERM",
    events: 1,
  },
  {
    what: "SIGTERM, and there is no server",
    program: stay,
    server: "absent",
    signal: "SIGTERM",
    end: "SIGTERM",
    events: 0,
    msMax: limits.exitMs,
  },
  {
    what: "SIGTERM, which the program handles",
    program:
      `process.on("SIGTERM", () => setInterval(() => stats().waiting || process.exit(5), 20)); ${stay}`,
    server: "good",
    signal: "SIGTERM",
    end: 5,
    events: 1,
  },
  {
    what: "SIGTERM after close",
    program: `await close(); logPromptCall({}); ${stay}`,
    server: "good",
    signal: "SIGTERM",
    end: "SIGTERM",
    events: 1,
  },
  {
    what: "an error that nobody catches",
    program: "throw new Error('uncaught');",
    server: "good",
    end: 1,
    // Neither host leaves a moment for them.
    events: 0,
    output: /uncaught/,
  },
];

const hosts: [name: string, command: string[]][] = [
  ["node", ["node"]],
  ["bun", [process.execPath, "run"]],
];
const rows = hosts.flatMap(([host, command]) =>
  cases.map((row) => [host, row.what, command, row] as const)
);
const isQuick = ([_host, _what, _command, row]: typeof rows[number]) => row.server === "good";

// Those that wait do so together.
test.each(rows.filter(isQuick))("%s: %s", ending, 40_000);
test.concurrent.each(rows.filter((row) => !isQuick(row)))(
  "%s: %s",
  ending,
  40_000,
);

async function ending(
  host: string,
  _what: string,
  command: readonly string[],
  row: Case,
) {
  using receiver = startReceiver();
  if (row.server === "hangs") receiver.faults.push(hang, hang, hang, hang);
  const dsn = row.server === "absent" ? "http://a-key@127.0.0.1:1/p" : receiver.dsn;
  const file = join(folder, `${host}_${cases.indexOf(row)}.mjs`);
  const lines = [
    'import { close, flush, init, logPromptCall, stats } from "./dist/index.js";',
    "init();",
    'logPromptCall({ prompt: "the last one" });',
    "console.log(`started at ${Date.now()}`);",
    row.program,
    "void close, void flush, void stats;",
  ];
  writeFileSync(file, lines.join("\n"));
  const child = Bun.spawn([...command, file], {
    env: { PATH: process.env.PATH!, AISENTRY_DSN: dsn },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: 30_000,
  });
  let output = "";
  let isSignalled = false;
  const collect = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      output += decoder.decode(chunk);
      if (
        row.signal === undefined || isSignalled || !output.includes("ready")
      ) continue;
      isSignalled = true;
      child.kill(row.signal);
    }
  };
  await Promise.all([
    child.exited,
    collect(child.stdout),
    collect(child.stderr),
  ]);
  const ms = Date.now() - Number(/started at (\d+)/.exec(output)?.[1]);
  expect({ end: child.signalCode ?? child.exitCode, output }).toMatchObject({
    end: row.end,
  });
  expect(receiver.events.size).toBe(row.events);
  if (row.output !== undefined) expect(output).toMatch(row.output);
  expect(ms).toBeLessThan((row.msMax ?? 0) + slackMs);
}
