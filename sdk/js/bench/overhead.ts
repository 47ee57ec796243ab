// What the SDK costs its program, in Node and in Bun, beside a bare push in the same run:
//   bun sdk/js/bench/overhead.ts [--calls=20000]
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildPackage, type Built, weigh } from "../build.ts";

export interface Overhead {
  host: string;
  /** Microseconds a call: pushing a copy of the object on a list. */
  push_us: number;
  /** `logPromptCall` without a DSN. */
  off_us: number;
  /** `logPromptCall` while events are sent. */
  log_us: number;
  /** The same within a run. */
  run_us: number;
  /** CPU time of an event from the call to the answer, with the receiving end in the same process. */
  cpu_us: number;
  dropped: Record<string, number>;
}

/** Calls are a multiple of 1,000. */
export async function measure(calls: number): Promise<{ built: Built; overheads: Overhead[] }> {
  const folder = mkdtempSync(join(tmpdir(), "aisentry-bench-"));
  try {
    await buildPackage(folder);
    const built = await weigh(folder);
    const overheads: Overhead[] = [];
    for (const [host, program] of [["node", "node"], ["bun", process.execPath]] as const) {
      const child = Bun.spawn([
        program,
        join(import.meta.dir, "calls.mjs"),
        join(folder, "index.js"),
        `${calls}`,
      ], { stdin: "ignore", stdout: "pipe", stderr: "inherit" });
      const text = await new Response(child.stdout).text();
      if (await child.exited !== 0) throw new Error(`The benchmark failed in ${host}.`);
      overheads.push({ host, ...JSON.parse(text) });
    }
    return { built, overheads };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { calls: { type: "string", default: "20000" } } });
  const { built, overheads } = await measure(Number(values.calls));
  console.table(overheads.map(({ dropped, ...times }) => ({
    ...Object.fromEntries(
      Object.entries(times).map(([name, value]) => [
        name,
        typeof value === "number" ? Number(value.toFixed(3)) : value,
      ]),
    ),
    dropped: Object.values(dropped).reduce((sum, count) => sum + count, 0),
  })));
  console.table([built]);
}
