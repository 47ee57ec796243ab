-- Which matching events come next, oldest first?
SELECT event_id, timestamp
FROM matching
WHERE $after_timestamp::TIMESTAMPTZ IS NULL
  OR timestamp > $after_timestamp::TIMESTAMPTZ
  OR (timestamp = $after_timestamp::TIMESTAMPTZ AND event_id > $after_event_id::VARCHAR)
ORDER BY timestamp, event_id
LIMIT $limit::BIGINT
