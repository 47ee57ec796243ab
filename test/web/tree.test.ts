// A run as rows, bars and one chat; metrics as places on an axis; the range that shows data.
import { describe, expect, test } from "bun:test";
import type { FullEvent, Metrics, RunEvent } from "../../web/api.ts";
import { chatOf } from "../../web/parts/chat.ts";
import { bucketsOf, valuesOf } from "../../web/parts/series.ts";
import { fitRange } from "../../web/parts/time_range.ts";
import { barOf, spanOf, visibleRows, windowOf } from "../../web/parts/tree.ts";

const node = (event_id: string, depth: number, second = 0, latency_ms = 1000) =>
  ({
    event_id,
    depth,
    timestamp: `2026-01-31T12:00:0${second}.000000Z`,
    latency_ms,
  }) as RunEvent;
const tree = [
  node("a", 0, 0, 4000),
  node("b", 1, 1),
  node("c", 2, 1),
  node("d", 1, 2),
  node("e", 0, 3),
];

describe("folding", () => {
  const cases: [folded: string[], shown: string][] = [
    [[], "abcde"],
    [["a"], "ae"],
    [["b"], "abde"],
    [["c"], "abcde"],
    [["a", "b"], "ae"],
  ];
  test.each(cases)("%p", (folded, shown) => {
    const rows = visibleRows(tree, new Set(folded));
    expect(rows.map(({ event }) => event.event_id).join("")).toBe(shown);
  });
});

test("a bar stands where the event was in time", () => {
  const span = spanOf(tree);
  expect(span.toMs - span.fromMs).toBe(4000);
  expect(barOf(tree[3]!, span)).toEqual([50, 25]);
});

test("only rows near the screen are drawn", () => {
  expect(windowOf(0, 460, 46, 20_000)).toEqual([0, 22]);
  expect(windowOf(46_000, 460, 46, 20_000)).toEqual([988, 1022]);
  expect(windowOf(46 * 20_000, 460, 46, 20_000)[1]).toBe(20_000);
});

describe("a chat tells each message once", () => {
  const event = (fields: Record<string, unknown>) => fields as FullEvent;
  const user = { role: "user", content: "Where is it?" };
  const asks = {
    role: "assistant",
    content: null,
    tool_calls: [{ id: "c1", function: { name: "look", arguments: '{"n":1}' } }],
  };
  const events = [
    event({ event_type: "agent_step", input_data: "Where is it?" }),
    event({ event_type: "prompt_call", prompt: [user], response: asks }),
    event({
      event_type: "tool_call",
      tool_name: "look",
      tool_call_id: "c1",
      input: { n: 1 },
      output: "here",
    }),
    event({
      event_type: "prompt_call",
      prompt: [user, asks, { role: "tool", tool_call_id: "c1", content: "here" }],
      response: "It is here.",
    }),
  ];
  test("history that each call repeats, and results that a tool event gave", () => {
    const said = chatOf(events).map(({ message: { role, parts } }) =>
      `${role}: ${parts.map(({ kind }) => kind).join(" ")}`
    );
    expect(said).toEqual([
      "user: text",
      "assistant: tool_call",
      "tool: tool_result",
      "assistant: text",
    ]);
  });
});

test("a bucket without events is a gap, not a zero", () => {
  const point = (bucket: string, requests: number) =>
    ({ bucket, group: null, requests }) as Metrics["series"][number];
  const { times, groups } = bucketsOf({
    since: "2026-01-31T12:00:10Z",
    until: "2026-01-31T12:04:00Z",
    interval_seconds: 60,
    series: [point("2026-01-31T12:00:00Z", 2), point("2026-01-31T12:03:00Z", 1)],
  } as Metrics);
  expect(valuesOf(groups.get(null), times.length, "requests").slice(0, 4)).toEqual([
    2,
    null,
    null,
    1,
  ]);
});

describe("the first range fits the data", () => {
  const now = Date.parse("2026-01-31T12:00:00Z");
  const cases: [
    name: string,
    oldest: string,
    newest: string,
    since: string,
    until: string | null,
  ][] = [
    ["begun just now", "2026-01-31T11:59:00Z", "2026-01-31T11:59:30Z", "-15m", null],
    ["most of an hour", "2026-01-31T11:10:00Z", "2026-01-31T11:59:00Z", "-1h", null],
    [
      "two days of a week",
      "2026-01-29T12:00:00Z",
      "2026-01-31T11:59:00Z",
      "2026-01-29T11:02:25Z",
      null,
    ],
    [
      "an hour, last year",
      "2025-06-01T10:00:00Z",
      "2025-06-01T11:00:00Z",
      "2025-06-01T09:58:48Z",
      "2025-06-01T11:01:12Z",
    ],
    ["years of it", "2020-01-01T00:00:00Z", "2026-01-31T11:59:00Z", "-30d", null],
  ];
  test.each(cases)("%s", (_name, oldest, newest, since, until) => {
    expect(fitRange(oldest, newest, now)).toEqual({ since, until });
  });
});
