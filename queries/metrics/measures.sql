-- How many, how slow, how costly are matching events, by group and bucket of time?
WITH grouped AS (
  SELECT
    CASE
      WHEN getvariable('grouping').interval_us IS NOT NULL
      THEN make_timestamptz(
        epoch_us(timestamp) // getvariable('grouping').interval_us * getvariable('grouping').interval_us
      )
    END AS bucket,
    unnest(CASE getvariable('grouping').by
      WHEN 'model' THEN [model]
      WHEN 'provider' THEN [provider]
      WHEN 'env' THEN [env]
      WHEN 'release' THEN [release]
      WHEN 'user_id' THEN [user_id]
      WHEN 'name' THEN [name]
      WHEN 'tool_name' THEN [tool_name]
      WHEN 'service' THEN [service]
      WHEN 'agent_name' THEN [agent_name]
      WHEN 'event_type' THEN [event_type]
      WHEN 'status' THEN [status]
      WHEN 'tag' THEN CASE WHEN len(tags) > 0 THEN list_distinct(tags) ELSE [NULL] END
      ELSE [NULL]
    END) AS "group",
    status IN ('error', 'timeout', 'assertion_failed') AS failed,
    event_type,
    tokens_input,
    tokens_output,
    coalesce(tokens_input + tokens_output, tokens_input, tokens_output) AS tokens_total,
    coalesce(cost_estimate_usd, cost_reported_usd) AS cost_usd,
    latency_ms,
    time_to_first_token_ms
  FROM matching
)
SELECT
  bucket,
  "group",
  count(*) AS requests,
  count(*) FILTER (failed) AS errors,
  count(*) FILTER (failed) / count(*) AS error_rate,
  sum(tokens_input) AS tokens_input,
  sum(tokens_output) AS tokens_output,
  sum(tokens_total) AS tokens_total,
  sum(cost_usd) AS cost_usd,
  count(*) FILTER (cost_usd IS NULL AND tokens_total IS NOT NULL AND event_type = 'prompt_call') AS unpriced,
  avg(latency_ms) AS latency_avg_ms,
  quantile_cont(latency_ms, 0.5) AS latency_p50_ms,
  quantile_cont(latency_ms, 0.95) AS latency_p95_ms,
  quantile_cont(latency_ms, 0.99) AS latency_p99_ms,
  quantile_cont(time_to_first_token_ms, 0.5) AS ttft_p50_ms
FROM grouped
WHERE getvariable('grouping').groups IS NULL
  OR list_contains(getvariable('grouping').groups, coalesce('=' || "group", ''))
GROUP BY bucket, "group"
ORDER BY bucket, requests DESC, "group"
