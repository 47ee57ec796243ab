import { expect, test } from "bun:test";
import { countTick, formatOf } from "../../web/parts/unit.ts";

const cases: [unit: string | null, value: number | null, expected: string][] = [
  ["s", 0.25, "250 ms"],
  ["s", 90, "1 min 30 s"],
  ["ms", 1500, "1.50 s"],
  ["ms", -20, "−20 ms"],
  ["By", 2048, "2.0 KB"],
  ["MiBy", 3, "3.0 MB"],
  ["USD", 0.5, "$0.5000"],
  ["%", 12.345, "12.35%"],
  ["{token}", 1234567, "1,234,567 token"],
  ["tokens", 10, "10 tokens"],
  ["1", 0.123456, "0.1235"],
  [null, 7, "7"],
  ["Cel", -4.5, "-4.5 Cel"],
  ["s", null, "–"],
  ["{token}", null, "–"],
];

for (const [unit, value, expected] of cases) {
  test(`unit: ${value} of ${unit} is ${expected}`, () => {
    expect(formatOf(unit).full(value)).toBe(expected);
  });
}

test("unit: an axis has short words", () => {
  expect(formatOf("{token}").tick(1_250_000)).toBe("1.25M");
  expect(formatOf("s").tick(2)).toBe("2 s");
  expect(formatOf("s").tick(0.05)).toBe("50 ms");
  expect([0, 0.5, 1].map(countTick)).toEqual(["0", "", "1"]);
});
