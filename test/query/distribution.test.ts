import { expect, test } from "bun:test";
import { Distributions, stretchesOf } from "../../src/query/distribution.ts";

const explicit = (bounds: number[], counts: number[]) => JSON.stringify({ bounds, counts });
const exponential = (scale: number, offset: number, counts: number[], zero_count = 0) =>
  JSON.stringify({
    scale,
    zero_count,
    positive: { offset, counts },
    negative: { offset: 0, counts: [] },
  });

function check(
  name: string,
  parts: [text: string, before?: string][],
  expected: (number | null)[],
): void {
  test(`quantiles: ${name}`, () => {
    const all = new Distributions();
    for (const [text, before] of parts) all.add(stretchesOf(text, before ?? null) ?? []);
    const found = all.quantiles([0.25, 0.5, 1]);
    expect(found.map((one) => one === null ? null : Math.round(one * 1000) / 1000)).toEqual(
      expected,
    );
  });
}

check("nothing is not known", [[explicit([1], [0, 0])]], [null, null, null]);
check("spread evenly within a bucket", [[explicit([0, 100], [0, 8, 0])]], [25, 50, 100]);
check("the first bucket starts at zero", [[explicit([10], [4, 0])]], [2.5, 5, 10]);
check("the last bucket has no end: its start is all that is known", [
  [explicit([10], [0, 4])],
], [10, 10, 10]);
check("before is taken off", [[explicit([0, 100], [0, 12, 9]), explicit([0, 100], [0, 4, 9])]], [
  25,
  50,
  100,
]);
check("other bounds than before: all of it is new", [
  [explicit([0, 100], [0, 8, 0]), explicit([0, 50], [0, 8, 0])],
], [25, 50, 100]);
check("histograms of different bounds are laid on one another", [
  [explicit([0, 100], [0, 10, 0])],
  [explicit([0, 50, 100], [0, 10, 0, 0])],
], [16.667, 33.333, 100]);
check("exponential, scale 0: (1, 2], (2, 4]", [[exponential(0, 0, [2, 2])]], [1.5, 2, 4]);
check("exponential: zeroes", [[exponential(0, 0, [1], 3)]], [0, 0, 2]);
check("exponential: before of a finer scale", [
  [exponential(0, 0, [4, 2]), exponential(1, 0, [1, 1, 1, 1])],
], [1.25, 1.5, 2]);
for (
  const text of [
    "",
    "[]",
    "null",
    '{"bounds":[1],"counts":[1]}',
    '{"bounds":["x"],"counts":[1,2]}',
    '{"quantiles":[]}',
  ]
) check(`${JSON.stringify(text)} says nothing`, [[text]], [null, null, null]);

test("quantiles: hostile exponential histograms take bounded work", () => {
  const all = new Distributions();
  const counts = Array(20_000).fill(1);
  for (const offset of [-10_000, 0, 2 ** 31 - 1]) {
    all.add(stretchesOf(exponential(20, offset, counts), null) ?? []);
    all.add(stretchesOf(exponential(-2_000_000_000, offset, counts), null) ?? []);
  }
  expect(all.quantiles([0.5])[0]).toBeGreaterThanOrEqual(0);
});
