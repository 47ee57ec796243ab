-- By how much has each series of a metric grown from point to point? A cumulative one is compared
-- with the point before it, which may lie before the range of the question; null is not known.
CREATE OR REPLACE TEMP VIEW steps AS
WITH wanted AS (
  SELECT
    timestamp, start_timestamp, series_id, type, temporality, monotonic, unit,
    value, count, sum, min, max, distribution,
    CASE
      WHEN getvariable('points').by IS NOT NULL
      THEN coalesce(
        json_extract_string(attributes, getvariable('points').by),
        json_extract_string(resource, getvariable('points').by)
      )
    END AS "group",
    temporality = 'cumulative' OR type = 'summary' AS adds_up,
    getvariable('points').since IS NULL OR timestamp >= getvariable('points').since AS inside
  FROM metrics
  WHERE name = getvariable('points').name
    AND (getvariable('points').from IS NULL OR timestamp >= getvariable('points').from)
    AND (getvariable('points').until IS NULL OR timestamp < getvariable('points').until)
),
compared AS (
  SELECT
    *,
    lag(timestamp) OVER series AS timestamp_before,
    lag(value) OVER series AS value_before,
    lag(count) OVER series AS count_before,
    lag(sum) OVER series AS sum_before
  FROM wanted
  WINDOW series AS (PARTITION BY series_id, type, temporality ORDER BY timestamp)
),
judged AS (
  SELECT
    *,
    CASE
      WHEN NOT coalesce(adds_up, false) THEN 'whole'
      -- The first that is known: all of it is new only when the series began within the range.
      WHEN timestamp_before IS NULL THEN CASE
        WHEN getvariable('points').since IS NULL OR start_timestamp >= getvariable('points').since
        THEN 'whole' ELSE 'unknown' END
      -- The program was started anew.
      WHEN value < value_before OR count < count_before OR start_timestamp >= timestamp_before
      THEN 'whole'
      ELSE 'more'
    END AS growth
  FROM compared
)
SELECT
  CASE
    WHEN getvariable('points').interval_us IS NOT NULL
    THEN make_timestamptz(
      epoch_us(timestamp) // getvariable('points').interval_us * getvariable('points').interval_us
    )
  END AS bucket,
  "group",
  inside,
  timestamp,
  series_id,
  type,
  coalesce(adds_up, false) AS adds_up,
  growth,
  -- Gauges, and sums that also fall, have a level; the others grow.
  type = 'gauge' OR (type = 'sum' AND adds_up AND NOT coalesce(monotonic, false)) AS is_level,
  value,
  CASE growth WHEN 'whole' THEN value WHEN 'more' THEN value - value_before END AS value_growth,
  CASE growth WHEN 'whole' THEN count WHEN 'more' THEN count - count_before END AS count_growth,
  CASE growth WHEN 'whole' THEN sum WHEN 'more' THEN sum - sum_before END AS sum_growth,
  -- Of a cumulative histogram they are those since its start.
  CASE WHEN NOT coalesce(adds_up, false) THEN min END AS min,
  CASE WHEN NOT coalesce(adds_up, false) THEN max END AS max,
  distribution
FROM judged
WHERE getvariable('points').groups IS NULL
  OR list_contains(getvariable('points').groups, coalesce('=' || "group", ''))
