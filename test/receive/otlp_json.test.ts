// OTLP in JSON as producers write it: by the specification, by generic protobuf libraries, by hand.
import { describe, expect, test } from "bun:test";
import { decode } from "../../src/receive/otlp/decode.ts";
import { type Signal, valueDepthMax } from "../../src/receive/otlp/export.ts";
import type { Span } from "../../src/receive/otlp/telemetry.ts";
import { checks } from "../check.ts";

const trace = "0af7651916cd43dd8448eb211c80319c";
const id = "b7ad6b7169203331";

const requestOf = (...spans: unknown[]) => ({ resourceSpans: [{ scopeSpans: [{ spans }] }] });
const bytesOf = (body: unknown) =>
  Buffer.from(typeof body === "string" ? body : JSON.stringify(body));

function read(body: unknown, signal: Signal = "traces") {
  const decoded = decode(signal, "json", bytesOf(body));
  if ("reason" in decoded) throw new Error(decoded.message);
  expect(decoded.rejected.messages).toEqual([]);
  return decoded.items;
}

function refusal(body: unknown, signal: Signal = "traces"): string {
  const decoded = decode(signal, "json", bytesOf(body));
  return "reason" in decoded ? decoded.message : "";
}

const readSpan = (fields: object) =>
  read(requestOf({ traceId: trace, spanId: id, ...fields }))[0] as Span;

// The text of a number, as JSON.stringify would not write it.
const valueOf = (json: string) =>
  (read(
    `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"${trace}","spanId":"${id}",` +
      `"attributes":[{"key":"a","value":${json}}]}]}]}]}`,
  )[0] as Span).attributes.a;

const values = checks("an attribute's value", valueOf);
values("text", '{"stringValue":"a"}', "a");
values("empty text", '{"stringValue":""}', "");
values("integer as text", '{"intValue":"-5"}', -5);
values("integer", '{"intValue":7}', 7);
values("integer as text beyond 2^53", '{"intValue":"9007199254740993"}', "9007199254740993");
values("integer beyond 2^53", '{"intValue":9007199254740993}', "9007199254740993");
values("the smallest integer", '{"intValue":-9223372036854775808}', "-9223372036854775808");
values("an integer that is none", '{"intValue":1e20}', 1e20);
values("double", '{"doubleValue":0.5}', 0.5);
values("double as text", '{"doubleValue":"0.5"}', 0.5);
values("NaN", '{"doubleValue":"NaN"}', "NaN");
values("infinity", '{"doubleValue":"-Infinity"}', "-Infinity");
values("true", '{"boolValue":true}', true);
values("bytes", '{"bytesValue":"AP8="}', "AP8=");
values("bytes without padding", '{"bytesValue":"AP8"}', "AP8=");
values("array", '{"arrayValue":{"values":[{"intValue":1},{},null]}}', [1, null, null]);
values("an empty array", '{"arrayValue":{}}', []);
values("map", '{"kvlistValue":{"values":[{"key":"k","value":{"boolValue":false}}]}}', { k: false });
values("null", "null", null);
values("no kind", "{}", null);
values("a kind that is null", '{"stringValue":null}', null);
values("an unknown kind", '{"futureValue":1}', null);

