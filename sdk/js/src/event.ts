// What a program can send: types made from the server's field table by generate.ts.
// Do not edit: a test compares this file with the table.
// deno-fmt-ignore-file

export type EventType =
  | "prompt_call"
  | "tool_call"
  | "agent_step"
  | "error"
  | "assertion_failed"
  | "hallucination_detected"
  | "performance_alert"
  | "cost_threshold_exceeded"
  | "span"
  | "score";

export type Status =
  | "success"
  | "error"
  | "timeout"
  | "assertion_failed"
  | "warning";

export type StepType =
  | "reasoning"
  | "tool_call"
  | "validation"
  | "output";

export type AssertionType =
  | "response_format"
  | "content_filter"
  | "safety_check"
  | "custom";

export type Severity =
  | "low"
  | "medium"
  | "high"
  | "critical";

export type DetectionMethod =
  | "heuristic"
  | "model_ensemble"
  | "ground_truth_verification";

export type AlertType =
  | "cost_spike"
  | "latency_spike"
  | "error_rate_spike"
  | "token_limit";

export type ReceivedAs =
  | "span"
  | "log";

/** What every event can have. `null` and `undefined` count as absent. */
export interface EventFields {
  /** Identity of the event; delivery is idempotent on it. */
  event_id?: string | null;
  /** Run, or OpenTelemetry trace, that it belongs to. */
  run_id?: string | null;
  /** When it started. */
  timestamp?: string | number | Date | null;
  /** How it ended. */
  status?: Status | null;
  /** End user it served. */
  user_id?: string | null;
  /** Session, a group of runs. */
  session_id?: string | null;
  /** Free labels. */
  tags?: readonly string[] | null;
  /** Version of the program that sent it. */
  release?: string | null;
  /** Deployment environment, such as production. */
  env?: string | null;
  /** Sender: {hostname, sdk_version, platform}. */
  client?: object | null;
  /** Name of the operation, or of the score. */
  name?: string | null;
  /** Span that the event describes. */
  span_id?: string | null;
  /** Span that caused it. */
  parent_span_id?: string | null;
  /** Duration in milliseconds. */
  latency_ms?: number | null;
  /** Whatever was thrown, a message, or {message, type, code, stack}. */
  error?: unknown;
  /** Everything else that was sent. */
  attributes?: object | null;
  /** Agent that acted. */
  agent_name?: string | null;
  /** Service that sent it. */
  service?: string | null;
  /** Failures that share it are one issue; otherwise the server decides. */
  fingerprint?: string | null;
}

/** A call of a model. */
export interface PromptCall extends EventFields {
  /** Text or messages sent to the model. */
  prompt?: unknown;
  /** Template the prompt was made from. */
  prompt_template_id?: string | null;
  /** Version of that template. */
  prompt_version?: string | null;
  /** Model that answered. */
  model?: string | null;
  /** Version of the model. */
  model_version?: string | null;
  /** Who serves the model. */
  provider?: string | null;
  /** All input tokens, cached included. */
  tokens_input?: number | null;
  /** All output tokens, reasoning included. */
  tokens_output?: number | null;
  /** Input tokens read from a cache. */
  tokens_cache_read?: number | null;
  /** Input tokens written to a cache. */
  tokens_cache_write?: number | null;
  /** Of these, kept for an hour. */
  tokens_cache_write_1h?: number | null;
  /** Output tokens spent on reasoning. */
  tokens_reasoning?: number | null;
  /** Input tokens of audio. */
  tokens_audio_input?: number | null;
  /** Output tokens of audio. */
  tokens_audio_output?: number | null;
  /** Cost by price table, in US dollars. */
  cost_estimate_usd?: number | null;
  /** Cost that the producer reported. */
  cost_reported_usd?: number | null;
  /** What the model answered. */
  response?: unknown;
  /** {safety_score, …}. */
  response_metadata?: object | null;
  /** Tool calls the model asked for. */
  tool_calls?: readonly unknown[] | null;
  /** Wait for the first token. */
  time_to_first_token_ms?: number | null;
  /** Why the model stopped. */
  finish_reason?: string | null;
  /** Tier it was billed at, such as batch. */
  service_tier?: string | null;
  /** Instructions that stand before the messages. */
  system_prompt?: unknown;
  /** Tools that the model could ask for. */
  tool_definitions?: unknown;
  /** {temperature, max_tokens, …} of the request. */
  model_parameters?: object | null;
  /** Id that the provider gave the answer. */
  response_id?: string | null;
  /** Model that was asked for. */
  model_requested?: string | null;
}

