// /api/retention: what a project sets, what would go, and that it goes.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { startTestServer, type TestServer } from "./fixture.ts";

let server: TestServer;
const old = new Date(Date.now() - 5 * 24 * 3_600_000).toISOString();

beforeAll(async () => {
  server = await startTestServer();
  const event = (event_id: string, env: string, timestamp: string) => ({
    event_id,
    event_type: "span",
    env,
    timestamp,
  });
  const events = [
    event("dev", "dev", old),
    event("prod", "production", old),
    event("new", "dev", new Date().toISOString()),
  ];
  await server.send(events, "shop");
  await server.send(events, "bank");
});
afterAll(() => server.stop());

const put = (body: unknown, query = "") =>
  server.ask(`/api/retention${query}`, "shop", { method: "PUT", body: JSON.stringify(body) });

const refused: [what: string, body: unknown, query: string, status: number][] = [
  ["nothing", {}, "", 400],
  ["days below zero", { days: -1, environments: {} }, "", 400],
  ["half a day", { days: 0.5, environments: {} }, "", 400],
  ["an environment without a name", { days: 1, environments: { "": 1 } }, "", 400],
  ["a word that is not known", { days: 1, environments: {}, envs: {} }, "", 400],
  ["another project", { days: 1, environments: {} }, "?project_id=bank", 403],
];

for (const [what, body, query, status] of refused) {
  test(`retention: ${what} is refused with ${status}`, async () => {
    expect((await put(body, query)).status).toBe(status);
  });
}

test(
  "retention: set, counted, and gone within seconds; another project keeps its own",
  async () => {
    const now = async (project: "shop" | "bank" = "shop") =>
      await (await server.ask("/api/retention", project)).json() as Record<string, unknown>;
    expect(await now()).toEqual({
      project_id: "shop",
      days: null,
      environments: {},
      default_days: 0,
      disk: null,
      dropped: [],
    });
    const setting = { days: null, environments: { dev: 3 } };
    const deadline = performance.now() + 40_000;
    const ids = async (project: "shop" | "bank") => {
      const { events } = await (await server.ask("/api/events", project)).json() as {
        events: { event_id: string }[];
      };
      return events.map(({ event_id }) => event_id).toSorted();
    };
    expect(await (await put({ ...setting, dry_run: true })).json()).toEqual({
      would_drop_events: 1,
    });
    expect(await ids("shop")).toEqual(["dev", "new", "prod"]);
    expect(await (await put(setting)).json()).toEqual({ would_drop_events: 1 });
    while ((await ids("shop")).length === 3 && performance.now() < deadline) await Bun.sleep(100);
    expect(await ids("shop")).toEqual(["new", "prod"]);
    expect(await ids("bank")).toEqual(["dev", "new", "prod"]);
    expect(await now()).toMatchObject({ ...setting, dropped: [{ reason: "retain", rows: 1 }] });
    expect(await now("bank")).toMatchObject({ environments: {}, dropped: [] });
  },
  60_000,
);
