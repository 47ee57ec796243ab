// OpenTelemetry GenAI: every generation of its names, from the events of 2024 to the structured
// messages of today. https://github.com/open-telemetry/semantic-conventions-genai
import type { Value } from "../../receive/otlp/telemetry.ts";
import {
  attribute,
  attributes,
  computed,
  type Convention,
  flattened,
  hasPrefix,
  type Kind,
  made,
  scaled,
  wordOf,
} from "../convention.ts";
import {
  choiceMessage,
  flatMessages,
  messageOfEvent,
  promptOfEvents,
  responseOfEvents,
} from "../messages.ts";
import { decoded, isObject, isPresent, type RawRecord } from "../record.ts";

const operations: Readonly<Record<string, Kind>> = {
  chat: "model",
  generate_content: "model",
  text_completion: "model",
  completion: "model",
  acompletion: "model",
  generate: "model",
  llm_request: "model",
  responses: "model",
  aresponses: "model",
  embeddings: "embedding",
  embedding: "embedding",
  aembedding: "embedding",
  rerank: "rerank",
  arerank: "rerank",
  retrieval: "retrieval",
  vector_db_retrieve: "retrieval",
  search_memory: "retrieval",
  execute_tool: "tool",
  create_agent: "agent",
  invoke_agent: "agent",
  invoke_workflow: "agent",
  agent_step: "step",
  plan: "step",
  execute_task: "step",
  handle_conversation_turn: "agent",
  create_memory_store: "step",
  delete_memory_store: "step",
  create_memory: "step",
  update_memory: "step",
  upsert_memory: "step",
  delete_memory: "step",
  // Fetches an answer that was counted when it was made.
  fetch_response: "step",
};

const providers: Readonly<Record<string, string>> = {
  vertex_ai: "gcp.vertex_ai",
  gemini: "gcp.gemini",
  "az.ai.inference": "azure.ai.inference",
  "az.ai.openai": "azure.ai.openai",
  xai: "x_ai",
};

/** What the Vercel AI SDK adds to a provider's name. */
const apiOfProvider = /\.(chat|responses|messages|completion|embedding|generative-ai|image)$/;

const provider = (value: Value) =>
  typeof value === "string"
    ? providers[value.toLowerCase()] ?? value.replace(apiOfProvider, "")
    : undefined;

/** Parameters of the request, under their own names. */
const parameters = [
  "max_tokens",
  "temperature",
  "top_p",
  "top_k",
  "frequency_penalty",
  "presence_penalty",
  "choice.count",
  "seed",
  "stop_sequences",
  "encoding_formats",
  "stream",
  "reasoning.level",
  "reasoning_effort",
].map((name) => ({ name, key: `gen_ai.request.${name}` }));

function requestParameters({ attributes }: RawRecord) {
  const value: Record<string, Value> = {};
  const keys: string[] = [];
  for (const { name, key } of parameters) {
    if (!isPresent(attributes[key])) continue;
    value[name] = attributes[key];
    keys.push(key);
  }
  return keys.length === 0 ? undefined : { value, keys };
}

/** `["stop"]`, JSON of it, or the word alone; of several choices the first. */
export function firstReason(value: Value): Value | undefined {
  const reasons = decoded(value);
  return Array.isArray(reasons) ? reasons.find(isPresent) : reasons;
}

function reasonOfOutput(value: Value): Value | undefined {
  const messages = decoded(value);
  const last = Array.isArray(messages) ? messages.at(-1) : undefined;
  return isObject(last) ? last.finish_reason : undefined;
}

const operation = (record: RawRecord) => wordOf(record, "gen_ai.operation.name");

