// What an OTLP export says, whatever its encoding: plain values that the decoders make and the
// mapping reads. Ids are lower-case hex; an id that is absent, empty or all zeros is null.

/**
 * An OTLP AnyValue as JSON. Integers beyond 2^53 are decimal text, bytes base64 text, and numbers
 * that JSON lacks "NaN", "Infinity" and "-Infinity".
 */
export type Value = string | number | boolean | null | Value[] | { [key: string]: Value };

/** Without a prototype: a key named __proto__ is a key like any other. */
export type Attributes = Record<string, Value>;

export interface Resource {
  attributes: Attributes;
  schema_url: string;
}

export interface Scope {
  name: string;
  version: string;
  attributes: Attributes;
  schema_url: string;
}

export interface SpanEvent {
  name: string;
  /** Nanoseconds since 1970. */
  time: bigint;
  attributes: Attributes;
}

export interface SpanLink {
  trace_id: string | null;
  span_id: string | null;
  trace_state: string;
  attributes: Attributes;
}

export interface Span {
  resource: Resource;
  scope: Scope;
  trace_id: string;
  span_id: string;
  parent_span_id: string | null;
  trace_state: string;
  flags: number;
  name: string;
  /** 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  kind: number;
  /** Nanoseconds since 1970; 0 is unknown. */
  start: bigint;
  end: bigint;
  attributes: Attributes;
  events: SpanEvent[];
  links: SpanLink[];
  status: { /** 0 unset, 1 ok, 2 error. */ code: number; message: string };
  /** What the producer's own limits cut off. */
  dropped: { attributes: number; events: number; links: number };
}

export interface LogRecord {
  resource: Resource;
  scope: Scope;
  /** Nanoseconds since 1970; 0 is unknown. */
  time: bigint;
  observed_time: bigint;
  severity_number: number;
  severity_text: string;
  body: Value;
  attributes: Attributes;
  event_name: string;
  trace_id: string | null;
  span_id: string | null;
  flags: number;
  dropped_attributes: number;
}

export type MetricType = "gauge" | "sum" | "histogram" | "exponential_histogram" | "summary";

/** One data point of a metric. */
export interface MetricPoint {
  resource: Resource;
  scope: Scope;
  name: string;
  description: string;
  unit: string;
  type: MetricType;
  /** Of sums and histograms. */
  temporality: "delta" | "cumulative" | null;
  monotonic: boolean | null;
  attributes: Attributes;
  /** Nanoseconds since 1970; 0 is unknown. */
  start: bigint;
  time: bigint;
  flags: number;
  /** Of gauges and sums; an integer beyond 2^53 is the nearest double. */
  value: number | null;
  /** Of histograms and summaries. */
  count: number | null;
  sum: number | null;
  min: number | null;
  max: number | null;
  /** {bounds, counts}, {scale, zero_count, positive, negative} or {quantiles}. */
  distribution: Value;
  exemplars: Value[];
}
