-- How were the values of a histogram distributed, by group and bucket of time? Of a cumulative one
-- `before` is to be taken off; it is null when the counts began anew. What is longer than any sound
-- histogram is null.
WITH eras AS (
  SELECT
    bucket, "group", inside, timestamp, series_id, type, adds_up, growth,
    CASE WHEN length(distribution) <= 16384 THEN distribution END AS distribution,
    count(*) FILTER (growth <> 'more') OVER (
      PARTITION BY series_id, type, adds_up ORDER BY timestamp
    ) AS era
  FROM steps
  WHERE type IN ('histogram', 'exponential_histogram')
),
lasts AS (
  SELECT
    bucket, "group", inside, series_id, type, adds_up, era,
    max(timestamp) AS timestamp,
    arg_max_null(distribution, timestamp) AS distribution,
    arg_min(growth, timestamp) AS growth
  FROM eras
  WHERE adds_up
  GROUP BY bucket, "group", inside, series_id, type, adds_up, era
),
grown AS (
  SELECT
    bucket, "group", inside, growth, distribution,
    lag(distribution) OVER (PARTITION BY series_id, type, era ORDER BY timestamp) AS before,
    first_value(growth) OVER (PARTITION BY series_id, type, era ORDER BY timestamp) AS began
  FROM lasts
)
SELECT bucket, "group", distribution, NULL::VARCHAR AS before
FROM eras
WHERE NOT adds_up AND inside
UNION ALL
SELECT bucket, "group", distribution, before
FROM grown
WHERE inside AND (before IS NOT NULL OR began = 'whole')
LIMIT $limit::BIGINT
