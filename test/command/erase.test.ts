// `watchllm erase` as a user runs it: without a server, by one that is killed meanwhile, and verified
// from the bytes of the data directory while the server goes on.
import { afterEach, expect, test } from "bun:test";
import { join } from "node:path";
import { openState } from "../../src/store/state.ts";
import { fromSource, type RunningServer, startServer } from "../end_to_end/binary.ts";
import { openStore, temporaryFolder } from "../store/fixture.ts";

/** More with WATCHLLM_TEST_KILLS, for a soak. */
const kills = Number(process.env.WATCHLLM_TEST_KILLS ?? 3);
const doneMsMax = 60_000;
const pollMs = 20;

const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function folder(): string {
  const { path, remove } = temporaryFolder();
  cleanups.push(remove);
  return path;
}

async function watchllm(dataDir: string, words: string[]) {
  const child = Bun.spawn([...fromSource, ...words], {
    env: { WATCHLLM_DATA_DIR: dataDir },
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

const event = (event_id: string, user_id: string) => ({
  event_id,
  event_type: "prompt_call",
  user_id,
  prompt: `text of ${user_id}`,
});

test("erase: without a server, counted first, done, listed, proved", async () => {
  const path = folder();
  const lake = await openStore(path);
  await lake.send([event("a", "user-ann"), event("b", "user-bob")]);
  await lake.close();
  const state = await openState(join(path, "state.db"));
  await state.createProject("shop");
  await state.close();
  expect(await watchllm(path, ["erase"])).toMatchObject({
    code: 2,
    err: expect.stringContaining("exactly one of --user"),
  });
  const look = await watchllm(path, ["erase", "--user", "user-ann", "--dry-run"]);
  expect([look.err, look.out]).toEqual([
    "",
    "project_id  events  points  pieces\nshop        1       0       0\n",
  ]);
  const done = await watchllm(path, ["erase", "--user", "user-ann", "--format", "json"]);
  const [{ id, state: reached, counts }] = JSON.parse(done.out);
  expect([done.err, reached, counts.events, counts.files_rewritten]).toEqual(["", "done", 1, 1]);
  const listed = await watchllm(path, ["erase", "list"]);
  expect(listed.out).toContain(`${id}  shop        user  user-ann  done`);
  const proof = await watchllm(path, ["erase", "verify", id]);
  expect([proof.err, proof.code]).toEqual(["", 0]);
  expect(proof.out).toStartWith("Nothing is left: ");
  const unknown = await watchllm(path, ["erase", "verify", "erase_0"]);
  expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining("There is no erasure")]);
  const again = await openStore(path);
  cleanups.push(() => again.close());
  expect(await again.ids()).toEqual(["b"]);
});

const key = "a-key-for-the-tests-only";
const env = {
  WATCHLLM_INIT_PROJECT: "shop",
  WATCHLLM_INIT_KEY: key,
  WATCHLLM_FLUSH_INTERVAL_S: "1",
  WATCHLLM_FLUSH_BYTES: "65536",
};
const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };

async function ask(server: RunningServer, path: string, body?: unknown) {
  const response = await fetch(server.url + path, {
    headers,
    ...body === undefined ? {} : { method: "POST", body: JSON.stringify(body) },
  });
  const text = await response.text();
  expect([path, response.ok ? "" : text]).toEqual([path, ""]);
  return JSON.parse(text);
}

function metricOf(user: string) {
  const dataPoints = [{
    timeUnixNano: `${Date.now()}000000`,
    asInt: "1",
    attributes: [{ key: "user.id", value: { stringValue: user } }],
  }];
  const metrics = [{ name: "n", gauge: { dataPoints } }];
  return { resourceMetrics: [{ scopeMetrics: [{ metrics }] }] };
}

test(`erase: a server killed ${kills} times goes on, and proves it while it serves`, async () => {
  const path = folder();
  let server = await startServer({ dataDir: path, command: fromSource, env });
  cleanups.push(() => server.kill());
  const kept: string[] = [];
  for (let kill = 0; kill < kills; kill++) {
    for (let batch = 0; batch < 5; batch++) {
      const events = Array.from({ length: 200 }, (_, at) => {
        const user = at % 2 === 0 ? "user-ann" : "user-bob";
        const id = `${user}-${kill}-${batch}-${at}`;
        if (user === "user-bob") kept.push(id);
        const timestamp = new Date(Date.now() - at * 3_600_000).toISOString();
        return { ...event(id, user), timestamp };
      });
      await ask(server, "/v1/events", events);
    }
    for (const user of ["user-ann", "user-bob"]) await ask(server, "/v1/metrics", metricOf(user));
    const { erasures: [{ id }] } = await ask(server, "/api/erasures", { user_id: "user-ann" });
    await Bun.sleep(1000 * Math.random() * 3); // Each time at another step.
    await server.kill();
    server = await startServer({ dataDir: path, command: fromSource, env });
    const deadline = performance.now() + doneMsMax;
    let now = await ask(server, `/api/erasures/${id}`);
    while (now.state !== "done" && performance.now() < deadline) {
      await Bun.sleep(pollMs);
      now = await ask(server, `/api/erasures/${id}`);
    }
    expect(now).toMatchObject({ state: "done", message: null, subject: "user-ann" });
    expect([now.counts.events, now.counts.points]).toEqual([500, 1]);
    // Beside the server that holds the directory, with events coming in.
    const [proof] = await Promise.all([
      watchllm(path, ["erase", "verify", id, "--format", "json"]),
      ask(server, "/v1/events", [{ ...event(`bob-${kill}`, "user-bob") }]),
    ]);
    kept.push(`bob-${kill}`);
    expect([proof.err, JSON.parse(proof.out).left, proof.code]).toEqual(["", [], 0]);
    const sql = "SELECT event_id FROM events ORDER BY 1";
    const { rows } = await ask(server, "/api/sql", { sql });
    expect(rows.flat()).toEqual(kept.toSorted());
    const points = await ask(server, "/api/sql", { sql: "SELECT attributes FROM metrics" });
    expect(points.rows.length).toBe(kill + 1);
  }
  const { erasures } = await ask(server, "/api/erasures");
  expect(erasures.length).toBe(kills);
}, 60_000 + kills * 60_000);
