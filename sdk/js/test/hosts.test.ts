// The package where programs run: Node, Bun, Deno, Chromium and Cloudflare's workerd, each the real
// one, and each with a real server.
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, type RunningServer, startServer } from "../../../test/end_to_end/binary.ts";
import { openBrowser } from "../../../test/end_to_end/browser.ts";
import { buildPackage } from "../build.ts";
import { judge, type Named } from "./cases.ts";
import { libraries } from "./libraries/install.ts";
import { startStandIn } from "./provide.ts";

const key = "a-key-of-sixteen-or-more";
const folder = mkdtempSync(join(tmpdir(), "aisentry-hosts-"));
const dist = join(folder, "node_modules/aisentry/dist");
const untilMsMax = 20_000;
let server: RunningServer;
let dsn: string;
let hosts: string;
let newest: string;
let page: Bun.Server<undefined>;

beforeAll(async () => {
  [hosts, newest] = [await libraries("hosts"), await libraries("newest")];
  await buildPackage(dist);
  const manifest = join(import.meta.dir, "../package.json");
  await Bun.write(
    join(folder, "node_modules/aisentry/package.json"),
    Bun.file(manifest),
  );
  const needs = {
    private: true,
    type: "module",
    dependencies: { aisentry: "*" },
  };
  writeFileSync(join(folder, "package.json"), JSON.stringify(needs));
  // A web page of another origin than the server's.
  page = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/favicon.ico") {
        return new Response(null, { status: 204 });
      }
      if (pathname !== "/") return new Response(Bun.file(join(dist, pathname)));
      return new Response("<!doctype html><title>t</title>", {
        headers: { "content-type": "text/html" },
      });
    },
  });
  server = await startServer({
    dataDir: join(folder, "data"),
    env: {
      WATCHLLM_INIT_PROJECT: "tests",
      WATCHLLM_INIT_KEY: key,
      WATCHLLM_CORS_ORIGINS: `http://127.0.0.1:${page.port}`,
    },
  });
  dsn = `http://${key}@127.0.0.1:${server.port}/tests`;
}, 300_000);
afterAll(async () => {
  page?.stop(true);
  await server?.kill();
  rmSync(folder, { recursive: true, force: true });
});

async function stored(env: string): Promise<Named[]> {
  const response = await fetch(
    `${server.url}/api/events?env=${env}&limit=100`,
    {
      headers: { authorization: `Bearer ${key}` },
    },
  );
  return (await response.json() as { events: Named[] }).events;
}

/** The events may be on their way when the program has ended. */
async function arrived(env: string, expected: Named[]): Promise<void> {
  const deadline = performance.now() + untilMsMax;
  while (
    (await stored(env)).length < expected.length && performance.now() < deadline
  ) {
    await Bun.sleep(20);
  }
  expect(judge(await stored(env), expected)).toBeNull();
}

/** What every host is made to do. */
const body = `
  const seen = [];
  const double = observe(async function double(n) { await 0; return 2 * n; });
  await span("answer", { user_id: "u-1" }, async (open) => {
    const headers = inject({});
    await new Promise((resolve) => setTimeout(resolve, 1));
    logPromptCall({ run_id: open.run_id, model: "m", prompt: "x".repeat(5000), response: "y" });
    seen.push(await double(21), headers.traceparent.length);
    expect("{}", "has an answer").json({ answer: "string" });
  });
  try { await span("broken", async () => { throw new TypeError("no"); }); } catch (e) { seen.push(e.message); }
  const stream = observe(async function* stream() { yield "a"; yield "b"; });
  for await (const piece of stream()) seen.push(piece);
`;
const names = "init, flush, stats, span, observe, inject, expect, logPromptCall";

