// The built binary is killed again and again while clients write. What they were told is stored
// must be there, once, by every way of asking: the API, SQL, and a DuckDB that is not ours.
import { expect, test } from "bun:test";
import { temporaryFolder } from "../store/fixture.ts";
import { testPython } from "../../scripts/python.ts";
import { type RunningServer, startServer } from "./binary.ts";

/** More with WATCHLLM_TEST_KILLS, for a soak. */
const kills = Number(process.env.WATCHLLM_TEST_KILLS ?? 8);
const clients = 4;
const batchEvents = 20;
const busyMs = 20;
const project = "shop";
const key = "a-key-for-the-tests-only";

const env = {
  WATCHLLM_INIT_PROJECT: project,
  WATCHLLM_INIT_KEY: key,
  // Conversion to Parquet, and merging, go on all the time.
  WATCHLLM_FLUSH_INTERVAL_S: "1",
  WATCHLLM_FLUSH_BYTES: "65536",
};
const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };

/** Writes until the server is gone; remembers what was acknowledged, and sends the rest again. */
class Client {
  readonly acknowledged = new Set<string>();
  #unsure: string[] = [];
  #next = 0;

  constructor(readonly name: string) {}

  async write(url: string): Promise<void> {
    for (;;) {
      const ids = this.#unsure.length > 0 ? this.#unsure : this.#batch();
      this.#unsure = ids;
      const events = ids.map((event_id) => ({
        event_id,
        event_type: "prompt_call",
        model: "gpt-5",
        prompt: `prompt of ${event_id}`,
        tokens_input: 3,
      }));
      try {
        const response = await fetch(`${url}/v1/events`, {
          method: "POST",
          headers,
          body: JSON.stringify(events),
        });
        const receipt = await response.json() as { accepted: number; duplicates: number };
        if (response.status === 503) {
          await Bun.sleep(busyMs); // Nothing of it was stored.
          continue;
        }
        expect([response.status, receipt.accepted + receipt.duplicates]).toEqual([202, ids.length]);
      } catch (error) {
        if (error instanceof TypeError || (error as { code?: string }).code !== undefined) return;
        throw error;
      }
      for (const id of ids) this.acknowledged.add(id);
      this.#unsure = [];
    }
  }

  #batch(): string[] {
    return Array.from({ length: batchEvents }, () => `${this.name}-${this.#next++}`);
  }
}

async function sql(server: RunningServer, text: string): Promise<unknown[][]> {
  const response = await fetch(`${server.url}/api/sql`, {
    method: "POST",
    headers,
    body: JSON.stringify({ sql: text }),
  });
  const answer = await response.json() as { rows: unknown[][] };
  expect([response.status, answer.rows === undefined ? answer : null]).toEqual([200, null]);
  return answer.rows;
}

async function listedIds(server: RunningServer): Promise<string[]> {
  const ids: string[] = [];
  let cursor = "";
  do {
    const query = `limit=1000&view=light&cursor=${cursor}`;
    const response = await fetch(`${server.url}/api/events?${query}`, { headers });
    const page = await response.json() as {
      events: { event_id: string }[];
      next_cursor: string | null;
    };
    ids.push(...page.events.map((event) => event.event_id));
    cursor = page.next_cursor ?? "";
  } while (cursor !== "");
  return ids;
}

test("durability: killed at random instants, nothing acknowledged is lost or doubled", async () => {
  const folder = temporaryFolder();
  const team = Array.from({ length: clients }, (_, at) => new Client(`client${at}`));
  try {
    for (let kill = 0; kill < kills; kill++) {
      const server = await startServer({ dataDir: folder.path, env });
      const writing = team.map((client) => client.write(server.url));
      await Bun.sleep(100 + Math.random() * 1500);
      await server.kill();
      await Promise.all(writing);
    }
    const acknowledged = new Set(team.flatMap((client) => [...client.acknowledged]));
    expect(acknowledged.size).toBeGreaterThan(kills * batchEvents);

    const server = await startServer({ dataDir: folder.path, env });
    const listed = await listedIds(server);
    const found = new Set(listed);
    expect(listed.length).toBe(found.size);
    expect([...acknowledged].filter((id) => !found.has(id))).toEqual([]);
    const stored = listed.length;

    const metrics = await fetch(`${server.url}/api/metrics`, { headers });
    const { summary } = await metrics.json() as { summary: Record<string, number> };
    expect([summary.requests, summary.tokens_input]).toEqual([stored, 3 * stored]);
    const counted = "SELECT count(*), count(DISTINCT event_id), sum(tokens_input) FROM events";
    expect(await sql(server, counted)).toEqual([[stored, stored, 3 * stored]]);
    expect(await server.stop()).toBe(0);

    const python = await testPython();
    if (python === null) return;
    const glob = `${folder.path}/events/*/*/*.parquet`;
    const outside = Bun.spawnSync([
      python,
      "-c",
      `import duckdb; print(duckdb.sql("${counted.replace("events", `'${glob}'`)}").fetchall())`,
    ]);
    expect(outside.stdout.toString().trim() || outside.stderr.toString()).toBe(
      `[(${stored}, ${stored}, ${3 * stored})]`,
    );
  } finally {
    folder.remove();
  }
}, 120_000 + kills * 5000);
