// Data points of metrics in JSON.
import { emptyAttributes } from "../empty.ts";
import { optionalId, spanIdBytes, traceIdBytes } from "../id.ts";
import { exact, finite, numberValue } from "../number.ts";
import type { MetricPoint, Value } from "../telemetry.ts";
import {
  doubleOf,
  idOf,
  int32Of,
  integerOf,
  listOf,
  type Message,
  messageOf,
  uintegerOf,
} from "./fields.ts";
import { readAttributes } from "./value.ts";

/** Fields that a generic protobuf library may spell in snake_case. */
export const knownOfPoints = new Set([
  "startTimeUnixNano",
  "timeUnixNano",
  "asDouble",
  "asInt",
  "bucketCounts",
  "explicitBounds",
  "zeroCount",
  "quantileValues",
]);

export function readPoint(message: Message, point: MetricPoint): void {
  readAttributes(message.attributes, "attributes", point.attributes);
  point.start = uintegerOf(message.startTimeUnixNano, "startTimeUnixNano");
  point.time = uintegerOf(message.timeUnixNano, "timeUnixNano");
  point.flags = int32Of(message.flags, "flags") >>> 0;
  point.exemplars = listOf(message.exemplars, "exemplars").map(readExemplar);
  if (point.type === "gauge" || point.type === "sum") {
    const value = numberOf(message);
    point.value = value === null ? null : finite(Number(value));
    return;
  }
  point.count = Number(uintegerOf(message.count, "count"));
  // The format does not tell a summary's sum of zero from none.
  point.sum = optionalNumber(message, "sum") ?? (point.type === "summary" ? 0 : null);
  point.min = optionalNumber(message, "min");
  point.max = optionalNumber(message, "max");
  point.distribution = distributionOf(message, point.type);
}

function distributionOf(message: Message, type: MetricPoint["type"]): Value {
  switch (type) {
    case "histogram":
      return {
        bounds: listOf(message.explicitBounds, "explicitBounds").map((bound) =>
          numberValue(doubleOf(bound, "explicitBounds[]"))
        ),
        counts: countsOf(message.bucketCounts, "bucketCounts"),
      };
    case "exponential_histogram":
      return {
        scale: int32Of(message.scale, "scale"),
        zero_count: exact(uintegerOf(message.zeroCount, "zeroCount")),
        zero_threshold: numberValue(doubleOf(message.zeroThreshold ?? 0, "zeroThreshold")),
        positive: bucketsOf(message.positive, "positive"),
        negative: bucketsOf(message.negative, "negative"),
      };
    default:
      return {
        quantiles: listOf(message.quantileValues, "quantileValues").map((one) => {
          const entry = messageOf(one, "quantileValues[]");
          return {
            quantile: numberValue(doubleOf(entry.quantile ?? 0, "quantile")),
            value: numberValue(doubleOf(entry.value ?? 0, "value")),
          };
        }),
      };
  }
}

function bucketsOf(value: unknown, name: string): Value {
  const buckets = messageOf(value, name);
  return {
    offset: int32Of(buckets.offset, `${name}.offset`),
    counts: countsOf(buckets.bucketCounts, `${name}.bucketCounts`),
  };
}

function countsOf(value: unknown, name: string): Value[] {
  return listOf(value, name).map((count) => exact(uintegerOf(count, `${name}[]`)));
}

/** An example of what was measured; times are decimal text, as they are beyond 2^53. */
function readExemplar(value: unknown): Value {
  const message = messageOf(value, "exemplars[]");
  const attributes = emptyAttributes();
  readAttributes(message.filteredAttributes, "exemplars[].filteredAttributes", attributes);
  return {
    time: String(uintegerOf(message.timeUnixNano, "exemplars[].timeUnixNano")),
    value: numberOf(message),
    trace_id: optionalId(idOf(message.traceId, "exemplars[].traceId"), traceIdBytes),
    span_id: optionalId(idOf(message.spanId, "exemplars[].spanId"), spanIdBytes),
    attributes,
  };
}

function numberOf({ asInt, asDouble }: Message): number | string | null {
  if (asInt !== undefined && asInt !== null) return integerOf(asInt, "asInt");
  if (asDouble !== undefined && asDouble !== null) {
    return numberValue(doubleOf(asDouble, "asDouble"));
  }
  return null;
}

function optionalNumber(message: Message, name: string): number | null {
  const value = message[name];
  return value === undefined || value === null ? null : finite(doubleOf(value, name));
}