/** `follows` is whether the host can follow a program across await. */
function expected(platform: string, follows = true): Named[] {
  const inside: Named = follows ? { run_id: { $id: "run" } } : {};
  return [
    {
      event_type: "prompt_call",
      model: "m",
      response: "y",
      run_id: { $id: "run" },
      ...(follows && { user_id: "u-1" }),
      client: { platform: { $text: platform } },
    },
    { event_type: "span", name: "double", input: 21, output: 42, ...inside },
    {
      event_type: "assertion_failed",
      assertion_name: "has an answer",
      ...inside,
    },
    {
      event_type: "span",
      name: "answer",
      run_id: { $id: "run" },
      status: "success",
    },
    {
      event_type: "span",
      name: "broken",
      status: "error",
      error: { type: "TypeError" },
    },
    { event_type: "span", name: "stream", output: "ab" },
  ];
}
const seen = '[42,55,"no","a","b"]';

const program = `import { ${names} } from "aisentry";
init();${body}
console.log(JSON.stringify(seen));
`;

const denoOptions = ["--no-lock", "--node-modules-dir=manual"];
const denoAllowed = [
  "--allow-net",
  "--allow-env",
  "--allow-read",
  "--allow-sys",
];
const commands: [name: string, command: () => string[]][] = [
  ["node", () => ["node"]],
  ["bun", () => [process.execPath, "run"]],
  [
    "deno",
    () => [
      join(hosts, "node_modules/deno/bin.cjs"),
      "run",
      ...denoOptions,
      ...denoAllowed,
    ],
  ],
];

