// A run's tree: which rows show, where they stand in time, and which of them are drawn.
import type { RunEvent } from "../../web/api.ts";
import { barOf, parentRow, spanOf, visibleRows, windowOf } from "../../web/parts/tree.ts";
import { checks } from "../check.ts";

/** A letter an event, indented by its depth: "a", " b". */
const eventsOf = (drawing: string[]) =>
  drawing.map((line) => ({ event_id: line.trim(), depth: line.search(/\S/) }) as RunEvent);

const shown = checks(
  "shown",
  ([drawing, folded]: [string[], string[]]) =>
    visibleRows(eventsOf(drawing), new Set(folded)).map(({ event, hasChildren, folded }) =>
      `${event.event_id}${hasChildren ? folded ? "+" : "-" : ""}`
    ),
);
const drawing = ["a", " b", "  c", " d", "e"];
shown("everything", [drawing, []], ["a-", "b-", "c", "d", "e"]);
shown("a folded branch hides what is in it", [drawing, ["b"]], ["a-", "b+", "d", "e"]);
shown("a folded root hides all of its own", [drawing, ["a", "b"]], ["a+", "e"]);
shown("a leaf cannot be folded", [drawing, ["c"]], ["a-", "b-", "c", "d", "e"]);

const parent = checks(
  "parent",
  (at: number) => parentRow(visibleRows(eventsOf(drawing), new Set()), at),
);
parent("of a leaf", 2, 1);
parent("past its neighbours", 3, 0);
parent("of a root", 4, -1);

const event = (timestamp: string, latency_ms: number | null) =>
  ({ timestamp, latency_ms }) as RunEvent;
const start = "2026-01-01T00:00:00.000Z";
const bars = checks(
  "bars",
  (events: RunEvent[]) => events.map((one) => barOf(one, spanOf(events))),
);
bars("share of the whole", [event(start, 1000), event("2026-01-01T00:00:00.500Z", 250)], [
  [0, 100],
  [50, 25],
]);
bars("without duration", [event(start, null)], [[0, 0]]);

const drawn = checks("drawn", (given: Parameters<typeof windowOf>) => windowOf(...given));
drawn("the first rows", [0, 400, 40, 20_000], [0, 22]);
drawn("rows in the middle", [400_000, 400, 40, 20_000], [9988, 10_022]);
drawn("no more than there are", [0, 400, 40, 3], [0, 3]);
