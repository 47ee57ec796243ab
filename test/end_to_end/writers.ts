// Clients that write until the server is gone, and what must hold of what they were told.
import { expect } from "bun:test";
import type { RunningServer } from "./binary.ts";

const batchEvents = 5;
const busyMs = 20;
export const project = "shop";
export const key = "a-key-for-the-tests-only";
export const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };

/** Conversion to Parquet, and merging, go on all the time. */
export const busyEnv = {
  WATCHLLM_INIT_PROJECT: project,
  WATCHLLM_INIT_KEY: key,
  WATCHLLM_FLUSH_INTERVAL_S: "1",
  WATCHLLM_FLUSH_BYTES: "65536",
};

/** Writes until the server is gone; remembers what was acknowledged, and sends the rest again. */
export class Writer {
  readonly acknowledged = new Set<string>();
  #unsure: string[] = [];
  #next = 0;

  /** A refusal is an answer after which nothing of the batch is stored, and which is expected. */
  constructor(
    readonly name: string,
    readonly isRefusal: (status: number) => boolean = (status) => status === 503,
  ) {}

  async write(url: string, until: () => boolean = () => false): Promise<void> {
    while (!until()) {
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
        if (this.isRefusal(response.status)) {
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

export const countedSql =
  "SELECT count(*), count(DISTINCT event_id), coalesce(sum(tokens_input), 0) FROM events";

export async function sql(server: RunningServer, text: string): Promise<unknown[][]> {
  const response = await fetch(`${server.url}/api/sql`, {
    method: "POST",
    headers,
    body: JSON.stringify({ sql: text }),
  });
  const answer = await response.json() as { rows: unknown[][] };
  expect([response.status, answer.rows === undefined ? answer : null]).toEqual([200, null]);
  return answer.rows;
}

export async function listedIds(server: RunningServer): Promise<string[]> {
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

/** All that was acknowledged is there, once, by every way of asking; returns how many events are. */
export async function expectAll(
  server: RunningServer,
  writers: readonly Writer[],
): Promise<number> {
  const listed = await listedIds(server);
  const found = new Set(listed);
  expect(listed.length).toBe(found.size);
  const missing = writers.flatMap(({ acknowledged }) => [...acknowledged])
    .filter((id) => !found.has(id));
  expect(missing).toEqual([]);
  const stored = listed.length;
  const metrics = await fetch(`${server.url}/api/metrics`, { headers });
  const { summary } = await metrics.json() as { summary: Record<string, number> };
  expect([summary.requests, summary.tokens_input ?? 0]).toEqual([stored, 3 * stored]);
  expect(await sql(server, countedSql)).toEqual([[stored, stored, 3 * stored]]);
  return stored;
}
