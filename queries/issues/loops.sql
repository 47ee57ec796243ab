-- Which loops were there, by issue and release?
SELECT
  own_issue AS issue,
  release,
  min(timestamp) AS first,
  max(timestamp) AS last,
  arg_max(title, timestamp) AS title,
  arg_max(place, timestamp) AS place
FROM occurrences
WHERE kind = 'loop'
GROUP BY own_issue, release
