// The simulated month is run as two days, so that it never rots: every incident is found, with fewer
// false alarms than fixed thresholds give.
import { expect, test } from "bun:test";
import { join } from "node:path";

test("every planted incident is found", async () => {
  const script = join(import.meta.dir, "../../scripts/alert_month.ts");
  const run = Bun.spawn([process.execPath, script, "--tiny"], { stdout: "pipe", stderr: "pipe" });
  const [code, output, errors] = await Promise.all([
    run.exited,
    new Response(run.stdout).text(),
    new Response(run.stderr).text(),
  ]);
  expect([code, errors]).toEqual([0, ""]);
  const totals = (name: string) =>
    new RegExp(`^${name}: (\\d) of 4 incidents found, (\\d+) false alarms, found after`, "m")
      .exec(output)?.slice(1).map(Number);
  const [found, falseAlarms] = totals("templates")!;
  expect(found).toBe(4);
  const [foundByNaive, falseOfNaive] = totals("mean and 3 deviations")!;
  expect(foundByNaive! <= found!).toBe(true);
  expect(falseAlarms!).toBeLessThan(falseOfNaive!);
}, 240_000);
