// Full disks, read-only disks and the end of the process, with real processes on a real file system.
import { afterEach, expect, test } from "bun:test";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../store/fixture.ts";
import { fromSource, type RunningServer, startServer } from "./binary.ts";

const key = "a-key-for-the-tests-only";
const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
const env = { WATCHLLM_INIT_PROJECT: "shop", WATCHLLM_INIT_KEY: key };
const recoverMsMax = 30_000;

const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function folder(): string {
  const { path, remove } = temporaryFolder();
  cleanups.push(remove);
  return path;
}

async function start(dataDir: string, more: Record<string, string> = {}): Promise<RunningServer> {
  const server = await startServer({
    dataDir,
    command: fromSource,
    env: { ...env, ...more },
    cwd: "/",
  });
  cleanups.push(() => server.kill());
  return server;
}

/** A small disk of its own; null where this user may not mount one. */
function smallDisk(megabytes: number): string | null {
  const path = folder();
  const mount = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", path]);
  if (!mount.success) {
    console.error("Left out: this user may not mount a small disk.");
    return null;
  }
  cleanups.push(() => void Bun.spawnSync(["umount", "-l", path]));
  return path;
}

let sent = 0;

/** Sends a batch of about 100 KB; the ids when it was accepted, otherwise the status. */
async function send(server: RunningServer): Promise<string[] | number> {
  const events = Array.from({ length: 100 }, () => ({
    event_id: `fault-${sent++}`,
    event_type: "span",
    input: crypto.getRandomValues(new Uint8Array(700)).toBase64(),
  }));
  const response = await fetch(`${server.url}/v1/events`, {
    method: "POST",
    headers,
    body: JSON.stringify(events),
  });
  await response.arrayBuffer();
  return response.status === 202 ? events.map((event) => event.event_id) : response.status;
}

async function storedIds(server: RunningServer): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const response = await fetch(
      `${server.url}/api/events?view=light&limit=1000&cursor=${cursor}`,
      { headers },
    );
    expect(response.status).toBe(200);
    const page = await response.json() as {
      events: { event_id: string }[];
      next_cursor: string | null;
    };
    ids.push(...page.events.map((event) => event.event_id));
    cursor = page.next_cursor;
  }
  return ids.sort();
}

async function until(what: string, done: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + recoverMsMax;
  while (!(await done())) {
    if (performance.now() > deadline) throw new Error(`Not in time: ${what}`);
    await Bun.sleep(50);
  }
}

const readiness = async (server: RunningServer) => (await fetch(`${server.url}/readyz`)).status;

test("faults: SIGTERM under load ends well, and all of it is in Parquet", async () => {
  const dataDir = folder();
  const server = await start(dataDir);
  const acknowledged: string[] = [];
  let stopping = false;
  const writing = Array.from({ length: 4 }, async () => {
    while (!stopping) {
      const result = await send(server).catch(() => 0);
      if (typeof result !== "number") acknowledged.push(...result);
    }
  });
  const live = await fetch(`${server.url}/api/live`, { headers });
  await until("some events", () => Promise.resolve(acknowledged.length > 2000));
  const ended = server.stop();
  expect(await ended).toBe(0);
  stopping = true;
  await Promise.all(writing);
  // The stream of a reader ends with the server.
  await live.text().catch(() => "");
  expect(readdirSync(join(dataDir, "log"))).toEqual([]);
  const again = await start(dataDir);
  const stored = await storedIds(again);
  expect(stored.length).toBe(new Set(stored).size);
  const found = new Set(stored);
  expect(acknowledged.filter((id) => !found.has(id))).toEqual([]);
}, 120_000);

