-- Which issues have failures that match, and how many? The latest come first.
SELECT
  issue,
  arg_max(kind, timestamp) AS kind,
  arg_max(title, timestamp) AS title,
  arg_max(place, timestamp) AS place,
  count(*) AS events,
  count(DISTINCT run_id) AS runs,
  count(DISTINCT user_id) AS users,
  min(timestamp) AS first_seen,
  max(timestamp) AS last_seen,
  arg_min(release, timestamp) AS first_release,
  arg_max(release, timestamp) AS last_release
FROM occurrences
WHERE len(getvariable('issues').chosen) IS NULL OR list_contains(getvariable('issues').chosen, issue)
GROUP BY issue
ORDER BY last_seen DESC, issue
LIMIT $limit::BIGINT
