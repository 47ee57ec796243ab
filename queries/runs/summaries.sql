-- What did the runs of this page do, cost and say?
-- What no other event caused speaks for the run before what was caused, the earliest of it first;
-- then ids decide: a run reads the same each time.
WITH chosen AS (
  SELECT
    run_id,
    timestamp,
    parent_span_id IS NULL AS is_root,
    row_number() OVER (
      PARTITION BY run_id ORDER BY parent_span_id IS NOT NULL, timestamp, event_id
    ) AS place,
    row_number() OVER (
      PARTITION BY run_id ORDER BY timestamp, parent_span_id IS NOT NULL, event_id
    ) AS turn,
    -- No call lasts a century; a latency without bound would leave the calendar.
    timestamp + to_microseconds((least(coalesce(latency_ms, 0), 3.1e12) * 1000)::BIGINT) AS ended_at,
    event_type,
    status IN ('error', 'timeout', 'assertion_failed') AS failed,
    coalesce(name, step_name, tool_name, model, event_type) AS name,
    tokens_input,
    tokens_output,
    coalesce(cost_estimate_usd, cost_reported_usd) AS cost_usd,
    model,
    user_id,
    session_id,
    release,
    env,
    tags,
    error_message,
    input_preview,
    output_preview
  FROM events
  WHERE timestamp >= getvariable('page').first
    AND (getvariable('page').last IS NULL OR timestamp < getvariable('page').last)
    AND list_contains(getvariable('page').ids, run_id)
)
SELECT
  run_id,
  arg_min(name, place) AS name,
  min(timestamp) AS started_at,
  max(ended_at) AS ended_at,
  date_diff('microsecond', min(timestamp), max(ended_at)) / 1000.0 AS duration_ms,
  CASE WHEN bool_or(failed) THEN 'error' ELSE 'success' END AS status,
  count(*) AS event_count,
  count(*) FILTER (failed) AS error_count,
  count(*) FILTER (event_type = 'prompt_call') AS prompt_call_count,
  count(*) FILTER (event_type = 'tool_call') AS tool_call_count,
  sum(tokens_input) AS tokens_input,
  sum(tokens_output) AS tokens_output,
  sum(cost_usd) AS cost_usd,
  count(*) FILTER (
    event_type = 'prompt_call' AND cost_usd IS NULL AND coalesce(tokens_input, tokens_output) IS NOT NULL
  ) AS unpriced,
  list_sort(list(DISTINCT model) FILTER (model IS NOT NULL)) AS models,
  arg_min(user_id, place) AS user_id,
  arg_min(session_id, place) AS session_id,
  arg_min(release, place) AS release,
  arg_min(env, place) AS env,
  list_sort(list_distinct(flatten(list(tags) FILTER (tags IS NOT NULL)))) AS tags,
  arg_min(input_preview, place) AS input_preview,
  -- One root, as of a trace, ends with the answer; of several events the last one does.
  coalesce(
    CASE WHEN count(*) FILTER (is_root) = 1 THEN any_value(output_preview) FILTER (is_root) END,
    arg_max(output_preview, turn)
  ) AS output_preview,
  arg_min(error_message, turn) FILTER (failed) AS error_message
FROM chosen
GROUP BY run_id
