// The benchmark of OTLP is run tiny, so that it never rots; its figures mean nothing here.
import { expect, test } from "bun:test";
import { join } from "node:path";

test("bench: OTLP is measured beside its decoding", async () => {
  const script = join(import.meta.dir, "../../scripts/bench/otlp.ts");
  const run = Bun.spawn([process.execPath, script, "--tiny"], { stdout: "pipe", stderr: "pipe" });
  const [code, output, errors] = await Promise.all([
    run.exited,
    new Response(run.stdout).text(),
    new Response(run.stderr).text(),
  ]);
  expect([code, errors]).toEqual([0, ""]);
  for (const encoding of ["protobuf", "json"]) {
    expect(output).toMatch(new RegExp(`${encoding}, spans of 0.3 KB.*decoding alone +[\\d,]+`));
  }
  expect(output.match(/priced and redacted +[\d,]+ spans\/s +\d\.\d+ of decoding/g)).toHaveLength(
    2,
  );
}, 60_000);
