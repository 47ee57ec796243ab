-- Which failures were received since, by issue and release? For those that were stored but not yet noted when the server ended.
SELECT
  issue,
  release,
  min(timestamp) AS first,
  max(timestamp) AS last,
  arg_max(issue_title, timestamp) AS title,
  arg_max(issue_place, timestamp) AS place
FROM events
WHERE issue IS NOT NULL AND ($since::TIMESTAMPTZ IS NULL OR received_at >= $since::TIMESTAMPTZ)
GROUP BY issue, release
