import { expect, test } from "bun:test";
import fc from "fast-check";
import { eventSchema, fields } from "../../src/event.ts";
import { limits } from "../../src/limits.ts";
import { noSteps, receiveBatch } from "../../src/receive/batch.ts";
import { parseBatch, parseJson } from "../../src/receive/sdk.ts";
import { checks } from "../check.ts";

const now = Date.UTC(2026, 0, 31, 12);
const receipt = {
  received_at: "2026-01-31T12:00:00.000000Z",
  project_id: "shop",
  latestMs: now + limits.aheadMsMax,
  newId: () => "new-id",
};
const bytesOf = (value: unknown) =>
  new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
function receive(value: unknown, contentType = "application/json") {
  const values = parseBatch(bytesOf(value), contentType);
  return "reason" in values ? values : receiveBatch(values, receipt, noSteps);
}

/** What the log gets, or why not. */
function stored(value: unknown): unknown {
  const batch = receive(value);
  if ("reason" in batch) return batch.reason;
  if (batch.rejected.length > 0) return batch.rejected.map((r) => [r.index, r.field, r.reason]);
  return batch.lines.map((line) => {
    const { input_preview: _input, output_preview: _output, ...event } = JSON.parse(line);
    // test/issue says what these are.
    for (const name of ["issue", "issue_kind", "issue_title", "issue_place"]) delete event[name];
    return event;
  });
}

const check = checks("event", stored);
const base = {
  event_id: "new-id",
  project_id: "shop",
  received_at: receipt.received_at,
  run_id: "new-id",
  timestamp: receipt.received_at,
};

check("the smallest", { event_type: "span" }, [
  { ...base, event_type: "span", status: "success" },
]);
check("its own run", { event_id: "e1", event_type: "span" }, [
  { ...base, event_id: "e1", run_id: "e1", event_type: "span", status: "success" },
]);
check("null is absent", { event_type: "span", model: null, tags: null }, [
  { ...base, event_type: "span", status: "success" },
]);
check("an error of one word", { event_type: "error", error: "boom" }, [{
  ...base,
  event_type: "error",
  error: { message: "boom" },
  error_message: "boom",
  status: "error",
}]);
check("an error's parts become columns", {
  event_type: "span",
  error: { type: "Timeout", code: 504, message: "slow", extra: [1] },
}, [{
  ...base,
  event_type: "span",
  error: { type: "Timeout", code: 504, message: "slow", extra: [1] },
  error_type: "Timeout",
  error_code: "504",
  error_message: "slow",
  status: "error",
}]);
check(
  "error columns become an error",
  { event_type: "span", error_type: "T", error_message: "m" },
  [
    {
      ...base,
      event_type: "span",
      error: { message: "m", type: "T" },
      error_type: "T",
      error_message: "m",
      status: "error",
    },
  ],
);
check("a failed assertion says so", { event_type: "assertion_failed", assertion_name: "json" }, [{
  ...base,
  event_type: "assertion_failed",
  assertion_name: "json",
  status: "assertion_failed",
}]);
check("a tool named as the event", { event_type: "tool_call", name: "search" }, [{
  ...base,
  event_type: "tool_call",
  name: "search",
  tool_name: "search",
  status: "success",
}]);
check("unknown fields are kept", { event_type: "span", colour: "red", attributes: { size: 1 } }, [{
  ...base,
  event_type: "span",
  attributes: { size: 1, colour: "red" },
  status: "success",
}]);
check("what attributes hold stays", { event_type: "span", a: 2, attributes: { a: 1 } }, [{
  ...base,
  event_type: "span",
  attributes: { a: 1, "event.a": 2 },
  status: "success",
}]);
check("structured text is marked", { event_type: "span", input: { a: 1 }, output: '{"a":1}' }, [{
  ...base,
  event_type: "span",
  input: { a: 1 },
  output: '{"a":1}',
  json_fields: ["input"],
  status: "success",
}]);
check("a lone surrogate", '{"event_type":"span","input":"a\\ud800b","event_id":"\\udc00"}', [{
  ...base,
  event_type: "span",
  event_id: "\ufffd",
  run_id: "\ufffd",
  input: "a\ufffdb",
  status: "success",
}]);
check("text that looks like an escape", { event_type: "span", input: "\\ud800" }, [{
  ...base,
  event_type: "span",
  input: "\\ud800",
  status: "success",
}]);
check(
  "digits beyond a double stay digits",
  '{"event_type":"span","input":[12345678901234567890,1e999]}',
  [{
    ...base,
    event_type: "span",
    input: ["12345678901234567890", "1e999"],
    json_fields: ["input"],
    status: "success",
  }],
);

