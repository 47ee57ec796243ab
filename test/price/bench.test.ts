// The measurement is run tiny, so that it never rots; its figures mean nothing here.
import { expect, test } from "bun:test";
import { measurePricing } from "../../scripts/bench/price.ts";

test("pricing is measured", () => {
  const { known_per_s, unknown_per_s } = measurePricing(500);
  expect(known_per_s).toBeGreaterThan(0);
  expect(unknown_per_s).toBeGreaterThan(0);
});
