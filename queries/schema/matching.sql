-- Which events pass the filter? The view is made of the conditions whose value is set: planning all
-- of them took 20 ms a query. Values are variables; DuckDB folds them into constants, so row groups
-- and bloom filters prune as for literals. One value is an equality, several are a list; q_json is
-- q as it stands inside JSON text, when that differs: a quote there is \".
CREATE OR REPLACE TEMP VIEW matching AS
SELECT *
FROM events
WHERE true
-- when since
AND timestamp >= getvariable('filter').since
-- when until
AND timestamp < getvariable('filter').until
-- when event_type
AND event_type = getvariable('filter').event_type
-- when any_event_type
AND list_contains(getvariable('filter').any_event_type, event_type)
-- when status
AND status = getvariable('filter').status
-- when any_status
AND list_contains(getvariable('filter').any_status, status)
-- when model
AND model = getvariable('filter').model
-- when any_model
AND list_contains(getvariable('filter').any_model, model)
-- when provider
AND provider = getvariable('filter').provider
-- when any_provider
AND list_contains(getvariable('filter').any_provider, provider)
-- when user_id
AND user_id = getvariable('filter').user_id
-- when any_user_id
AND list_contains(getvariable('filter').any_user_id, user_id)
-- when run_id
AND run_id = getvariable('filter').run_id
-- when any_run_id
AND list_contains(getvariable('filter').any_run_id, run_id)
-- when session_id
AND session_id = getvariable('filter').session_id
-- when any_session_id
AND list_contains(getvariable('filter').any_session_id, session_id)
-- when tag
AND list_contains(tags, getvariable('filter').tag)
-- when any_tag
AND list_has_any(tags, getvariable('filter').any_tag)
-- when release
AND release = getvariable('filter').release
-- when any_release
AND list_contains(getvariable('filter').any_release, release)
-- when env
AND env = getvariable('filter').env
-- when any_env
AND list_contains(getvariable('filter').any_env, env)
-- when name
AND name = getvariable('filter').name
-- when any_name
AND list_contains(getvariable('filter').any_name, name)
-- when tool_name
AND tool_name = getvariable('filter').tool_name
-- when any_tool_name
AND list_contains(getvariable('filter').any_tool_name, tool_name)
-- when service
AND service = getvariable('filter').service
-- when any_service
AND list_contains(getvariable('filter').any_service, service)
-- when agent_name
AND agent_name = getvariable('filter').agent_name
-- when any_agent_name
AND list_contains(getvariable('filter').any_agent_name, agent_name)
-- when q
AND (
  contains(lower(prompt), lower(getvariable('filter').q))
  OR contains(lower(system_prompt), lower(getvariable('filter').q))
  OR contains(lower(response), lower(getvariable('filter').q))
  OR contains(lower(input), lower(getvariable('filter').q))
  OR contains(lower(output), lower(getvariable('filter').q))
  OR contains(lower(input_data), lower(getvariable('filter').q))
  OR contains(lower(output_data), lower(getvariable('filter').q))
  OR contains(lower(reasoning), lower(getvariable('filter').q))
  OR contains(lower(error_message), lower(getvariable('filter').q))
  OR contains(lower(name), lower(getvariable('filter').q))
  OR contains(lower(tool_name), lower(getvariable('filter').q))
)
-- when q_json
AND (
  contains(lower(prompt), lower(getvariable('filter').q))
  OR contains(lower(system_prompt), lower(getvariable('filter').q))
  OR contains(lower(response), lower(getvariable('filter').q))
  OR contains(lower(input), lower(getvariable('filter').q))
  OR contains(lower(output), lower(getvariable('filter').q))
  OR contains(lower(input_data), lower(getvariable('filter').q))
  OR contains(lower(output_data), lower(getvariable('filter').q))
  OR contains(lower(reasoning), lower(getvariable('filter').q))
  OR contains(lower(error_message), lower(getvariable('filter').q))
  OR contains(lower(name), lower(getvariable('filter').q))
  OR contains(lower(tool_name), lower(getvariable('filter').q))
  OR contains(lower(prompt), lower(getvariable('filter').q_json))
  OR contains(lower(system_prompt), lower(getvariable('filter').q_json))
  OR contains(lower(response), lower(getvariable('filter').q_json))
  OR contains(lower(input), lower(getvariable('filter').q_json))
  OR contains(lower(output), lower(getvariable('filter').q_json))
  OR contains(lower(input_data), lower(getvariable('filter').q_json))
  OR contains(lower(output_data), lower(getvariable('filter').q_json))
  OR contains(lower(reasoning), lower(getvariable('filter').q_json))
)