const previewOf = checks("preview", (event: Record<string, unknown>) => {
  const batch = receive({ event_type: "span", ...event });
  if ("reason" in batch) throw new Error(batch.message);
  const { input_preview, output_preview } = batch.events[0]!;
  return [input_preview, output_preview];
});
const nothing = undefined;
previewOf("text", { prompt: "Hello", response: "Hi" }, ["Hello", "Hi"]);
previewOf("the first 200 characters", { output: "é".repeat(300) }, [nothing, "é".repeat(200)]);
previewOf("no half a character", { input: `${"a".repeat(199)}😀` }, [
  `${"a".repeat(199)}\ufffd`,
  nothing,
]);
previewOf("the last message", {
  prompt: [{ role: "system", content: "Be kind" }, { role: "user", content: "Where is it?" }],
  response: { role: "assistant", content: [{ type: "text", text: "On its way" }] },
}, ["Where is it?", "On its way"]);
previewOf("parts, and the first that has words", {
  prompt: [{ role: "user", parts: [{ type: "text", content: "Late?" }] }],
  response: { role: "model", parts: [{ functionCall: {} }, { text: "No" }] },
}, ["Late?", "No"]);
previewOf("a call without words", {
  response: [{ role: "assistant", parts: [{ type: "tool_call", name: "clock" }] }],
}, [nothing, '{"type":"tool_call","name":"clock"}']);
previewOf("anything else as JSON", { input: { a: [1] }, output: [] }, ['{"a":[1]}', "[]"]);
previewOf("nothing", {}, [nothing, nothing]);

test("event: a key named __proto__ is a key", () => {
  const batch = receive('{"event_type":"span","__proto__":{"a":1},"input":{"__proto__":{"b":2}}}');
  if ("reason" in batch) throw new Error(batch.message);
  expect(batch.lines[0]).toContain('"attributes":{"__proto__":{"a":1}}');
  expect(batch.lines[0]).toContain('"input":{"__proto__":{"b":2}}');
  expect(({} as { a?: number }).a).toBeUndefined();
});

const deep = (levels: number): unknown => levels === 0 ? 1 : [deep(levels - 1)];
// deno-fmt-ignore
const refused: [string, unknown, unknown][] = [
  ["no type", {}, [[0, "event_type", "missing_field"]]],
  ["an unknown type", { event_type: "call" }, [[0, "event_type", "unknown_value"]]],
  ["a type that is no string", { event_type: 5 }, [[0, "event_type", "wrong_type"]]],
  ["no object", [7], [[0, null, "not_an_object"]]],
  ["an array for an event", [[]], [[0, null, "not_an_object"]]],
  ["an empty id", { event_type: "span", event_id: "" }, [[0, "event_id", "out_of_range"]]],
  ["a long id", { event_type: "span", run_id: "x".repeat(129) }, [[0, "run_id", "too_long"]]],
  ["a long label", { event_type: "span", model: "x".repeat(1025) }, [[0, "model", "too_long"]]],
  ["tokens in words", { event_type: "span", tokens_input: "lots" }, [[0, "tokens_input", "wrong_type"]]],
  ["negative tokens", { event_type: "span", tokens_input: -5 }, [[0, "tokens_input", "out_of_range"]]],
  ["half a token", { event_type: "span", tokens_input: 1.5 }, [[0, "tokens_input", "out_of_range"]]],
  ["tokens beyond 2^53", '{"event_type":"span","tokens_input":9007199254740993}', [[0, "tokens_input", "out_of_range"]]],
  ["a negative latency", { event_type: "span", latency_ms: -1 }, [[0, "latency_ms", "out_of_range"]]],
  ["confidence above 1", { event_type: "span", confidence_score: 1.5 }, [[0, "confidence_score", "out_of_range"]]],
  ["tags that are no list", { event_type: "span", tags: "a" }, [[0, "tags", "wrong_type"]]],
  ["a tag that is no string", { event_type: "span", tags: ["a", 1] }, [[0, "tags", "wrong_type"]]],
  ["too many tags", { event_type: "span", tags: Array(257).fill("a") }, [[0, "tags", "too_long"]]],
  ["attributes that are a list", { event_type: "span", attributes: [] }, [[0, "attributes", "wrong_type"]]],
  ["no time", { event_type: "span", timestamp: "noon" }, [[0, "timestamp", "invalid_timestamp"]]],
  ["a time in numbers", { event_type: "span", timestamp: 1 }, [[0, "timestamp", "wrong_type"]]],
  ["a time long ago", { event_type: "span", timestamp: "1999-12-31T23:59:59Z" }, [[0, "timestamp", "out_of_range"]]],
  ["a time far ahead", { event_type: "span", timestamp: "2026-02-02T12:00:00Z" }, [[0, "timestamp", "out_of_range"]]],
  ["another project", { event_type: "span", project_id: "bank" }, [[0, "project_id", "project_mismatch"]]],
  ["a deep value", { event_type: "span", input: deep(65) }, [[0, "input", "too_deep"]]],
  ["a deep unknown field", { event_type: "span", other: deep(64) }, [[0, "other", "too_deep"]]],
  ["a tool without a name", { event_type: "tool_call" }, [[0, "tool_name", "missing_field"]]],
  ["an error without one", { event_type: "error" }, [[0, "error", "missing_field"]]],
  ["a large event", { event_type: "span", input: "x".repeat(limits.eventBytesMax) }, [[0, null, "event_too_large"]]],
  ["neighbours of a bad one", [{ event_type: "span" }, { event_type: "x" }], [[1, "event_type", "unknown_value"]]],
  ["no JSON", '{"event_type":', "invalid_json"],
  ["nothing", "", "invalid_json"],
  ["a number", "5", "not_events"],
  ["too many events", `[${"0,".repeat(limits.batchEventsMax)}0]`, "too_many_events"],
  ["a bomb of brackets", "[".repeat(2_000_000), "too_deep"],
];
for (const row of refused) check(...row);

