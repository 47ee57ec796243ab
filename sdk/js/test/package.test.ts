// The package as npm makes it: installed into an empty project, run by the real Node, and typed.
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildPackage, type Built, weigh } from "../build.ts";
import { startReceiver } from "./receiver.ts";

const here = join(import.meta.dir, "..");
const root = join(here, "../..");
const folder = mkdtempSync(join(tmpdir(), "aisentry-package-"));
const project = join(folder, "project");
const coreGzipBytesMax = 12 * 1024;
const allGzipBytesMax = 20 * 1024;
/** By the manifest, each with its declarations. */
const entries = [
  "ai_sdk",
  "auto",
  "index",
  "langchain",
  "mcp",
  "openai_agents",
];
let built: Built;

interface Ended {
  code: number;
  output: string;
}

async function run(
  command: string[],
  cwd: string,
  env: Record<string, string> = {},
): Promise<Ended> {
  const child = Bun.spawn(command, {
    cwd,
    env: { PATH: process.env.PATH!, HOME: folder, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: 60_000,
  });
  const [code, ...texts] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code, output: texts.join("") };
}

async function succeed(command: string[], cwd: string): Promise<void> {
  const { code, output } = await run(command, cwd);
  if (code !== 0) {
    throw new Error(`${command.join(" ")} ended with ${code}:\n${output}`);
  }
}

beforeAll(async () => {
  // A copy, because others may build and pack at the same time.
  const source = join(folder, "source");
  mkdirSync(source);
  for (const name of ["package.json", "README.md"]) {
    cpSync(join(here, name), join(source, name));
  }
  await buildPackage(join(source, "dist"));
  built = await weigh(folder);
  await succeed(["npm", "pack", "--pack-destination", folder], source);
  const [tarball] = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
  mkdirSync(project);
  writeFileSync(
    join(project, "package.json"),
    '{"private": true, "type": "module"}',
  );
  const offline = ["--offline", "--no-audit", "--no-fund"];
  await succeed(
    ["npm", "install", ...offline, join(folder, tarball!)],
    project,
  );
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const readme = readFileSync(join(here, "README.md"), "utf8");
const [snippet] = [...readme.matchAll(/```js\n([\s\S]*?)```/g)].map((match) => match[1]!);

test("the package holds the built files and nothing else", () => {
  const files = readdirSync(join(project, "node_modules/aisentry"), {
    recursive: true,
  }).map(String);
  const names = files.filter((name) => !/^dist\/(wire\/)?\w+(\.d\.ts|\.js)$/.test(name));
  expect(names.sort()).toEqual([
    "README.md",
    "dist",
    "dist/wire",
    "package.json",
  ]);
  for (const entry of entries) {
    expect(files).toContain(`dist/${entry}.js`);
    expect(files).toContain(`dist/${entry}.d.ts`);
  }
  expect(
    readdirSync(join(project, "node_modules")).filter((name) => !name.startsWith(".")),
  ).toEqual([
    "aisentry",
  ]);
});

test("it asks for no module of any host", () => {
  const dist = join(project, "node_modules/aisentry/dist");
  for (const name of readdirSync(dist).filter((name) => name.endsWith(".js"))) {
    const text = readFileSync(join(dist, name), "utf8");
    const asked = [
      ...text.matchAll(/^(?:import|export)\b[^;"=]*"([^"]+)";$/gm),
    ];
    const theirs = asked.map((match) => match[1]!).filter((one) => !/^\.\.?\//.test(one));
    expect(theirs).toEqual([]);
    expect(text).not.toMatch(/\brequire\(["']|\bimport\(["'][^.]/);
  }
  expect(built.coreGzipBytes).toBeLessThanOrEqual(coreGzipBytesMax);
  expect(built.allGzipBytes).toBeLessThanOrEqual(allGzipBytesMax);
});

const hosts: [name: string, command: string[]][] = [
  ["node", ["node"]],
  ["bun", [process.execPath, "run"]],
];
test.each(hosts)("the README's example runs in %s", async (name, command) => {
  using receiver = startReceiver();
  const file = join(project, `example_${name}.js`);
  writeFileSync(file, snippet!);
  const { code, output } = await run([...command, file], project, {
    AISENTRY_DSN: receiver.dsn,
  });
  expect({ code, output }).toEqual({ code: 0, output: "" });
  expect(receiver.complaints).toEqual([]);
  const events = [...receiver.events.values()];
  expect(events.map((event) => event.event_type)).toEqual([
    "tool_call",
    "prompt_call",
    "score",
    "span",
  ]);
  expect(events.at(-1)).toMatchObject({ name: "answer", output: "Paris." });
  expect(new Set(events.map((event) => event.run_id)).size).toBe(1);
  expect(
    events.map((event) => (event.client as { platform: string }).platform.split(" ")[0]),
  )
    .toEqual([name, name, name, name]);
});

test.each(hosts)(
  "the README's example without a DSN is silent in %s",
  async (name, command) => {
    const file = join(project, `silent_${name}.js`);
    writeFileSync(file, snippet!);
    expect(await run([...command, file], project)).toEqual({
      code: 0,
      output: "",
    });
  },
);

test("a CommonJS program in Node requires it", async () => {
  using receiver = startReceiver();
  const file = join(project, "required.cjs");
  writeFileSync(file, `require("aisentry").init(); require("aisentry").logError("e");`);
  const { code, output } = await run(["node", file], project, { AISENTRY_DSN: receiver.dsn });
  expect({ code, output }).toEqual({ code: 0, output: "" });
  expect([...receiver.events.values()].map((event) => event.event_type)).toEqual(["error"]);
});

const modes: [mode: string, options: string[]][] = [
  ["node", ["--module", "nodenext"]],
  ["a bundler", ["--module", "esnext", "--moduleResolution", "bundler"]],
];
test.each(modes)("the types are right for %s", async (_mode, options) => {
  writeFileSync(join(project, "typed.ts"), typed);
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const strict = [
    "--strict",
    "--exactOptionalPropertyTypes",
    "--noEmit",
    "--target",
    "es2022",
  ];
  const { code, output } = await run(
    [
      process.execPath,
      compiler,
      "typed.ts",
      ...strict,
      ...options,
      "--types",
      "",
    ],
    project,
  );
  expect({ code, output }).toEqual({ code: 0, output: "" });
});

const typed = `
import * as aisentry from "aisentry";
import { type DropReason, init, logError, logPromptCall, logToolCall, run, score } from "aisentry";

interface Message { role: string; content: string }
const messages: readonly Message[] = [{ role: "user", content: "Hi" }];

init({ before_send: (event) => event, on_drop: (reason: DropReason, count: number) => {} });
const id: string | undefined = logPromptCall({ prompt: messages, status: "timeout", user_id: null });
// @ts-expect-error a misspelled field
logPromptCall({ promt: messages });
// @ts-expect-error not a status
logPromptCall({ status: "failed" });
// @ts-expect-error a tool call needs its tool
logToolCall({ input: 1 });
// @ts-expect-error a score needs a name
score({ score_value: 1 });
try { throw 1; } catch (error) { logError(error, { context: messages }); logToolCall({ tool_name: "t", error }); }
const number: number = run("sum", () => 1);
const promise: Promise<string> = run("text", async ({ run_id }) => run_id);
const unnamed: boolean = run(() => true);
const accepted: number | undefined = aisentry.stats()?.accepted;
export { accepted, id, number, promise, unnamed };
`;
