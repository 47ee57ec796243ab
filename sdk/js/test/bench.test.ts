// The benchmark runs, so that it does not rot; its figures are for people. The SDKs of others, which
// take most of its time, are tried by `deno task test:frameworks`.
import { expect, test } from "bun:test";
import { measure } from "../bench/overhead.ts";
import { triedSet } from "./libraries/install.ts";

test("the benchmark runs in both hosts and loses nothing", async () => {
  const overheads = await measure(500, triedSet === "newest" ? "own" : "with others");
  const ran = (wanted: string) => overheads.filter(({ host }) => host === wanted).length;
  expect([ran("node"), ran("bun")]).toEqual(triedSet === "newest" ? [6, 6] : [9, 6]);
  for (const { dropped, best_us } of overheads) {
    expect(dropped).toEqual({});
    expect(best_us).toBeGreaterThan(0);
  }
}, 180_000);
