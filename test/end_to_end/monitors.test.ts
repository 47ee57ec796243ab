// A server that is killed while it checks: nothing is checked twice, nothing is invented, and its keys
// are still there.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { completion, type Endpoint, startEndpoint } from "../monitor/endpoint.ts";
import { eventually } from "../notify/receiver.ts";
import { temporaryFolder } from "../store/fixture.ts";
import { fromSource, type RunningServer, startServer } from "./binary.ts";

interface Told {
  id: string;
  state: { running: boolean; last: { outcome: string } | null };
  recent: { outcome: string }[];
}

const folder = temporaryFolder();
let endpoint: Endpoint;
let server: RunningServer;

const start = () =>
  startServer({
    dataDir: folder.path,
    command: fromSource,
    env: { WATCHLLM_ALLOW_PRIVATE_WEBHOOKS: "true" },
  });

beforeAll(async () => {
  endpoint = startEndpoint(() => new Promise(() => {}));
  server = await start();
});
afterAll(async () => {
  await server.kill();
  await endpoint.stop();
  folder.remove();
});

async function ask<T>(path: string, method = "GET", body?: unknown): Promise<T> {
  const response = await fetch(server.url + path, {
    method,
    headers: { "content-type": "application/json" },
    ...body === undefined ? {} : { body: JSON.stringify(body) },
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return await response.json() as T;
}

test("killed while it checks, three times", async () => {
  const { id } = await ask<Told>("/api/monitors", "POST", {
    name: "Capital",
    type: "openai",
    url: endpoint.url,
    model: "gpt-4o-mini",
    prompt: "Capital of France?",
    api_key: "sk-of-the-monitor",
    interval_minutes: 60,
  });
  for (let round = 1; round <= 3; round++) {
    // The first begins by itself, the others are asked for, and never answered.
    if (round > 1) void ask(`/api/monitors/${id}/run`, "POST").catch(() => {});
    await eventually(() => Promise.resolve(endpoint.asked.length === round));
    await server.kill();
    server = await start();
    const told = await eventually(async () => {
      const monitor = await ask<Told>(`/api/monitors/${id}`);
      return monitor.recent.length === round ? monitor : null;
    });
    expect(told.state).toMatchObject({ running: false, last: null });
    expect(told.recent.map(({ outcome }) => outcome))
      .toEqual(Array.from({ length: round }, () => "interrupted"));
    expect(endpoint.asked.length).toBe(round);
  }
  endpoint.answer = () => completion("Paris.");
  expect(await ask(`/api/monitors/${id}/run`, "POST")).toMatchObject({
    outcome: "ok",
    stored: "stored",
  });
  expect(endpoint.asked.at(-1)!.headers.authorization).toBe("Bearer sk-of-the-monitor");
  const { total } = await ask<{ total: number }>(`/api/events?tag=monitor:${id}`);
  expect(total).toBe(2);
  // Asked to end, it does not wait for what hangs.
  endpoint.answer = () => new Promise(() => {});
  void ask(`/api/monitors/${id}/run`, "POST").catch(() => {});
  await eventually(() => Promise.resolve(endpoint.asked.length === 5));
  const began = performance.now();
  expect(await server.stop()).toBe(0);
  expect(performance.now() - began).toBeLessThan(10_000);
  server = await start();
  const { recent } = await ask<Told>(`/api/monitors/${id}`);
  expect(recent.map(({ outcome }) => outcome))
    .toEqual(["interrupted", "interrupted", "interrupted", "ok", "interrupted"]);
}, 120_000);
