// Issues through the API of a whole server: grouped, counted once, resolved, back again, merged, told of.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eventually, type Receiver, startReceiver } from "../notify/receiver.ts";
import { startTestServer, type TestServer } from "./fixture.ts";

type Json = Record<string, unknown>;

let server: TestServer;
let receiver: Receiver;
beforeAll(async () => {
  server = await startTestServer([["allow-private-webhooks", "true"]]);
  receiver = startReceiver();
});
afterAll(async () => {
  await server.stop();
  await receiver.stop();
});

async function ask(
  path: string,
  method = "GET",
  body?: unknown,
  project: "shop" | "bank" = "shop",
) {
  const response = await server.ask(path, project, {
    method,
    ...body === undefined ? {} : { body: JSON.stringify(body) },
  });
  return { status: response.status, body: await response.json() as Json };
}
/** The issue of that place, as the list has it. */
async function issueAt(place: string, query = ""): Promise<Json | undefined> {
  const { body } = await ask(`/api/issues?${query}`);
  return (body.issues as Json[]).find((one) => one.place === place);
}
const stateOf = async (id: unknown) => (await ask(`/api/issues/${id}`)).body.state;

let count = 0;
const minute = (at: number) => new Date(Date.now() - (60 - at) * 60_000).toISOString();
const failed = (tool: string, at: number, more: Json = {}) => ({
  event_id: `e${count++}`,
  event_type: "tool_call",
  tool_name: tool,
  status: "error",
  error: `Order ${count * 37} not found`,
  timestamp: minute(at),
  ...more,
});

test("failures alike are one issue, counted once however often they are sent", async () => {
  const events = [
    failed("find", 1, { run_id: "r1", user_id: "ann", release: "1.0.0" }),
    failed("find", 3, { run_id: "r1", user_id: "ann", release: "1.0.0" }),
    failed("find", 2, { run_id: "r2", user_id: "bob", release: "1.1.0", env: "production" }),
    { event_type: "tool_call", tool_name: "find", output: "fine", release: "1.0.0" },
  ];
  await server.send(events);
  const again = await ask("/v1/events", "POST", events.slice(0, 3));
  expect(again.body).toMatchObject({ accepted: 0, duplicates: 3 });
  const issue = await issueAt("find");
  expect(issue).toMatchObject({
    kind: "tool_error",
    title: "Order <num> not found",
    state: "open",
    events: 3,
    runs: 2,
    users: 2,
    first_release: "1.0.0",
    last_release: "1.0.0",
    assignee: null,
  });
  expect((issue!.trend as { events: number[] }).events.reduce((sum, one) => sum + one)).toBe(3);
  // An event that comes late is the first one.
  await server.send([failed("find", 0, { release: "0.9.0", run_id: "r0" })]);
  await eventually(async () => {
    const late = await issueAt("find");
    return late?.first_release === "0.9.0" && late.events === 4 ? late : null;
  });
  const { body } = await ask(`/api/issues/${issue!.id}?samples=2`);
  expect(body.samples).toMatchObject([
    { run_id: "r1", own_issue: issue!.id, release: "1.0.0" },
    { run_id: "r2", user_id: "bob", env: "production" },
  ]);
  expect((body.samples as Json[])[0]!.words).toStartWith("Order ");
  expect(body.spread).toContainEqual(
    expect.objectContaining({ field: "release", value: "1.0.0", events: 2 }),
  );
  expect((await issueAt("find", "env=production"))!.events).toBe(1);
  const one = await ask("/api/events/e0");
  expect(one.body.issue).toBe(issue!.id);
});

test("resolved, it comes back with what happens later", async () => {
  await server.send([failed("later", 5)]);
  const { id } = (await issueAt("later"))!;
  const path = `/api/issues/${id}`;
  expect((await ask(path, "PATCH", { state: "resolved", assignee: "ann", note: "a typo" })).body)
    .toMatchObject({ state: "resolved", resolved_in: null, assignee: "ann", note: "a typo" });
  expect((await ask("/api/issues?state=resolved&search=TYPO")).body)
    .toMatchObject({ total: 1, issues: [{ id }] });
  // It happened before.
  await server.send([failed("later", 10)]);
  await server.send([failed("later", 60, { timestamp: new Date().toISOString() })]);
  await eventually(async () => await stateOf(id) === "regressed" ? true : null);
  expect((await issueAt("later"))!.events).toBe(3);
  expect((await ask(path, "PATCH", { state: "ignored" })).body)
    .toMatchObject({ state: "ignored", regressed_at: null, assignee: "ann" });
});

