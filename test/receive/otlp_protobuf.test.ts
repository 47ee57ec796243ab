// OTLP in protobuf as it arrives from broken, old, new and hostile producers.
import { describe, expect, test } from "bun:test";
import {
  attribute,
  double,
  field,
  fixed32,
  fixed64,
  number,
  request,
  span,
  spanId,
  tag,
  text,
  traceId,
  varint,
} from "../../scripts/bench/otlp_wire.ts";
import { decode } from "../../src/receive/otlp/decode.ts";
import { attributesMax, type Signal, valueDepthMax } from "../../src/receive/otlp/export.ts";
import type { Span } from "../../src/receive/otlp/telemetry.ts";
import { checks } from "../check.ts";

function readSpan(body: Uint8Array): Span {
  const decoded = decode("traces", "protobuf", body);
  if ("reason" in decoded) throw new Error(decoded.message);
  expect(decoded.rejected.messages).toEqual([]);
  return decoded.items[0]!;
}

const attributeOf = (...value: Uint8Array[]) =>
  readSpan(request(span(attribute(9, "a", ...value)))).attributes.a;

const values = checks("an attribute's value", attributeOf2);
function attributeOf2(value: Uint8Array): unknown {
  return attributeOf(value);
}

const group = (number: number, ...parts: Uint8Array[]) =>
  Buffer.concat([tag(number, 3), ...parts, tag(number, 4)]);
const overlong = Buffer.from([0x85, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]);

values("text", text("ä"), "ä");
values("text with invalid UTF-8", field(1, Buffer.from([0x61, 0xff, 0x62])), "a\ufffdb");
values("empty text", text(""), "");
values("no value", Buffer.alloc(0), null);
values("true", number(2, 1), true);
values("false", number(2, 0), false);
values("a true of ten bytes", Buffer.concat([tag(2, 0), overlong]), true);
values("a false of two bytes", Buffer.concat([tag(2, 0), Buffer.from([0x80, 0])]), false);
values("a small integer", number(3, 300), 300);
values("an overlong integer", Buffer.concat([tag(3, 0), overlong]), 5);
values("a negative integer", number(3, -1), -1);
values("2^53 - 1", number(3, 2n ** 53n - 1n), Number.MAX_SAFE_INTEGER);
values("2^53 + 1", number(3, 2n ** 53n + 1n), "9007199254740993");
values("the smallest integer", number(3, -(2n ** 63n)), "-9223372036854775808");
values("a double", double(4, 0.1), 0.1);
values("NaN", double(4, NaN), "NaN");
values("infinity", double(4, -Infinity), "-Infinity");
values("bytes", field(7, Buffer.from([0, 255])), "AP8=");
values("an empty array", field(5), []);
values("an array", field(5, field(1, text("a")), field(1), field(1, number(3, 1))), ["a", null, 1]);
values("a map", field(6, attribute(1, "k", text("v"))), { k: "v" });
values("the last of two values", Buffer.concat([text("first"), number(3, 2)]), 2);
values("unknown fields", Buffer.concat([fixed64(99, 1n), group(98, number(1, 1)), text("b")]), "b");
values("a field of another form", Buffer.concat([number(1, 7), text("c")]), "c");
values("a text by index, as profiles have it", number(8, 3), null);

describe("a span", () => {
  const cases: [string, Uint8Array[], Partial<Span>][] = [
    ["whose key comes twice", [attribute(9, "a", text("1")), attribute(9, "a", text("2"))], {
      attributes: { a: "2" },
    }],
    ["with no parent", [field(4)], { parent_span_id: null }],
    ["with a parent of zeros", [field(4, Buffer.alloc(8))], { parent_span_id: null }],
    ["with flags", [fixed32(16, 0x301)], { flags: 0x301 }],
    ["that ends before it starts", [fixed64(8, 1n)], { end: 1n }],
    ["without times", [fixed64(7, 0n), fixed64(8, 0n)], { start: 0n, end: 0n }],
    ["with the largest time", [fixed64(8, 2n ** 64n - 1n)], { end: 2n ** 64n - 1n }],
    ["without a name", [field(5)], { name: "" }],
    ["of an unknown kind", [number(6, 77)], { kind: 77 }],
    ["whose link has no ids", [field(13, field(3, "a=1"))], {
      links: [{ trace_id: null, span_id: null, trace_state: "a=1", attributes: {} }],
    }],
    ["whose status comes in two parts", [field(15, number(3, 2)), field(15, field(2, "no"))], {
      status: { code: 2, message: "no" },
    }],
    ["that says what was cut off", [number(10, 1), number(12, 2), number(14, 3)], {
      dropped: { attributes: 1, events: 2, links: 3 },
    }],
  ];
  test.each(cases)("%s", (_, parts, expected) => {
    expect(readSpan(request(span(...parts)))).toMatchObject(expected);
  });

  test("keeps keys that name parts of JavaScript", () => {
    const { attributes } = readSpan(
      request(span(attribute(9, "__proto__", text("a")), attribute(9, "toString", text("b")))),
    );
    expect(Object.entries(attributes)).toEqual([["__proto__", "a"], ["toString", "b"]]);
  });

  test("knows its resource and scope, also when they come after it", () => {
    const late = field(
      1,
      field(3, "resource-schema"),
      field(2, field(2, span()), field(3, "scope-schema"), field(1, field(1, "late"))),
      field(1, attribute(1, "service.name", text("late"))),
    );
    expect(readSpan(late)).toMatchObject({
      resource: { attributes: { "service.name": "late" }, schema_url: "resource-schema" },
      scope: { name: "late", schema_url: "scope-schema" },
    });
  });
});

