// ExportMetricsServiceRequest in protobuf → data points.
import { emptyMetric, type Metric } from "../empty.ts";
import { attempt, cost, type Export, type ExportRefusal } from "../export.ts";
import { closeMetric, temporalityOf } from "../metric.ts";
import type { MetricPoint, MetricType } from "../telemetry.ts";
import { readPoint } from "./points.ts";
import { Input, readRequest } from "./value.ts";
import { bytes, varint } from "./wire.ts";

export function readMetrics(body: Uint8Array): Export<MetricPoint> | ExportRefusal {
  return attempt((points) =>
    readRequest(new Input(body), (input, resource, scope) => {
      const first = points.items.length;
      const metric = emptyMetric(resource, scope);
      readMetric(input, metric, points);
      closeMetric(metric, points, first);
    })
  );
}

const typeOf = new Map<number, MetricType>([
  [bytes(5), "gauge"],
  [bytes(7), "sum"],
  [bytes(9), "histogram"],
  [bytes(10), "exponential_histogram"],
  [bytes(11), "summary"],
]);

function readMetric(input: Input, metric: Metric, points: Export<MetricPoint>): void {
  const { wire } = input;
  input.budget.spend(cost.item);
  const outer = wire.enter();
  for (let tag = wire.tag(); tag !== 0; tag = wire.tag()) {
    const type = typeOf.get(tag);
    if (type !== undefined) {
      metric.type = type;
      readData(input, metric, points);
      continue;
    }
    switch (tag) {
      case bytes(1):
        metric.name = wire.text();
        break;
      case bytes(2):
        metric.description = wire.text();
        break;
      case bytes(3):
        metric.unit = wire.text();
        break;
      default:
        wire.skip(tag);
    }
  }
  wire.leave(outer);
}

/** Gauge, Sum and the others have the same numbers for the same things. */
function readData(input: Input, metric: Metric, points: Export<MetricPoint>): void {
  const { wire } = input;
  const outer = wire.enter();
  if (metric.type === "sum") metric.monotonic = false;
  for (let tag = wire.tag(); tag !== 0; tag = wire.tag()) {
    switch (tag) {
      case bytes(1):
        readPoint(input, metric, points);
        break;
      case varint(2):
        metric.temporality = temporalityOf(wire.int32());
        break;
      case varint(3):
        metric.monotonic = wire.boolean();
        break;
      default:
        wire.skip(tag);
    }
  }
  wire.leave(outer);
}
