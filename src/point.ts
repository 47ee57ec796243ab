// The vocabulary of metrics: every column of a data point, once. The Parquet columns of the lake's
// second folder, the view `metrics` and its data dictionary are derived from `pointColumns`.
import type { MetricType } from "./receive/otlp/telemetry.ts";

export interface PointColumn {
  /** Parquet (and Iceberg) field id: fixed for ever, never used again for another column. */
  id: number;
  name: string;
  type: "VARCHAR" | "BIGINT" | "DOUBLE" | "BOOLEAN" | "TIMESTAMPTZ";
  help: string;
}

export const pointColumns = [
  { id: 1, name: "point_id", type: "VARCHAR", help: "Made of the point; sent twice, stored once." },
  { id: 2, name: "project_id", type: "VARCHAR", help: "Project that owns the point." },
  { id: 3, name: "timestamp", type: "TIMESTAMPTZ", help: "When it was measured." },
  {
    id: 4,
    name: "start_timestamp",
    type: "TIMESTAMPTZ",
    help: "Since when sums and counts are added up.",
  },
  { id: 5, name: "received_at", type: "TIMESTAMPTZ", help: "When the server took it." },
  { id: 6, name: "name", type: "VARCHAR", help: "Name of the metric." },
  { id: 7, name: "description", type: "VARCHAR", help: "What the producer says of the metric." },
  { id: 8, name: "unit", type: "VARCHAR", help: "Unit, such as s, By or {token}." },
  {
    id: 9,
    name: "type",
    type: "VARCHAR",
    help: "One of gauge, sum, histogram, exponential_histogram, summary.",
  },
  {
    id: 10,
    name: "temporality",
    type: "VARCHAR",
    help: "Of sums and histograms: delta (since the point before) or cumulative (since the start).",
  },
  { id: 11, name: "monotonic", type: "BOOLEAN", help: "Of sums: it only grows." },
  { id: 12, name: "value", type: "DOUBLE", help: "Of gauges and sums; null when not a number." },
  { id: 13, name: "count", type: "BIGINT", help: "Of histograms and summaries: values measured." },
  { id: 14, name: "sum", type: "DOUBLE", help: "Of histograms and summaries: sum of the values." },
  { id: 15, name: "min", type: "DOUBLE", help: "Of histograms: least value." },
  { id: 16, name: "max", type: "DOUBLE", help: "Of histograms: greatest value." },
  {
    id: 17,
    name: "distribution",
    type: "VARCHAR",
    help: "JSON: {bounds, counts}, {scale, zero_count, positive, negative} or {quantiles}.",
  },
  { id: 18, name: "attributes", type: "VARCHAR", help: "JSON object: attributes of the point." },
  { id: 19, name: "resource", type: "VARCHAR", help: "JSON object: attributes of the resource." },
  { id: 20, name: "scope", type: "VARCHAR", help: "JSON: {name, version, attributes}." },
  { id: 21, name: "service", type: "VARCHAR", help: "Service that sent it." },
  { id: 22, name: "env", type: "VARCHAR", help: "Deployment environment, such as production." },
  {
    id: 23,
    name: "series_id",
    type: "VARCHAR",
    help: "The same for all points of one metric, resource, scope and set of attributes.",
  },
  { id: 24, name: "exemplars", type: "VARCHAR", help: "JSON array: measurements with their span." },
  { id: 25, name: "flags", type: "BIGINT", help: "As sent; 1 says that no value was recorded." },
  {
    id: 26,
    name: "redactions",
    type: "VARCHAR",
    help: "JSON: what was found in its attributes and hashed, by kind: {EMAIL_ADDRESS: 2}.",
  },
] as const satisfies readonly PointColumn[];

/** A data point as it is stored: one line of the log. What is not known is left out. */
export interface Point {
  point_id: string;
  project_id: string;
  /** ISO 8601 with microseconds, UTC; as are the other times. */
  timestamp: string;
  start_timestamp?: string;
  received_at: string;
  name: string;
  description?: string;
  unit?: string;
  type: MetricType;
  temporality?: "delta" | "cumulative";
  monotonic?: boolean;
  value?: number;
  count?: number;
  sum?: number;
  min?: number;
  max?: number;
  distribution?: unknown;
  attributes?: Record<string, unknown>;
  resource?: Record<string, unknown>;
  scope?: Record<string, unknown>;
  service?: string;
  env?: string;
  series_id: string;
  exemplars?: unknown[];
  flags?: number;
  redactions?: Record<string, number>;
}
