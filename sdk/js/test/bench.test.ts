// The benchmark runs, so that it does not rot; its figures are for people.
import { expect, test } from "bun:test";
import { measure } from "../bench/overhead.ts";

test("the benchmark runs in both hosts and loses nothing", async () => {
  const { overheads } = await measure(1000);
  expect(overheads.map(({ host }) => host)).toEqual(["node", "bun"]);
  for (const overhead of overheads) {
    expect(overhead.dropped).toEqual({});
    expect(overhead.log_us).toBeGreaterThan(0);
  }
}, 60_000);
