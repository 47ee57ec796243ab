-- How does a metric develop, by group and bucket of time? A null is not known.
WITH by_series AS (
  SELECT
    bucket,
    "group",
    series_id,
    count(*) AS points,
    bool_or(type = 'sum') AS is_sum,
    arg_max(value, timestamp) FILTER (is_level) AS last,
    sum(value) FILTER (is_level) AS level_sum,
    count(value) FILTER (is_level) AS level_count,
    min(value) FILTER (is_level) AS level_min,
    max(value) FILTER (is_level) AS level_max,
    sum(value_growth) FILTER (NOT is_level) AS growth,
    sum(count_growth) AS count,
    sum(sum_growth) AS sum,
    min(min) AS min,
    max(max) AS max
  FROM steps
  WHERE inside
  GROUP BY bucket, "group", series_id
)
SELECT
  bucket,
  "group",
  sum(points)::BIGINT AS points,
  count(*) AS series,
  coalesce(sum(growth), sum(last) FILTER (is_sum), avg(last)) AS value,
  sum(growth) AS growth,
  sum(count)::BIGINT AS count,
  coalesce(sum(sum), sum(growth)) AS sum,
  coalesce(sum(sum) / nullif(sum(count), 0), sum(level_sum) / nullif(sum(level_count), 0)) AS avg,
  min(coalesce(min, level_min)) AS min,
  max(coalesce(max, level_max)) AS max,
  count(*) OVER () AS cells
FROM by_series
GROUP BY bucket, "group"
ORDER BY bucket, value DESC NULLS LAST, points DESC, "group"
LIMIT $limit::BIGINT
