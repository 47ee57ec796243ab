// Numbers as words: the digits that matter, and unknown never as zero.
import { describe, expect, test } from "bun:test";
import { ago, bytes, dollars, duration, exact, percent, short } from "../../web/parts/format.ts";

type Case = [format: (value: never) => string, value: unknown, text: string];
const cases: Case[] = [
  [exact, 1037334, "1,037,334"],
  [exact, null, "unknown"],
  [short, 9999, "9,999"],
  [short, 12_345, "12.3K"],
  [short, null, "–"],
  [duration, 0, "0 ms"],
  [duration, 0.41, "0.4 ms"],
  [duration, 842.3, "842 ms"],
  [duration, 999.6, "1.00 s"],
  [duration, 1317, "1.32 s"],
  [duration, 36_100, "36.1 s"],
  [duration, 123_000, "2 min 03 s"],
  [duration, 3_840_000, "1 h 04 min"],
  [duration, null, "–"],
  [dollars, null, "unknown"],
  [dollars, 0, "$0"],
  [dollars, 0.0000862, "$0.000086"],
  [dollars, 0.0000001, "<$0.000001"],
  [dollars, 0.0054381, "$0.005438"],
  [dollars, 0.25, "$0.2500"],
  [dollars, 1.75968775, "$1.76"],
  [dollars, 1234.5, "$1,234.50"],
  [percent, 0.0525, "5.3%"],
  [percent, 0, "0%"],
  [percent, 0.0001, "<0.1%"],
  [percent, null, "unknown"],
  [bytes, 1_048_576, "1.0 MB"],
];

describe("values", () => {
  test.each(cases)("%p of %p", (format, value, text) => {
    expect(format(value as never)).toBe(text);
  });
});

describe("ages", () => {
  const now = Date.parse("2026-01-31T12:00:00Z");
  const ages: [iso: string, text: string][] = [
    ["2026-01-31T12:00:05Z", "now"],
    ["2026-01-31T11:59:48Z", "12 s ago"],
    ["2026-01-31T11:55:00Z", "5 min ago"],
    ["2026-01-30T12:00:00Z", "24 h ago"],
    ["2026-01-21T12:00:00Z", "10 d ago"],
    ["2025-01-21T12:00:00Z", "2025-01-21"],
  ];
  test.each(ages)("%s", (iso, text) => {
    expect(ago(iso, now)).toBe(text);
  });
});
