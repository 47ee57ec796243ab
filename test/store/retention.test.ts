// Retention: what is too old goes, by project and environment, and nothing else does; the bound of
// the disk takes the oldest days first. Each is written down, and safe against a crash at any moment.
import { afterEach, expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Expired, expiredOf, policyOf, type RetentionPolicy } from "../../src/store/retain.ts";
import { type OpenStore, openStore, temporaryFolder } from "./fixture.ts";

const nowMs = Date.parse("2026-02-10T12:00:00Z");
const clock = { nowMs: () => nowMs };

const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function folder(): string {
  const { path, remove } = temporaryFolder();
  cleanups.push(remove);
  return path;
}

async function open(path: string): Promise<OpenStore> {
  const opened = await openStore(path, { clock });
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    await opened.close();
  };
  cleanups.push(close);
  return { ...opened, close };
}

/** Null when a file went while it was copied: threads write and rename, only commits wait. */
function crash(path: string): string | null {
  const copy = folder();
  try {
    cpSync(path, copy, { recursive: true });
    return copy;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

const policies: [
  what: string,
  policy: RetentionPolicy,
  date: string,
  expected: "nothing" | "everything" | string,
][] = [
  ["the last day that is kept", { days: 10, environments: {} }, "2026-01-31", "nothing"],
  ["the first that is not", { days: 10, environments: {} }, "2026-01-30", "everything"],
  ["for ever", { days: 0, environments: {} }, "1970-01-01", "nothing"],
  ["today", { days: 1, environments: {} }, "2026-02-10", "nothing"],
  [
    "an environment for less",
    { days: 10, environments: { dev: 1 } },
    "2026-02-08",
    "env IN ('dev')",
  ],
  [
    "an environment for longer",
    { days: 10, environments: { "it's": 20, dev: 1 } },
    "2026-01-30",
    "env IS NULL OR env NOT IN ('it''s')",
  ],
  [
    "an environment for ever",
    { days: 10, environments: { prod: 0 } },
    "2000-01-01",
    "env IS NULL OR env NOT IN ('prod')",
  ],
  ["all of them", { days: 10, environments: { dev: 1, prod: 20 } }, "2026-01-01", "everything"],
];

for (const [what, policy, date, expected] of policies) {
  test(`retain: ${what}`, () => {
    const expired: Expired = expiredOf(policy, date, nowMs);
    expect(typeof expired === "object" ? expired.rows : expired).toBe(expected);
  });
}

const settings: [what: string, setting: unknown, expected: RetentionPolicy][] = [
  ["none is the server's", null, { days: 90, environments: {} }],
  ["null days are the server's", { days: null, environments: { dev: 7 } }, {
    days: 90,
    environments: { dev: 7 },
  }],
  ["its own", { days: 7, environments: {} }, { days: 7, environments: {} }],
  ["one that cannot be read deletes nothing", { days: "7" }, { days: 0, environments: {} }],
];

for (const [what, setting, expected] of settings) {
  test(`retain: a setting, ${what}`, () => expect(policyOf(setting, 90)).toEqual(expected));
}

const event = (event_id: string, day: string, env?: string) => ({
  event_id,
  event_type: "span",
  timestamp: `2026-${day}T23:59:59Z`,
  input: event_id.repeat(100),
  ...env === undefined ? {} : { env },
});

const all = [
  event("old-dev", "01-20", "dev"),
  event("old-prod", "01-20", "prod"),
  event("old-none", "01-20"),
  event("mid-dev", "02-05", "dev"),
  event("mid-prod", "02-05", "prod"),
  event("new-dev", "02-10", "dev"),
];
const policy = (project_id: string): RetentionPolicy =>
  project_id === "shop"
    ? { days: 10, environments: { dev: 3, prod: 60 } }
    : { days: 0, environments: {} };
const kept = ["mid-prod", "new-dev", "old-prod"];

async function fill({ send, store }: OpenStore): Promise<void> {
  await send(all.slice(0, 4));
  await store.flush();
  await send(all.slice(4));
  await send(all, "bank");
  await store.flush();
}

test("retention: by project and environment, written down, and found clean after that", async () => {
  const path = folder();
  const opened = await open(path);
  await fill(opened);
  expect(await opened.store.retention.look("shop", policy("shop"))).toBe(3);
  const dropped = await opened.store.retention.expire(policy);
  expect(dropped.map(({ reason, project_id, date, rows }) => [reason, project_id, date, rows]))
    .toEqual([["retain", "shop", "2026-01-20", 2], ["retain", "shop", "2026-02-05", 1]]);
  expect(dropped.every(({ bytes }) => bytes > 0)).toBe(true);
  expect(await opened.ids()).toEqual(kept);
  expect(await opened.ids("bank")).toEqual(all.map(({ event_id }) => event_id).toSorted());
  const version = opened.store.status().manifest_version;
  expect(await opened.store.retention.expire(policy)).toEqual([]);
  expect(opened.store.status().manifest_version).toBe(version);
  await opened.close();
  const again = await open(path);
  expect(
    again.store.dropped("shop").map(({ date, rows, dropped_at_ms }) => [date, rows, dropped_at_ms]),
  )
    .toEqual([["2026-02-05", 1, nowMs], ["2026-01-20", 2, nowMs]]);
  expect(again.store.dropped("bank")).toEqual([]);
  expect(await again.ids()).toEqual(kept);
});

test("retention: a crash at any moment, and it goes on", async () => {
  const path = folder();
  const opened = await open(path);
  await fill(opened);
  const crashes: string[] = [];
  let done = false;
  const expiring = opened.store.retention.expire(policy).then(() => done = true);
  while (!done) {
    const copy = crash(path);
    if (copy !== null) crashes.push(copy);
    await new Promise((next) => setImmediate(next));
  }
  await expiring;
  // The first, the last, and some between.
  const chosen = crashes.filter((_, at) =>
    at === crashes.length - 1 || at % Math.ceil(crashes.length / 6) === 0
  );
  for (const copy of chosen) {
    const again = await open(copy);
    const ids = await again.ids();
    expect(new Set(ids).size).toBe(ids.length);
    expect(kept.filter((id) => !ids.includes(id))).toEqual([]);
    await again.store.retention.expire(policy);
    expect(await again.ids()).toEqual(kept);
    await again.close();
  }
});

test("retention: what was set aside is kept no longer", async () => {
  const path = folder();
  const opened = await open(path);
  await fill(opened);
  const quarantine = join(path, "quarantine");
  mkdirSync(quarantine, { recursive: true });
  for (const [name, at] of [["old", "2025-01-01"], ["new", "2026-02-01"]] as const) {
    const file = join(quarantine, `${name}.ndjson`);
    writeFileSync(file, "{}\n");
    utimesSync(file, new Date(at), new Date(at));
  }
  // The bank keeps for ever, and nobody knows whose the pieces are.
  await opened.store.retention.expire(policy);
  expect(readdirSync(quarantine).toSorted()).toEqual(["new.ndjson", "old.ndjson"]);
  await opened.store.retention.expire(() => ({ days: 30, environments: {} }));
  expect(readdirSync(quarantine)).toEqual(["new.ndjson"]);
});

test("disk: the oldest days go first, of every project, and today's never", async () => {
  const opened = await open(folder());
  await fill(opened);
  const { store } = opened;
  expect(await store.retention.keepUnder(0)).toEqual([]);
  expect(store.retention.disk).toMatchObject({ bytesMax: 0, isOver: false });
  const { bytes } = store.retention.disk!;
  expect(await store.retention.keepUnder(bytes)).toEqual([]);
  const first = await store.retention.keepUnder(bytes - 1);
  expect(first.map(({ reason, project_id, date, rows }) => [reason, project_id, date, rows]))
    .toEqual([["disk", "bank", "2026-01-20", 3], ["disk", "shop", "2026-01-20", 3]]);
  expect(await opened.ids()).toEqual(["mid-dev", "mid-prod", "new-dev"]);
  const rest = await store.retention.keepUnder(1);
  expect(rest.map(({ date }) => date)).toEqual(["2026-02-05", "2026-02-05"]);
  expect(await opened.ids()).toEqual(["new-dev"]);
  expect(store.retention.disk).toMatchObject({ isOver: true, bytesMax: 1 });
  expect(await store.retention.keepUnder(1)).toEqual([]);
});

test("disk: blobs count, and go with the days that named them", async () => {
  const path = folder();
  const opened = await open(path);
  const { store } = opened;
  const keep = async (day: string) => {
    const bytes = Buffer.alloc(100_000, day);
    const sha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
    const release = await store.keepBlobs("shop", [{ sha256, bytes } as never]);
    const { timestamp, ...rest } = event(day, day);
    const line = {
      ...rest,
      project_id: "shop",
      timestamp,
      received_at: timestamp,
      blobs: [sha256],
    };
    await store.append(`${JSON.stringify(line)}\n`, 1);
    release();
    return join(path, "blobs/project_id=shop", sha256.slice(0, 2), sha256);
  };
  const files = [await keep("02-01"), await keep("02-02"), await keep("02-10")];
  await store.flush();
  await store.retention.keepUnder(250_000);
  // One day was enough: it is looked at again after each.
  expect(await opened.ids()).toEqual(["02-02", "02-10"]);
  expect(files.map((file) => existsSync(file))).toEqual([false, true, true]);
});
