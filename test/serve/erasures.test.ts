// /api/erasures: who may order what, and what an order must say. What it does stands in erase.test.ts.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestServer, type TestServer } from "./fixture.ts";

let server: TestServer;
let readKey: string;

beforeAll(async () => {
  server = await startTestServer();
  const made = await server.ask("/api/keys", "shop", {
    method: "POST",
    body: JSON.stringify({ scopes: ["read", "ingest"] }),
  });
  readKey = (await made.json() as { key: string }).key;
  for (const project of ["shop", "bank"] as const) {
    await server.send([{ event_id: "a", event_type: "span", user_id: "ann" }], project);
  }
});
afterAll(() => server.stop());

const order = (body: unknown, headers: Record<string, string> = {}) =>
  server.ask("/api/erasures", "shop", { method: "POST", body: JSON.stringify(body), headers });

const refused: [what: string, body: unknown, status: number][] = [
  ["no id", {}, 400],
  ["two ids", { user_id: "ann", run_id: "r" }, 400],
  ["an empty id", { user_id: "" }, 400],
  ["an id that is too long", { user_id: "a".repeat(129) }, 400],
  ["a word that is not known", { user_id: "ann", users: ["bob"] }, 400],
  ["another project", { user_id: "ann", project_id: "bank" }, 403],
];

for (const [what, body, status] of refused) {
  test(`erasures: ${what} is refused with ${status}`, async () => {
    expect((await order(body)).status).toBe(status);
    expect(await (await server.ask("/api/erasures")).json()).toEqual({ erasures: [] });
  });
}

test("erasures: only an admin orders, lists and looks", async () => {
  const headers = { authorization: `Bearer ${readKey}` };
  expect((await order({ user_id: "ann" }, headers)).status).toBe(403);
  expect((await server.ask("/api/erasures", "shop", { headers })).status).toBe(403);
});

test("erasures: counted, done, and another project's record is nobody else's", async () => {
  const look = await order({ user_id: "ann", dry_run: true });
  expect(await look.json()).toEqual({
    would_erase: [{ project_id: "shop", events: 1, points: 0, pieces: 0 }],
  });
  const ordered = await order({ user_id: "ann" });
  expect(ordered.status).toBe(202);
  const { erasures: [{ id }] } = await ordered.json() as { erasures: [{ id: string }] };
  const of = (project: "shop" | "bank") => server.ask(`/api/erasures/${id}`, project);
  const deadline = performance.now() + 30_000;
  let now = await (await of("shop")).json() as Record<string, unknown>;
  while (now.state !== "done" && performance.now() < deadline) {
    await Bun.sleep(20);
    now = await (await of("shop")).json() as Record<string, unknown>;
  }
  expect(now).toMatchObject({ state: "done", subject: "ann", counts: { events: 1 } });
  expect((await of("bank")).status).toBe(404);
  const left = async (project: "shop" | "bank") =>
    (await (await server.ask("/api/events", project)).json() as { events: unknown[] }).events
      .length;
  expect([await left("shop"), await left("bank")]).toEqual([0, 1]);
});

test("erasures: a user whose id is stored as a token is found by the id that was sent", async () => {
  const hashing = await startTestServer([["redaction", "hash"]]);
  try {
    const mail = "jane@example.com";
    await hashing.send([
      { event_id: "j", event_type: "span", user_id: mail },
      { event_id: "k", event_type: "span", user_id: "kim@example.com" },
    ]);
    const body = JSON.stringify({ user_id: mail, dry_run: true });
    const look = await hashing.ask("/api/erasures", "shop", { method: "POST", body });
    expect(await look.json()).toMatchObject({ would_erase: [{ events: 1 }] });
    const query = new URLSearchParams({ user_id: mail });
    const text = await (await hashing.ask(`/api/export?${query}`)).text();
    expect(text).toContain('"event_id":"j"');
    expect(text).not.toContain('"event_id":"k"');
    expect(text).not.toContain(mail);
  } finally {
    await hashing.stop();
  }
});
