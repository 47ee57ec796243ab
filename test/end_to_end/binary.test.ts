// What the one file promises: it needs nothing beside it, reads nothing of the folder that it is
// started in, and loads only the native code that it carries.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import manifest from "../../deno.json" with { type: "json" };
import { bareEnvironment, builtBinary, startServer } from "./binary.ts";

const buildMsMax = 180_000;
const startMsMax = 60_000;

let binary: string;
let scratch: string;
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), "watchllm-binary-"));
  binary = await builtBinary();
}, buildMsMax);
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
}

async function run(command: string[], cwd: string, env: Record<string, string> = {}): Promise<Run> {
  const child = Bun.spawn(command, {
    cwd,
    env: bareEnvironment(env),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: startMsMax,
  });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  await child.exited;
  return { code: child.exitCode, stdout, stderr };
}

function emptyFolder(name: string): string {
  const folder = join(scratch, name);
  mkdirSync(folder);
  return folder;
}

test("version --json tells what it was built from", async () => {
  const { code, stdout } = await run([binary, "version", "--json"], emptyFolder("version"));
  expect(code).toBe(0);
  const told = JSON.parse(stdout) as Record<string, unknown>;
  expect(told.version).toBe(manifest.version);
  expect(told.target).toMatch(/^(linux|darwin|windows)-(x64|arm64)$/);
});

describe("a hostile folder", () => {
  let folder: string;
  const marks = () => readdirSync(folder).filter((name) => name.startsWith("ran_")).sort();
  const marker = (name: string) =>
    `require("node:fs").writeFileSync(${JSON.stringify(join(folder, `ran_${name}`))}, "");`;

  beforeAll(() => {
    folder = emptyFolder("hostile");
    const write = (path: string, content: string) => {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    };
    // Were it read, the start would stop at the unknown setting and the bad address.
    const settings = "WATCHLLM_LISTEN=garbage\nWATCHLLM_NONSENSE=1\nNODE_ENV=hostile\n";
    for (const name of [".env", ".env.local", ".env.production"]) write(name, settings);
    write("bunfig.toml", 'preload = ["./preload.ts"]\n[run]\nbun = true\n');
    write("preload.ts", marker("preload"));
    write("paths.ts", marker("paths"));
    write("package.json", '{"name":"hostile","type":"commonjs","imports":{"#x":"./preload.ts"}}');
    write("tsconfig.json", '{"compilerOptions":{"paths":{"hono":["./paths.ts"]}}}');
    for (const name of ["@duckdb/node-api", "@duckdb/node-bindings", "hono", "zod"]) {
      const safe = name.replaceAll(/[^a-z]/g, "_");
      write(`node_modules/${name}/package.json`, `{"name":"${name}","main":"index.js"}`);
      write(`node_modules/${name}/index.js`, marker(safe));
    }
    write("node_modules/@duckdb/node-bindings-linux-x64/libduckdb.so", "not a library");
    write("libduckdb.so", "not a library");
    write("duckdb.node", "not a library");
  });

  test("would run code in a plain Bun", async () => {
    const script = 'require("zod"); require("hono"); console.log(process.env.NODE_ENV)';
    const { stdout } = await run([process.execPath, "-e", script], folder);
    expect(stdout.trim()).toBe("hostile");
    expect(marks()).toEqual(["ran_paths", "ran_preload", "ran_zod"]);
    for (const mark of marks()) rmSync(join(folder, mark));
  });

  test("is not read by the binary's commands", async () => {
    for (const args of [["version", "--json"], ["--help"]]) {
      const { code, stderr } = await run([binary, ...args], folder);
      expect([args, code, stderr]).toEqual([args, 0, stderr]);
      expect(marks()).toEqual([]);
    }
  });

  test("is not read by the server", async () => {
    await using server = await startServer({
      command: [binary],
      cwd: folder,
      dataDir: join(scratch, "hostile_data"),
    });
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    expect(await server.stop()).toBe(0);
    expect(marks()).toEqual([]);
  }, startMsMax);
});

test("a planted library is detected and replaced", async () => {
  const dataDir = join(scratch, "planted");
  const env = { WATCHLLM_CACHE_DIR: join(dataDir, "cache") };
  const start = () => startServer({ command: [binary], dataDir, env });
  await (await start()).stop();

  const library = nativeFile(dataDir);
  const digest = () => createHash("sha256").update(readFileSync(library)).digest("hex");
  const carried = digest();
  // Of the same length, so that only its content gives it away.
  const planted = Buffer.alloc(readFileSync(library).length, "planted");
  chmodSync(library, 0o700);
  writeFileSync(library, planted);
  expect(digest()).not.toBe(carried);

  const server = await start();
  expect(digest()).toBe(carried);
  expect(await server.stop()).toBe(0);
}, startMsMax);

/** The staged library, wherever the cache is. */
function nativeFile(folder: string): string {
  const found = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /(^|\/)(libduckdb\.(so|dylib)|duckdb\.dll)$/.test(name));
  expect(found).toHaveLength(1);
  return join(folder, found[0]!);
}

test.skipIf(!existsSync("/proc/self/maps"))(
  "only the carried library is loaded, and nothing of node_modules",
  async () => {
    const dataDir = join(scratch, "maps");
    const cacheDir = join(dataDir, "cache");
    const env = { WATCHLLM_CACHE_DIR: cacheDir };
    await using server = await startServer({ command: [binary], dataDir, env });
    const maps = readFileSync(`/proc/${server.process.pid}/maps`, "utf8");
    const mapped = [...new Set(maps.match(/\/\S+$/gm))];
    const native = mapped.filter((path) => /\.node$|duckdb|node_modules/.test(path));
    const folder = join(cacheDir, readdirSync(cacheDir)[0]!);
    expect(native.sort()).toEqual([join(folder, "duckdb.node"), join(folder, "libduckdb.so")]);
  },
  startMsMax,
);