test("batch: an event that is refused leaves its neighbours", () => {
  const batch = receive([{ event_id: "a", event_type: "span" }, { event_id: "b" }, 3, {
    event_id: "d",
    event_type: "span",
  }]);
  if ("reason" in batch) throw new Error(batch.message);
  expect(batch.events.map((event) => event.event_id)).toEqual(["a", "d"]);
  expect(batch.eventIds).toEqual(["a", "b", null, "d"]);
  expect(batch.rejected.map(({ index, event_id }) => [index, event_id])).toEqual([[1, "b"], [
    2,
    null,
  ]]);
});

const forms: [string, unknown, string][] = [
  ["one object", { event_type: "span" }, "application/json"],
  ["an array", [{ event_type: "span" }], "application/json"],
  ["an envelope", { events: [{ event_type: "span" }] }, "application/json"],
  ["lines", '{"event_type":"span"}\n', "application/x-ndjson"],
  [
    "lines without the last end",
    '\n\r\n{"event_type":"span"}',
    "application/x-ndjson; charset=utf-8",
  ],
];
for (const [name, value, contentType] of forms) {
  test(`batch: ${name}`, () => {
    const batch = receive(value, contentType);
    expect("reason" in batch ? batch.reason : batch.events.length).toBe(1);
  });
}

test("batch: a bad line leaves its neighbours", () => {
  const batch = receive(
    '{"event_type":"span"}\n{"event_\n{"event_type":"span"}',
    "application/x-ndjson",
  );
  if ("reason" in batch) throw new Error(batch.message);
  expect(batch.events.length).toBe(2);
  expect(batch.rejected).toMatchObject([{ index: 1, reason: "invalid_json" }]);
});

test("json: numbers that fit are numbers, the rest keep their digits", () => {
  fc.assert(fc.property(fc.json(), (json) => {
    expect(parseJson(json)).toEqual(JSON.parse(json));
  }));
  expect(parseJson("[1e300, 9007199254740991, -9007199254740993, 0.1234567890123456789]")).toEqual(
    [1e300, 9007199254740991, "-9007199254740993", 0.12345678901234568],
  );
});

test("validator: its verdict is that of the zod schema", () => {
  // Values that the schema cannot judge alone are left out: time range, depth, project, essentials.
  const values = fc.oneof(
    fc.string({ maxLength: 3 }),
    fc.double({ noNaN: true }),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(fc.oneof(fc.string({ maxLength: 2 }), fc.integer()), { maxLength: 3 }),
    fc.dictionary(fc.string({ maxLength: 2 }), fc.integer(), { maxKeys: 2 }),
    fc.constantFrom("success", "error", "low", "custom", "reasoning", "cost_spike", "heuristic"),
    fc.string({ minLength: 128, maxLength: 130 }),
  );
  const chosen = fields.filter(({ name, kind, ...field }) =>
    !("derived" in field) && kind !== "timestamp" && !["event_type", "project_id"].includes(name)
  );
  const event = fc.record(
    Object.fromEntries(chosen.map(({ name }) => [name, values])),
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(event, (fieldsGiven) => {
      const value = { ...JSON.parse(JSON.stringify(fieldsGiven)), event_type: "span" };
      // Numbers are accepted for versions, where the schema asks for text.
      for (const name of ["release", "prompt_version", "model_version"]) {
        if (typeof value[name] === "number") delete value[name];
      }
      const batch = receive(value);
      if ("reason" in batch) throw new Error(batch.message);
      expect(batch.rejected.length === 0).toBe(eventSchema.safeParse(value).success);
    }),
    { numRuns: 2000 },
  );
});

test("random bytes never throw", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, lines) => {
    const values = parseBatch(bytes, lines ? "application/x-ndjson" : "application/json");
    if (!("reason" in values)) receiveBatch(values, receipt, noSteps);
  }));
});
