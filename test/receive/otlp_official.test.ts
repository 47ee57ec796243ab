// What the official encoders of OpenTelemetry write is what is read, in both encodings: any
// attributes, any times, any nesting that they can write.
import { beforeAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { openTelemetry } from "../../scripts/opentelemetry.ts";
import { decode } from "../../src/receive/otlp/decode.ts";
import type { Encoding, Signal } from "../../src/receive/otlp/export.ts";

interface Serializer {
  serializeRequest(items: unknown): Uint8Array;
}

let serializers: Record<Signal, Record<Encoding, Serializer>>;

beforeAll(async () => {
  const official = await openTelemetry<Record<string, Serializer>>(
    "@opentelemetry/otlp-transformer",
  );
  const pair = (name: string) => ({
    protobuf: official[`Protobuf${name}Serializer`]!,
    json: official[`Json${name}Serializer`]!,
  });
  serializers = { traces: pair("Trace"), logs: pair("Logs"), metrics: pair("Metrics") };
}, 120_000);

/** Bigints as text, keys in their order, no prototypes. */
const shown = (value: unknown) =>
  JSON.parse(
    JSON.stringify(value, (_, one) => typeof one === "bigint" ? String(one) : one),
  ) as unknown;

/** A value as an SDK holds it, and as it is to be read. */
interface Pair {
  sent: unknown;
  read: unknown;
}

const same = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<Pair> =>
  arbitrary.map((value) => ({ sent: value, read: value }));
// Lone surrogates have no UTF-8.
const text = fc.string({ unit: "grapheme", maxLength: 40 });
const number = fc.oneof(
  fc.maxSafeInteger(),
  // The JSON encoder writes null for the numbers that JSON lacks, and forgets the sign of zero.
  fc.double({ noDefaultInfinity: true, noNaN: true }).filter((value) =>
    !Number.isInteger(value) || Number.isSafeInteger(value) && !Object.is(value, -0)
  ),
);

const value: fc.Arbitrary<Pair> = fc.letrec<{ value: Pair }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    same(text),
    same(number),
    same(fc.boolean()),
    same(fc.constant(null)),
    fc.uint8Array({ maxLength: 20 }).map((bytes) => ({
      sent: bytes,
      read: Buffer.from(bytes).toString("base64"),
    })),
    fc.array(tie("value"), { maxLength: 4 }).map((list) => ({
      sent: list.map(({ sent }) => sent),
      read: list.map(({ read }) => read),
    })),
    fc.array(fc.tuple(text, tie("value")), { maxLength: 4 }).map(mapOf),
  ),
})).value;

function mapOf(entries: [string, Pair][]): Pair {
  // Object.fromEntries makes a key named __proto__ a key.
  return {
    sent: Object.fromEntries(entries.map(([key, { sent }]) => [key, sent])),
    read: Object.fromEntries(entries.map(([key, { read }]) => [key, read])),
  };
}

const key = fc.oneof(
  text,
  fc.constantFrom("__proto__", "constructor", "gen_ai.usage.input_tokens"),
);
const attributes = fc.array(fc.tuple(key, value), { maxLength: 6 }).map(mapOf);

const time = fc.tuple(
  fc.integer({ min: 0, max: 2 ** 32 }),
  fc.integer({ min: 0, max: 999_999_999 }),
);
const nanoseconds = ([seconds, rest]: [number, number]) =>
  BigInt(seconds) * 1_000_000_000n + BigInt(rest);
const id = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes })
    .filter((one) => one.some((byte) => byte > 0))
    .map((one) => Buffer.from(one).toString("hex"));
const count = fc.integer({ min: 0, max: 2 ** 31 });

const resource = attributes.map((pair) => ({
  sent: { attributes: pair.sent, schemaUrl: "https://schema.example/1" },
  read: { attributes: pair.read, schema_url: "https://schema.example/1" },
}));
const scope = fc.record({ name: text, version: text, attributes }).map(
  ({ name, version, attributes }) => ({
    sent: { name, version, schemaUrl: "", attributes: attributes.sent },
    read: { name, version, attributes: attributes.read, schema_url: "" },
  }),
);

