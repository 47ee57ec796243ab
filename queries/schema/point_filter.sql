-- Which data points is a question about? Sets it; point_steps.sql reads it.
SET VARIABLE points = json_transform(
  $points::VARCHAR,
  '{
    "name": "VARCHAR", "since": "TIMESTAMPTZ", "from": "TIMESTAMPTZ", "until": "TIMESTAMPTZ",
    "interval_us": "BIGINT", "by": "VARCHAR", "groups": ["VARCHAR"]
  }'
)