describe("neighbours of a span that cannot be taken", () => {
  const whole = (name: string, ...rest: Uint8Array[]) =>
    Buffer.concat([field(1, traceId), field(2, spanId), field(5, name), ...rest]);
  const nested = (levels: number): Buffer =>
    levels === 0 ? text("deep") : field(5, field(1, nested(levels - 1)));
  const cases: [string, Uint8Array, string][] = [
    ["no ids", field(5, "x"), 'span 1 "x": trace_id is missing'],
    [
      "a trace id of zeros",
      Buffer.concat([field(1, Buffer.alloc(16)), field(2, spanId)]),
      'trace_id is "0000',
    ],
    [
      "a short trace id",
      Buffer.concat([field(1, "abc"), field(2, spanId)]),
      'trace_id is "616263"',
    ],
    [
      "a long trace id",
      Buffer.concat([field(1, Buffer.alloc(1000, 1)), field(2, spanId)]),
      "trace_id is",
    ],
    [
      "a span id of zeros",
      Buffer.concat([field(1, traceId), field(2, Buffer.alloc(8))]),
      "span_id is",
    ],
    ["a short parent", whole("x", field(4, "abc")), 'parent_span_id is "616263"'],
    [
      "an attribute that nests too deep",
      whole("x", attribute(9, "a", nested(valueDepthMax + 1))),
      "nests deeper than",
    ],
  ];
  test.each(cases)("%s", (_, bad, message) => {
    const decoded = decode("traces", "protobuf", request(whole("before"), bad, whole("after")));
    if ("reason" in decoded) throw new Error(decoded.message);
    expect(decoded.items.map(({ name }) => name)).toEqual(["before", "after"]);
    expect(decoded.rejected.count).toBe(1);
    expect(decoded.rejected.messages[0]).toContain(message);
  });

  test("nesting up to the bound is taken", () => {
    expect(JSON.stringify(attributeOf(nested(valueDepthMax)))).toContain("deep");
  });
});

describe("a request that cannot be read", () => {
  const log = Buffer.concat([fixed64(1, 5n), number(2, 9), field(5, text("hello"))]);
  const gauge = Buffer.concat([field(1, "tokens"), field(5, field(1, fixed64(3, 1n)))]);
  const nested = (levels: number): Buffer =>
    levels === 0 ? Buffer.alloc(0) : field(6, attribute(1, "", nested(levels - 1)));
  const cases: [string, Signal, Uint8Array, string][] = [
    ["a length beyond the end", "traces", Buffer.from([0x0a, 0x7f]), "cut short"],
    ["a number that does not end", "traces", Buffer.alloc(20, 0xff), "does not end"],
    ["field zero", "traces", Buffer.from([0x00, 0x00]), "no valid number"],
    ["an invalid form", "traces", Buffer.from([0x0f]), "no valid form"],
    ["the end of no group", "traces", Buffer.from([0x0c]), "never began"],
    ["a group without an end", "traces", Buffer.from([0x0b]), "does not end"],
    ["a thousand groups", "traces", Buffer.alloc(1000, 0x0b), "too deep"],
    ["JSON", "traces", Buffer.from('{"resourceSpans":[]}'), "Content-Type: application/json"],
    ["gzip", "traces", Bun.gzipSync("{}"), "Content-Encoding: gzip"],
    ["logs sent as traces", "traces", request(log), "Send it to /v1/logs"],
    ["metrics sent as traces", "traces", request(gauge), "Send it to /v1/metrics"],
    ["traces sent as logs", "logs", request(span()), "Send it to /v1/traces"],
    ["metrics sent as logs", "logs", request(gauge), "Send it to /v1/metrics"],
    ["traces sent as metrics", "metrics", request(span()), "Send it to /v1/traces"],
    ["logs sent as metrics", "metrics", request(log), "Send it to /v1/logs"],
    [
      "only spans without ids",
      "traces",
      request(field(5, "a"), field(5, "b")),
      '2 of 2 spans rejected. span 0 "a": trace_id is missing',
    ],
    [
      "a resource that nests too deep",
      "traces",
      field(1, field(1, attribute(1, "a", nested(valueDepthMax + 1)))),
      "nests deeper",
    ],
    [
      "one span with more attributes than are taken",
      "traces",
      request(span(...Array<Buffer>(attributesMax + 1).fill(attribute(9, "a")))),
      `more than ${attributesMax} attributes`,
    ],
    ["metrics without a name", "metrics", request(field(5, field(1, fixed64(3, 1n)))), "no name"],
  ];
  test.each(cases)("%s", (_, signal, body, message) => {
    const decoded = decode(signal, "protobuf", body);
    expect("reason" in decoded ? decoded.message : "").toContain(message);
  });

  const bomb = (item: Buffer) => Buffer.concat(Array<Buffer>(4_000_000).fill(item));
  test.each([
    ["resources", bomb(field(1))],
    ["spans", field(1, field(2, bomb(field(2))))],
    ["span events", request(span(bomb(field(11))))],
    [
      "array entries",
      request(span(attribute(9, "a", field(5, bomb(field(1)), bomb(field(1)), bomb(field(1)))))),
    ],
  ])("millions of empty %s", (_, body) => {
    const decoded = decode("traces", "protobuf", body);
    expect("reason" in decoded ? decoded.reason : "").toBe("too_many_values");
  });
});

