// `watchllm reprice` and `remap` as a user runs them: over data that no server holds, and by one.
import { afterEach, expect, test } from "bun:test";
import { join } from "node:path";
import { openState } from "../../src/store/state.ts";
import { fromSource, startServer } from "../end_to_end/binary.ts";
import { openStore, temporaryFolder } from "../store/fixture.ts";

const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function folder(): string {
  const { path, remove } = temporaryFolder();
  cleanups.push(remove);
  return path;
}

async function watchllm(dataDir: string, words: string[], env: Record<string, string> = {}) {
  const child = Bun.spawn([...fromSource, ...words], {
    env: { WATCHLLM_DATA_DIR: dataDir, ...env },
    cwd: dataDir,
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, out, err };
}

const calls = ["a", "b"].map((event_id) => ({
  event_id,
  event_type: "prompt_call",
  model: "gpt-4o",
  provider: "openai",
  tokens_input: 1000,
  tokens_output: 100,
}));

test("reprice: without a server, the data directory itself", async () => {
  const path = folder();
  const lake = await openStore(path);
  // Stored without prices, as by a version that had none.
  await lake.send(calls);
  await lake.close();
  const state = await openState(join(path, "state.db"));
  await state.createProject("shop");
  await state.close();
  const look = await watchllm(path, ["reprice", "--since", "-7d", "--dry-run"]);
  expect([look.err, look.out, look.code]).toEqual([
    "",
    "2 events looked at, 2 would change.\n\nfield              events\n" +
    "cost_estimate_usd  2\ncost_details       2\n",
    0,
  ]);
  const done = await watchllm(path, ["reprice", "--since=-7d", "--format", "json"]);
  expect(JSON.parse(done.out)).toEqual({
    state: "done",
    looked_at: 2,
    changed: 2,
    fields: { cost_estimate_usd: 2, cost_details: 2 },
    refused: 0,
    files_looked_at: 1,
    files_written: 1,
  });
  const again = await openStore(path);
  cleanups.push(() => again.close());
  const rows = await again.store.reader.snapshot(
    { project_id: "shop" },
    (ask) => ask("SELECT event_id, cost_estimate_usd > 0 AS priced FROM events ORDER BY 1", {}),
  );
  expect(rows).toEqual([{ event_id: "a", priced: true }, { event_id: "b", priced: true }]);
});

test("remap: by the server that holds the directory", async () => {
  const path = folder();
  const server = await startServer({
    dataDir: path,
    command: fromSource,
    env: { WATCHLLM_INIT_PROJECT: "shop" },
  });
  cleanups.push(() => server.kill());
  await fetch(`${server.url}/v1/events`, { method: "POST", body: JSON.stringify(calls) });
  const done = await watchllm(path, ["remap"]);
  expect([done.err, done.out, done.code]).toEqual([
    "",
    "2 events looked at, 0 changed, 0 files written.\n",
    0,
  ]);
  const none = await watchllm(path, ["remap", "--project", "none"]);
  expect([none.code, none.err.includes('does not know the project "none"')]).toEqual([1, true]);
});

const mistakes: [what: string, words: string[], code: number, said: RegExp][] = [
  ["no data", ["remap"], 1, /holds no WatchLLM data/],
  ["no time", ["remap", "--since", "yesterday"], 2, /since must be a time such as/],
  ["no server", ["reprice", "--url", "http://127.0.0.1:9"], 1, /does not answer/],
];
test.each(mistakes)("rewrite: %s is told", async (_, words, code, said) => {
  const outcome = await watchllm(folder(), words);
  expect([outcome.code, outcome.out]).toEqual([code, ""]);
  expect(outcome.err).toMatch(said);
});
