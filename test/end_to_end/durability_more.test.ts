// A server is killed again and again while it takes metrics and events with pictures, and while
// history is rewritten. What was acknowledged is there, once, and every picture with its event.
import { expect, test } from "bun:test";
import { temporaryFolder } from "../store/fixture.ts";
import { fromSource, type RunningServer, startServer } from "./binary.ts";

/** More with WATCHLLM_TEST_KILLS, for a soak. */
const kills = Number(process.env.WATCHLLM_TEST_KILLS ?? 4);
const busyMs = 20;
const key = "a-key-for-the-tests-only";
const env = {
  WATCHLLM_INIT_PROJECT: "shop",
  WATCHLLM_INIT_KEY: key,
  WATCHLLM_FLUSH_INTERVAL_S: "1",
  WATCHLLM_FLUSH_BYTES: "65536",
  WATCHLLM_SQL_ROWS_MAX: "1000000",
};
const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
const startedMs = Date.now();

/** Null when the server is gone. */
async function post(url: string, path: string, body: unknown): Promise<Response | null> {
  try {
    return await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) });
  } catch (error) {
    if (error instanceof TypeError || (error as { code?: string }).code !== undefined) return null;
    throw error;
  }
}

interface Work {
  path: string;
  body: unknown;
  acknowledged(): void;
}

/** Does one piece of work after another until the server is gone; what is unsure is done again. */
class Client {
  #unsure: Work | null = null;

  constructor(readonly next: () => Work) {}

  async work(url: string): Promise<void> {
    for (;;) {
      const work = this.#unsure ??= this.next();
      const response = await post(url, work.path, work.body);
      if (response === null) return;
      const text = await response.text().catch(() => null);
      if (text === null) return;
      if (response.status === 503 || response.status === 409) {
        await Bun.sleep(busyMs); // Nothing of it was stored.
        continue;
      }
      expect([response.status, response.ok ? "" : text]).toEqual([response.status, ""]);
      work.acknowledged();
      this.#unsure = null;
    }
  }
}

const values: number[] = [];
const pictures = new Map<string, string>();
let nextValue = 0;
let nextEvent = 0;

function metric(): Work {
  const sent = Array.from({ length: 10 }, () => nextValue++);
  const dataPoints = sent.map((value) => ({
    timeUnixNano: String(BigInt(startedMs) * 1_000_000n + BigInt(value) * 1000n),
    asInt: String(value),
  }));
  return {
    path: "/v1/metrics",
    body: {
      resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: "n", gauge: { dataPoints } }] }] }],
    },
    acknowledged: () => void values.push(...sent),
  };
}

function picture(): Work {
  const event_id = `e${nextEvent++}`;
  const bytes = Buffer.alloc(1500, event_id);
  Buffer.from("89504e470d0a1a0a", "hex").copy(bytes);
  const sha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
  return {
    path: "/v1/events",
    body: {
      event_id,
      event_type: "prompt_call",
      model: "gpt-4o",
      provider: "openai",
      tokens_input: 1_000_000,
      tokens_output: 0,
      prompt: `data:image/png;base64,${bytes.toString("base64")}`,
    },
    acknowledged: () => void pictures.set(event_id, sha256),
  };
}

let price = 1;
/** Every one of them changes every event. */
function rewrite(): Work {
  return { path: "/api/rewrite", body: { kind: "reprice" }, acknowledged: () => {} };
}

async function setPrice(server: RunningServer): Promise<void> {
  const prices = [{ match: "gpt-4o", per_million: { input: price++, output: 1 } }];
  const response = await fetch(`${server.url}/api/prices/custom`, {
    method: "PUT",
    headers,
    body: JSON.stringify({ prices }),
  });
  expect(response.status).toBe(200);
}

async function sql(server: RunningServer, text: string): Promise<unknown[][]> {
  const response = await post(server.url, "/api/sql", { sql: text });
  const answer = await response!.json() as { rows: unknown[][] };
  expect(answer).toHaveProperty("rows");
  return answer.rows;
}

test(`killed ${kills} times amid metrics, pictures and rewrites: all is there, once`, async () => {
  const { path, remove } = temporaryFolder();
  const clients = [metric, metric, picture, picture, rewrite].map((next) => new Client(next));
  let server: RunningServer | null = null;
  try {
    for (let kill = 0; kill < kills; kill++) {
      server = await startServer({ dataDir: path, command: fromSource, env });
      await setPrice(server);
      const { url } = server;
      const working = Promise.all(clients.map((client) => client.work(url)));
      const before = values.length + pictures.size;
      // Each time at another moment, and never before something was written.
      const until = performance.now() + 700 + 1300 * Math.random();
      while (performance.now() < until || values.length + pictures.size < before + 50) {
        await Bun.sleep(busyMs);
      }
      await server.kill();
      await working;
    }
    server = await startServer({ dataDir: path, command: fromSource, env });
    const missing = (all: Iterable<unknown>, found: unknown[][]) => {
      const known = new Set(found.map(([first]) => first));
      return [...all].filter((one) => !known.has(one));
    };
    const points = await sql(server, "SELECT value, count(*) FROM metrics GROUP BY 1");
    expect(points.filter(([, times]) => times !== 1)).toEqual([]);
    expect(missing(values, points)).toEqual([]);
    const events = await sql(
      server,
      "SELECT event_id, count(*), min(blobs[1]), min(cost_estimate_usd) > 0 " +
        "FROM events GROUP BY 1",
    );
    expect(events.filter(([, times, , priced]) => times !== 1 || !priced)).toEqual([]);
    expect(missing(pictures.keys(), events)).toEqual([]);
    for (const [event_id, , sha256] of events) {
      const blob = await fetch(`${server.url}/api/blobs/${sha256}`, { headers });
      const bytes = new Uint8Array(await blob.arrayBuffer());
      const found = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
      expect([event_id, blob.status, found]).toEqual([event_id, 200, sha256]);
      const known = pictures.get(String(event_id));
      if (known !== undefined) expect(sha256).toBe(known);
    }
    expect([values.length > 100, pictures.size > 20]).toEqual([true, true]);
  } finally {
    await server?.kill();
    remove();
  }
}, 30_000 + kills * 20_000);
