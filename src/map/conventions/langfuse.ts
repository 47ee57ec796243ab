// Langfuse's SDKs. https://langfuse.com/docs/opentelemetry
import { costOf, type TokenField, tokensOf } from "../../receive/langfuse_usage.ts";
import type { Value } from "../../receive/otlp/telemetry.ts";
import { attribute, type Convention, hasPrefix, type Kind, made, wordOf } from "../convention.ts";
import { decoded, type RawRecord } from "../record.ts";

const kinds: Readonly<Record<string, Kind>> = {
  generation: "model",
  embedding: "embedding",
  tool: "tool",
  agent: "agent",
  chain: "step",
  retriever: "retrieval",
  guardrail: "step",
  evaluator: "step",
};

function tokens(field: TokenField, what: string) {
  return [made(usageDetails, what, (value) => tokensOf(decoded(value))[field], 115)];
}

/** When the first token came, as ISO 8601, sometimes in quotes of its own. */
function untilFirstToken(value: Value, record: RawRecord): Value | undefined {
  const start = record.start_ms;
  const first = typeof value === "string" ? Date.parse(value.replaceAll('"', "")) : Number.NaN;
  return start === null || Number.isNaN(first) || first < start ? undefined : first - start;
}

const usageDetails = "langfuse.observation.usage_details";

export const langfuse: Convention = {
  id: "langfuse",
  title: "Langfuse",
  source: "https://langfuse.com/docs/opentelemetry",
  recognises: (record) => hasPrefix(record, "langfuse."),
  kindRank: 10,
  kind: (record) => kinds[wordOf(record, "langfuse.observation.type")],
  fields: {
    operation: [attribute("langfuse.observation.type", 140)],
    model: [attribute("langfuse.observation.model.name", 50)],
    tokens_input: tokens("tokens_input", "input and its parts"),
    tokens_output: tokens("tokens_output", "output and its parts"),
    tokens_cache_read: tokens("tokens_cache_read", "cached input"),
    tokens_cache_write: tokens("tokens_cache_write", "cache creation"),
    tokens_cache_write_1h: tokens("tokens_cache_write_1h", "cache creation for an hour"),
    tokens_reasoning: tokens("tokens_reasoning", "reasoning"),
    tokens_audio_input: tokens("tokens_audio_input", "audio input"),
    tokens_audio_output: tokens("tokens_audio_output", "audio output"),
    cost_reported_usd: [
      made(
        "langfuse.observation.cost_details",
        "total, or sum",
        (value) => costOf(decoded(value)),
        50,
      ),
    ],
    prompt: [attribute("langfuse.observation.input", 50)],
    response: [attribute("langfuse.observation.output", 50)],
    tool_input: [attribute("langfuse.observation.input", 150)],
    tool_output: [attribute("langfuse.observation.output", 150)],
    input: [
      attribute("langfuse.observation.input", 50),
      attribute("langfuse.trace.input", 180),
    ],
    output: [
      attribute("langfuse.observation.output", 50),
      attribute("langfuse.trace.output", 180),
    ],
    workflow: [attribute("langfuse.trace.name", 130)],
    session_id: [attribute("langfuse.session.id", 50)],
    user_id: [attribute("langfuse.user.id", 50)],
    env: [attribute("langfuse.environment", 50)],
    release: [attribute("langfuse.release", 50)],
    tags: [attribute("langfuse.trace.tags", 50)],
    time_to_first_token_ms: [
      made(
        "langfuse.observation.completion_start_time",
        "since the start",
        untilFirstToken,
        130,
      ),
    ],
    model_parameters: [attribute("langfuse.observation.model.parameters", 120)],
    prompt_template_id: [attribute("langfuse.observation.prompt.name", 90)],
    prompt_version: [attribute("langfuse.observation.prompt.version", 90)],
    level: [attribute("langfuse.observation.level")],
    error_message: [
      made(
        "langfuse.observation.status_message",
        "of level ERROR",
        (value, record) =>
          wordOf(record, "langfuse.observation.level") === "error" ? value : undefined,
        110,
      ),
    ],
  },
};
