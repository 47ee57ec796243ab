// The benchmark runs, so that it does not rot; its figures are for people.
import { expect, test } from "bun:test";
import { measure } from "../bench/overhead.ts";

test("the benchmark runs in both hosts and loses nothing", async () => {
  const overheads = await measure(500);
  expect(overheads.filter(({ host }) => host === "node")).toHaveLength(9);
  expect(overheads.filter(({ host }) => host === "bun")).toHaveLength(6);
  for (const { dropped, best_us } of overheads) {
    expect(dropped).toEqual({});
    expect(best_us).toBeGreaterThan(0);
  }
}, 90_000);
