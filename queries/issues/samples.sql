-- Which runs did the chosen issue hit last, and what did its failure say in each?
SELECT event_id, run_id, timestamp, user_id, session_id, release, env, model, own_issue, title, words
FROM occurrences
WHERE list_contains(getvariable('issues').chosen, issue)
QUALIFY row_number() OVER (PARTITION BY run_id ORDER BY timestamp DESC, event_id) = 1
ORDER BY timestamp DESC, event_id
LIMIT $limit::BIGINT