test("resolved in a release, it comes back in a later one only", async () => {
  const now = () => ({ timestamp: new Date().toISOString() });
  await server.send([failed("pay", 5, { release: "1.9.0" })]);
  const { id } = (await issueAt("pay"))!;
  const path = `/api/issues/${id}`;
  await ask(path, "PATCH", { state: "resolved", in_release: "1.9.0" });
  await server.send([
    failed("pay", 0, { ...now(), release: "1.8.0" }),
    failed("pay", 0, { ...now(), release: "1.9.0" }),
    failed("pay", 0, now()),
  ]);
  await eventually(async () => ((await issueAt("pay"))!.events === 4 ? true : null));
  await server.send([failed("mark", 0, now())]);
  // What was sent before the mark is noted with it.
  await eventually(async () => {
    const mark = await issueAt("mark");
    return mark !== undefined && await stateOf(mark.id) === "open" ? true : null;
  });
  expect(await stateOf(id)).toBe("resolved");
  await server.send([failed("pay", 0, { ...now(), release: "1.10.0" })]);
  await eventually(async () => await stateOf(id) === "regressed" ? true : null);
  expect((await ask(path)).body).toMatchObject({ regressed_in: "1.10.0" });
  expect((await ask(path, "PATCH", { state: "resolved", in_next_release: true })).body)
    .toMatchObject({ state: "resolved", regressed_in: null });
});

test("merged issues count as one, and can be parted again", async () => {
  await server.send([
    failed("left", 1, { run_id: "a" }),
    failed("right", 2, { run_id: "b" }),
    failed("third", 3, { run_id: "c" }),
  ]);
  const [left, right, third] = await Promise.all(
    ["left", "right", "third"].map((one) => issueAt(one)),
  );
  const merge = (into: Json, ...ids: unknown[]) =>
    ask(`/api/issues/${into.id}/merge`, "POST", { issues: ids });
  expect((await merge(right!, left!.id)).body).toMatchObject({ id: right!.id, events: 2 });
  // No chains: what was merged into the one goes along.
  expect((await merge(third!, right!.id)).body)
    .toMatchObject({ id: third!.id, events: 3, runs: 3, merged: [left!.id, right!.id].toSorted() });
  expect((await ask(`/api/issues/${left!.id}`)).body).toMatchObject({ id: third!.id, events: 3 });
  expect((await ask(`/api/issues/${left!.id}/merge`, "DELETE")).body)
    .toMatchObject({ id: left!.id, events: 1 });
  expect((await ask(`/api/issues/${third!.id}`)).body).toMatchObject({ events: 2 });
});

test("a loop is an issue: the same call again and again in one run", async () => {
  const turn = (at: number, run_id: string, input: unknown) => ({
    event_type: "tool_call",
    tool_name: "poll",
    run_id,
    input,
    timestamp: minute(at),
  });
  const long = "x".repeat(300);
  await server.send([
    ...[1, 2, 3, 4, 5, 6].map((at) => turn(at, "loop", { page: 1 })),
    ...[1, 2, 3, 4].map((at) => turn(at, "short", { page: 1 })),
    // They begin alike.
    ...[1, 2, 3, 4, 5].map((at) => turn(at, "varied", long + at)),
  ]);
  expect(await issueAt("poll")).toMatchObject({ kind: "loop", events: 1, runs: 1, state: "open" });
  const { id } = (await issueAt("poll"))!;
  expect((await ask(`/api/issues/${id}`)).body.samples).toMatchObject([{ run_id: "loop" }]);
  expect((await ask(`/api/issues/${id}`, "PATCH", { state: "ignored" })).body.state).toBe(
    "ignored",
  );
});

test("a project groups by rules of its own, and a producer by its fingerprint", async () => {
  const rules = [{ match: { kind: "tool_error", message: "*upstream*" }, fingerprint: "upstream" }];
  expect((await ask("/api/issues/settings", "PUT", { rules, loop_calls_min: 50 })).status).toBe(
    200,
  );
  await server.send([
    failed("one", 1, { error: "Upstream said no" }),
    failed("two", 2, { error: "no answer from upstream" }),
    failed("three", 3, { error: "no answer from upstream", fingerprint: "mine" }),
  ]);
  expect(await issueAt("two")).toMatchObject({ events: 2 });
  expect(await issueAt("three")).toMatchObject({ events: 1 });
  expect(await issueAt("poll")).toBeUndefined();
  await ask("/api/issues/settings", "PUT", {});
});

