// The table that people see: widths, cuts and what may not reach a terminal.
import { expect, test } from "bun:test";
import { type Cell, renderTable } from "../../src/command/sql_table.ts";

const text = (name: string) => ({ name, type: "VARCHAR" });
const number = (name: string) => ({ name, type: "BIGINT" });

const tables: [
  name: string,
  columns: ReturnType<typeof text>[],
  rows: Cell[][],
  width: number | null,
  lines: string[],
][] = [
  ["numbers to the right", [text("a"), number("n")], [["x", 5], ["y", 12345]], null, [
    "a      n",
    "─  ─────",
    "x      5",
    "y  12345",
  ]],
  ["no rows", [text("event_id")], [], null, ["event_id", "────────"]],
  ["null, lists and objects", [text("a")], [[null], [["x"]], [{ k: 1 }]], null, [
    "a",
    "───────",
    "NULL",
    '["x"]',
    '{"k":1}',
  ]],
  ["control characters", [text("a")], [["\u001b[31mred\nline\u202e"]], null, [
    "a",
    "──────────────",
    " [31mred line",
  ]],
  ["wide characters", [text("a"), text("b")], [["日本", "x"], ["é", "y"]], null, [
    "a     b",
    "────  ─",
    "日本  x",
    "é     y",
  ]],
  ["the widest is cut", [text("id"), text("prompt")], [["m1", "a long story about nothing"]], 20, [
    "id  prompt",
    "──  ────────────────",
    "m1  a long story ab…",
  ]],
  ["two are cut alike", [text("a"), text("b")], [["x".repeat(40), "y".repeat(30)]], 26, [
    "a             b",
    "────────────  ────────────",
    "xxxxxxxxxxx…  yyyyyyyyyyy…",
  ]],
  ["a cut between wide characters", [text("a")], [["日本語日本語"]], 8, [
    "a",
    "────────",
    "日本語…",
  ]],
];

test.each(tables)("%s", (_, columns, rows, width, lines) => {
  expect(renderTable(columns, rows, width).text.split("\n")).toEqual(lines);
});

test("columns that do not fit are named", () => {
  const columns = ["a", "b", "c", "d"].map((name) => text(name.repeat(10)));
  const { text: shown, left_out } = renderTable(columns, [], 20);
  expect(shown.split("\n")[0]).toBe("aaaaaaaa…  bbbbbbbb…");
  expect(left_out).toEqual(["cccccccccc", "dddddddddd"]);
});

test.each([1, 3, 10, 40, 80])("no line is wider than a terminal of %d", (width) => {
  const columns = Array.from({ length: 12 }, (_, at) => text(`column_${at}`));
  const rows = [columns.map((_, at) => "w".repeat(at * 7))];
  for (const line of renderTable(columns, rows, width).text.split("\n")) {
    expect(Bun.stringWidth(line)).toBeLessThanOrEqual(Math.max(width, 8));
  }
});
