-- Which values does the request filter by? See matching.sql, which reads them.
SET VARIABLE filter = json_transform($filter::VARCHAR, '{
  "since": "TIMESTAMPTZ", "until": "TIMESTAMPTZ", "q": "VARCHAR", "q_json": "VARCHAR",
  "event_type": "VARCHAR", "status": "VARCHAR", "model": "VARCHAR", "provider": "VARCHAR",
  "user_id": "VARCHAR", "run_id": "VARCHAR", "session_id": "VARCHAR", "tag": "VARCHAR",
  "release": "VARCHAR", "env": "VARCHAR", "name": "VARCHAR", "tool_name": "VARCHAR",
  "service": "VARCHAR", "agent_name": "VARCHAR",
  "any_event_type": ["VARCHAR"], "any_status": ["VARCHAR"], "any_model": ["VARCHAR"],
  "any_provider": ["VARCHAR"], "any_user_id": ["VARCHAR"], "any_run_id": ["VARCHAR"],
  "any_session_id": ["VARCHAR"], "any_tag": ["VARCHAR"], "any_release": ["VARCHAR"],
  "any_env": ["VARCHAR"], "any_name": ["VARCHAR"], "any_tool_name": ["VARCHAR"],
  "any_service": ["VARCHAR"], "any_agent_name": ["VARCHAR"]
}')
