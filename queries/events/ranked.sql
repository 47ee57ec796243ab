-- Which matching events come next by latency, cost or tokens, the unknown last?
-- Direction is 1 for the largest first and -1 for the smallest.
WITH ranked AS (
  SELECT
    event_id,
    timestamp,
    $direction::DOUBLE * CASE $sort::VARCHAR
      WHEN 'latency_ms' THEN latency_ms
      WHEN 'cost' THEN coalesce(cost_estimate_usd, cost_reported_usd)
      WHEN 'tokens' THEN coalesce(tokens_input + tokens_output, tokens_input, tokens_output)
    END AS rank
  FROM matching
)
SELECT event_id, timestamp, rank
FROM ranked
WHERE $after_event_id::VARCHAR IS NULL
  OR coalesce(rank, '-infinity'::DOUBLE) < coalesce($after_rank::VARCHAR::DOUBLE, '-infinity'::DOUBLE)
  OR (
    coalesce(rank, '-infinity'::DOUBLE) = coalesce($after_rank::VARCHAR::DOUBLE, '-infinity'::DOUBLE)
    AND (
      event_id < $after_event_id::VARCHAR
      OR (event_id = $after_event_id::VARCHAR AND timestamp < $after_timestamp::TIMESTAMPTZ)
    )
  )
ORDER BY coalesce(rank, '-infinity'::DOUBLE) DESC, event_id DESC, timestamp DESC
LIMIT $limit::BIGINT
