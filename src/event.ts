// The vocabulary: every field of an event, once. JSON, TypeScript, Parquet and SQL spell them alike.
// The zod schema, the validator, the Parquet columns and the data dictionary are derived from `fields`.
import { z } from "zod";
import { limits } from "./limits.ts";

export const eventTypes = [
  "prompt_call",
  "tool_call",
  "agent_step",
  "error",
  "assertion_failed",
  "hallucination_detected",
  "performance_alert",
  "cost_threshold_exceeded",
  "span",
  "score",
] as const;
export type EventType = (typeof eventTypes)[number];

export const statuses = ["success", "error", "timeout", "assertion_failed", "warning"] as const;
export type Status = (typeof statuses)[number];

/**
 * How a field looks in JSON and in Parquet:
 *
 * | kind      | JSON                                            | Parquet        |
 * | --------- | ----------------------------------------------- | -------------- |
 * | id        | string of 1 to 128 characters                   | VARCHAR        |
 * | label     | string of at most 1,024 characters              | VARCHAR        |
 * | text      | string                                          | VARCHAR        |
 * | value     | any JSON: a string stays, the rest is JSON text | VARCHAR        |
 * | object    | object                                          | VARCHAR (JSON) |
 * | list      | array                                           | VARCHAR (JSON) |
 * | labels    | array of strings                                | VARCHAR[]      |
 * | integer   | whole number from 0 to 2^53 - 1                 | BIGINT         |
 * | number    | finite number, perhaps with `min` and `max`     | DOUBLE         |
 * | timestamp | ISO 8601, microseconds, UTC                     | TIMESTAMPTZ    |
 * | enum      | one of `values`                                 | VARCHAR        |
 */
export type Kind =
  | "id"
  | "label"
  | "text"
  | "value"
  | "object"
  | "list"
  | "labels"
  | "integer"
  | "number"
  | "timestamp"
  | "enum";

export interface Field {
  /** Parquet (and Iceberg) field id: fixed for ever, never used again for another field. */
  id: number;
  name: string;
  kind: Kind;
  /** The question the field answers, for the data dictionary and the OpenAPI document. */
  help: string;
  values?: readonly string[];
  min?: number;
  max?: number;
  /**
   * Filled by the server; what a client sends under this name goes to `attributes`. A `copy` is made
   * of other fields, for lists and filters; what is `added` is shown with the event.
   */
  derived?: "copy" | "added";
  /** Heavy text that lists leave out. */
  payload?: true;
}

