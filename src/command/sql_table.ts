// Rows of an answer as a table for people: numbers to the right, long cells cut to the terminal.
import type { Column } from "../store/sandbox.ts";

export type Cell = unknown;

/** A column is not made narrower than this to fit others in. */
const widthMin = 8;
const gap = "  ";
const cut = "…";

/** `width` is the terminal's; null cuts nothing. Columns that do not fit are named in `left_out`. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  width: number | null,
): { text: string; left_out: string[] } {
  const headings = columns.map(({ name }) => printable(name));
  const cells = rows.map((row) => row.map(cellText));
  const natural = headings.map((heading, at) =>
    cells.reduce((most, row) => Math.max(most, Bun.stringWidth(row[at]!)), Bun.stringWidth(heading))
  );
  const widths = width === null ? natural : fit(natural, width);
  const rightward = columns.map(({ type }) => isNumeric(type));
  const line = (texts: readonly string[]) =>
    widths.map((room, at) => pad(texts[at]!, room, rightward[at]!)).join(gap).trimEnd();
  const rule = widths.map((room) => "─".repeat(room)).join(gap);
  return {
    text: [line(headings), rule, ...cells.map(line)].join("\n"),
    left_out: columns.slice(widths.length).map(({ name }) => name),
  };
}

/** Takes room from the widest column until all fit; then leaves out columns from the right. */
function fit(natural: readonly number[], width: number): number[] {
  let shown = natural.length;
  const least = (count: number) =>
    natural.slice(0, count).reduce((sum, room) => sum + Math.min(room, widthMin) + gap.length, 0) -
    gap.length;
  while (shown > 1 && least(shown) > width) shown--;
  const widths = natural.slice(0, shown);
  const room = Math.max(1, width - gap.length * (shown - 1));
  for (let over = sum(widths) - room; over > 0; over = sum(widths) - room) {
    const widest = Math.max(...widths);
    const second = Math.max(widthMin, ...widths.filter((each) => each < widest));
    const several = widths.filter((each) => each === widest).length;
    const less = Math.max(1, Math.min(widest - second, Math.ceil(over / several)));
    if (widest - less < 1) break;
    for (let at = 0; at < widths.length; at++) if (widths[at] === widest) widths[at]! -= less;
  }
  return widths;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function cellText(cell: Cell): string {
  if (cell === null) return "NULL";
  return printable(typeof cell === "string" ? cell : JSON.stringify(cell));
}

/** What an event contains must not steer the terminal, nor turn its text around. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+/gu, " ");
}

function pad(text: string, room: number, rightward: boolean): string {
  const width = Bun.stringWidth(text);
  if (width > room) return shorten(text, room);
  const space = " ".repeat(room - width);
  return rightward ? space + text : text + space;
}

function shorten(text: string, room: number): string {
  let kept = "";
  let width = 0;
  for (const { segment } of graphemes.segment(text)) {
    width += Bun.stringWidth(segment);
    if (width > room - 1) break;
    kept += segment;
  }
  return kept + cut + " ".repeat(Math.max(0, room - 1 - Bun.stringWidth(kept)));
}

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

function isNumeric(type: string): boolean {
  return /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|U?INTEGER|FLOAT|DOUBLE|DECIMAL\(\d+,\d+\)|BIGNUM)$/
    .test(type);
}
