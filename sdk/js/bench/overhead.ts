// What the SDK costs its program, in Node and in Bun, beside a bare push of the same object and the
// SDKs of others, in one run:
//   bun sdk/js/bench/overhead.ts [--calls=20000]
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildPackage } from "../build.ts";
import { libraries } from "../test/libraries/install.ts";

export interface Overhead {
  host: "node" | "bun";
  subject: string;
  /** Microseconds a call, of the best and of the middle round. */
  best_us: number;
  median_us: number;
  /** Of the processor, of the middle round. */
  cpu_us: number;
  dropped: Record<string, number>;
}

const ours = [
  "push",
  "aisentry off",
  "aisentry log",
  "aisentry log in a span",
  "aisentry span",
  "aisentry observe",
];
const others = ["OpenTelemetry", "Langfuse", "Sentry"];

/** Calls are a multiple of 500. Only the own subjects need no library of others. */
export async function measure(calls: number, peers: "with others" | "own"): Promise<Overhead[]> {
  const folder = mkdtempSync(join(tmpdir(), "aisentry-bench-"));
  try {
    await buildPackage(folder);
    const beside = peers === "own" ? [] : others;
    const theirs = peers === "own" ? "" : await libraries("bench");
    const overheads: Overhead[] = [];
    for (const [host, program] of [["node", "node"], ["bun", process.execPath]] as const) {
      for (const subject of [...ours, ...(host === "node" ? beside : [])]) {
        const from = others.includes(subject) ? theirs : folder;
        const command = [program, join(import.meta.dir, "calls.mjs"), subject, from, `${calls}`];
        const child = Bun.spawn(command, {
          // The variables of the machine would change what is sent, and where.
          env: { PATH: process.env.PATH!, HOME: folder },
          stdin: "ignore",
          stdout: "pipe",
          stderr: "inherit",
        });
        const text = await new Response(child.stdout).text();
        if (await child.exited !== 0) throw new Error(`${subject} failed in ${host}.`);
        overheads.push({ host, subject, ...JSON.parse(text.trim().split("\n").at(-1)!) });
      }
    }
    return overheads;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { calls: { type: "string", default: "20000" } } });
  const overheads = await measure(Number(values.calls), "with others");
  console.table(overheads.map(({ best_us, median_us, cpu_us, dropped, ...rest }) => ({
    ...rest,
    best_us: Number(best_us.toFixed(2)),
    median_us: Number(median_us.toFixed(2)),
    cpu_us: Number(cpu_us.toFixed(2)),
    dropped: Object.values(dropped).reduce((sum, count) => sum + count, 0),
  })));
}