test(
  "faults: a full disk refuses before it acknowledges, and takes events again when there is room",
  async () => {
    const disk = smallDisk(40);
    if (disk === null) return;
    const dataDir = join(disk, "data");
    const ballast = join(disk, "ballast");
    const server = await start(dataDir, { WATCHLLM_DISK_FREE_BYTES_MIN: "0" });
    const acknowledged: string[] = [];
    const take = async () => {
      const result = await send(server);
      if (typeof result !== "number") acknowledged.push(...result);
      return result;
    };
    await take();
    writeFileSync(ballast, new Uint8Array(28 * 1024 * 1024));
    let refusal: string[] | number = [];
    await until("the disk is full", async () => typeof (refusal = await take()) === "number");
    expect<unknown>(refusal).toBe(507);
    expect(await storedIds(server)).toEqual(acknowledged.toSorted());
    rmSync(ballast);
    await until("events are taken again", async () => typeof await take() !== "number");
    expect(await storedIds(server)).toEqual(acknowledged.toSorted());
    await server.kill();
    const again = await start(dataDir, { WATCHLLM_DISK_FREE_BYTES_MIN: "0" });
    expect(await storedIds(again)).toEqual(acknowledged.toSorted());
  },
  120_000,
);

test("faults: below the floor of free bytes nothing is taken, and probes say so", async () => {
  const disk = smallDisk(64);
  if (disk === null) return;
  const ballast = join(disk, "ballast");
  const server = await start(join(disk, "data"), { WATCHLLM_DISK_FREE_BYTES_MIN: "20MiB" });
  writeFileSync(ballast, new Uint8Array(45 * 1024 * 1024));
  await until("the guard closes", async () => await readiness(server) === 503);
  expect(await send(server)).toBe(507);
  rmSync(ballast);
  await until("the guard opens", async () => await readiness(server) === 200);
  expect(typeof await send(server)).not.toBe("number");
}, 60_000);

test("faults: a log that turns read-only refuses, and nothing acknowledged is lost", async () => {
  const disk = smallDisk(64);
  if (disk === null) return;
  const dataDir = join(disk, "data");
  mkdirSync(dataDir);
  const server = await start(dataDir);
  const acknowledged = await send(server) as string[];
  // A second mount of the folder over itself: files that are open stay so, new ones are refused.
  const log = join(dataDir, "log");
  expect(Bun.spawnSync(["mount", "--bind", log, log]).success).toBe(true);
  const unmount = () => Bun.spawnSync(["umount", "-l", log]).success;
  cleanups.push(() => void unmount());
  expect(Bun.spawnSync(["mount", "-o", "remount,bind,ro", log]).success).toBe(true);
  let result: string[] | number = 0;
  const refused = async () => {
    result = await send(server);
    if (typeof result !== "number") acknowledged.push(...result);
    return typeof result === "number";
  };
  await until("the log refuses", refused);
  expect<unknown>(result).toBe(503);
  expect(await storedIds(server)).toEqual(acknowledged.toSorted());
  expect(unmount()).toBe(true);
  await until("events are taken again", async () => !(await refused()));
  expect(await storedIds(server)).toEqual(acknowledged.toSorted());
}, 60_000);

test("faults: a file of the lake that the disk spoiled is left out and told of, the rest is served", async () => {
  const dataDir = folder();
  const server = await start(dataDir, { WATCHLLM_FLUSH_INTERVAL_S: "1" });
  const status = async () =>
    await (await fetch(`${server.url}/api/status`, { headers })).json() as Record<string, number>;
  const flushed = async (files: number) => {
    for (const deadline = performance.now() + recoverMsMax; (await status()).files !== files;) {
      if (performance.now() > deadline) throw new Error(`No ${files} files in time`);
      await Bun.sleep(50);
    }
  };
  const parquet = () =>
    readdirSync(join(dataDir, "events"), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".parquet")).map((name) => join(dataDir, "events", name));
  await send(server);
  await flushed(1);
  const [first] = parquet();
  const kept = await send(server) as string[];
  await flushed(2);
  writeFileSync(first!, "spoiled");
  expect(await storedIds(server)).toEqual(kept.toSorted());
  expect(await status()).toMatchObject({ damaged_files: 1, damaged_rows: 100, files: 1 });
  expect(await (await fetch(`${server.url}/metrics`, { headers })).text())
    .toContain("watchllm_damaged_files 1");
  expect(server.output()).toContain("its 100 rows are left out");
  expect(readdirSync(join(dataDir, "quarantine"))).toHaveLength(1);
  // Another engine that reads the folder meets no damaged file.
  expect(parquet()).toHaveLength(1);
});
