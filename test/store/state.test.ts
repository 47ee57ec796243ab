// Projects with their settings, keys, sessions and secrets, as two processes see them.
import { afterEach, beforeEach, expect, test } from "bun:test";
import { join } from "node:path";
import { openState, sessionMs, type State } from "../../src/store/state.ts";
import { temporaryFolder } from "./fixture.ts";

const pollMs = 5;
const seenMsMax = 2000;

let folder: ReturnType<typeof temporaryFolder>;
let nowMs: number;
const open: State[] = [];
const clock = { nowMs: () => nowMs };

beforeEach(() => {
  folder = temporaryFolder();
  nowMs = Date.UTC(2026, 0, 31, 12);
});
afterEach(async () => {
  for (const state of open.splice(0)) await state.close();
  folder.remove();
});

async function start(): Promise<State> {
  const state = await openState(join(folder.path, "state.db"), { clock, pollMs });
  open.push(state);
  return state;
}

async function until(holds: () => boolean): Promise<void> {
  for (const deadline = performance.now() + seenMsMax; !holds();) {
    if (performance.now() > deadline) throw new Error(`Not within ${seenMsMax} ms: ${holds}`);
    await Bun.sleep(pollMs);
  }
}

const refusals: [string, string, string][] = [
  ["its name again", "shop", "project_exists"],
  ["its name in other letters", "SHOP", "project_exists"],
  ["a path", "../shop", "invalid_project_id"],
  ["nothing", "", "invalid_project_id"],
];
for (const [name, project_id, refused] of refusals) {
  test(`a project is refused: ${name}`, async () => {
    const state = await start();
    await state.createProject("shop");
    expect(await state.createProject(project_id)).toMatchObject({ refused });
    expect(state.projects).toHaveLength(1);
  });
}

test("a key opens its project until it is revoked, here and in another process", async () => {
  const [one, other] = [await start(), await start()];
  await one.createProject("shop");
  const key = await one.createKey({ project_id: "shop", scopes: ["read", "read"], name: "ci" });
  if ("refused" in key) throw new Error(key.message);
  expect(one.keyOf(key.secret)).toMatchObject({ project_id: "shop", scopes: ["read"], name: "ci" });
  await until(() => other.keyOf(key.secret) !== null);
  expect(JSON.stringify(other.keys)).not.toContain(key.secret);
  const taken = await one.createKey({ project_id: "shop", scopes: ["read"], secret: key.secret });
  expect(taken).toMatchObject({ refused: "key_taken" });
  expect(await one.createKey({ project_id: "bank", scopes: ["read"] }))
    .toMatchObject({ refused: "unknown_project" });
  await one.revokeKey(key.key_id);
  expect(one.keyOf(key.secret)).toBeNull();
  await until(() => other.keyOf(key.secret) === null);
  expect(await one.revokeKey("key_nobody")).toBeNull();
});

test("a session ends with its time, its key, and its logout", async () => {
  const state = await start();
  await state.createProject("shop");
  const key = await state.createKey({ project_id: "shop", scopes: ["read"] });
  if ("refused" in key) throw new Error(key.message);
  const begin = async () => {
    const session = await state.createSession(key.key_id);
    if ("refused" in session) throw new Error(session.message);
    expect(state.keyOfSession(session.token)?.key_id).toBe(key.key_id);
    return session.token;
  };
  const left = await begin();
  await state.endSession(left);
  expect(state.keyOfSession(left)).toBeNull();
  const old = await begin();
  nowMs += sessionMs;
  expect(state.keyOfSession(old)).toBeNull();
  const revoked = await begin();
  await state.revokeKey(key.key_id);
  expect(state.keyOfSession(revoked)).toBeNull();
});

test("a setting is the same object until it is set anew, and is seen elsewhere", async () => {
  const [one, other] = [await start(), await start()];
  await one.createProject("shop");
  expect(one.setting("shop", "prices")).toBeNull();
  await one.setSetting("shop", "prices", [{ match: "a" }]);
  const before = one.setting("shop", "prices");
  expect(before).toEqual([{ match: "a" }]);
  await one.setSetting("shop", "redaction", { mode: "mask" });
  expect(one.setting("shop", "prices")).toBe(before);
  await until(() => other.setting("shop", "redaction") !== null);
  await one.setSetting("shop", "prices", null);
  expect(one.setting("shop", "prices")).toBeNull();
  await until(() => other.setting("shop", "prices") === null);
});

test("a secret is made once, for every process and start", async () => {
  const [one, other] = [await start(), await start()];
  const [first, second] = await Promise.all([one.secret("redaction"), other.secret("redaction")]);
  expect(second).toBe(first);
  expect(first.length).toBeGreaterThan(20);
  expect(await one.secret("another")).not.toBe(first);
  await one.close();
  open.splice(open.indexOf(one), 1);
  expect(await (await start()).secret("redaction")).toBe(first);
});