export const fields = [
  {
    id: 1,
    name: "event_id",
    kind: "id",
    help: "Identity of the event; delivery is idempotent on it.",
  },
  { id: 2, name: "project_id", kind: "id", help: "Project that owns the event." },
  { id: 3, name: "run_id", kind: "id", help: "Run, or OpenTelemetry trace, that it belongs to." },
  { id: 4, name: "event_type", kind: "enum", values: eventTypes, help: "What happened." },
  { id: 5, name: "timestamp", kind: "timestamp", help: "When it started." },
  { id: 6, name: "status", kind: "enum", values: statuses, help: "How it ended." },
  { id: 7, name: "user_id", kind: "id", help: "End user it served." },
  { id: 8, name: "session_id", kind: "id", help: "Session, a group of runs." },
  { id: 9, name: "tags", kind: "labels", help: "Free labels." },
  { id: 10, name: "release", kind: "label", help: "Version of the program that sent it." },
  { id: 11, name: "env", kind: "label", help: "Deployment environment, such as production." },
  { id: 12, name: "client", kind: "object", help: "Sender: {hostname, sdk_version, platform}." },
  { id: 13, name: "name", kind: "label", help: "Name of the operation, or of the score." },
  { id: 14, name: "span_id", kind: "id", help: "Span that the event describes." },
  { id: 15, name: "parent_span_id", kind: "id", help: "Span that caused it." },
  { id: 16, name: "latency_ms", kind: "number", min: 0, help: "Duration in milliseconds." },
  { id: 17, name: "error", kind: "object", payload: true, help: "{message, type, code, stack}." },
  { id: 18, name: "error_type", kind: "label", derived: "copy", help: "`error.type`." },
  { id: 19, name: "error_message", kind: "text", derived: "copy", help: "`error.message`." },
  { id: 20, name: "error_code", kind: "label", derived: "copy", help: "`error.code`, as text." },
  {
    id: 21,
    name: "attributes",
    kind: "object",
    payload: true,
    help: "Everything else that was sent.",
  },
  {
    id: 22,
    name: "received_at",
    kind: "timestamp",
    derived: "added",
    help: "When the server took it.",
  },
  {
    id: 23,
    name: "input_preview",
    kind: "text",
    derived: "copy",
    help: "First words of what went in, for lists.",
  },
  {
    id: 24,
    name: "output_preview",
    kind: "text",
    derived: "copy",
    help: "First words of what came out.",
  },
  {
    id: 25,
    name: "redactions",
    kind: "object",
    derived: "added",
    help: "What was found and masked, by kind: {EMAIL_ADDRESS: 2}.",
  },
  {
    id: 26,
    name: "blobs",
    kind: "labels",
    derived: "added",
    help: "SHA-256 of the files that were moved out of the event.",
  },
  { id: 27, name: "agent_name", kind: "label", help: "Agent that acted." },
  { id: 28, name: "service", kind: "label", help: "Service that sent it." },
  {
    id: 29,
    name: "fingerprint",
    kind: "label",
    help: "Failures that share it are one issue; otherwise the server decides.",
  },

  {
    id: 30,
    name: "prompt",
    kind: "value",
    payload: true,
    help: "Text or messages sent to the model.",
  },
  { id: 31, name: "prompt_template_id", kind: "label", help: "Template the prompt was made from." },
  { id: 32, name: "prompt_version", kind: "label", help: "Version of that template." },
  { id: 33, name: "model", kind: "label", help: "Model that answered." },
  { id: 34, name: "model_version", kind: "label", help: "Version of the model." },
  { id: 35, name: "provider", kind: "label", help: "Who serves the model." },
  { id: 36, name: "tokens_input", kind: "integer", help: "All input tokens, cached included." },
  {
    id: 37,
    name: "tokens_output",
    kind: "integer",
    help: "All output tokens, reasoning included.",
  },
  { id: 38, name: "tokens_cache_read", kind: "integer", help: "Input tokens read from a cache." },
  { id: 39, name: "tokens_cache_write", kind: "integer", help: "Input tokens written to a cache." },
  { id: 40, name: "tokens_cache_write_1h", kind: "integer", help: "Of these, kept for an hour." },
  { id: 41, name: "tokens_reasoning", kind: "integer", help: "Output tokens spent on reasoning." },
  { id: 42, name: "tokens_audio_input", kind: "integer", help: "Input tokens of audio." },
  { id: 43, name: "tokens_audio_output", kind: "integer", help: "Output tokens of audio." },
  {
    id: 44,
    name: "cost_estimate_usd",
    kind: "number",
    min: 0,
    help: "Cost by price table, in US dollars.",
  },
  {
    id: 45,
    name: "cost_reported_usd",
    kind: "number",
    min: 0,
    help: "Cost that the producer reported.",
  },
  { id: 46, name: "response", kind: "value", payload: true, help: "What the model answered." },
  { id: 47, name: "response_metadata", kind: "object", payload: true, help: "{safety_score, …}." },
  {
    id: 48,
    name: "tool_calls",
    kind: "list",
    payload: true,
    help: "Tool calls the model asked for.",
  },
  {
    id: 49,
    name: "time_to_first_token_ms",
    kind: "number",
    min: 0,
    help: "Wait for the first token.",
  },
  { id: 50, name: "finish_reason", kind: "label", help: "Why the model stopped." },
  { id: 51, name: "service_tier", kind: "label", help: "Tier it was billed at, such as batch." },
  {
    id: 52,
    name: "cost_details",
    kind: "object",
    derived: "added",
    help: "How the estimate was made: price, date, tier, and a part for each kind of token.",
  },
  {
    id: 53,
    name: "cost_original_usd",
    kind: "number",
    min: 0,
    derived: "added",
    help: "The first estimate, if it was priced again later.",
  },
  {
    id: 54,
    name: "system_prompt",
    kind: "value",
    payload: true,
    help: "Instructions that stand before the messages.",
  },
  {
    id: 55,
    name: "tool_definitions",
    kind: "value",
    payload: true,
    help: "Tools that the model could ask for.",
  },
  {
    id: 56,
    name: "model_parameters",
    kind: "object",
    payload: true,
    help: "{temperature, max_tokens, …} of the request.",
  },
  { id: 57, name: "response_id", kind: "label", help: "Id that the provider gave the answer." },
  { id: 58, name: "model_requested", kind: "label", help: "Model that was asked for." },

  { id: 60, name: "tool_name", kind: "label", help: "Tool that ran." },
  { id: 61, name: "tool_call_id", kind: "id", help: "Id the model gave to the call." },
  { id: 62, name: "input", kind: "value", payload: true, help: "What the tool or span was given." },
  { id: 63, name: "output", kind: "value", payload: true, help: "What it returned." },

  { id: 70, name: "step_number", kind: "integer", help: "Place of the step in its run." },
  { id: 71, name: "step_name", kind: "label", help: "Name of the step." },
  {
    id: 72,
    name: "step_type",
    kind: "enum",
    values: ["reasoning", "tool_call", "validation", "output"],
    help: "What the step did.",
  },
  { id: 73, name: "input_data", kind: "value", payload: true, help: "What the step was given." },
  { id: 74, name: "output_data", kind: "value", payload: true, help: "What the step returned." },
  { id: 75, name: "reasoning", kind: "value", payload: true, help: "Why the agent took the step." },
  {
    id: 76,
    name: "context",
    kind: "value",
    payload: true,
    help: "State around the step or the error.",
  },
  { id: 77, name: "stack_trace", kind: "text", payload: true, help: "Stack of the error." },

  { id: 80, name: "assertion_name", kind: "label", help: "Assertion that failed." },
  {
    id: 81,
    name: "assertion_type",
    kind: "enum",
    values: ["response_format", "content_filter", "safety_check", "custom"],
    help: "What it checks.",
  },
  { id: 82, name: "expected", kind: "value", payload: true, help: "What was expected." },
  { id: 83, name: "actual", kind: "value", payload: true, help: "What came instead." },
  {
    id: 84,
    name: "severity",
    kind: "enum",
    values: ["low", "medium", "high", "critical"],
    help: "How bad it is.",
  },

  {
    id: 90,
    name: "detection_method",
    kind: "enum",
    values: ["heuristic", "model_ensemble", "ground_truth_verification"],
    help: "How the hallucination was found.",
  },
  {
    id: 91,
    name: "confidence_score",
    kind: "number",
    min: 0,
    max: 1,
    help: "How sure the detector is.",
  },
  { id: 92, name: "flagged_content", kind: "value", payload: true, help: "What was made up." },
  { id: 93, name: "ground_truth", kind: "value", payload: true, help: "What is true." },
  { id: 94, name: "recommendations", kind: "labels", help: "What to do about it." },

  {
    id: 100,
    name: "alert_type",
    kind: "enum",
    values: ["cost_spike", "latency_spike", "error_rate_spike", "token_limit"],
    help: "What the alert watches.",
  },
  { id: 101, name: "threshold", kind: "number", help: "Value that was not to be crossed." },
  { id: 102, name: "actual_value", kind: "number", help: "Value that crossed it." },
  { id: 103, name: "window_minutes", kind: "number", min: 0, help: "Window it was measured over." },
  { id: 104, name: "affected_models", kind: "labels", help: "Models concerned." },

  { id: 110, name: "score_value", kind: "number", help: "The score, as a number." },
  { id: 111, name: "score_label", kind: "label", help: "The score, as a word." },
  { id: 112, name: "score_explanation", kind: "text", help: "Why the score is what it is." },

  {
    id: 130,
    name: "received_as",
    kind: "enum",
    values: ["span", "log"],
    help: "OpenTelemetry signal that it came as.",
  },
  { id: 131, name: "span_kind", kind: "label", help: "OpenTelemetry span kind." },
  {
    id: 132,
    name: "resource",
    kind: "object",
    payload: true,
    help: "Attributes of the OpenTelemetry resource.",
  },
  {
    id: 133,
    name: "scope",
    kind: "object",
    payload: true,
    help: "OpenTelemetry scope: {name, version, attributes}.",
  },
  {
    id: 134,
    name: "span_events",
    kind: "list",
    payload: true,
    help: "Events of the span: {name, timestamp, attributes}.",
  },
  {
    id: 135,
    name: "span_links",
    kind: "list",
    payload: true,
    help: "Links of the span: {trace_id, span_id, attributes}.",
  },
  {
    id: 136,
    name: "telemetry",
    kind: "object",
    payload: true,
    help:
      "What else the span or log record carried, and which attributes became fields as they were.",
  },

  {
    id: 140,
    name: "issue",
    kind: "label",
    derived: "added",
    help: "Issue that the failure is one of.",
  },
  {
    id: 141,
    name: "issue_kind",
    kind: "label",
    derived: "added",
    help: "What kind of failure it is, such as tool_error.",
  },
  {
    id: 142,
    name: "issue_title",
    kind: "text",
    derived: "added",
    help: "What happened, without what differs between occurrences.",
  },
  {
    id: 143,
    name: "issue_place",
    kind: "text",
    derived: "added",
    help: "Where: a frame, tool, prompt or model.",
  },

  {
    id: 120,
    name: "json_fields",
    kind: "labels",
    derived: "copy",
    help: "`value` fields that hold JSON text rather than a plain string.",
  },
] as const satisfies readonly Field[];

