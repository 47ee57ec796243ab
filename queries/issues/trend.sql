-- How many failures of the chosen issues came in each bucket of time?
SELECT
  issue,
  (epoch_us(timestamp) - epoch_us(getvariable('issues').first)) // getvariable('issues').step_us AS bucket,
  count(*) AS events
FROM occurrences
WHERE list_contains(getvariable('issues').chosen, issue)
GROUP BY ALL
ORDER BY issue, bucket
