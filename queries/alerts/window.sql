-- What is the value of each ask of the rules in one window? The events are read once: they are summed up by the columns that any ask needs, and every ask then adds up the cells that are its own. Alerts that rules made are no traffic.
WITH asked AS (
  SELECT unnest(getvariable('alert_asks').asks, max_depth := 2)
),
cells AS (
  SELECT
    CASE WHEN list_contains(getvariable('alert_asks').uses, 'event_type') THEN event_type END AS event_type,
    CASE WHEN list_contains(getvariable('alert_asks').uses, 'status') THEN status END AS status,
    CASE WHEN list_contains(getvariable('alert_asks').uses, 'model') THEN model END AS model,
    CASE WHEN list_contains(getvariable('alert_asks').uses, 'provider') THEN provider END AS provider,
    CASE WHEN list_contains(getvariable('alert_asks').uses, 'user_id') THEN user_id END AS user_id,
    CASE WHEN list_contains(getvariable('alert_asks').uses, 'run_id') THEN run_id END AS run_id,
    CASE WHEN list_contains(getvariable('alert_asks').uses, 'session_id') THEN session_id END AS session_id,
    CASE WHEN list_contains(getvariable('alert_asks').uses, 'tag') THEN tags END AS tags,
    CASE WHEN list_contains(getvariable('alert_asks').uses, 'release') THEN release END AS release,
    CASE WHEN list_contains(getvariable('alert_asks').uses, 'env') THEN env END AS env,
    CASE WHEN list_contains(getvariable('alert_asks').uses, 'name') THEN name END AS name,
    CASE WHEN list_contains(getvariable('alert_asks').uses, 'tool_name') THEN tool_name END AS tool_name,
    CASE WHEN list_contains(getvariable('alert_asks').uses, 'service') THEN service END AS service,
    CASE WHEN list_contains(getvariable('alert_asks').uses, 'agent_name') THEN agent_name END AS agent_name,
    event_type IN ('performance_alert', 'cost_threshold_exceeded') AS is_alert,
    count(*) AS requests,
    count(*) FILTER (status IN ('error', 'timeout', 'assertion_failed')) AS errors,
    sum(tokens_input) AS tokens_input,
    sum(tokens_output) AS tokens_output,
    sum(coalesce(tokens_input + tokens_output, tokens_input, tokens_output)) AS tokens_total,
    max(coalesce(tokens_input + tokens_output, tokens_input, tokens_output)) AS tokens_call_max,
    sum(coalesce(cost_estimate_usd, cost_reported_usd)) AS cost_usd,
    count(*) FILTER (
      coalesce(cost_estimate_usd, cost_reported_usd) IS NULL
      AND coalesce(tokens_input, tokens_output) IS NOT NULL
      AND event_type = 'prompt_call'
    ) AS unpriced,
    CASE WHEN list_contains(getvariable('alert_asks').uses, 'latency')
      THEN list(latency_ms) FILTER (latency_ms IS NOT NULL) END AS latencies,
    CASE WHEN list_contains(getvariable('alert_asks').uses, 'ttft')
      THEN list(time_to_first_token_ms) FILTER (time_to_first_token_ms IS NOT NULL) END AS ttfts
  FROM events
  WHERE timestamp >= getvariable('alert_asks').since
    AND timestamp < getvariable('alert_asks').until
  GROUP BY ALL
),
matched AS (
  SELECT
    asked.id,
    asked.metric,
    asked.falling,
    unnest(CASE asked.by
      WHEN 'model' THEN [cells.model]
      WHEN 'provider' THEN [cells.provider]
      WHEN 'env' THEN [cells.env]
      WHEN 'release' THEN [cells.release]
      WHEN 'user_id' THEN [cells.user_id]
      WHEN 'name' THEN [cells.name]
      WHEN 'event_type' THEN [cells.event_type]
      WHEN 'status' THEN [cells.status]
      WHEN 'tool_name' THEN [cells.tool_name]
      WHEN 'service' THEN [cells.service]
      WHEN 'agent_name' THEN [cells.agent_name]
      WHEN 'tag' THEN CASE WHEN len(cells.tags) > 0 THEN list_distinct(cells.tags) ELSE [NULL] END
      ELSE [NULL]
    END) AS "group",
    cells.requests, cells.errors, cells.tokens_input, cells.tokens_output, cells.tokens_total,
    cells.tokens_call_max, cells.cost_usd, cells.unpriced, cells.latencies, cells.ttfts
  FROM asked
  JOIN cells ON
    (CASE WHEN asked.event_type IS NULL THEN NOT cells.is_alert ELSE list_contains(asked.event_type, cells.event_type) END)
    AND (asked.status IS NULL OR list_contains(asked.status, cells.status))
    AND (asked.model IS NULL OR list_contains(asked.model, cells.model))
    AND (asked.provider IS NULL OR list_contains(asked.provider, cells.provider))
    AND (asked.user_id IS NULL OR list_contains(asked.user_id, cells.user_id))
    AND (asked.run_id IS NULL OR list_contains(asked.run_id, cells.run_id))
    AND (asked.session_id IS NULL OR list_contains(asked.session_id, cells.session_id))
    AND (asked.tag IS NULL OR list_has_any(asked.tag, cells.tags))
    AND (asked.release IS NULL OR list_contains(asked.release, cells.release))
    AND (asked.env IS NULL OR list_contains(asked.env, cells.env))
    AND (asked.name IS NULL OR list_contains(asked.name, cells.name))
    AND (asked.tool_name IS NULL OR list_contains(asked.tool_name, cells.tool_name))
    AND (asked.service IS NULL OR list_contains(asked.service, cells.service))
    AND (asked.agent_name IS NULL OR list_contains(asked.agent_name, cells.agent_name))
),
summed AS (
  SELECT
    id,
    falling,
    coalesce("group", '') AS "group",
    sum(requests)::BIGINT AS requests,
    (CASE any_value(metric)
      WHEN 'requests' THEN sum(requests)
      WHEN 'errors' THEN sum(errors)
      WHEN 'error_rate' THEN sum(errors) / sum(requests)
      WHEN 'tokens_input' THEN sum(tokens_input)
      WHEN 'tokens_output' THEN sum(tokens_output)
      WHEN 'tokens_total' THEN sum(tokens_total)
      WHEN 'tokens_call_max' THEN max(tokens_call_max)
      WHEN 'cost_usd' THEN sum(cost_usd)
      WHEN 'unpriced' THEN sum(unpriced)
      WHEN 'latency_avg_ms' THEN list_avg(flatten(list(latencies)))
      WHEN 'latency_p50_ms' THEN list_aggregate(flatten(list(latencies)), 'quantile_cont', 0.5)
      WHEN 'latency_p95_ms' THEN list_aggregate(flatten(list(latencies)), 'quantile_cont', 0.95)
      WHEN 'latency_p99_ms' THEN list_aggregate(flatten(list(latencies)), 'quantile_cont', 0.99)
      WHEN 'ttft_p50_ms' THEN list_aggregate(flatten(list(ttfts)), 'quantile_cont', 0.5)
    END)::DOUBLE AS value
  FROM matched
  GROUP BY id, falling, coalesce("group", '')
),
ranked AS (
  SELECT
    id,
    "group",
    requests,
    value,
    count(*) OVER (PARTITION BY id) AS groups,
    row_number() OVER (
      PARTITION BY id ORDER BY CASE WHEN falling THEN -value ELSE value END DESC NULLS LAST, "group"
    ) AS place
  FROM summed
)
SELECT id, "group", requests, value, groups
FROM ranked
WHERE place <= getvariable('alert_asks').series_max
ORDER BY id, place
