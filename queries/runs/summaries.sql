-- What did the runs of this page do, cost and say?
WITH chosen AS (
  SELECT
    *,
    status IN ('error', 'timeout', 'assertion_failed') AS failed,
    coalesce(
      first_words(prompt, list_contains(json_fields, 'prompt')),
      first_words(input, list_contains(json_fields, 'input')),
      first_words(input_data, list_contains(json_fields, 'input_data'))
    ) AS given,
    coalesce(
      first_words(response, list_contains(json_fields, 'response')),
      first_words(output, list_contains(json_fields, 'output')),
      first_words(output_data, list_contains(json_fields, 'output_data'))
    ) AS answered
  FROM events
  WHERE timestamp >= getvariable('page').first
    AND (getvariable('page').last IS NULL OR timestamp < getvariable('page').last)
    AND list_contains(getvariable('page').ids, run_id)
)
SELECT
  run_id,
  arg_min(coalesce(name, step_name, tool_name, model, event_type), timestamp) AS name,
  min(timestamp) AS started_at,
  max(timestamp + to_microseconds(coalesce(latency_ms * 1000, 0)::BIGINT)) AS ended_at,
  date_diff('microsecond', started_at, ended_at) / 1000.0 AS duration_ms,
  CASE WHEN bool_or(failed) THEN 'error' ELSE 'success' END AS status,
  count(*) AS event_count,
  count(*) FILTER (failed) AS error_count,
  count(*) FILTER (event_type = 'prompt_call') AS prompt_call_count,
  count(*) FILTER (event_type = 'tool_call') AS tool_call_count,
  sum(tokens_input) AS tokens_input,
  sum(tokens_output) AS tokens_output,
  sum(coalesce(cost_estimate_usd, cost_reported_usd)) AS cost_usd,
  list_sort(list(DISTINCT model) FILTER (model IS NOT NULL)) AS models,
  arg_min(user_id, timestamp) AS user_id,
  arg_min(session_id, timestamp) AS session_id,
  arg_min(release, timestamp) AS release,
  arg_min(env, timestamp) AS env,
  list_sort(list_distinct(flatten(list(tags) FILTER (tags IS NOT NULL)))) AS tags,
  arg_min(given, timestamp) FILTER (given IS NOT NULL) AS input_preview,
  arg_max(answered, timestamp) FILTER (answered IS NOT NULL) AS output_preview,
  arg_min(error_message, timestamp) FILTER (failed AND error_message IS NOT NULL) AS error_message
FROM chosen
GROUP BY run_id
