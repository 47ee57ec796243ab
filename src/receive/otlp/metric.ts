// What a metric says of all its points, which may come after them.
import { type Metric } from "./empty.ts";
import { type Export, itemNames } from "./export.ts";
import type { MetricPoint } from "./telemetry.ts";

/** Null when the producer did not say. */
export function temporalityOf(code: number): MetricPoint["temporality"] {
  return code === 1 ? "delta" : code === 2 ? "cumulative" : null;
}

/** Completes the points that were read of the metric, from `first` on, or rejects them all. */
export function closeMetric(metric: Metric, points: Export<MetricPoint>, first: number): void {
  const { items, rejected } = points;
  if (metric.name !== "") {
    for (let at = first; at < items.length; at++) Object.assign(items[at]!, metric);
    return;
  }
  for (; items.length > first; items.length--) {
    const index = items.length - 1 + rejected.count;
    rejected.add("missing_name", () => `${itemNames.metrics} ${index}: its metric has no name.`);
  }
}
