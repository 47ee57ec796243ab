-- What was the value of one ask in each of many windows that may overlap? An event counts in every window that it lies in.
WITH placed AS (
  SELECT
    unnest(range(
      CASE
        WHEN epoch_us(timestamp) < getvariable('alert_windows').first_us THEN 0
        ELSE (epoch_us(timestamp) - getvariable('alert_windows').first_us)
          // getvariable('alert_windows').step_us + 1
      END,
      least(
        getvariable('alert_windows').steps,
        (epoch_us(timestamp) + getvariable('alert_windows').window_us
          - getvariable('alert_windows').first_us) // getvariable('alert_windows').step_us + 1
      )
    )) AS step,
    CASE getvariable('alert_windows').by
      WHEN 'model' THEN [model]
      WHEN 'provider' THEN [provider]
      WHEN 'env' THEN [env]
      WHEN 'release' THEN [release]
      WHEN 'user_id' THEN [user_id]
      WHEN 'name' THEN [name]
      WHEN 'event_type' THEN [event_type]
      WHEN 'status' THEN [status]
      WHEN 'tool_name' THEN [tool_name]
      WHEN 'service' THEN [service]
      WHEN 'agent_name' THEN [agent_name]
      WHEN 'tag' THEN CASE WHEN len(tags) > 0 THEN list_distinct(tags) ELSE [NULL] END
      ELSE [NULL]
    END AS groups,
    status IN ('error', 'timeout', 'assertion_failed') AS failed,
    event_type,
    tokens_input,
    tokens_output,
    coalesce(tokens_input + tokens_output, tokens_input, tokens_output) AS tokens_total,
    coalesce(cost_estimate_usd, cost_reported_usd) AS cost_usd,
    latency_ms,
    time_to_first_token_ms
  FROM matching
  WHERE epoch_us(timestamp) >= getvariable('alert_windows').first_us - getvariable('alert_windows').window_us
    AND (getvariable('alert_windows').alerts_too
      OR event_type NOT IN ('performance_alert', 'cost_threshold_exceeded'))
),
grouped AS (
  SELECT unnest(groups) AS "group", * EXCLUDE (groups)
  FROM placed
),
summed AS (
  SELECT
    step,
    coalesce("group", '') AS "group",
    count(*) AS requests,
    (CASE getvariable('alert_windows').metric
      WHEN 'requests' THEN count(*)
      WHEN 'errors' THEN count(*) FILTER (failed)
      WHEN 'error_rate' THEN count(*) FILTER (failed) / count(*)
      WHEN 'tokens_input' THEN sum(tokens_input)
      WHEN 'tokens_output' THEN sum(tokens_output)
      WHEN 'tokens_total' THEN sum(tokens_total)
      WHEN 'tokens_call_max' THEN max(tokens_total)
      WHEN 'cost_usd' THEN sum(cost_usd)
      WHEN 'unpriced' THEN count(*) FILTER (
        cost_usd IS NULL AND tokens_total IS NOT NULL AND event_type = 'prompt_call'
      )
      WHEN 'latency_avg_ms' THEN avg(latency_ms)
      WHEN 'latency_p50_ms' THEN quantile_cont(latency_ms, 0.5)
      WHEN 'latency_p95_ms' THEN quantile_cont(latency_ms, 0.95)
      WHEN 'latency_p99_ms' THEN quantile_cont(latency_ms, 0.99)
      WHEN 'ttft_p50_ms' THEN quantile_cont(time_to_first_token_ms, 0.5)
    END)::DOUBLE AS value
  FROM grouped
  GROUP BY step, coalesce("group", '')
),
ranked AS (
  SELECT
    step,
    "group",
    requests,
    value,
    count(*) OVER (PARTITION BY step) AS groups,
    row_number() OVER (
      PARTITION BY step
      ORDER BY CASE WHEN getvariable('alert_windows').falling THEN -value ELSE value END DESC NULLS LAST,
        "group"
    ) AS place
  FROM summed
)
SELECT step, "group", requests, value, groups
FROM ranked
WHERE place <= getvariable('alert_windows').series_max
ORDER BY step, place
