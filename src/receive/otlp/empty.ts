// Telemetry of which nothing is known yet: what both encodings fill in.
import type { Attributes, LogRecord, MetricPoint, Resource, Scope, Span } from "./telemetry.ts";

export function emptyAttributes(): Attributes {
  return Object.create(null) as Attributes;
}

export function emptyResource(): Resource {
  return { attributes: emptyAttributes(), schema_url: "" };
}

export function emptyScope(): Scope {
  return { name: "", version: "", attributes: emptyAttributes(), schema_url: "" };
}

export function emptySpan(resource: Resource, scope: Scope): Span {
  return {
    resource,
    scope,
    trace_id: "",
    span_id: "",
    parent_span_id: null,
    trace_state: "",
    flags: 0,
    name: "",
    kind: 0,
    start: 0n,
    end: 0n,
    attributes: emptyAttributes(),
    events: [],
    links: [],
    status: { code: 0, message: "" },
    dropped: { attributes: 0, events: 0, links: 0 },
  };
}

export function emptyLogRecord(resource: Resource, scope: Scope): LogRecord {
  return {
    resource,
    scope,
    time: 0n,
    observed_time: 0n,
    severity_number: 0,
    severity_text: "",
    body: null,
    attributes: emptyAttributes(),
    event_name: "",
    trace_id: null,
    span_id: null,
    flags: 0,
    dropped_attributes: 0,
  };
}

/** What the points of one metric have in common. */
export type Metric = Pick<
  MetricPoint,
  "resource" | "scope" | "name" | "description" | "unit" | "type" | "temporality" | "monotonic"
>;

export function emptyMetric(resource: Resource, scope: Scope): Metric {
  return {
    resource,
    scope,
    name: "",
    description: "",
    unit: "",
    type: "gauge",
    temporality: null,
    monotonic: null,
  };
}

/** A data point without its metric's part. */
export function emptyPoint(): Omit<MetricPoint, keyof Metric> {
  return {
    attributes: emptyAttributes(),
    start: 0n,
    time: 0n,
    flags: 0,
    value: null,
    count: null,
    sum: null,
    min: null,
    max: null,
    distribution: null,
    exemplars: [],
  };
}
