-- By what are matching events grouped, and into which buckets of time? Null stands for not at all.
SET VARIABLE grouping = json_transform($grouping::VARCHAR, '{
  "by": "VARCHAR", "interval_us": "BIGINT", "groups": ["VARCHAR"]
}')
