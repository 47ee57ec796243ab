// The built binary is killed at system calls: before a write, a sync, a rename, a deletion, of the
// log, of Parquet, of the list of files, in the middle of a conversion, a merge or a recovery. Nothing
// acknowledged is lost or doubled. The seed reproduces which calls.
import { describe, expect, test } from "bun:test";
import { Random } from "../../src/std/random.ts";
import { temporaryFolder } from "../store/fixture.ts";
import { type RunningServer, startServer } from "./binary.ts";
import { canInject, faulty } from "./syscalls.ts";
import { busyEnv, expectAll, Writer } from "./writers.ts";

/** More with WATCHLLM_TEST_DOOMS, for a soak. */
const rounds = Number(process.env.WATCHLLM_TEST_DOOMS ?? 6);
const seed = Number(process.env.SEED ?? 20261124);
/** A server whose call never comes is killed like any other. */
const livesMsMax = 3000;
const roundsPerCheck = 25;

/** Calls, and up to how many of one thread are let through. */
const calls: readonly (readonly [weight: number, call: string, most: number])[] = [
  [4, "fdatasync", 30],
  [4, "fsync", 12],
  [4, "pwrite64", 60],
  [3, "write", 150],
  [3, "rename", 4],
  [3, "unlink", 8],
  [1, "ftruncate", 2],
  [1, "mkdir", 4],
  [2, "openat", 60],
];

describe.skipIf(!canInject)("killed at a system call", () => {
  test(`nothing acknowledged is lost or doubled, seed ${seed}`, async () => {
    const random = new Random(seed);
    const folder = temporaryFolder();
    const team = [0, 1].map((at) => new Writer(`client${at}`));
    const deaths = new Map<string, number>();
    try {
      for (let round = 1; round <= rounds; round++) {
        const [, call, most] = random.weighted(calls.map((one) => [one[0], one] as const));
        const fault = `${call}:signal=SIGKILL:when=${random.integer(1, most)}`;
        const server = await started(folder.path, fault);
        if (server !== null) {
          const isKilledLate = new Promise<boolean>((resolve) => {
            const late = setTimeout(() => resolve(true), livesMsMax);
            server.process.exited.then(() => {
              clearTimeout(late);
              resolve(false);
            });
          });
          const writing = team.map((writer) => writer.write(server.url));
          if (!(await isKilledLate)) deaths.set(call, (deaths.get(call) ?? 0) + 1);
          await server.kill();
          await Promise.all(writing);
        } else deaths.set(`${call} at start`, (deaths.get(`${call} at start`) ?? 0) + 1);
        if (round % roundsPerCheck === 0 || round === rounds) {
          const whole = await startServer({ dataDir: folder.path, env: busyEnv });
          const stored = await expectAll(whole, team);
          expect(await whole.stop()).toBe(0);
          console.log(
            `round ${round}: ${stored} events; ${
              [...deaths].map(([at, count]) => `${at} ${count}`).join(", ")
            }`,
          );
        }
      }
      expect(deaths.size).toBeGreaterThan(1);
    } finally {
      folder.remove();
    }
  }, 60_000 + rounds * 10_000);
});

/** Null when it was killed before it was ready. */
async function started(dataDir: string, fault: string): Promise<RunningServer | null> {
  try {
    return await startServer({ dataDir, env: busyEnv, command: await faulty(fault) });
  } catch (error) {
    if (/was ended by SIGKILL|exit code/.test(String(error))) return null;
    throw error;
  }
}