/** A tool that ran. */
export interface ToolCall extends EventFields {
  /** Tool that ran. */
  tool_name: string;
  /** Id the model gave to the call. */
  tool_call_id?: string | null;
  /** What the tool or span was given. */
  input?: unknown;
  /** What it returned. */
  output?: unknown;
}

/** A step of an agent. */
export interface AgentStep extends EventFields {
  /** Place of the step in its run. */
  step_number?: number | null;
  /** Name of the step. */
  step_name?: string | null;
  /** What the step did. */
  step_type?: StepType | null;
  /** What the step was given. */
  input_data?: unknown;
  /** What the step returned. */
  output_data?: unknown;
  /** Why the agent took the step. */
  reasoning?: unknown;
  /** State around the step or the error. */
  context?: unknown;
}

/** Something that went wrong. */
export interface ErrorEvent extends EventFields {
  /** Whatever was thrown, a message, or {message, type, code, stack}. */
  error: unknown;
  /** State around the step or the error. */
  context?: unknown;
  /** Stack of the error. */
  stack_trace?: string | null;
}

/** An expectation that was not met. */
export interface AssertionFailed extends EventFields {
  /** Assertion that failed. */
  assertion_name: string;
  /** What it checks. */
  assertion_type?: AssertionType | null;
  /** What was expected. */
  expected?: unknown;
  /** What came instead. */
  actual?: unknown;
  /** How bad it is. */
  severity?: Severity | null;
}

/** Made-up content that was found. */
export interface Hallucination extends EventFields {
  /** How the hallucination was found. */
  detection_method?: DetectionMethod | null;
  /** How sure the detector is. */
  confidence_score?: number | null;
  /** What was made up. */
  flagged_content?: unknown;
  /** What is true. */
  ground_truth?: unknown;
  /** What to do about it. */
  recommendations?: readonly string[] | null;
}

/** Feedback on a run, or the outcome of an evaluation. */
export interface Score extends EventFields {
  /** Name of the operation, or of the score. */
  name: string;
  /** The score, as a number. */
  score_value?: number | null;
  /** The score, as a word. */
  score_label?: string | null;
  /** Why the score is what it is. */
  score_explanation?: string | null;
}

