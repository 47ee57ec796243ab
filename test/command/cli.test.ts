// The command line as a person has it: real processes, their exit codes and what they say.
import { afterEach, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { bareEnvironment, fromSource, startServer } from "../end_to_end/binary.ts";
import { temporaryFolder } from "../store/fixture.ts";

const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function folder(): string {
  const { path, remove } = temporaryFolder();
  cleanups.push(remove);
  return path;
}

async function watchllm(words: string[], env: Record<string, string> = {}) {
  const child = Bun.spawn([...fromSource, ...words], {
    cwd: folder(),
    env: bareEnvironment(env),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [code, out, err] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code, out, err };
}

// deno-fmt-ignore
const exits: [string, string[], Record<string, string>, number, string][] = [
  ["an unknown command", ["serv"], {}, 2, "Did you mean serve?"],
  ["an unknown flag", ["serve", "--lisen=x"], {}, 2, "Did you mean --listen?"],
  ["a word too many", ["version", "now"], {}, 2, "version"],
  ["a missing word", ["sql"], {}, 2, "query"],
  ["an unknown variable", ["serve"], { WATCHLLM_LISTN: "x" }, 78, "Did you mean WATCHLLM_LISTEN?"],
  ["an address that is none", ["serve"], { WATCHLLM_LISTEN: "garbage" }, 78, "WATCHLLM_LISTEN"],
  ["another database", ["serve"], { OBSERVABILITY_DATABASE_URL: "postgresql://h/d" }, 78, "SQLite"],
  ["no data there", ["sql", "SELECT 1", "--data-dir", "/nonexistent/w"], {}, 1, "/nonexistent/w"],
  ["no server there", ["healthcheck", "--listen", "127.0.0.1:1"], {}, 1, "127.0.0.1:1"],
];
for (const [name, words, env, code, said] of exits) {
  test(`command: ${name} ends with ${code}`, async () => {
    const ended = await watchllm(words, env);
    expect([ended.code, ended.out]).toEqual([code, ""]);
    expect(ended.err).toContain(said);
  });
}

test("command: help, version and completion are data on standard output", async () => {
  for (const words of [["help"], ["serve", "--help"], ["version"], ["completion", "bash"]]) {
    const { code, out, err } = await watchllm(words);
    expect([code, err]).toEqual([0, ""]);
    expect(out.length).toBeGreaterThan(5);
  }
  expect(JSON.parse((await watchllm(["version", "--json"])).out)).toMatchObject({
    name: "watchllm",
  });
});

test("command: config show tells each value and its origin, and no secret", async () => {
  const file = join(folder(), "watchllm.json");
  writeFileSync(file, JSON.stringify({ retention_days: 7, log_level: "debug" }));
  const { code, out } = await watchllm(
    ["config", "show", "--format", "json", "--config", file, "--log-level", "error"],
    { WATCHLLM_INIT_KEY: "not-to-be-shown-ever", WATCHLLM_LISTEN: "127.0.0.1:9" },
  );
  expect(code).toBe(0);
  expect(out).not.toContain("not-to-be-shown-ever");
  expect(out).toMatch(/retention_days[^}]*7[^}]*watchllm\.json/);
  expect(out).toMatch(/log_level[^}]*error[^}]*--log-level/);
  expect(out).toMatch(/"listen"[^}]*127\.0\.0\.1:9[^}]*WATCHLLM_LISTEN/);
});

test("command: projects and keys, while a server runs and without one", async () => {
  const dataDir = folder();
  const at = ["--data-dir", dataDir];
  expect((await watchllm(["project", "create", "shop", ...at])).code).toBe(0);
  expect(await watchllm(["project", "create", "shop", ...at])).toMatchObject({ code: 1 });
  expect(await watchllm(["project", "create", "../etc", ...at])).toMatchObject({ code: 2 });
  const server = await startServer({ dataDir, command: fromSource });
  cleanups.push(() => server.kill());
  const made = await watchllm(["key", "create", "--project", "shop", "--scope", "read", ...at]);
  expect(made.code).toBe(0);
  const key = made.out.trim().split(/\s+/).find((word) => word.startsWith("wl_"))!;
  const status = async (path: string, method = "GET") =>
    (await fetch(server.url + path, {
      method,
      headers: { authorization: `Bearer ${key}` },
      body: method === "POST" ? '{"event_type":"span"}' : undefined,
    })).status;
  const until = async (wanted: number) => {
    const deadline = performance.now() + 10_000;
    while (await status("/api/events") !== wanted && performance.now() < deadline) {
      await Bun.sleep(50);
    }
    return await status("/api/events");
  };
  expect(await until(200)).toBe(200);
  expect(await status("/v1/events", "POST")).toBe(403);
  const listed = await watchllm(["key", "list", "--format", "json", ...at]);
  expect(listed.out).not.toContain(key);
  const { keys } = JSON.parse(listed.out) as { keys: { key_id: string; scopes: string[] }[] };
  const { key_id } = keys.find(({ scopes }) => scopes.join() === "read")!;
  expect((await watchllm(["key", "revoke", key_id, ...at])).code).toBe(0);
  expect(await until(401)).toBe(401);
});

test("lock: a second process is refused by name; after kill -9 the next one starts", async () => {
  const dataDir = folder();
  const first = await startServer({ dataDir, command: fromSource });
  cleanups.push(() => first.kill());
  const second = await watchllm(["serve", "--listen", "127.0.0.1:0", "--data-dir", dataDir]);
  expect(second.code).toBe(1);
  expect(second.err).toContain(`in use by process ${first.process.pid} (${first.url})`);
  await first.kill();
  const third = await startServer({ dataDir, command: fromSource });
  expect(await third.stop()).toBe(0);
});

test("start: a project and its key are made by settings, once, and the greeting shows no given key", async () => {
  const dataDir = folder();
  const env = { WATCHLLM_INIT_PROJECT: "shop", WATCHLLM_INIT_KEY: "a-key-for-the-tests-only" };
  for (let round = 0; round < 2; round++) {
    const server = await startServer({ dataDir, command: fromSource, env });
    const response = await fetch(`${server.url}/api/projects`, {
      headers: { authorization: `Bearer ${env.WATCHLLM_INIT_KEY}` },
    });
    expect(await response.json()).toMatchObject({ projects: [{ project_id: "shop" }] });
    expect(await server.stop()).toBe(0);
    expect(server.output()).not.toContain(env.WATCHLLM_INIT_KEY);
  }
});

test("demo: fills a project through the API; sent twice, stored once", async () => {
  const server = await startServer({ dataDir: folder(), command: fromSource });
  cleanups.push(() => server.kill());
  const seeded = async () => {
    const { code } = await watchllm(["demo", "--url", server.url]);
    expect(code).toBe(0);
    const response = await fetch(`${server.url}/api/metrics?project_id=demo`);
    return (await response.json() as { summary: Record<string, number> }).summary;
  };
  const first = await seeded();
  expect(first.requests).toBeGreaterThan(1500);
  expect(first.errors).toBeGreaterThan(20);
  expect(first.cost_usd).toBeGreaterThan(0);
}, 60_000);
