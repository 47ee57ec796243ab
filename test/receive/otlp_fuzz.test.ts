// Random and randomly changed exports: each is read or refused, never a crash, and in bounded time.
// WATCHLLM_FUZZ_SEED repeats a run, WATCHLLM_FUZZ_ROUNDS makes it longer.
import { expect, test } from "bun:test";
import { random } from "../../scripts/bench/events.ts";
import {
  attribute,
  double,
  field,
  fixed64,
  number,
  request,
  span,
  spanId,
  text,
  traceId,
} from "../../scripts/bench/otlp_wire.ts";
import { decode } from "../../src/receive/otlp/decode.ts";
import type { Encoding, Signal } from "../../src/receive/otlp/export.ts";

const seed = Number(process.env.WATCHLLM_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 32));
const rounds = Number(process.env.WATCHLLM_FUZZ_ROUNDS ?? 4000);
const signals: Signal[] = ["traces", "logs", "metrics"];
const encodings: Encoding[] = ["protobuf", "json"];
const next = random(seed);
const below = (bound: number) => Math.floor(next() * bound);
const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;

const nested = field(6, attribute(1, "k", field(5, field(1, text("v")), field(1, number(3, -1)))));
const point = field(
  1,
  fixed64(3, 5n),
  fixed64(4, 2n),
  field(6, Buffer.alloc(16)),
  attribute(9, "a", text("b")),
);
const valid: readonly Buffer[] = [
  request(span(attribute(9, "a", nested), field(11, fixed64(1, 1n), field(2, "e")))),
  request(
    span(field(13, field(1, traceId), field(2, spanId)), field(15, field(2, "no"), number(3, 2))),
  ),
  request(
    Buffer.concat([
      fixed64(1, 1n),
      number(2, 9),
      field(5, nested),
      field(9, traceId),
      field(12, "e"),
    ]),
  ),
  request(Buffer.concat([field(1, "m"), field(9, point, number(2, 2))])),
  request(
    Buffer.concat([field(1, "m"), field(7, field(1, double(4, 1), fixed64(3, 1n)), number(3, 1))]),
  ),
  ...[
    `{"resourceSpans":[{"resource":{"attributes":[{"key":"a","value":{"stringValue":"b"}}]},"scopeSpans":[{"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","kind":3,"startTimeUnixNano":"1700000000000000000","events":[{"name":"e","attributes":[]}],"status":{"code":2}}]}]}]}`,
    `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1","severityNumber":9,"body":{"kvlistValue":{"values":[{"key":"k","value":{"arrayValue":{"values":[{"intValue":"9007199254740993"}]}}}]}}}]}]}]}`,
    `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","histogram":{"aggregationTemporality":2,"dataPoints":[{"count":"2","sum":1.5,"bucketCounts":["1","1"],"explicitBounds":[1]}]}}]}]}]}`,
  ].map((json) => Buffer.from(json)),
];

/** Bytes that mean something at the borders of the formats. */
const telling = [
  0x00,
  0x01,
  0x0a,
  0x0b,
  0x0c,
  0x12,
  0x22,
  0x2c,
  0x5b,
  0x7b,
  0x7d,
  0x7f,
  0x80,
  0xff,
];

function changed(original: Buffer): Buffer {
  let body = Buffer.from(original);
  for (let changes = 1 + below(4); changes > 0; changes--) {
    const at = below(body.length + 1);
    const from = below(body.length + 1);
    const piece = body.subarray(from, from + below(20));
    switch (below(5)) {
      case 0:
        if (at < body.length) body[at] = next() < 0.5 ? pick(telling) : below(256);
        break;
      case 1:
        body = Buffer.concat([body.subarray(0, at), piece, body.subarray(at)]);
        break;
      case 2:
        body = Buffer.concat([body.subarray(0, at), body.subarray(at + below(20))]);
        break;
      case 3:
        body = Buffer.concat([
          body.subarray(0, at),
          Buffer.from([pick(telling)]),
          body.subarray(at),
        ]);
        break;
      default:
        if (at < body.length) body[at] = body[at]! ^ (1 << below(8));
    }
  }
  return body;
}

test(`${rounds} changed and random exports, seed ${seed}`, () => {
  console.log(`otlp fuzz: WATCHLLM_FUZZ_SEED=${seed}`);
  const outcomes = { read: 0, refused: 0 };
  for (let round = 0; round < rounds; round++) {
    const body = next() < 0.9
      ? changed(pick(valid))
      : Buffer.from(Array.from({ length: below(200) }, () => below(256)));
    for (const signal of signals) {
      for (const encoding of encodings) {
        const decoded = decode(signal, encoding, body);
        if ("reason" in decoded) {
          outcomes.refused++;
          expect(decoded.message.length).toBeLessThan(1000);
          continue;
        }
        outcomes.read++;
        // What is read can be written as JSON, with its times as text.
        JSON.stringify(decoded.items, (_, one) => typeof one === "bigint" ? String(one) : one);
      }
    }
  }
  expect(outcomes.read).toBeGreaterThan(0);
  expect(outcomes.refused).toBeGreaterThan(0);
}, 60_000);

test("half a megabyte of hostile bytes takes less than a second", () => {
  const bytes = 512 * 1024;
  const bodies = [
    ...telling.map((byte) => Buffer.alloc(bytes, byte)),
    Buffer.concat(Array<Buffer>(bytes / 4).fill(Buffer.from([0x0a, 0x02, 0x12, 0x00]))),
    request(span(Buffer.concat(Array<Buffer>(bytes / 8).fill(attribute(9, "", Buffer.alloc(0)))))),
    Buffer.from("\u{1f600}".repeat(bytes / 4)),
  ];
  for (const body of bodies) {
    for (const signal of signals) {
      for (const encoding of encodings) {
        const started = performance.now();
        decode(signal, encoding, body);
        expect(performance.now() - started).toBeLessThan(1000);
      }
    }
  }
}, 60_000);