const traceState = fc.option(fc.constantFrom("a=1", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"));
const stateOf = (state: string | null) => state === null ? undefined : { serialize: () => state };

const event = fc.record({ name: text, time, attributes });
const link = fc.record({ trace: id(16), span: id(8), traceState, attributes });
const span = fc.record({
  resource,
  scope,
  trace: id(16),
  span: id(8),
  parent: fc.option(id(8)),
  traceState,
  flags: fc.integer({ min: 0, max: 255 }),
  name: text,
  kind: fc.integer({ min: 0, max: 4 }),
  start: time,
  end: time,
  attributes,
  events: fc.array(event, { maxLength: 3 }),
  links: fc.array(link, { maxLength: 3 }),
  code: fc.integer({ min: 0, max: 2 }),
  message: text,
  dropped: fc.tuple(count, count, count),
}).map((one) => ({
  sent: {
    resource: one.resource.sent,
    instrumentationScope: one.scope.sent,
    spanContext: () => ({
      traceId: one.trace,
      spanId: one.span,
      traceFlags: one.flags,
      traceState: stateOf(one.traceState),
    }),
    parentSpanContext: one.parent === null ? undefined : { spanId: one.parent, isRemote: true },
    name: one.name,
    kind: one.kind,
    startTime: one.start,
    endTime: one.end,
    attributes: one.attributes.sent,
    events: one.events.map((event) => ({
      name: event.name,
      time: event.time,
      attributes: event.attributes.sent,
    })),
    links: one.links.map((link) => ({
      context: {
        traceId: link.trace,
        spanId: link.span,
        traceFlags: 0,
        traceState: stateOf(link.traceState),
      },
      attributes: link.attributes.sent,
    })),
    status: { code: one.code, message: one.message },
    droppedAttributesCount: one.dropped[0],
    droppedEventsCount: one.dropped[1],
    droppedLinksCount: one.dropped[2],
  },
  read: {
    resource: one.resource.read,
    scope: one.scope.read,
    trace_id: one.trace,
    span_id: one.span,
    parent_span_id: one.parent,
    trace_state: one.traceState ?? "",
    flags: one.flags | 256 | (one.parent === null ? 0 : 512),
    name: one.name,
    kind: one.kind + 1,
    start: nanoseconds(one.start),
    end: nanoseconds(one.end),
    attributes: one.attributes.read,
    events: one.events.map((event) => ({
      name: event.name,
      time: nanoseconds(event.time),
      attributes: event.attributes.read,
    })),
    links: one.links.map((link) => ({
      trace_id: link.trace,
      span_id: link.span,
      trace_state: link.traceState ?? "",
      attributes: link.attributes.read,
    })),
    status: { code: one.code, message: one.message },
    dropped: { attributes: one.dropped[0], events: one.dropped[1], links: one.dropped[2] },
  },
}));

const record = fc.record({
  resource,
  scope,
  time,
  observed: time,
  severity: fc.integer({ min: 1, max: 24 }),
  level: text,
  body: value,
  attributes,
  name: text,
  context: fc.option(fc.tuple(id(16), id(8))),
  dropped: count,
}).map((one) => ({
  sent: {
    resource: one.resource.sent,
    instrumentationScope: one.scope.sent,
    hrTime: one.time,
    hrTimeObserved: one.observed,
    severityNumber: one.severity,
    severityText: one.level,
    body: one.body.sent,
    eventName: one.name,
    attributes: one.attributes.sent,
    droppedAttributesCount: one.dropped,
    spanContext: one.context === null
      ? undefined
      : { traceId: one.context[0], spanId: one.context[1], traceFlags: 1 },
  },
  read: {
    resource: one.resource.read,
    scope: one.scope.read,
    time: nanoseconds(one.time),
    observed_time: nanoseconds(one.observed),
    severity_number: one.severity,
    severity_text: one.level,
    body: one.body.read,
    attributes: one.attributes.read,
    event_name: one.name,
    trace_id: one.context?.[0] ?? null,
    span_id: one.context?.[1] ?? null,
    flags: one.context === null ? 0 : 1,
    dropped_attributes: one.dropped,
  },
}));

const finite = fc.double({ noDefaultInfinity: true, noNaN: true }).filter((value) =>
  !Object.is(value, -0)
);
const counts = fc.array(count, { maxLength: 5 });
const point = fc.record({ attributes, start: time, end: time, value: finite });
const buckets = fc.record({ offset: fc.integer({ min: -1000, max: 1000 }), counts });
const numbers = fc.record({ sum: finite, min: finite, max: finite, count });

/** DataPointType and ValueType of the SDK. */
const types = { histogram: 0, exponential_histogram: 1, gauge: 2, sum: 3 };
const temporalities = ["delta", "cumulative"] as const;

const metric = fc.record({
  resource,
  scope,
  name: text.filter((name) => name !== ""),
  description: text,
  unit: text,
  type: fc.constantFrom("histogram", "exponential_histogram", "gauge", "sum"),
  temporality: fc.integer({ min: 0, max: 1 }),
  monotonic: fc.boolean(),
  points: fc.array(
    fc.record({
      point,
      numbers,
      bounds: fc.array(finite, { maxLength: 5 }),
      counts,
      scale: fc.integer({ min: -10, max: 20 }),
      zeros: count,
      positive: buckets,
      negative: buckets,
    }),
    { minLength: 1, maxLength: 3 },
  ),
}).map(({ type, ...one }) => ({
  sent: {
    resource: one.resource.sent,
    scopeMetrics: [{
      scope: one.scope.sent,
      metrics: [{
        descriptor: {
          name: one.name,
          description: one.description,
          unit: one.unit,
          valueType: 1,
        },
        dataPointType: types[type],
        aggregationTemporality: one.temporality,
        isMonotonic: one.monotonic,
        dataPoints: one.points.map((each) => ({
          attributes: each.point.attributes.sent,
          startTime: each.point.start,
          endTime: each.point.end,
          value: type === "gauge" || type === "sum" ? each.point.value : {
            ...each.numbers,
            buckets: { boundaries: each.bounds, counts: each.counts },
            scale: each.scale,
            zeroCount: each.zeros,
            positive: { offset: each.positive.offset, bucketCounts: each.positive.counts },
            negative: { offset: each.negative.offset, bucketCounts: each.negative.counts },
          },
        })),
      }],
    }],
  },
  read: one.points.map((each) => {
    const single = type === "gauge" || type === "sum";
    return {
      resource: one.resource.read,
      scope: one.scope.read,
      name: one.name,
      description: one.description,
      unit: one.unit,
      type,
      temporality: type === "gauge" ? null : temporalities[one.temporality],
      monotonic: type === "sum" ? one.monotonic : null,
      attributes: each.point.attributes.read,
      start: nanoseconds(each.point.start),
      time: nanoseconds(each.point.end),
      flags: 0,
      value: single ? each.point.value : null,
      count: single ? null : each.numbers.count,
      sum: single ? null : each.numbers.sum,
      min: single ? null : each.numbers.min,
      max: single ? null : each.numbers.max,
      distribution: single
        ? null
        : type === "histogram"
        ? { bounds: each.bounds, counts: each.counts }
        : {
          scale: each.scale,
          zero_count: each.zeros,
          zero_threshold: 0,
          positive: each.positive,
          negative: each.negative,
        },
      exemplars: [],
    };
  }),
}));

describe.each(["protobuf", "json"] as const)("%s", (encoding) => {
  const check = (signal: Signal, items: readonly Pair[], sent: unknown) => {
    const body = serializers[signal][encoding].serializeRequest(sent);
    const decoded = decode(signal, encoding, body);
    if ("reason" in decoded) throw new Error(decoded.message);
    expect(decoded.rejected.messages).toEqual([]);
    expect(shown(decoded.items)).toEqual(shown(items.map(({ read }) => read).flat()));
  };

  test("traces", () => {
    fc.assert(fc.property(fc.array(span, { maxLength: 3 }), (spans) => {
      check("traces", spans, spans.map(({ sent }) => sent));
    }));
  });

  test("logs", () => {
    fc.assert(fc.property(fc.array(record, { maxLength: 3 }), (records) => {
      check("logs", records, records.map(({ sent }) => sent));
    }));
  });

  test("metrics", () => {
    fc.assert(fc.property(metric, (one) => check("metrics", [one], one.sent)));
  });
});
