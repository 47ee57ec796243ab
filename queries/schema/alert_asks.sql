-- What do rules ask of one window? Each ask has a filter, a grouping and a metric; `uses` names the columns that any of them needs.
SET VARIABLE alert_asks = json_transform($alert_asks::VARCHAR, '{
  "since": "TIMESTAMPTZ", "until": "TIMESTAMPTZ", "uses": ["VARCHAR"], "series_max": "BIGINT",
  "asks": [{
    "id": "BIGINT", "metric": "VARCHAR", "by": "VARCHAR", "falling": "BOOLEAN",
    "event_type": ["VARCHAR"], "status": ["VARCHAR"], "model": ["VARCHAR"],
    "provider": ["VARCHAR"], "user_id": ["VARCHAR"], "run_id": ["VARCHAR"],
    "session_id": ["VARCHAR"], "tag": ["VARCHAR"], "release": ["VARCHAR"],
    "env": ["VARCHAR"], "name": ["VARCHAR"], "tool_name": ["VARCHAR"],
    "service": ["VARCHAR"], "agent_name": ["VARCHAR"]
  }]
}')
