-- What can be asked of a data point of a metric? Each column's Parquet field id and meaning.
-- Made from src/point.ts by `deno task dictionary`.
CREATE TABLE metrics (
  point_id VARCHAR, -- 1: Made of the point; sent twice, stored once.
  project_id VARCHAR, -- 2: Project that owns the point.
  timestamp TIMESTAMPTZ, -- 3: When it was measured.
  start_timestamp TIMESTAMPTZ, -- 4: Since when sums and counts are added up.
  received_at TIMESTAMPTZ, -- 5: When the server took it.
  name VARCHAR, -- 6: Name of the metric.
  description VARCHAR, -- 7: What the producer says of the metric.
  unit VARCHAR, -- 8: Unit, such as s, By or {token}.
  type VARCHAR, -- 9: One of gauge, sum, histogram, exponential_histogram, summary.
  temporality VARCHAR, -- 10: Of sums and histograms: delta (since the point before) or cumulative (since the start).
  monotonic BOOLEAN, -- 11: Of sums: it only grows.
  value DOUBLE, -- 12: Of gauges and sums; null when not a number.
  count BIGINT, -- 13: Of histograms and summaries: values measured.
  sum DOUBLE, -- 14: Of histograms and summaries: sum of the values.
  min DOUBLE, -- 15: Of histograms: least value.
  max DOUBLE, -- 16: Of histograms: greatest value.
  distribution VARCHAR, -- 17: JSON: {bounds, counts}, {scale, zero_count, positive, negative} or {quantiles}.
  attributes VARCHAR, -- 18: JSON object: attributes of the point.
  resource VARCHAR, -- 19: JSON object: attributes of the resource.
  scope VARCHAR, -- 20: JSON: {name, version, attributes}.
  service VARCHAR, -- 21: Service that sent it.
  env VARCHAR, -- 22: Deployment environment, such as production.
  series_id VARCHAR, -- 23: The same for all points of one metric, resource, scope and set of attributes.
  exemplars VARCHAR, -- 24: JSON array: measurements with their span.
  flags BIGINT, -- 25: As sent; 1 says that no value was recorded.
  redactions VARCHAR -- 26: JSON: what was found in its attributes and hashed, by kind: {EMAIL_ADDRESS: 2}.
);
