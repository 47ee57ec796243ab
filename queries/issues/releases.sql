-- Which releases were received since, and when did each begin?
SELECT release, min(timestamp) AS first
FROM events
WHERE release IS NOT NULL AND ($since::TIMESTAMPTZ IS NULL OR received_at >= $since::TIMESTAMPTZ)
GROUP BY release
ORDER BY first DESC
LIMIT $limit::BIGINT
