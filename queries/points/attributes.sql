-- By which attributes can a metric be grouped, and how many values has each?
WITH shown AS (
  SELECT any_value(attributes) AS attributes, any_value(resource) AS resource
  FROM metrics
  WHERE name = $name::VARCHAR
    AND ($since::TIMESTAMPTZ IS NULL OR timestamp >= $since::TIMESTAMPTZ)
    AND ($until::TIMESTAMPTZ IS NULL OR timestamp < $until::TIMESTAMPTZ)
  GROUP BY series_id
  LIMIT $series::BIGINT
),
found AS (
  SELECT unnest(json_keys(attributes)) AS attribute, attributes AS place, false AS of_resource
  FROM shown
  UNION ALL
  SELECT unnest(json_keys(resource)) AS attribute, resource AS place, true AS of_resource
  FROM shown
)
SELECT
  attribute,
  bool_and(of_resource) AS of_resource,
  count(DISTINCT json_extract_string(
    place, '/' || replace(replace(attribute, '~', '~0'), '/', '~1')
  )) AS values
FROM found
GROUP BY attribute
ORDER BY of_resource, attribute
LIMIT $limit::BIGINT
