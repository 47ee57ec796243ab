-- Which models have calls with tokens but without any cost?
SELECT
  coalesce(model, model_requested) AS model,
  provider,
  count(*) AS calls,
  sum(tokens_input) AS tokens_input,
  sum(tokens_output) AS tokens_output,
  min(timestamp) AS first_seen,
  max(timestamp) AS last_seen
FROM matching
WHERE event_type = 'prompt_call'
  AND coalesce(tokens_input, tokens_output) IS NOT NULL
  AND cost_estimate_usd IS NULL
  AND cost_reported_usd IS NULL
GROUP BY coalesce(model, model_requested), provider
ORDER BY calls DESC, model, provider
LIMIT $limit::BIGINT
