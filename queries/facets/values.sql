-- Which values do matching events have, the commonest of each field?
WITH counted AS (
  SELECT
    CASE GROUPING(event_type, status, model, provider, env, release, name, tool_name, user_id)
      WHEN 255 THEN 'event_type'
      WHEN 383 THEN 'status'
      WHEN 447 THEN 'model'
      WHEN 479 THEN 'provider'
      WHEN 495 THEN 'env'
      WHEN 503 THEN 'release'
      WHEN 507 THEN 'name'
      WHEN 509 THEN 'tool_name'
      WHEN 510 THEN 'user_id'
    END AS facet,
    coalesce(event_type, status, model, provider, env, release, name, tool_name, user_id) AS value,
    count(*) AS count
  FROM matching
  GROUP BY GROUPING SETS (
    (event_type), (status), (model), (provider), (env), (release), (name), (tool_name), (user_id)
  )
  UNION ALL
  SELECT 'tag' AS facet, value, count(*) AS count
  FROM (SELECT unnest(list_distinct(tags)) AS value FROM matching)
  GROUP BY value
)
SELECT facet, value, count
FROM counted
WHERE value IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY facet ORDER BY count DESC, value) <= $limit::BIGINT
ORDER BY facet, count DESC, value