describe("a span", () => {
  const cases: [string, object, Partial<Span>][] = [
    ["ids in capitals", { traceId: trace.toUpperCase(), spanId: id.toUpperCase() }, {
      trace_id: trace,
      span_id: id,
    }],
    ["ids in base64", {
      traceId: Buffer.from(trace, "hex").toString("base64"),
      spanId: Buffer.from(id, "hex").toString("base64"),
      parentSpanId: Buffer.from("0102030405060708", "hex").toString("base64"),
    }, { trace_id: trace, span_id: id, parent_span_id: "0102030405060708" }],
    ["times as text", { startTimeUnixNano: "1700000000000000001", endTimeUnixNano: "2" }, {
      start: 1700000000000000001n,
      end: 2n,
    }],
    ["enums by number", { kind: 3, status: { code: 2 } }, {
      kind: 3,
      status: { code: 2, message: "" },
    }],
    ["enums by name", { kind: "SPAN_KIND_CLIENT", status: { code: "STATUS_CODE_ERROR" } }, {
      kind: 3,
      status: { code: 2, message: "" },
    }],
    ["nulls", { parentSpanId: null, attributes: null, events: null, status: null, kind: null }, {
      parent_span_id: null,
      events: [],
    }],
    ["unknown fields", { name: "a", future: { deep: [1] }, another_one: 2 }, { name: "a" }],
    ["a key twice", {
      attributes: [
        { key: "a", value: { intValue: 1 } },
        { key: "a", value: { intValue: 2 } },
      ],
    }, { attributes: { a: 2 } }],
  ];
  test.each(cases)("with %s", (_, fields, expected) => {
    expect(readSpan(fields)).toMatchObject(expected);
  });

  test("with times as numbers, to the last digit", () => {
    const text = JSON.stringify(requestOf({ traceId: trace, spanId: id }))
      .replace('"spanId"', '"startTimeUnixNano":1700000000000000001,"spanId"');
    expect((read(text)[0] as Span).start).toBe(1700000000000000001n);
  });

  test("keeps keys that name parts of JavaScript", () => {
    const attributes = [
      { key: "__proto__", value: { stringValue: "a" } },
      { key: "constructor", value: { stringValue: "b" } },
    ];
    expect(Object.entries(readSpan({ attributes }).attributes))
      .toEqual([["__proto__", "a"], ["constructor", "b"]]);
  });
});

describe("neighbours of a span that cannot be taken", () => {
  const nested = (levels: number): unknown =>
    levels === 0 ? { stringValue: "deep" } : { arrayValue: { values: [nested(levels - 1)] } };
  const good = { traceId: trace, spanId: id };
  const cases: [string, unknown, string][] = [
    ["no object", 7, "an object is needed"],
    ["no ids", { name: "x" }, '"x": trace_id is missing'],
    ["an id that is no hex", { ...good, traceId: "z".repeat(32) }, "trace_id is"],
    ["an id of zeros", { ...good, spanId: "0".repeat(16) }, "span_id is"],
    ["snake_case", { trace_id: trace, span_id: id }, '"traceId"'],
    [
      "attributes as an object",
      { ...good, attributes: { a: 1 } },
      '"attributes" is an object; an array of {"key"',
    ],
    [
      "an attribute as it is",
      { ...good, attributes: [{ key: "a", value: "b" }] },
      'such as {"stringValue"',
    ],
    [
      "a value in snake_case",
      { ...good, attributes: [{ key: "a", value: { string_value: "b" } }] },
      '"stringValue"',
    ],
    ["a time that is none", { ...good, startTimeUnixNano: "yesterday" }, "startTimeUnixNano"],
    ["a time with a sign", { ...good, startTimeUnixNano: -1 }, "startTimeUnixNano"],
    ["a name that is a number", { ...good, name: 7 }, '"name" is 7; a string is needed'],
    ["an unknown kind", { ...good, kind: "CLIENT" }, '"kind" is "CLIENT"'],
    [
      "deep nesting",
      { ...good, attributes: [{ key: "a", value: nested(valueDepthMax + 1) }] },
      "nests deeper",
    ],
  ];
  test.each(cases)("%s", (_, bad, message) => {
    const body = requestOf({ ...good, name: "before" }, bad, { ...good, name: "after" });
    const decoded = decode("traces", "json", bytesOf(body));
    if ("reason" in decoded) throw new Error(decoded.message);
    expect(decoded.items.map(({ name }) => name)).toEqual(["before", "after"]);
    expect(decoded.rejected.messages).toEqual([expect.stringContaining(message)]);
    expect(refusal(requestOf(bad))).toContain(message);
  });
});

