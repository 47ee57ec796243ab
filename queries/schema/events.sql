-- What can be asked of an event? Each column's Parquet field id, kind and meaning.
-- Made from src/event.ts by `deno task dictionary`.
CREATE TABLE events (
  event_id VARCHAR, -- 1, id: Identity of the event; delivery is idempotent on it.
  project_id VARCHAR, -- 2, id: Project that owns the event.
  run_id VARCHAR, -- 3, id: Run, or OpenTelemetry trace, that it belongs to.
  event_type VARCHAR, -- 4, enum: What happened. One of prompt_call, tool_call, agent_step, error, assertion_failed, hallucination_detected, performance_alert, cost_threshold_exceeded, span, score.
  timestamp TIMESTAMPTZ, -- 5, timestamp: When it started.
  status VARCHAR, -- 6, enum: How it ended. One of success, error, timeout, assertion_failed, warning.
  user_id VARCHAR, -- 7, id: End user it served.
  session_id VARCHAR, -- 8, id: Session, a group of runs.
  tags VARCHAR[], -- 9, labels: Free labels.
  release VARCHAR, -- 10, label: Version of the program that sent it.
  env VARCHAR, -- 11, label: Deployment environment, such as production.
  client VARCHAR, -- 12, object: Sender: {hostname, sdk_version, platform}.
  name VARCHAR, -- 13, label: Name of the operation, or of the score.
  span_id VARCHAR, -- 14, id: Span that the event describes.
  parent_span_id VARCHAR, -- 15, id: Span that caused it.
  latency_ms DOUBLE, -- 16, number from 0: Duration in milliseconds.
  error VARCHAR, -- 17, object: {message, type, code, stack}.
  error_type VARCHAR, -- 18, label: `error.type`.
  error_message VARCHAR, -- 19, text: `error.message`.
  error_code VARCHAR, -- 20, label: `error.code`, as text.
  attributes VARCHAR, -- 21, object: Everything else that was sent.
  received_at TIMESTAMPTZ, -- 22, timestamp: When the server took it.
  input_preview VARCHAR, -- 23, text: First words of what went in, for lists.
  output_preview VARCHAR, -- 24, text: First words of what came out.
  redactions VARCHAR, -- 25, object: What was found and masked, by kind: {EMAIL_ADDRESS: 2}.
  blobs VARCHAR[], -- 26, labels: SHA-256 of the files that were moved out of the event.
  agent_name VARCHAR, -- 27, label: Agent that acted.
  service VARCHAR, -- 28, label: Service that sent it.
  fingerprint VARCHAR, -- 29, label: Failures that share it are one issue; otherwise the server decides.
  prompt VARCHAR, -- 30, value: Text or messages sent to the model.
  prompt_template_id VARCHAR, -- 31, label: Template the prompt was made from.
  prompt_version VARCHAR, -- 32, label: Version of that template.
  model VARCHAR, -- 33, label: Model that answered.
  model_version VARCHAR, -- 34, label: Version of the model.
  provider VARCHAR, -- 35, label: Who serves the model.
  tokens_input BIGINT, -- 36, integer: All input tokens, cached included.
  tokens_output BIGINT, -- 37, integer: All output tokens, reasoning included.
  tokens_cache_read BIGINT, -- 38, integer: Input tokens read from a cache.
  tokens_cache_write BIGINT, -- 39, integer: Input tokens written to a cache.
  tokens_cache_write_1h BIGINT, -- 40, integer: Of these, kept for an hour.
  tokens_reasoning BIGINT, -- 41, integer: Output tokens spent on reasoning.
  tokens_audio_input BIGINT, -- 42, integer: Input tokens of audio.
  tokens_audio_output BIGINT, -- 43, integer: Output tokens of audio.
  cost_estimate_usd DOUBLE, -- 44, number from 0: Cost by price table, in US dollars.
  cost_reported_usd DOUBLE, -- 45, number from 0: Cost that the producer reported.
  response VARCHAR, -- 46, value: What the model answered.
  response_metadata VARCHAR, -- 47, object: {safety_score, …}.
  tool_calls VARCHAR, -- 48, list: Tool calls the model asked for.
  time_to_first_token_ms DOUBLE, -- 49, number from 0: Wait for the first token.
  finish_reason VARCHAR, -- 50, label: Why the model stopped.
  service_tier VARCHAR, -- 51, label: Tier it was billed at, such as batch.
  cost_details VARCHAR, -- 52, object: How the estimate was made: price, date, tier, and a part for each kind of token.
  cost_original_usd DOUBLE, -- 53, number from 0: The first estimate, if it was priced again later.
  system_prompt VARCHAR, -- 54, value: Instructions that stand before the messages.
  tool_definitions VARCHAR, -- 55, value: Tools that the model could ask for.
  model_parameters VARCHAR, -- 56, object: {temperature, max_tokens, …} of the request.
  response_id VARCHAR, -- 57, label: Id that the provider gave the answer.
  model_requested VARCHAR, -- 58, label: Model that was asked for.
  tool_name VARCHAR, -- 60, label: Tool that ran.
  tool_call_id VARCHAR, -- 61, id: Id the model gave to the call.
  input VARCHAR, -- 62, value: What the tool or span was given.
  output VARCHAR, -- 63, value: What it returned.
  step_number BIGINT, -- 70, integer: Place of the step in its run.
  step_name VARCHAR, -- 71, label: Name of the step.
  step_type VARCHAR, -- 72, enum: What the step did. One of reasoning, tool_call, validation, output.
  input_data VARCHAR, -- 73, value: What the step was given.
  output_data VARCHAR, -- 74, value: What the step returned.
  reasoning VARCHAR, -- 75, value: Why the agent took the step.
  context VARCHAR, -- 76, value: State around the step or the error.
  stack_trace VARCHAR, -- 77, text: Stack of the error.
  assertion_name VARCHAR, -- 80, label: Assertion that failed.
  assertion_type VARCHAR, -- 81, enum: What it checks. One of response_format, content_filter, safety_check, custom.
  expected VARCHAR, -- 82, value: What was expected.
  actual VARCHAR, -- 83, value: What came instead.
  severity VARCHAR, -- 84, enum: How bad it is. One of low, medium, high, critical.
  detection_method VARCHAR, -- 90, enum: How the hallucination was found. One of heuristic, model_ensemble, ground_truth_verification.
  confidence_score DOUBLE, -- 91, number 0 to 1: How sure the detector is.
  flagged_content VARCHAR, -- 92, value: What was made up.
  ground_truth VARCHAR, -- 93, value: What is true.
  recommendations VARCHAR[], -- 94, labels: What to do about it.
  alert_type VARCHAR, -- 100, enum: What the alert watches. One of cost_spike, latency_spike, error_rate_spike, token_limit.
  threshold DOUBLE, -- 101, number: Value that was not to be crossed.
  actual_value DOUBLE, -- 102, number: Value that crossed it.
  window_minutes DOUBLE, -- 103, number from 0: Window it was measured over.
  affected_models VARCHAR[], -- 104, labels: Models concerned.
  score_value DOUBLE, -- 110, number: The score, as a number.
  score_label VARCHAR, -- 111, label: The score, as a word.
  score_explanation VARCHAR, -- 112, text: Why the score is what it is.
  received_as VARCHAR, -- 130, enum: OpenTelemetry signal that it came as. One of span, log.
  span_kind VARCHAR, -- 131, label: OpenTelemetry span kind.
  resource VARCHAR, -- 132, object: Attributes of the OpenTelemetry resource.
  scope VARCHAR, -- 133, object: OpenTelemetry scope: {name, version, attributes}.
  span_events VARCHAR, -- 134, list: Events of the span: {name, timestamp, attributes}.
  span_links VARCHAR, -- 135, list: Links of the span: {trace_id, span_id, attributes}.
  telemetry VARCHAR, -- 136, object: What else the span or log record carried, and which attributes became fields as they were.
  issue VARCHAR, -- 140, label: Issue that the failure is one of.
  issue_kind VARCHAR, -- 141, label: What kind of failure it is, such as tool_error.
  issue_title VARCHAR, -- 142, text: What happened, without what differs between occurrences.
  issue_place VARCHAR, -- 143, text: Where: a frame, tool, prompt or model.
  json_fields VARCHAR[] -- 120, labels: `value` fields that hold JSON text rather than a plain string.
);