async function run(
  command: string[],
  env: Record<string, string>,
): Promise<string> {
  const child = Bun.spawn(command, {
    cwd: folder,
    env: { PATH: process.env.PATH!, HOME: folder, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: 60_000,
  });
  const texts = [
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ];
  const [output, complaint] = await Promise.all(texts);
  return `${output}${complaint}${await child.exited || ""}`.trim();
}

test.each(commands)("%s", async (name, command) => {
  const file = join(folder, `program_${name}.mjs`);
  writeFileSync(file, program);
  const env = { AISENTRY_DSN: dsn, AISENTRY_ENVIRONMENT: `of-${name}` };
  expect(await run([...command(), file], env)).toBe(seen);
  await arrived(`of-${name}`, expected(`^${name} `));
}, 90_000);

test("Deno without permissions is asked for none", async () => {
  const file = join(folder, "program_denied.mjs");
  writeFileSync(
    file,
    `import { init, logPromptCall } from "aisentry";
init({ dsn: "http://a-key@127.0.0.1:1/p" }); logPromptCall({}); console.log("ran");`,
  );
  const [, command] = commands.find(([name]) => name === "deno")!;
  const denied = command().filter((part) => !denoAllowed.includes(part));
  expect(await run([...denied, "--no-prompt", file], {})).toStartWith("ran");
}, 90_000);

test("Chromium", async () => {
  const browser = await openBrowser();
  try {
    const tab = await browser.newPage();
    await tab.goto(`http://127.0.0.1:${page.port}/`);
    const script = `(async () => {
      const { ${names} } = await import("/index.js");
      init({ dsn: ${JSON.stringify(dsn)}, env: "of-chromium" });${body}
      return [JSON.stringify(seen), await flush()];
    })()`;
    expect(await tab.evaluate(script)).toEqual([seen, true]);
    await arrived("of-chromium", expected("Chrome", false));
    // What is logged last leaves with the page.
    await tab.evaluate(
      `import("/index.js").then(({ logPromptCall }) => void logPromptCall({
      env: "of-leaving", model: "last" }))`,
    );
    await tab.close({ runBeforeUnload: true });
    await arrived("of-leaving", [{ model: "last" }]);
  } finally {
    await browser.close();
  }
}, 90_000);

const worker = `import { ${names} } from "./index.js";
import { waitUntil } from "cloudflare:workers";
export default {
  async fetch(request, env) {
    init({ dsn: env.DSN, env: env.ENV, wait_until: waitUntil });${body}
    // Not flushed: the events leave after the answer.
    return new Response(JSON.stringify(seen));
  },
};
`;

test.each([["with", ["nodejs_compat"]], ["without", []]])(
  "workerd %s Node's modules",
  async (how, flags) => {
    const at = join(folder, `worker_${how}`);
    mkdirSync(at);
    writeFileSync(join(at, "worker.js"), worker);
    const files = readdirSync(dist, { recursive: true }).map(String);
    const modules = files.filter((name) => name.endsWith(".js"));
    cpSync(dist, at, { recursive: true });
    const port = await freePort();
    const list = ["worker.js", ...modules];
    writeFileSync(
      join(at, "config.capnp"),
      `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (allow = ["private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [${
        list.map((name) => `(name = "${name}", esModule = embed "${name}")`)
          .join(", ")
      }],
  compatibilityDate = "2026-01-01",
  compatibilityFlags = ${JSON.stringify(flags)},
  bindings = [(name = "DSN", text = "${dsn}"), (name = "ENV", text = "of-workerd-${how}")],
);`,
    );
    const binary = join(
      hosts,
      "node_modules/@cloudflare/workerd-linux-64/bin/workerd",
    );
    const child = Bun.spawn([binary, "serve", "config.capnp"], {
      cwd: at,
      stdin: "ignore",
      stdout: "inherit",
      stderr: "inherit",
    });
    try {
      expect(await answerOf(`http://127.0.0.1:${port}/`)).toBe(seen);
      await arrived(
        `of-workerd-${how}`,
        expected("Cloudflare-Workers|node", how === "with"),
      );
    } finally {
      child.kill();
      await child.exited;
    }
  },
  90_000,
);

async function answerOf(url: string): Promise<string> {
  const deadline = performance.now() + untilMsMax;
  for (;;) {
    try {
      return await (await fetch(url)).text();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await Bun.sleep(50);
    }
  }
}

// Without a line of it in the program; both copies of a library that has two.
const autoProgram = `import OpenAI from "openai";
import { createRequire } from "node:module";
const Required = createRequire(import.meta.url)("openai");
for (const Maker of [OpenAI, Required.OpenAI ?? Required]) {
  const client = new Maker({ apiKey: "k", baseURL: process.env.STAND_IN + "/v1", maxRetries: 0 });
  const answer = await client.chat.completions.create({ model: "m", messages: [] });
  console.log(answer.choices[0].message.content);
}
import { GoogleGenAI } from "@google/genai";
const ai = new GoogleGenAI({ apiKey: "k", httpOptions: { baseUrl: process.env.STAND_IN } });
const made = await ai.models.generateContent({ model: "g", contents: "Hi" });
console.log(made.text);
`;
const loaders: [name: string, command: (auto: string) => string[]][] = [
  ["node", (auto) => ["node", "--import", auto]],
  ["bun", (auto) => [process.execPath, "--preload", auto]],
];
test.each(loaders)("aisentry/auto in %s", async (name, command) => {
  using standIn = startStandIn();
  standIn.exchanges.push("openai_chat", "openai_chat", "google_generate");
  for (const library of ["openai", "@google"]) {
    const link = join(folder, "node_modules", library);
    rmSync(link, { force: true });
    symlinkSync(join(newest, "node_modules", library), link);
  }
  const file = join(folder, `auto_${name}.mjs`);
  writeFileSync(file, autoProgram);
  const env = {
    AISENTRY_DSN: dsn,
    AISENTRY_ENVIRONMENT: `auto-${name}`,
    STAND_IN: standIn.url,
  };
  const output = await run([...command(join(dist, "auto.js")), file], env);
  expect(output).toBe(
    "2 + 2 = 4.\n2 + 2 = 4.\nThe capital of France is Paris.",
  );
  const call = {
    event_type: "prompt_call",
    name: "openai.chat.completions",
    tokens_input: 43,
  };
  const other = {
    event_type: "prompt_call",
    name: "google.generate_content",
    tokens_input: 15,
  };
  await arrived(`auto-${name}`, [call, call, other]);
}, 90_000);
