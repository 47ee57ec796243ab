// The benchmark is run tiny, so that it never rots; its figures mean nothing here.
import { expect, test } from "bun:test";
import { join } from "node:path";

test("bench: every measurement is made beside its reference", async () => {
  const script = join(import.meta.dir, "../../scripts/bench.ts");
  const run = Bun.spawn([process.execPath, script, "--tiny"], { stdout: "pipe", stderr: "pipe" });
  const [code, output, errors] = await Promise.all([
    run.exited,
    new Response(run.stdout).text(),
    new Response(run.stderr).text(),
  ]);
  expect([code, errors]).toEqual([0, ""]);
  for (const name of ["batches of 100", "single events"]) {
    expect(output).toMatch(new RegExp(`ingest, ${name}: \\d+\\.\\d\\d of bare`));
  }
  for (const name of ["newest page", "run by id", "event by id", "metrics", "text search"]) {
    expect(output).toMatch(new RegExp(`${name}.*watchllm.*duckdb.*ratio \\d`));
  }
}, 120_000);
