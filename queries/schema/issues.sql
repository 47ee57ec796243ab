-- How are failures read as issues? Which count for another one, from how many calls on repetition is a loop, which are asked for, and into which buckets of time.
SET VARIABLE issues = json_transform($issues::VARCHAR, '{
  "merged": ["VARCHAR"], "into": ["VARCHAR"], "loop_calls_min": "BIGINT", "chosen": ["VARCHAR"],
  "first": "TIMESTAMPTZ", "step_us": "BIGINT"
}')
