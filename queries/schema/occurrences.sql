-- Which matching events are failures of which issue? A loop is seen here, over whole runs: of calls of a tool with the same input the one that makes it a loop stands for all. Its id is made as src/issue/kind.ts makes ids.
CREATE OR REPLACE TEMP VIEW occurrences AS
WITH repeated AS (
  -- Previews are light; inputs that begin alike are told apart below.
  SELECT run_id, tool_name, input_preview
  FROM matching
  WHERE event_type = 'tool_call' AND tool_name IS NOT NULL AND input_preview IS NOT NULL
  GROUP BY run_id, tool_name, input_preview
  HAVING count(*) >= getvariable('issues').loop_calls_min
),
calls AS (
  SELECT
    event_id, run_id, user_id, session_id, timestamp, release, env, model, tool_name, input_preview,
    row_number() OVER (PARTITION BY run_id, tool_name, input ORDER BY timestamp, event_id) AS turn
  FROM matching
  SEMI JOIN repeated USING (run_id, tool_name, input_preview)
  WHERE event_type = 'tool_call'
),
found AS (
  SELECT
    issue, issue_kind AS kind, issue_title AS title, issue_place AS place,
    event_id, run_id, user_id, session_id, timestamp, release, env, model,
    coalesce(error_message, output_preview) AS words
  FROM matching
  WHERE issue IS NOT NULL
  UNION ALL
  SELECT
    'i1_' || left(sha256('loop' || chr(0) || tool_name), 16) AS issue,
    'loop' AS kind,
    'The same call again and again' AS title,
    tool_name AS place,
    event_id, run_id, user_id, session_id, timestamp, release, env, model,
    input_preview AS words
  FROM calls
  WHERE turn = getvariable('issues').loop_calls_min
)
SELECT
  coalesce(
    getvariable('issues').into[list_position(getvariable('issues').merged, issue)], issue
  ) AS issue,
  issue AS own_issue, kind, title, place, event_id, run_id, user_id, session_id, timestamp, release,
  env, model, words
FROM found