type Row = (typeof fields)[number];
export type FieldName = Row["name"];

// deno-fmt-ignore
type ValueOf<F extends Row> =
  F extends { kind: "enum"; values: readonly (infer V)[] } ? V
  : F["kind"] extends "integer" | "number" ? number
  : F["kind"] extends "labels" ? string[]
  : F["kind"] extends "list" ? unknown[]
  : F["kind"] extends "object" ? Record<string, unknown>
  : F["kind"] extends "value" ? unknown
  : string;

type AllFields = { [F in Row as F["name"]]?: ValueOf<F> };

/** An event as it is stored: complete, validated, one line of the log. */
export type Event =
  & AllFields
  & Required<
    Pick<
      AllFields,
      "event_id" | "project_id" | "run_id" | "event_type" | "timestamp" | "status" | "received_at"
    >
  >;

/** Why an event was refused; the list is closed, and counters are kept by it. */
export const rejectionReasons = [
  "invalid_json",
  "not_an_object",
  "missing_field",
  "wrong_type",
  "unknown_value",
  "out_of_range",
  "too_long",
  "too_deep",
  "invalid_timestamp",
  "project_mismatch",
  "event_too_large",
] as const;
export type RejectionReason = (typeof rejectionReasons)[number];

/** One refused event of a batch; its neighbours are accepted. */
export interface Rejection {
  /** Place in the batch, from 0. */
  index: number;
  event_id: string | null;
  /** Field at fault; null when the event as a whole is. */
  field: string | null;
  reason: RejectionReason;
  /** A sentence that says what to change. */
  message: string;
}

