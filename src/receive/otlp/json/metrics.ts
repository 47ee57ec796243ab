// ExportMetricsServiceRequest in JSON → data points.
import { emptyMetric, emptyPoint, type Metric } from "../empty.ts";
import { attempt, type Export, ExportError, type ExportRefusal } from "../export.ts";
import { closeMetric, temporalityOf } from "../metric.ts";
import type { MetricPoint, MetricType } from "../telemetry.ts";
import {
  booleanOf,
  camelCase,
  enumOf,
  listOf,
  type Message,
  messageOf,
  snakeCase,
  textOf,
} from "./fields.ts";
import { knownOfPoints, readPoint } from "./points.ts";
import { readItem, readRequest } from "./value.ts";

const typeOf = new Map<string, MetricType>([
  ["gauge", "gauge"],
  ["sum", "sum"],
  ["histogram", "histogram"],
  ["exponentialHistogram", "exponential_histogram"],
  ["summary", "summary"],
]);

const temporalities = [
  "AGGREGATION_TEMPORALITY_UNSPECIFIED",
  "AGGREGATION_TEMPORALITY_DELTA",
  "AGGREGATION_TEMPORALITY_CUMULATIVE",
];

export function readMetrics(body: Uint8Array): Export<MetricPoint> | ExportRefusal {
  return attempt((points) =>
    readRequest(body, "metrics", (value, resource, scope) => {
      const first = points.items.length;
      const metric = emptyMetric(resource, scope);
      readMetric(messageOf(value, "metrics[]"), metric, points);
      closeMetric(metric, points, first);
    })
  );
}

function readMetric(message: Message, metric: Metric, points: Export<MetricPoint>): void {
  metric.name = textOf(message.name, "name");
  metric.description = textOf(message.description, "description");
  metric.unit = textOf(message.unit, "unit");
  for (const key in message) {
    const type = typeOf.get(key);
    const camel = camelCase(key);
    if (type !== undefined) readData(messageOf(message[key], key), metric, type, points);
    else if (camel !== key && typeOf.has(camel)) throw notOtlp(snakeCase(key, camel));
  }
}

function readData(
  data: Message,
  metric: Metric,
  type: MetricType,
  points: Export<MetricPoint>,
): void {
  if (data.dataPoints === undefined && data.data_points !== undefined) {
    throw notOtlp(snakeCase("data_points", "dataPoints"));
  }
  metric.type = type;
  metric.temporality = temporalityOf(
    enumOf(data.aggregationTemporality, "aggregationTemporality", temporalities),
  );
  if (type === "sum") metric.monotonic = booleanOf(data.isMonotonic, "isMonotonic");
  for (const value of listOf(data.dataPoints, "dataPoints")) {
    const point: MetricPoint = { ...metric, ...emptyPoint() };
    readItem("metrics", points, value, point, knownOfPoints, (one) => readPoint(one, point));
  }
}

function notOtlp(message: string): ExportError {
  return new ExportError("invalid_export", `The JSON is no OTLP export: ${message}`);
}
