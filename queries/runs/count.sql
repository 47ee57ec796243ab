-- How many runs have matching events?
SELECT count(DISTINCT run_id) AS total
FROM matching
