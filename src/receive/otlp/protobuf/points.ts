// Data points of metrics in protobuf; each type numbers its fields anew.
import { emptyAttributes, emptyPoint, type Metric } from "../empty.ts";
import { cost, type Export } from "../export.ts";
import { optionalId, spanIdBytes, traceIdBytes } from "../id.ts";
import { finite, numberValue } from "../number.ts";
import type { Attributes, MetricPoint, Value } from "../telemetry.ts";
import { type Input, readAttribute, readItem } from "./value.ts";
import { bytes, fixed64, varint } from "./wire.ts";

export function readPoint(input: Input, metric: Metric, points: Export<MetricPoint>): void {
  const point: MetricPoint = { ...metric, ...emptyPoint() };
  const read = readers[metric.type];
  readItem("metrics", input, points, point, () => read(input, point));
}

const readers = {
  gauge: readNumber,
  sum: readNumber,
  histogram: readHistogram,
  exponential_histogram: readExponential,
  summary: readSummary,
};

function readNumber(input: Input, point: MetricPoint): void {
  const { wire } = input;
  for (let tag = wire.tag(); tag !== 0; tag = wire.tag()) {
    switch (tag) {
      case fixed64(4):
        point.value = finite(wire.double());
        break;
      case fixed64(6):
        point.value = Number(wire.sfixed64());
        break;
      case bytes(5):
        point.exemplars.push(readExemplar(input));
        break;
      case bytes(7):
        readAttribute(input, point.attributes);
        break;
      case varint(8):
        point.flags = wire.uint32();
        break;
      default:
        readTimes(input, point, tag);
    }
  }
}

function readHistogram(input: Input, point: MetricPoint): void {
  const { wire } = input;
  const bounds: Value[] = [];
  const counts: Value[] = [];
  for (let tag = wire.tag(); tag !== 0; tag = wire.tag()) {
    switch (tag) {
      case fixed64(4):
        point.count = Number(wire.fixed64());
        break;
      case fixed64(5):
        point.sum = finite(wire.double());
        break;
      case fixed64(6):
      case bytes(6):
        readList(input, tag, counts, fixedCount);
        break;
      case fixed64(7):
      case bytes(7):
        readList(input, tag, bounds, double);
        break;
      case bytes(8):
        point.exemplars.push(readExemplar(input));
        break;
      case bytes(9):
        readAttribute(input, point.attributes);
        break;
      case varint(10):
        point.flags = wire.uint32();
        break;
      case fixed64(11):
        point.min = finite(wire.double());
        break;
      case fixed64(12):
        point.max = finite(wire.double());
        break;
      default:
        readTimes(input, point, tag);
    }
  }
  point.count ??= 0;
  point.distribution = { bounds, counts };
}

function readExponential(input: Input, point: MetricPoint): void {
  const { wire } = input;
  const distribution: Attributes = {
    scale: 0,
    zero_count: 0,
    zero_threshold: 0,
    positive: { offset: 0, counts: [] },
    negative: { offset: 0, counts: [] },
  };
  for (let tag = wire.tag(); tag !== 0; tag = wire.tag()) {
    switch (tag) {
      case bytes(1):
        readAttribute(input, point.attributes);
        break;
      case fixed64(4):
        point.count = Number(wire.fixed64());
        break;
      case fixed64(5):
        point.sum = finite(wire.double());
        break;
      case varint(6):
        distribution.scale = wire.sint32();
        break;
      case fixed64(7):
        distribution.zero_count = fixedCount(input);
        break;
      case bytes(8):
        distribution.positive = readBuckets(input);
        break;
      case bytes(9):
        distribution.negative = readBuckets(input);
        break;
      case varint(10):
        point.flags = wire.uint32();
        break;
      case bytes(11):
        point.exemplars.push(readExemplar(input));
        break;
      case fixed64(12):
        point.min = finite(wire.double());
        break;
      case fixed64(13):
        point.max = finite(wire.double());
        break;
      case fixed64(14):
        distribution.zero_threshold = double(input);
        break;
      default:
        readTimes(input, point, tag);
    }
  }
  point.count ??= 0;
  point.distribution = distribution;
}

