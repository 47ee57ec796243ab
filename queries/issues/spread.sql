-- Which releases, users, environments and models did the chosen issue hit, the most hit first?
WITH counted AS (
  SELECT 'release' AS field, release AS value, timestamp FROM occurrences
  WHERE list_contains(getvariable('issues').chosen, issue)
  UNION ALL
  SELECT 'user_id' AS field, user_id AS value, timestamp FROM occurrences
  WHERE list_contains(getvariable('issues').chosen, issue)
  UNION ALL
  SELECT 'env' AS field, env AS value, timestamp FROM occurrences
  WHERE list_contains(getvariable('issues').chosen, issue)
  UNION ALL
  SELECT 'model' AS field, model AS value, timestamp FROM occurrences
  WHERE list_contains(getvariable('issues').chosen, issue)
)
SELECT
  field, value, count(*) AS events, min(timestamp) AS first_seen, max(timestamp) AS last_seen
FROM counted
WHERE value IS NOT NULL
GROUP BY field, value
QUALIFY row_number() OVER (PARTITION BY field ORDER BY count(*) DESC, value) <= $limit::BIGINT
ORDER BY field, events DESC, value
