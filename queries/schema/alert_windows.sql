-- Which windows of the past does a rule ask for? There are `steps` of them, a step apart; the first one ends at `first_us`.
SET VARIABLE alert_windows = json_transform($alert_windows::VARCHAR, '{
  "first_us": "BIGINT", "step_us": "BIGINT", "window_us": "BIGINT", "steps": "BIGINT",
  "metric": "VARCHAR", "by": "VARCHAR", "falling": "BOOLEAN", "alerts_too": "BOOLEAN",
  "series_max": "BIGINT"
}')