const parquetTypes: Record<Kind, string> = {
  id: "VARCHAR",
  label: "VARCHAR",
  text: "VARCHAR",
  value: "VARCHAR",
  object: "VARCHAR",
  list: "VARCHAR",
  labels: "VARCHAR[]",
  integer: "BIGINT",
  number: "DOUBLE",
  timestamp: "TIMESTAMPTZ",
  enum: "VARCHAR",
};

/** DuckDB type of a field's column. */
export function columnType(field: Field): string {
  return parquetTypes[field.kind];
}

function fieldSchema(field: Field): z.ZodType {
  switch (field.kind) {
    case "id":
      return z.string().min(1).max(limits.idCharactersMax);
    case "label":
      return z.string().max(limits.labelCharactersMax);
    case "text":
      return z.string();
    case "value":
      return z.unknown();
    case "object":
      // A bare message is understood as {message}.
      return field.name === "error"
        ? z.union([z.string(), z.record(z.string(), z.unknown())])
        : z.record(z.string(), z.unknown());
    case "list":
      return z.array(z.unknown());
    case "labels":
      return z.array(z.string().max(limits.labelCharactersMax)).max(limits.labelsMax);
    case "integer":
      return z.int().min(0);
    case "number": {
      const number = field.min === undefined ? z.number() : z.number().min(field.min);
      return field.max === undefined ? number : number.max(field.max);
    }
    case "timestamp":
      return z.iso.datetime({ offset: true, local: true });
    case "enum":
      return z.enum(field.values as [string, ...string[]]);
  }
}

/** An event as a client sends it. Null counts as absent; unknown fields go to `attributes`. */
export const eventSchema = z.looseObject(
  Object.fromEntries(
    (fields as readonly Field[]).filter((field) => !field.derived).map((field) => {
      const schema = fieldSchema(field).nullish().describe(field.help);
      return [field.name, field.name === "event_type" ? z.enum(eventTypes) : schema];
    }),
  ),
);
