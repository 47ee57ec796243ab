// The benchmark of alert rules is run tiny, so that it never rots; its figures mean nothing here.
import { expect, test } from "bun:test";
import { join } from "node:path";

test("a thousand rules are measured beside one hand-written query", async () => {
  const script = join(import.meta.dir, "../../scripts/bench/alerts.ts");
  const run = Bun.spawn([process.execPath, script, "--tiny"], { stdout: "pipe", stderr: "pipe" });
  const [code, output, errors] = await Promise.all([
    run.exited,
    new Response(run.stdout).text(),
    new Response(run.stderr).text(),
  ]);
  expect([code, errors]).toEqual([0, ""]);
  expect(output).toMatch(/one hand-written query: [\d.]+ ms/);
  for (
    const name of [
      "one question, other thresholds",
      "as people have them",
      "a filter each",
      "a user each",
    ]
  ) {
    expect(output).toMatch(
      new RegExp(
        `50 rules, ${name}: [\\d.]+ ms a tick, [\\d.]+ of the query, [\\d.]+ % of one core`,
      ),
    );
  }
}, 120_000);