/** Any event: every field there is, and its type. */
export interface AnyEvent extends EventFields {
  /** What happened. */
  event_type: EventType;
  /** Text or messages sent to the model. */
  prompt?: unknown;
  /** Template the prompt was made from. */
  prompt_template_id?: string | null;
  /** Version of that template. */
  prompt_version?: string | null;
  /** Model that answered. */
  model?: string | null;
  /** Version of the model. */
  model_version?: string | null;
  /** Who serves the model. */
  provider?: string | null;
  /** All input tokens, cached included. */
  tokens_input?: number | null;
  /** All output tokens, reasoning included. */
  tokens_output?: number | null;
  /** Input tokens read from a cache. */
  tokens_cache_read?: number | null;
  /** Input tokens written to a cache. */
  tokens_cache_write?: number | null;
  /** Of these, kept for an hour. */
  tokens_cache_write_1h?: number | null;
  /** Output tokens spent on reasoning. */
  tokens_reasoning?: number | null;
  /** Input tokens of audio. */
  tokens_audio_input?: number | null;
  /** Output tokens of audio. */
  tokens_audio_output?: number | null;
  /** Cost by price table, in US dollars. */
  cost_estimate_usd?: number | null;
  /** Cost that the producer reported. */
  cost_reported_usd?: number | null;
  /** What the model answered. */
  response?: unknown;
  /** {safety_score, …}. */
  response_metadata?: object | null;
  /** Tool calls the model asked for. */
  tool_calls?: readonly unknown[] | null;
  /** Wait for the first token. */
  time_to_first_token_ms?: number | null;
  /** Why the model stopped. */
  finish_reason?: string | null;
  /** Tier it was billed at, such as batch. */
  service_tier?: string | null;
  /** Instructions that stand before the messages. */
  system_prompt?: unknown;
  /** Tools that the model could ask for. */
  tool_definitions?: unknown;
  /** {temperature, max_tokens, …} of the request. */
  model_parameters?: object | null;
  /** Id that the provider gave the answer. */
  response_id?: string | null;
  /** Model that was asked for. */
  model_requested?: string | null;
  /** Tool that ran. */
  tool_name?: string | null;
  /** Id the model gave to the call. */
  tool_call_id?: string | null;
  /** What the tool or span was given. */
  input?: unknown;
  /** What it returned. */
  output?: unknown;
  /** Place of the step in its run. */
  step_number?: number | null;
  /** Name of the step. */
  step_name?: string | null;
  /** What the step did. */
  step_type?: StepType | null;
  /** What the step was given. */
  input_data?: unknown;
  /** What the step returned. */
  output_data?: unknown;
  /** Why the agent took the step. */
  reasoning?: unknown;
  /** State around the step or the error. */
  context?: unknown;
  /** Stack of the error. */
  stack_trace?: string | null;
  /** Assertion that failed. */
  assertion_name?: string | null;
  /** What it checks. */
  assertion_type?: AssertionType | null;
  /** What was expected. */
  expected?: unknown;
  /** What came instead. */
  actual?: unknown;
  /** How bad it is. */
  severity?: Severity | null;
  /** How the hallucination was found. */
  detection_method?: DetectionMethod | null;
  /** How sure the detector is. */
  confidence_score?: number | null;
  /** What was made up. */
  flagged_content?: unknown;
  /** What is true. */
  ground_truth?: unknown;
  /** What to do about it. */
  recommendations?: readonly string[] | null;
  /** What the alert watches. */
  alert_type?: AlertType | null;
  /** Value that was not to be crossed. */
  threshold?: number | null;
  /** Value that crossed it. */
  actual_value?: number | null;
  /** Window it was measured over. */
  window_minutes?: number | null;
  /** Models concerned. */
  affected_models?: readonly string[] | null;
  /** The score, as a number. */
  score_value?: number | null;
  /** The score, as a word. */
  score_label?: string | null;
  /** Why the score is what it is. */
  score_explanation?: string | null;
  /** OpenTelemetry signal that it came as. */
  received_as?: ReceivedAs | null;
  /** OpenTelemetry span kind. */
  span_kind?: string | null;
  /** Attributes of the OpenTelemetry resource. */
  resource?: object | null;
  /** OpenTelemetry scope: {name, version, attributes}. */
  scope?: object | null;
  /** Events of the span: {name, timestamp, attributes}. */
  span_events?: readonly unknown[] | null;
  /** Links of the span: {trace_id, span_id, attributes}. */
  span_links?: readonly unknown[] | null;
  /** What else the span or log record carried, and which attributes became fields as they were. */
  telemetry?: object | null;
}

/** Names of the fields of each kind, as the server knows them. */
export const fieldKinds = {
  id: "event_id run_id user_id session_id span_id parent_span_id tool_call_id",
  timestamp: "timestamp",
  enum: "status step_type assertion_type severity detection_method alert_type received_as",
  labels: "tags recommendations affected_models",
  label: "release env name agent_name service fingerprint prompt_template_id prompt_version model model_version provider finish_reason service_tier response_id model_requested tool_name step_name assertion_name score_label span_kind",
  object: "client error attributes response_metadata model_parameters resource scope telemetry",
  number: "latency_ms cost_estimate_usd cost_reported_usd time_to_first_token_ms confidence_score threshold actual_value window_minutes score_value",
  integer: "tokens_input tokens_output tokens_cache_read tokens_cache_write tokens_cache_write_1h tokens_reasoning tokens_audio_input tokens_audio_output step_number",
  list: "tool_calls span_events span_links",
  text: "stack_trace score_explanation",
} as const;

/** Words that a field may hold. */
export const fieldWords: Record<string, string> = {
  event_type: "prompt_call tool_call agent_step error assertion_failed hallucination_detected performance_alert cost_threshold_exceeded span score",
  status: "success error timeout assertion_failed warning",
  step_type: "reasoning tool_call validation output",
  assertion_type: "response_format content_filter safety_check custom",
  severity: "low medium high critical",
  detection_method: "heuristic model_ensemble ground_truth_verification",
  alert_type: "cost_spike latency_spike error_rate_spike token_limit",
  received_as: "span log",
};
