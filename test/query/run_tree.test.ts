// The tree of a run, for producers that keep to the rules and for those that do not.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { treeOf } from "../../src/query/run_tree.ts";
import { checks } from "../check.ts";

/** `event span<parent`, in order of time; span and parent may be left out. */
function rowsOf(text: string) {
  return text.split(", ").map((part) => {
    const [event_id, spans = ""] = part.split(" ");
    const [span_id, parent_span_id] = spans.split("<");
    return {
      event_id,
      ...span_id ? { span_id } : {},
      ...parent_span_id ? { parent_span_id } : {},
    };
  });
}

/** One line an event, indented by depth; `?` marks a parent that is missing. */
function picture(text: string): string[] {
  return treeOf(rowsOf(text)).map(({ event_id, depth, parent_event_id, parent_missing }) =>
    `${" ".repeat(depth)}${event_id}${parent_missing ? "?" : ""}` +
    (parent_event_id === null ? "" : `<${parent_event_id}`)
  );
}

const check = checks("tree", picture);
check("one event without a span", "a", ["a"]);
check("a parent and its children, in order of time", "a A, b B<A, c C<A", ["a", " b<a", " c<a"]);
check("a child that began before its parent", "b B<A, a A", ["a", " b<a"]);
check("grandchildren stand between children", "a A, b B<A, c C<A, d D<B", [
  "a",
  " b<a",
  "  d<b",
  " c<a",
]);
check("two roots", "a A, b B, c C<A, d D<B", ["a", " c<a", "b", " d<b"]);
check("a parent that never came", "a A, b B<X, c C<B", ["a", "b?", " c<b"]);
check("a child without a span of its own", "a A, b <A", ["a", " b<a"]);
check("its own parent", "a A<A, b B<A", ["a?", " b<a"]);
check("two that name each other", "a A<B, b B<A", ["a?", " b<a"]);
check("a way into a circle: its first member is the root", "x X<B, a A<B, b B<A", [
  "a?",
  " b<a",
  "  x<b",
]);
check("a circle of three beside a tree", "r R, a A<C, b B<A, c C<B", ["r", "a?", " b<a", "  c<b"]);
check("a span id used twice: the first stands for it", "a A, b A, c C<A", ["a", " c<a", "b"]);
check("a second event of a span, below the first", "a A, b A<A", ["a", " b<a"]);
check("an event id used twice", "a A, a B<A", ["a", " a<a"]);

test("tree: whatever parents are named, each event stands once, under its parent if it is there", () => {
  const span = fc.option(fc.constantFrom(..."ABCDEF"), { nil: undefined });
  const rows = fc.array(fc.record({ span_id: span, parent_span_id: span }), { maxLength: 30 })
    .map((rows) => rows.map((row, at) => ({ event_id: `e${at}`, ...row })));
  fc.assert(
    fc.property(rows, (rows) => {
      const tree = treeOf(rows);
      expect(tree.map((event) => event.event_id).toSorted())
        .toEqual(rows.map((row) => row.event_id).toSorted());
      const spans = new Set(rows.map((row) => row.span_id));
      const path: string[] = [];
      for (const event of tree) {
        // Pre-order: an event's parent is the last event above it that is one level up.
        expect(event.depth).toBeLessThanOrEqual(path.length);
        path.length = event.depth;
        expect(event.parent_event_id).toBe(path.at(-1) ?? null);
        path.push(event.event_id as string);
        const { parent_span_id } = event;
        if (parent_span_id === undefined) expect(event.depth).toBe(0);
        // A parent that is there is missing only where a circle was cut, at the top.
        if (event.parent_missing) expect(event.depth).toBe(0);
        if (parent_span_id !== undefined && !spans.has(parent_span_id as string)) {
          expect(event.parent_missing).toBe(true);
        }
        if (parent_span_id !== undefined && event.depth === 0) {
          expect(event.parent_missing).toBe(true);
        }
        if (event.depth > 0) {
          const parent = rows.find((row) => row.event_id === event.parent_event_id)!;
          expect(parent.span_id).toBe(parent_span_id as string);
        }
      }
    }),
    { seed: 7, numRuns: 300 },
  );
});

const deep = 20_000;
test.each([
  ["a chain", (at: number) => at - 1],
  ["a chain from its end", (at: number) => at + 1],
  ["a circle", (at: number) => (at + 1) % deep],
  ["children of one", (at: number) => at === 0 ? -1 : 0],
])("tree: %s of 20,000 events within a second", (_, parentOf) => {
  const rows = Array.from({ length: deep }, (_, at) => ({
    event_id: `e${at}`,
    span_id: `s${at}`,
    parent_span_id: `s${parentOf(at)}`,
  }));
  const began = performance.now();
  const tree = treeOf(rows);
  expect(performance.now() - began).toBeLessThan(1000);
  expect(tree.length).toBe(deep);
  expect(tree.filter((event) => event.depth === 0).length).toBe(1);
});
