// `watchllm backup` and `restore` as a user runs them: beside a server under load, killed at any
// moment, and served again. What was acknowledged before a backup began is in it, once.
import { afterEach, expect, test } from "bun:test";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fromSource, type RunningServer, startServer } from "../end_to_end/binary.ts";
import { temporaryFolder } from "../store/fixture.ts";

/** More with WATCHLLM_TEST_KILLS, for a soak. */
const kills = Number(process.env.WATCHLLM_TEST_KILLS ?? 4);
const killMsMax = 1500;

const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function folder(): string {
  const { path, remove } = temporaryFolder();
  cleanups.push(remove);
  return path;
}

function spawn(dataDir: string, words: string[]) {
  return Bun.spawn([...fromSource, ...words], {
    env: { WATCHLLM_DATA_DIR: dataDir },
    stdout: "pipe",
    stderr: "pipe",
  });
}

async function watchllm(dataDir: string, words: string[]) {
  const child = spawn(dataDir, words);
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code, out, err };
}

const key = "a-key-for-the-tests-only";
const env = {
  WATCHLLM_INIT_PROJECT: "shop",
  WATCHLLM_INIT_KEY: key,
  WATCHLLM_FLUSH_INTERVAL_S: "1",
  WATCHLLM_FLUSH_BYTES: "65536",
  WATCHLLM_SQL_ROWS_MAX: "1000000",
};
const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };

/** Sends batches until it is stopped; knows what was acknowledged. */
class Client {
  readonly acknowledged: string[] = [];
  #isStopped = false;
  #next = 0;

  async work({ url }: RunningServer): Promise<void> {
    while (!this.#isStopped) {
      const events = Array.from({ length: 20 }, () => this.#event(`e${this.#next++}`));
      const body = JSON.stringify(events);
      const response = await fetch(`${url}/v1/events`, { method: "POST", headers, body });
      const text = await response.text();
      expect([response.status, response.ok ? "" : text]).toEqual([202, ""]);
      this.acknowledged.push(...events.map(({ event_id }) => event_id));
    }
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** Every other has a picture. */
  #event(event_id: string) {
    const bytes = Buffer.alloc(1500, event_id);
    Buffer.from("89504e470d0a1a0a", "hex").copy(bytes);
    const picture = `data:image/png;base64,${bytes.toString("base64")}`;
    const prompt = this.#next % 2 === 0 ? picture : `text of ${event_id}`;
    return { event_id, event_type: "prompt_call", prompt };
  }
}

test(`backup: under load, killed ${kills} times, restored and served`, async () => {
  const path = folder();
  const server = await startServer({ dataDir: path, command: fromSource, env });
  cleanups.push(() => server.kill());
  const client = new Client();
  const working = client.work(server);
  while (client.acknowledged.length < 200) await Bun.sleep(20);
  const target = join(folder(), "backup");
  for (let kill = 0; kill < kills; kill++) {
    const child = spawn(path, ["backup", target]);
    const timer = setTimeout(() => child.kill("SIGKILL"), killMsMax * Math.random());
    await child.exited;
    clearTimeout(timer);
    const isWhole = existsSync(join(target, "manifest.json"));
    const looked = await watchllm(path, ["backup", "verify", target]);
    expect([looked.code, isWhole]).toEqual([isWhole ? 0 : 1, isWhole]);
    rmSync(target, { recursive: true, force: true });
  }
  const before = [...client.acknowledged];
  const made = await watchllm(path, ["backup", target, "--format", "json"]);
  expect([made.code, made.code === 0 ? "" : made.err]).toEqual([0, ""]);
  const during = client.acknowledged.length - before.length;
  const looked = await watchllm(path, ["backup", "verify", target]);
  expect([looked.out, looked.code]).toEqual([expect.stringContaining("is whole"), 0]);
  client.stop();
  await working;
  // The server that was backed up goes on, and then is lost.
  await server.kill();
  rmSync(path, { recursive: true, force: true });
  const dataDir = join(folder(), "restored");
  const done = await watchllm(dataDir, ["restore", target]);
  expect([done.out, done.code]).toEqual([expect.stringContaining("restored to"), 0]);
  const again = await startServer({
    dataDir,
    command: fromSource,
    env: { WATCHLLM_SQL_ROWS_MAX: "1000000" },
  });
  cleanups.push(() => again.kill());
  const sql = "SELECT event_id, count(*), any_value(blobs[1]) FROM events GROUP BY 1";
  const answer = await fetch(`${again.url}/api/sql`, {
    method: "POST",
    headers,
    body: JSON.stringify({ sql }),
  });
  const { rows } = await answer.json() as { rows: [string, number, string | null][] };
  expect(rows.filter(([, times]) => times !== 1)).toEqual([]);
  const known = new Set(rows.map(([event_id]) => event_id));
  expect(before.filter((event_id) => !known.has(event_id))).toEqual([]);
  const named = rows.flatMap(([, , sha256]) => sha256 === null ? [] : [sha256]);
  expect(named.length).toBeGreaterThan(50);
  for (const sha256 of named) {
    const file = join(dataDir, "blobs", "project_id=shop", sha256.slice(0, 2), sha256);
    expect([sha256, existsSync(file)]).toEqual([sha256, true]);
  }
  expect(during).toBeGreaterThan(0);
}, 60_000 + kills * 30_000);
