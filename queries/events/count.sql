-- How many events match?
SELECT count(*) AS total
FROM matching
