// The fields that a mapping fills, and how each must look to be stored. A value that does not fit
// is not there: it stays among the attributes, and never costs the span.
import { limits } from "../limits.ts";
import type { Value } from "../receive/otlp/telemetry.ts";
import { countOf, decoded, isObject, isPresent, numberOf, textOf, textsOf } from "./record.ts";

export type Form =
  | "id"
  | "label"
  | "count"
  | "amount"
  | "value"
  | "text"
  | "object"
  | "labels"
  | "list";

/** In the order of the documentation's table. */
export const targets = {
  model: "label",
  model_requested: "label",
  provider: "label",
  operation: "label",
  tokens_input: "count",
  tokens_output: "count",
  tokens_cache_read: "count",
  tokens_cache_write: "count",
  tokens_cache_write_1h: "count",
  tokens_reasoning: "count",
  tokens_audio_input: "count",
  tokens_audio_output: "count",
  cost_reported_usd: "amount",
  prompt: "value",
  response: "value",
  tool_calls: "list",
  system_prompt: "value",
  tool_definitions: "value",
  tool_name: "label",
  tool_call_id: "id",
  tool_input: "value",
  tool_output: "value",
  input: "value",
  output: "value",
  agent_name: "label",
  workflow: "label",
  session_id: "id",
  user_id: "id",
  env: "label",
  release: "label",
  service: "label",
  tags: "labels",
  finish_reason: "label",
  response_id: "label",
  time_to_first_token_ms: "amount",
  model_parameters: "object",
  service_tier: "label",
  prompt_template_id: "label",
  prompt_version: "label",
  latency_ms: "amount",
  step_number: "count",
  error_type: "label",
  error_message: "text",
  error_code: "label",
  error_stack: "text",
  level: "label",
  score_name: "label",
  score_value: "amount",
  score_label: "label",
  score_explanation: "text",
} as const satisfies Record<string, Form>;

export type Target = keyof typeof targets;

/** Fields that are large enough that an attribute which became one is not kept twice. */
export const payloads: ReadonlySet<Target> = new Set<Target>([
  "prompt",
  "response",
  "system_prompt",
  "tool_definitions",
  "tool_input",
  "tool_output",
  "input",
  "output",
]);

/** The value in the form of its field; undefined when it cannot be. */
export function fitted(target: Target, value: Value | undefined): unknown {
  if (!isPresent(value)) return undefined;
  if (target === "score_value") return numberOf(value);
  switch (targets[target] as Form) {
    case "id": {
      const text = textOf(value);
      return text === undefined || text.length > limits.idCharactersMax ? undefined : text;
    }
    case "label":
      return textOf(value)?.slice(0, limits.labelCharactersMax).toWellFormed();
    case "text":
      return textOf(value) ?? JSON.stringify(value);
    case "count":
      return countOf(value);
    case "amount": {
      const number = numberOf(value);
      return number === undefined || number < 0 ? undefined : number;
    }
    case "value":
      return decoded(value);
    case "object": {
      const object = decoded(value);
      return isObject(object) && Object.keys(object).length > 0 ? object : undefined;
    }
    case "list": {
      const list = decoded(value);
      return Array.isArray(list) && list.length > 0 ? list : undefined;
    }
    case "labels":
      return textsOf(value)?.slice(0, limits.labelsMax)
        .map((text) => text.slice(0, limits.labelCharactersMax).toWellFormed());
  }
}
