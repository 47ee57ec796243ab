// A data point as the decoders read it.
import type { MetricPoint } from "../../src/receive/otlp/telemetry.ts";

export const resource = {
  attributes: { "service.name": "checkout", "deployment.environment": "prod" },
  schema_url: "",
};
const scope = { name: "meter", version: "1", attributes: {}, schema_url: "" };

/** A gauge, measured so many microseconds after noon. */
export function point(value: number, more: Partial<MetricPoint> = {}): MetricPoint {
  return {
    resource,
    scope,
    name: "queue.length",
    description: "How many wait",
    unit: "{item}",
    type: "gauge",
    temporality: null,
    monotonic: null,
    attributes: { queue: "mail" },
    start: 0n,
    time: BigInt(Date.UTC(2026, 0, 31, 12)) * 1_000_000n + BigInt(Math.trunc(value) || 0) * 1000n,
    flags: 0,
    value,
    count: null,
    sum: null,
    min: null,
    max: null,
    distribution: null,
    exemplars: [],
    ...more,
  };
}