test("channels are told of what is new and of what is back, once", async () => {
  const made = await ask("/api/channels", "POST", {
    project_id: "shop",
    type: "webhook",
    name: "hook",
    url: receiver.url,
  });
  const settings = { channels: [made.body.id] };
  expect((await ask("/api/issues/settings", "PUT", settings)).status).toBe(200);
  // What earlier tests sent may still wait to be noted: it is told of with this one.
  await server.send([failed("earlier", 5)]);
  const told = () => receiver.received.map(({ body }) => body).join();
  await eventually(() => Promise.resolve(told().includes("(earlier)")));
  await server.send([failed("told", 5, { release: "2.0.0" }), failed("told", 6)]);
  const titles = () =>
    receiver.received.map(({ json }) => json).filter(({ text }) => String(text).includes("(told)"))
      .map(({ title, text }) => `${title}|${text}`);
  await eventually(() => Promise.resolve(titles().length > 0));
  expect(titles()).toEqual([
    "New issue: Order <num> not found|New issue: Order <num> not found (told), in release 2.0.0.",
  ]);
  const { id } = (await issueAt("told"))!;
  await ask(`/api/issues/${id}`, "PATCH", { state: "resolved" });
  await server.send([failed("told", 0, { timestamp: new Date().toISOString() })]);
  await eventually(() => Promise.resolve(titles().length > 1));
  expect(titles()[1]).toStartWith("Back again: Order <num> not found|");
  expect((await ask("/api/issues/settings", "PUT", settings, "bank")).status).toBe(400);
});

test("pages, sorts and counts of states", async () => {
  const all = await ask("/api/issues?limit=200&sort=events");
  const issues = all.body.issues as Json[];
  const events = issues.map((one) => one.events as number);
  expect(events).toEqual(events.toSorted((a, b) => b - a));
  const states = all.body.states as Record<string, number>;
  expect(Object.values(states).reduce((sum, one) => sum + one)).toBe(issues.length);
  const ids: unknown[] = [];
  for (let cursor: unknown = "";;) {
    const { body } = await ask(`/api/issues?limit=3&sort=events&cursor=${cursor}`);
    ids.push(...(body.issues as Json[]).map((one) => one.id));
    cursor = body.next_cursor;
    if (cursor === null) break;
  }
  expect(ids).toEqual(issues.map((one) => one.id));
});

describe("refused", () => {
  const cases: [string, string, string, unknown, number][] = [
    ["an unknown state", "/api/issues?state=gone", "GET", undefined, 400],
    ["a typing error", "/api/issues?stat=open", "GET", undefined, 400],
    ["an unknown issue", "/api/issues/i1_none", "GET", undefined, 404],
    ["a change of one", "/api/issues/i1_none", "PATCH", { state: "open" }, 404],
    ["a merge of one", "/api/issues/i1_none/merge", "POST", { issues: ["i1_x"] }, 404],
    ["no state", "/api/issues/i1_none", "PATCH", { state: "regressed" }, 400],
    ["a release without resolving", "/api/issues/i1_none", "PATCH", { in_release: "1" }, 400],
    ["a rule without a condition", "/api/issues/settings", "PUT", {
      rules: [{ match: {}, fingerprint: "x" }],
    }, 400],
    ["an unknown channel", "/api/issues/settings", "PUT", { channels: ["none"] }, 400],
  ];
  test.each(cases)("%s", async (_name, path, method, body, status) => {
    expect((await ask(path, method, body)).status).toBe(status);
  });

  test("another project's issue, and a key that only reads", async () => {
    const { id } = (await issueAt("find"))!;
    expect((await ask(`/api/issues/${id}`, "GET", undefined, "bank")).status).toBe(404);
    expect((await ask(`/api/issues/${id}`, "PATCH", { state: "open" }, "bank")).status).toBe(404);
    expect((await ask("/api/issues", "GET", undefined, "bank")).body).toMatchObject({ total: 0 });
    const made = await ask("/api/keys", "POST", { project_id: "shop", scopes: ["read"] });
    const secret = String(made.body.key ?? made.body.secret);
    const as = (method: string) =>
      fetch(`${server.url}/api/issues/${id}`, {
        method,
        headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
        ...method === "PATCH" ? { body: JSON.stringify({ state: "open" }) } : {},
      });
    expect((await as("GET")).status).toBe(200);
    expect((await as("PATCH")).status).toBe(403);
  });
});
