// Export: everything about a subject as a user asks for it, by a server and without one, and nothing
// of others; what is exported is what an erasure takes away.
import { afterEach, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { startTestServer } from "./serve/fixture.ts";
import { fromSource, startServer } from "./end_to_end/binary.ts";
import { temporaryFolder } from "./store/fixture.ts";

const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function folder(): string {
  const { path, remove } = temporaryFolder();
  cleanups.push(remove);
  return path;
}

const picture = Buffer.alloc(1500, "picture of ann");
Buffer.from("89504e470d0a1a0a", "hex").copy(picture);
const sha256 = new Bun.CryptoHasher("sha256").update(picture).digest("hex");

const event = (event_id: string, more: Record<string, unknown>) => ({
  event_id,
  event_type: "prompt_call",
  timestamp: `2026-01-0${event_id.at(-1)}T00:00:00Z`,
  ...more,
});

const sent = [
  event("a1", { user_id: "ann", run_id: "ra", prompt: [{ role: "user", content: "hi" }] }),
  event("a2", { run_id: "ra", prompt: `data:image/png;base64,${picture.toString("base64")}` }),
  event("a3", { user_id: "ann", run_id: "ra3", session_id: "s", attributes: { deep: { n: 0.5 } } }),
  event("b4", { user_id: "bob", run_id: "rb", response: "about ann" }),
];

function metricOf(user: string) {
  const dataPoints = [{
    timeUnixNano: "1767225600000000000",
    asInt: "1",
    attributes: [{ key: "user.id", value: { stringValue: user } }],
  }];
  return {
    resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: "n", gauge: { dataPoints } }] }] }],
  };
}

type Lines = Record<string, Record<string, unknown>>[];

const linesOf = (text: string): Lines => text.trim().split("\n").map((line) => JSON.parse(line));
const named = (lines: Lines, name: string) =>
  lines.flatMap((line) => name in line ? [line[name]!] : []);

const rows: [what: string, query: string, ids: string[], end: Record<string, unknown>][] = [
  ["a user", "user_id=ann", ["a1", "a2", "a3"], { events: 3, points: 1, files_named: 1 }],
  ["a session", "session_id=s", ["a3"], { events: 1, points: 0, files_named: 0 }],
  ["a run", "run_id=rb", ["b4"], { events: 1, points: 0, files_named: 0 }],
  ["an event", "event_id=a2", ["a2"], { events: 1, points: 0, files_named: 1 }],
  ["nobody", "user_id=none", [], { events: 0, points: 0, files_named: 0 }],
];

test("export: by the API", async () => {
  const server = await startTestServer();
  cleanups.push(() => server.stop());
  await server.send(sent);
  await server.send([event("x1", { user_id: "ann" })], "bank");
  for (const user of ["ann", "bob"]) {
    const body = JSON.stringify(metricOf(user));
    expect((await server.ask("/v1/metrics", "shop", { method: "POST", body })).ok).toBe(true);
  }
  for (const [what, query, ids, end] of rows) {
    const response = await server.ask(`/api/export?${query}`);
    expect([what, response.status]).toEqual([what, 200]);
    const lines = linesOf(await response.text());
    expect([what, named(lines, "event").map(({ event_id }) => event_id)]).toEqual([what, ids]);
    expect(Object.keys(lines[0]!)).toEqual(["export"]);
    expect(lines.at(-1)).toMatchObject({ end: { ...end, files: null } });
  }
  const lines = linesOf(await (await server.ask("/api/export?user_id=ann&files=true")).text());
  const [first] = named(lines, "event");
  const shown = await (await server.ask("/api/events/a1")).json() as Record<string, unknown>;
  expect(first).toEqual(shown);
  expect(named(lines, "point")).toMatchObject([{ name: "n", attributes: { "user.id": "ann" } }]);
  expect(named(lines, "file")).toEqual([
    { sha256, bytes: picture.length, base64: picture.toString("base64") },
  ]);
  const refused: [query: string, status: number][] = [
    ["", 400],
    ["user_id=a&run_id=b", 400],
    ["user=a", 400],
    ["user_id=ann&project_id=bank", 403],
  ];
  for (const [query, status] of refused) {
    const response = await server.ask(`/api/export?${query}`);
    expect([query, response.status]).toEqual([query, status]);
  }
});

test("export: a reader that goes away holds nothing, and the next ones are served", async () => {
  const server = await startTestServer();
  cleanups.push(() => server.stop());
  const long = "x".repeat(20_000);
  await server.send(
    Array.from({ length: 300 }, (_, at) => event(`e${at}-1`, { user_id: "ann", prompt: long })),
  );
  for (let round = 0; round < 6; round++) {
    const gone = new AbortController();
    const response = await server.ask("/api/export?user_id=ann", "shop", { signal: gone.signal });
    const reader = response.body!.getReader();
    await reader.read();
    gone.abort();
    await reader.read().catch(() => {});
  }
  const lines = linesOf(await (await server.ask("/api/export?user_id=ann")).text());
  expect(lines.at(-1)).toMatchObject({ end: { events: 300 } });
  // An erasure waits for readers of the files that it deletes.
  const body = JSON.stringify({ user_id: "ann" });
  const ordered = await server.ask("/api/erasures", "shop", { method: "POST", body });
  const { erasures: [{ id }] } = await ordered.json() as { erasures: [{ id: string }] };
  const deadline = performance.now() + 30_000;
  let state = "";
  while (state !== "done" && performance.now() < deadline) {
    await Bun.sleep(20);
    ({ state } = await (await server.ask(`/api/erasures/${id}`)).json() as { state: string });
  }
  expect(state).toBe("done");
  const left = linesOf(await (await server.ask("/api/export?user_id=ann")).text());
  expect(left.at(-1)).toMatchObject({ end: { events: 0 } });
});

test("export: by the command line, with files, by a server and without one", async () => {
  const path = folder();
  const key = "a-key-for-the-tests-only";
  const env = { WATCHLLM_INIT_PROJECT: "shop", WATCHLLM_INIT_KEY: key };
  const server = await startServer({ dataDir: path, command: fromSource, env });
  cleanups.push(() => server.kill());
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const body = JSON.stringify(sent);
  expect((await fetch(`${server.url}/v1/events`, { method: "POST", headers, body })).status).toBe(
    202,
  );
  const watchllm = async (words: string[]) => {
    const child = Bun.spawn([...fromSource, ...words], {
      env: { WATCHLLM_DATA_DIR: path },
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, err, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    return { out, err, code };
  };
  const told = "3 events, 0 points, 0 pieces, 0 alerts, 0 notifications, 1 files, 1 files_named\n";
  for (const who of ["server", "alone"]) {
    if (who === "alone") await server.stop();
    const out = join(folder(), "ann.ndjson");
    const files = join(folder(), "files");
    const words = ["export", "--user", "ann", "--out", out, "--files", files];
    expect([who, await watchllm(words)]).toEqual([who, { out: "", err: told, code: 0 }]);
    const lines = linesOf(readFileSync(out, "utf8"));
    expect(named(lines, "event").map(({ event_id }) => event_id)).toEqual(["a1", "a2", "a3"]);
    expect(named(lines, "file")).toEqual([]);
    expect(readdirSync(files)).toEqual([sha256]);
    expect(readFileSync(join(files, sha256)).equals(picture)).toBe(true);
    expect(existsSync(`${out}.draft`)).toBe(false);
  }
  const piped = await watchllm(["export", "--event", "b4"]);
  expect(named(linesOf(piped.out), "event")).toMatchObject([{ event_id: "b4" }]);
  expect(await watchllm(["export"])).toMatchObject({ code: 2 });
});
