-- Which metrics are there, and when was each seen last?
SELECT
  name,
  arg_max(type, timestamp) AS type,
  arg_max(unit, timestamp) AS unit,
  arg_max(description, timestamp) AS description,
  arg_max(temporality, timestamp) AS temporality,
  arg_max(monotonic, timestamp) AS monotonic,
  count(*) AS points,
  approx_count_distinct(series_id) AS series,
  min(timestamp) AS first_seen,
  max(timestamp) AS last_seen
FROM metrics
WHERE ($since::TIMESTAMPTZ IS NULL OR timestamp >= $since::TIMESTAMPTZ)
  AND ($until::TIMESTAMPTZ IS NULL OR timestamp < $until::TIMESTAMPTZ)
  AND ($name::VARCHAR IS NULL OR name = $name::VARCHAR)
GROUP BY name
ORDER BY name
LIMIT $limit::BIGINT
