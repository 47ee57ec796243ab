-- From when to when do matching events reach?
SELECT min(timestamp) AS first, max(timestamp) AS last
FROM matching