test("nothing at all is an empty export", () => {
  expect(decode("traces", "protobuf", new Uint8Array())).toMatchObject({ items: [] });
});

test("a request cut anywhere is refused, or is the export that ends there", () => {
  const body = Buffer.concat([
    request(
      span(attribute(9, "a", field(6, attribute(1, "k", text("v"))))),
      span(field(11, field(2, "e"))),
    ),
    request(span(field(13, field(1, traceId)), field(15, field(2, "no"), number(3, 2)))),
  ]);
  const whole: number[] = [];
  for (let length = 0; length < body.length; length++) {
    const decoded = decode("traces", "protobuf", body.subarray(0, length));
    if ("reason" in decoded) expect(decoded.reason).toBe("invalid_protobuf");
    else whole.push(decoded.items.length);
  }
  expect(whole).toEqual([0, 2]);
});

describe("data points", () => {
  const points = (...data: Uint8Array[]) => {
    const decoded = decode(
      "metrics",
      "protobuf",
      request(Buffer.concat([field(1, "m"), field(3, "{token}"), ...data])),
    );
    if ("reason" in decoded) throw new Error(decoded.message);
    return decoded.items;
  };
  const times = [fixed64(2, 1n), fixed64(3, 2n)];
  const le = (...doubles: number[]) =>
    Buffer.concat(doubles.map((one) => double(1, one).subarray(1)));

  test("of a sum, packed or not, with an exemplar", () => {
    const exemplar = field(5, fixed64(2, 9n), double(3, 0.5), field(4, spanId), field(5, traceId));
    expect(
      points(field(7, number(2, 2), number(3, 1), field(1, ...times, fixed64(6, -3n), exemplar))),
    )
      .toMatchObject([{
        name: "m",
        unit: "{token}",
        type: "sum",
        temporality: "cumulative",
        monotonic: true,
        start: 1n,
        time: 2n,
        value: -3,
        exemplars: [{
          time: "9",
          value: 0.5,
          span_id: spanId.toString("hex"),
          trace_id: traceId.toString("hex"),
        }],
      }]);
  });

  test("of a histogram whose lists are packed, and one whose are not", () => {
    const packed = field(1, fixed64(4, 3n), field(6, le(0), le(0)), field(7, le(1.5)));
    const single = field(1, fixed64(4, 3n), fixed64(6, 1n), fixed64(6, 2n), double(7, 1.5));
    expect(points(field(9, packed, single)).map(({ distribution }) => distribution)).toEqual([
      { bounds: [1.5], counts: [0, 0] },
      { bounds: [1.5], counts: [1, 2] },
    ]);
  });

  test("of an exponential histogram", () => {
    const positive = field(8, number(1, 5), field(2, varint(1), varint(300)));
    expect(points(field(10, field(1, fixed64(4, 301n), number(6, 3), fixed64(7, 2n), positive))))
      .toMatchObject([{
        count: 301,
        distribution: {
          scale: -2,
          zero_count: 2,
          positive: { offset: -3, counts: [1, 300] },
          negative: { offset: 0, counts: [] },
        },
      }]);
  });

  test("of a summary", () => {
    const quantile = field(6, double(1, 0.5), double(2, 7));
    expect(points(field(11, field(1, fixed64(4, 2n), double(5, 9), quantile)))).toMatchObject([
      {
        type: "summary",
        count: 2,
        sum: 9,
        distribution: { quantiles: [{ quantile: 0.5, value: 7 }] },
      },
    ]);
  });

  test("without a value, or with NaN, have none", () => {
    expect(points(field(5, field(1, number(8, 1)), field(1, double(4, NaN))))).toMatchObject([
      { value: null, flags: 1 },
      { value: null },
    ]);
  });
});
