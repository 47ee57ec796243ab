// Vercel AI SDK, versions 4 to 6; version 7 uses OpenTelemetry's names beside a few of these.
// https://ai-sdk.dev/docs/ai-sdk-core/telemetry
import type { Value } from "../../receive/otlp/telemetry.ts";
import {
  attribute,
  attributes,
  computed,
  type Convention,
  flattened,
  has,
  hasPrefix,
  made,
  member,
  wordOf,
} from "../convention.ts";
import { decoded, isObject, isPresent, type RawRecord } from "../record.ts";

/** `openai.chat` → `openai`. */
const provider = (value: Value) => typeof value === "string" ? value.split(".")[0] : undefined;

/** Definitions come as a list of JSON texts. */
function tools(value: Value): Value | undefined {
  const list = decoded(value);
  return Array.isArray(list) ? list.map((tool) => decoded(tool)!) : undefined;
}

/** `{system, prompt}` or `{system, messages}`: what is in it apart from the instructions. */
function innerPrompt(value: Value): Value | undefined {
  const prompt = decoded(value);
  if (!isObject(prompt)) return prompt;
  return prompt.messages ?? prompt.prompt ?? prompt;
}

function settings({ attributes }: RawRecord) {
  const value: Record<string, Value> = {};
  const keys: string[] = [];
  for (const key in attributes) {
    const name = /^ai\.settings\.([a-zA-Z]+)$/.exec(key)?.[1];
    if (name === undefined || !isPresent(attributes[key])) continue;
    value[name] = attributes[key];
    keys.push(key);
  }
  return keys.length === 0 ? undefined : { value, keys };
}

const details = "ai.response.providerMetadata";

export const vercel: Convention = {
  id: "vercel",
  title: "Vercel AI SDK",
  source: "https://ai-sdk.dev/docs/ai-sdk-core/telemetry",
  recognises: (record) => hasPrefix(record, "ai."),
  kindRank: 50,
  kind: (record) => {
    const operation = wordOf(record, "ai.operationId");
    if (operation === "") return undefined;
    if (/\.(dogenerate|dostream)$/.test(operation)) return "model";
    if (operation.endsWith(".doembed")) return "embedding";
    if (operation.endsWith(".dorerank")) return "rerank";
    if (operation === "ai.toolcall") return "tool";
    // The outer spans repeat the sums of the inner ones.
    return operation.startsWith("ai.") ? "agent" : undefined;
  },
  fields: {
    operation: [attribute("ai.operationId", 105)],
    model: [attribute("ai.response.model", 97)],
    model_requested: [attribute("ai.model.id")],
    provider: [made("ai.model.provider", "before the dot", provider)],
    tokens_input: [
      attribute("ai.usage.inputTokens", 90),
      attribute("ai.usage.promptTokens", 110),
      attribute("ai.usage.tokens", 110),
    ],
    tokens_output: [
      attribute("ai.usage.outputTokens", 90),
      attribute("ai.usage.completionTokens", 110),
    ],
    tokens_cache_read: [
      ...attributes(
        "ai.usage.inputTokenDetails.cacheReadTokens",
        "ai.usage.cachedInputTokens",
      ),
      member(details, "openai.cachedPromptTokens", 130),
      member(details, "anthropic.usage.cache_read_input_tokens", 130),
      member(details, "anthropic.cacheReadInputTokens", 130),
      member(details, "bedrock.usage.cacheReadInputTokens", 130),
    ],
    tokens_cache_write: [
      attribute("ai.usage.inputTokenDetails.cacheWriteTokens"),
      member(details, "anthropic.usage.cache_creation_input_tokens", 130),
      member(details, "anthropic.cacheCreationInputTokens", 130),
      member(details, "bedrock.usage.cacheWriteInputTokens", 130),
    ],
    tokens_cache_write_1h: [
      member(
        details,
        "anthropic.usage.cache_creation.ephemeral_1h_input_tokens",
      ),
    ],
    tokens_reasoning: [
      ...attributes(
        "ai.usage.outputTokenDetails.reasoningTokens",
        "ai.usage.reasoningTokens",
      ),
      member(details, "openai.reasoningTokens", 130),
    ],
    prompt: [
      attribute("ai.prompt.messages"),
      made("ai.prompt", "messages", innerPrompt, 125),
      attribute("ai.value", 126),
      attribute("ai.values", 126),
    ],
    response: [
      attribute("ai.response.text"),
      attribute("ai.response.object"),
      attribute("ai.result.text"),
      attribute("ai.result.object"),
    ],
    tool_calls: [
      attribute("ai.response.toolCalls"),
      attribute("ai.result.toolCalls"),
    ],
    system_prompt: [
      member("ai.prompt", "system"),
      member("ai.prompt", "instructions"),
    ],
    tool_definitions: [made("ai.prompt.tools", "decoded", tools)],
    tool_name: [attribute("ai.toolCall.name")],
    tool_call_id: [attribute("ai.toolCall.id")],
    tool_input: [attribute("ai.toolCall.args")],
    tool_output: [attribute("ai.toolCall.result")],
    input: [
      attribute("ai.prompt"),
      attribute("ai.value"),
      attribute("ai.values"),
    ],
    output: [
      attribute("ai.response.text"),
      attribute("ai.response.object"),
      attribute("ai.response.toolCalls"),
      attribute("ai.result.text"),
      attribute("ai.result.object"),
    ],
    agent_name: [
      computed("ai.telemetry.functionId, of an outer span", (record) => {
        const value = record.attributes["ai.telemetry.functionId"];
        return isPresent(value) && !has(record, "ai.toolCall.name")
          ? { value, keys: ["ai.telemetry.functionId"] }
          : undefined;
      }, 150),
    ],
    session_id: [attribute("ai.telemetry.metadata.sessionId", 120)],
    user_id: [attribute("ai.telemetry.metadata.userId", 120)],
    tags: [
      attribute("ai.telemetry.metadata.tags", 130),
      flattened("ai.telemetry.metadata.tags.", (value) => value, 131),
    ],
    finish_reason: [
      attribute("ai.response.finishReason", 120),
      attribute("ai.finishReason", 150),
    ],
    response_id: [attribute("ai.response.id")],
    time_to_first_token_ms: attributes(
      "ai.response.msToFirstChunk",
      "ai.stream.msToFirstChunk",
    ),
    model_parameters: [computed("ai.settings.*", settings, 130)],
    service_tier: [member(details, "openai.serviceTier", 130)],
  },
};