describe("a request that cannot be read", () => {
  const cases: [string, unknown, string][] = [
    ["nothing", "", "not JSON"],
    ["half of it", '{"resourceSpans":[', "not JSON"],
    ["an array", [], "one JSON object"],
    ["a text", '"hello"', "one JSON object"],
    ["protobuf", "\n\u0003abc", "Content-Type: application/x-protobuf"],
    ["logs sent as traces", { resourceLogs: [] }, "Send it to /v1/logs"],
    ["metrics sent as traces", { resourceMetrics: [] }, "Send it to /v1/metrics"],
    ["snake_case", { resource_spans: [] }, '"resourceSpans"'],
    ["snake_case further in", { resourceSpans: [{ scope_spans: [] }] }, '"scopeSpans"'],
    [
      "the envelope before 2022",
      { resourceSpans: [{ instrumentationLibrarySpans: [] }] },
      "scopeSpans",
    ],
    ["an event of our own", { event_type: "span" }, 'no "resourceSpans"'],
    ["an object for a list", { resourceSpans: {} }, '"resourceSpans" must be an array'],
    ["a list of numbers", { resourceSpans: [1] }, "array of objects"],
    [
      "spans that are no list",
      { resourceSpans: [{ scopeSpans: [{ spans: {} }] }] },
      '"spans" must be',
    ],
    ["attributes of a resource as an object", {
      resourceSpans: [{ resource: { attributes: { a: 1 } }, scopeSpans: [] }],
    }, '"resource.attributes" is an object'],
    ["two million brackets", "[".repeat(2_000_000), "nests deeper"],
    ["five million values", `{"resourceSpans":[${"[],".repeat(5_000_000)}[]]}`, "values; at most"],
  ];
  test.each(cases)("%s", (_, body, message) => {
    expect(refusal(body)).toContain(message);
  });
});

test.each(["{}", '{"resourceSpans":[]}', '{"resourceSpans":null}', '\ufeff{"resourceSpans":[{}]}'])(
  "%s is an empty export",
  (body) => expect(read(body)).toEqual([]),
);

test("a log record by names and numbers, with ids that are none", () => {
  const records = [
    {
      severityNumber: "SEVERITY_NUMBER_WARN2",
      body: { stringValue: "b" },
      traceId: "",
      spanId: "x",
    },
    { severityNumber: 17, eventName: "gen_ai.choice", observedTimeUnixNano: 5 },
  ];
  const body = { resourceLogs: [{ scopeLogs: [{ logRecords: records }] }] };
  expect(read(body, "logs")).toMatchObject([
    { severity_number: 14, body: "b", trace_id: null, span_id: null, time: 0n },
    { severity_number: 17, event_name: "gen_ai.choice", observed_time: 5n },
  ]);
});

test("data points, and the ones that are none", () => {
  const metrics = [
    {
      name: "s",
      sum: {
        aggregationTemporality: "AGGREGATION_TEMPORALITY_DELTA",
        isMonotonic: true,
        dataPoints: [{ asInt: "5", timeUnixNano: "1" }, { asDouble: "NaN" }, { asInt: "x" }],
      },
    },
    { name: "q", summary: { dataPoints: [{ quantileValues: [{ quantile: 0.5, value: 1 }] }] } },
    { gauge: { dataPoints: [{ asDouble: 1 }] } },
  ];
  const decoded = decode(
    "metrics",
    "json",
    bytesOf({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] }),
  );
  if ("reason" in decoded) throw new Error(decoded.message);
  expect(decoded.items).toMatchObject([
    { name: "s", type: "sum", temporality: "delta", monotonic: true, value: 5, time: 1n },
    { name: "s", value: null },
    {
      name: "q",
      type: "summary",
      sum: 0,
      distribution: { quantiles: [{ quantile: 0.5, value: 1 }] },
    },
  ]);
  expect(decoded.rejected.messages).toEqual([
    expect.stringContaining('"asInt" is "x"'),
    expect.stringContaining("no name"),
  ]);
  const renamed = {
    resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: "e", exponential_histogram: {} }] }] }],
  };
  expect(refusal(renamed, "metrics")).toContain('"exponentialHistogram"');
});
