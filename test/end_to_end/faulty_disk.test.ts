// A disk that answers with errors, fills up, gets slow, or gives no more descriptors, while clients
// write to the built binary. What is acknowledged is there after a kill -9; what fails is refused
// with a reason, and when the disk is well again the same server takes events again.
import { describe, expect, test } from "bun:test";
import { temporaryFolder } from "../store/fixture.ts";
import { startServer } from "./binary.ts";
import { canInject, makeFaulty } from "./syscalls.ts";
import { busyEnv, expectAll, Writer } from "./writers.ts";

const busyMs = 1500;
const saidMsMax = 15_000;

/** A fault of strace; whether requests are refused meanwhile; what the server says of it. */
const faults: [what: string, fault: string, refuses: boolean, says: RegExp | null][] = [
  ["every third sync of the log fails", "fdatasync:error=EIO:when=3+3", true, /writing the log/],
  ["the disk is full", "fdatasync:error=ENOSPC", true, /ENOSPC/],
  ["every sync takes a fifth of a second", "fdatasync:delay_enter=200000", false, null],
  ["files cannot be renamed", "rename:error=EIO", false, /EIO/],
  ["files cannot be synced", "fsync:error=EIO", true, /EIO/],
  ["no more files can be opened", "openat:error=EMFILE", true, /EMFILE|Too many open files/],
  ["nothing can be deleted", "unlink:error=EIO", false, null],
];

describe.skipIf(!canInject)("faulty disk", () => {
  for (const [what, fault, refuses, says] of faults) {
    test(what, async () => {
      const folder = temporaryFolder();
      const refused: number[] = [];
      const team = [0, 1].map((at) =>
        new Writer(`client${at}`, (status) => {
          if (status >= 500) refused.push(status);
          return status >= 500;
        })
      );
      const server = await startServer({ dataDir: folder.path, env: busyEnv });
      const write = async () => {
        const until = performance.now() + busyMs;
        const before = team.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0);
        await Promise.all(
          team.map((writer) => writer.write(server.url, () => performance.now() > until)),
        );
        return team.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0) - before;
      };
      try {
        const heal = await makeFaulty(server.process.pid, fault);
        await write();
        // Some faults are met by what is done on a clock.
        for (
          const deadline = performance.now() + saidMsMax;
          says?.test(server.output()) === false;
        ) {
          if (performance.now() > deadline) break;
          await Bun.sleep(50);
        }
        await heal();
        expect([server.process.exitCode, server.process.signalCode]).toEqual([null, null]);
        expect([what, refused.length > 0]).toEqual([what, refuses]);
        const wrong = refused.filter((status) => ![500, 503, 507].includes(status));
        expect(wrong).toEqual([]);
        if (says !== null) expect(server.output()).toMatch(says);
        // The disk is well again: so is the server, without a restart.
        expect(await write()).toBeGreaterThan(0);
        await server.kill();
        const next = await startServer({ dataDir: folder.path, env: busyEnv });
        await expectAll(next, team);
        expect(await next.stop()).toBe(0);
      } finally {
        await server.kill();
        folder.remove();
      }
    }, 60_000);
  }
});