export const otelGenAi: Convention = {
  id: "otel_genai",
  title: "OpenTelemetry GenAI",
  source: "https://github.com/open-telemetry/semantic-conventions-genai",
  recognises: (record) =>
    hasPrefix(record, "gen_ai.") || record.name.startsWith("gen_ai.") ||
    record.events.some(({ name }) => name.startsWith("gen_ai.")),
  kind: (record) => {
    if (record.name === "raw_gen_ai_request") return "other";
    if (record.signal === "log") return kindOfLog(record);
    const known = operations[operation(record)];
    if (known !== undefined) return known;
    const { attributes } = record;
    const isTool = isPresent(attributes["gen_ai.tool.name"]) ||
      isPresent(attributes["gen_ai.tool.call.id"]);
    return isTool ? "tool" : undefined;
  },
  fields: {
    operation: [attribute("gen_ai.operation.name")],
    model: [attribute("gen_ai.response.model")],
    model_requested: [attribute("gen_ai.request.model")],
    provider: [
      made("gen_ai.provider.name", "", provider),
      made("gen_ai.system", "", provider),
    ],
    tokens_input: attributes(
      "gen_ai.usage.input_tokens",
      "gen_ai.usage.prompt_tokens",
    ),
    tokens_output: attributes(
      "gen_ai.usage.output_tokens",
      "gen_ai.usage.completion_tokens",
    ),
    tokens_cache_read: attributes(
      "gen_ai.usage.cache_read.input_tokens",
      "gen_ai.usage.cache_read_input_tokens",
      "gen_ai.usage.input_cached_tokens",
      "gen_ai.usage.details.cache_read_tokens",
      "gen_ai.usage.details.cache_read_input_tokens",
    ),
    tokens_cache_write: attributes(
      "gen_ai.usage.cache_write.input_tokens",
      "gen_ai.usage.cache_creation.input_tokens",
      "gen_ai.usage.cache_creation_input_tokens",
      "gen_ai.usage.details.cache_write_tokens",
      "gen_ai.usage.details.cache_creation_input_tokens",
    ),
    tokens_reasoning: attributes(
      "gen_ai.usage.reasoning.output_tokens",
      "gen_ai.usage.reasoning_tokens",
      "gen_ai.usage.details.reasoning_tokens",
      "gen_ai.usage.details.thoughts_tokens",
    ),
    tokens_audio_input: attributes(
      "gen_ai.usage.audio.input_tokens",
      "gen_ai.usage.details.input_audio_tokens",
    ),
    tokens_audio_output: attributes(
      "gen_ai.usage.audio.output_tokens",
      "gen_ai.usage.details.output_audio_tokens",
    ),
    prompt: [
      attribute("gen_ai.input.messages"),
      computed(
        "gen_ai.client.inference.operation.details (event)",
        (record) => {
          const value = detailsOf(record)?.["gen_ai.input.messages"];
          return isPresent(value) ? { value: decoded(value)!, keys: [] } : undefined;
        },
      ),
      computed(
        "gen_ai.{system,user,assistant,tool}.message (events)",
        ({ events }) => {
          const value = promptOfEvents(events);
          return value === undefined ? undefined : { value, keys: [] };
        },
      ),
      flattened("gen_ai.prompt.", flatMessages, 110),
      attribute("gen_ai.prompt", 120),
      computed("body of gen_ai.*.message (log)", (record) => {
        const role = /^gen_ai\.(system|user|assistant|tool)\.message$/.exec(
          record.name,
        )?.[1];
        return record.signal === "log" && role !== undefined
          ? { value: [messageOfEvent(logFields(record), role)], keys: [] }
          : undefined;
      }),
    ],
    response: [
      attribute("gen_ai.output.messages"),
      computed(
        "gen_ai.client.inference.operation.details (event)",
        (record) => {
          const value = detailsOf(record)?.["gen_ai.output.messages"];
          return isPresent(value) ? { value: decoded(value)!, keys: [] } : undefined;
        },
      ),
      computed("gen_ai.choice (events)", ({ events }) => {
        const value = responseOfEvents(events);
        return value === undefined ? undefined : { value, keys: [] };
      }),
      flattened("gen_ai.completion.", flatMessages, 110),
      attribute("gen_ai.completion", 120),
      computed(
        "body of gen_ai.choice (log)",
        (record) =>
          record.signal === "log" && record.name === "gen_ai.choice"
            ? { value: choiceMessage(logFields(record)), keys: [] }
            : undefined,
      ),
    ],
    system_prompt: [
      attribute("gen_ai.system_instructions"),
      computed(
        "gen_ai.client.inference.operation.details (event)",
        (record) => {
          const value = detailsOf(record)?.["gen_ai.system_instructions"];
          return isPresent(value) ? { value: decoded(value)!, keys: [] } : undefined;
        },
      ),
      attribute("gen_ai.request.system_instruction", 120),
    ],
    tool_definitions: [attribute("gen_ai.tool.definitions")],
    tool_name: [
      attribute("gen_ai.tool.name"),
      computed("name of the span, after execute_tool", ({ name }) => {
        const tool = /^execute_tool (.+)$/.exec(name)?.[1];
        return tool === undefined ? undefined : { value: tool, keys: [] };
      }, 150),
    ],
    tool_call_id: [attribute("gen_ai.tool.call.id")],
    tool_input: [attribute("gen_ai.tool.call.arguments")],
    tool_output: [attribute("gen_ai.tool.call.result")],
    input: [
      attribute("gen_ai.retrieval.query.text"),
      attribute("gen_ai.memory.query.text"),
    ],
    output: [
      attribute("gen_ai.retrieval.documents"),
      attribute("gen_ai.memory.records"),
    ],
    agent_name: [
      attribute("gen_ai.agent.name"),
      attribute("gen_ai.agent.id", 200),
    ],
    workflow: [attribute("gen_ai.workflow.name")],
    session_id: [attribute("gen_ai.conversation.id", 95)],
    finish_reason: [
      made("gen_ai.response.finish_reasons", "first", firstReason),
      made(
        "gen_ai.output.messages",
        "finish_reason of the last",
        reasonOfOutput,
        110,
      ),
      attribute("gen_ai.response.finish_reason", 130),
      attribute("gen_ai.response.stop_reason", 130),
      computed("gen_ai.choice (events)", ({ events }) => {
        const choice = events.find(({ name }) => name === "gen_ai.choice");
        const value = choice?.attributes.finish_reason ??
          (isObject(decoded(choice?.attributes.body))
            ? (decoded(choice?.attributes.body) as Record<string, Value>)
              .finish_reason
            : undefined);
        return isPresent(value) ? { value, keys: [] } : undefined;
      }, 140),
      made("gen_ai.completion.0.finish_reason", "", (value) => value, 140),
    ],
    response_id: [attribute("gen_ai.response.id")],
    time_to_first_token_ms: [
      scaled("gen_ai.response.time_to_first_chunk", 1000, "s → ms"),
      scaled("gen_ai.client.operation.time_to_first_chunk", 1000, "s → ms"),
    ],
    model_parameters: [computed("gen_ai.request.*", requestParameters)],
    service_tier: attributes(
      "openai.response.service_tier",
      "gen_ai.openai.response.service_tier",
      "openai.request.service_tier",
      "gen_ai.openai.request.service_tier",
    ),
    prompt_template_id: [attribute("gen_ai.prompt.name")],
    prompt_version: [attribute("gen_ai.prompt.version")],
    score_name: [attribute("gen_ai.evaluation.name")],
    score_value: [attribute("gen_ai.evaluation.score.value")],
    score_label: [attribute("gen_ai.evaluation.score.label")],
    score_explanation: [attribute("gen_ai.evaluation.explanation")],
  },
};

/** Attributes of the event that repeats the span with its content. */
function detailsOf({ events }: RawRecord): Record<string, Value> | undefined {
  return events.find(({ name }) => name === "gen_ai.client.inference.operation.details")
    ?.attributes;
}

function logFields({ body, attributes }: RawRecord): Record<string, Value> {
  const fields = decoded(body);
  return isObject(fields) ? fields : { ...attributes, content: body };
}

/**
 * What a span says too is content below that span, and counts nothing. Without a span the record is
 * all there is of the call.
 */
function kindOfLog(record: RawRecord): Kind | undefined {
  if (record.name === "gen_ai.evaluation.result") return "score";
  if (record.name === "gen_ai.client.operation.exception") return "error";
  if (record.name === "gen_ai.client.inference.operation.details" && !record.has_span) {
    return operations[operation(record)] ?? "model";
  }
  return record.name.startsWith("gen_ai.") ? "other" : undefined;
}
