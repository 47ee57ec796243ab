-- Which runs have matching events, the latest to begin first?
SELECT run_id, min(timestamp) AS started_at
FROM matching
GROUP BY run_id
HAVING $after_started_at::TIMESTAMPTZ IS NULL
  OR min(timestamp) < $after_started_at::TIMESTAMPTZ
  OR (min(timestamp) = $after_started_at::TIMESTAMPTZ AND run_id < $after_run_id::VARCHAR)
ORDER BY started_at DESC, run_id DESC
LIMIT $limit::BIGINT
