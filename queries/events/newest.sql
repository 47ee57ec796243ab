-- Which matching events come next, newest first?
SELECT event_id, timestamp
FROM matching
WHERE $after_timestamp::TIMESTAMPTZ IS NULL
  OR timestamp < $after_timestamp::TIMESTAMPTZ
  OR (timestamp = $after_timestamp::TIMESTAMPTZ AND event_id < $after_event_id::VARCHAR)
ORDER BY timestamp DESC, event_id DESC
LIMIT $limit::BIGINT