function readBuckets(input: Input): Value {
  const { wire } = input;
  const counts: Value[] = [];
  let offset = 0;
  const outer = wire.enter();
  for (let tag = wire.tag(); tag !== 0; tag = wire.tag()) {
    switch (tag) {
      case varint(1):
        offset = wire.sint32();
        break;
      case varint(2):
      case bytes(2):
        readList(input, tag, counts, varintCount);
        break;
      default:
        wire.skip(tag);
    }
  }
  wire.leave(outer);
  return { offset, counts };
}

function readSummary(input: Input, point: MetricPoint): void {
  const { wire } = input;
  const quantiles: Value[] = [];
  for (let tag = wire.tag(); tag !== 0; tag = wire.tag()) {
    switch (tag) {
      case fixed64(4):
        point.count = Number(wire.fixed64());
        break;
      case fixed64(5):
        point.sum = finite(wire.double());
        break;
      case bytes(6):
        quantiles.push(readQuantile(input));
        break;
      case bytes(7):
        readAttribute(input, point.attributes);
        break;
      case varint(8):
        point.flags = wire.uint32();
        break;
      default:
        readTimes(input, point, tag);
    }
  }
  // The format does not tell zero from absent in these two.
  point.count ??= 0;
  point.sum ??= 0;
  point.distribution = { quantiles };
}

function readQuantile(input: Input): Value {
  const { wire } = input;
  input.budget.spend(cost.record);
  const entry: Attributes = { quantile: 0, value: 0 };
  const outer = wire.enter();
  for (let tag = wire.tag(); tag !== 0; tag = wire.tag()) {
    if (tag === fixed64(1)) entry.quantile = double(input);
    else if (tag === fixed64(2)) entry.value = double(input);
    else wire.skip(tag);
  }
  wire.leave(outer);
  return entry;
}

/** An example of what was measured; times are decimal text, as they are beyond 2^53. */
function readExemplar(input: Input): Value {
  const { wire } = input;
  input.budget.spend(cost.record);
  const attributes = emptyAttributes();
  const exemplar: Attributes = {
    time: "0",
    value: null,
    trace_id: null,
    span_id: null,
    attributes,
  };
  const outer = wire.enter();
  for (let tag = wire.tag(); tag !== 0; tag = wire.tag()) {
    switch (tag) {
      case fixed64(2):
        exemplar.time = String(wire.fixed64());
        break;
      case fixed64(3):
        exemplar.value = double(input);
        break;
      case fixed64(6):
        exemplar.value = wire.sfixed64();
        break;
      case bytes(4):
        exemplar.span_id = optionalId(wire.hex(), spanIdBytes);
        break;
      case bytes(5):
        exemplar.trace_id = optionalId(wire.hex(), traceIdBytes);
        break;
      case bytes(7):
        readAttribute(input, attributes);
        break;
      default:
        wire.skip(tag);
    }
  }
  wire.leave(outer);
  return exemplar;
}

/** All types of points number their times alike. */
function readTimes({ wire }: Input, point: MetricPoint, tag: number): void {
  if (tag === fixed64(2)) point.start = wire.fixed64();
  else if (tag === fixed64(3)) point.time = wire.fixed64();
  else wire.skip(tag);
}

/** One number, or many packed into bytes. */
function readList(
  input: Input,
  tag: number,
  into: Value[],
  read: (input: Input) => Value,
): void {
  const { wire, budget } = input;
  if (tag % 8 !== bytes(0)) {
    budget.spend(cost.value);
    into.push(read(input));
    return;
  }
  const outer = wire.enter();
  while (!wire.done) {
    budget.spend(cost.value);
    into.push(read(input));
  }
  wire.leave(outer);
}

const fixedCount = ({ wire }: Input): Value => wire.ufixed64();
const varintCount = ({ wire }: Input): Value => wire.uint64();
const double = ({ wire }: Input): Value => numberValue(wire.double());
