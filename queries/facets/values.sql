-- Which values do matching events have, the commonest of each field?
WITH counted AS (
  SELECT
    CASE GROUPING(
      event_type, status, model, provider, env, release, name, tool_name, user_id, service, agent_name
    )
      WHEN 1023 THEN 'event_type'
      WHEN 1535 THEN 'status'
      WHEN 1791 THEN 'model'
      WHEN 1919 THEN 'provider'
      WHEN 1983 THEN 'env'
      WHEN 2015 THEN 'release'
      WHEN 2031 THEN 'name'
      WHEN 2039 THEN 'tool_name'
      WHEN 2043 THEN 'user_id'
      WHEN 2045 THEN 'service'
      WHEN 2046 THEN 'agent_name'
    END AS facet,
    coalesce(
      event_type, status, model, provider, env, release, name, tool_name, user_id, service, agent_name
    ) AS value,
    count(*) AS count
  FROM matching
  GROUP BY GROUPING SETS (
    (event_type), (status), (model), (provider), (env), (release), (name), (tool_name), (user_id),
    (service), (agent_name)
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
