// The benchmark of redaction is run tiny, so that it never rots; its figures mean nothing here.
import { expect, test } from "bun:test";
import { join } from "node:path";

test("redaction is measured beside JSON and beside the way in without it", async () => {
  const script = join(import.meta.dir, "../../scripts/bench/redact.ts");
  const run = Bun.spawn([process.execPath, script, "--tiny"], { stdout: "pipe", stderr: "pipe" });
  const [code, output, errors] = await Promise.all([
    run.exited,
    new Response(run.stdout).text(),
    new Response(run.stderr).text(),
  ]);
  expect([code, errors]).toEqual([0, ""]);
  for (
    const name of ["1 KB of prose", "4 KB of prose", "1 KB of a tool's JSON", "1 KB, two findings"]
  ) {
    expect(output).toMatch(
      new RegExp(`${name}: redact [\\d.-]+ µs, .* of its rate with redaction`),
    );
  }
}, 60_000);
