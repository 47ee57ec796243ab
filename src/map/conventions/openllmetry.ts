// OpenLLMetry (Traceloop), whose newer versions use OpenTelemetry's names.
// https://github.com/traceloop/openllmetry/tree/main/packages/opentelemetry-semantic-conventions-ai
import {
  attribute,
  computed,
  type Convention,
  flattened,
  hasPrefix,
  type Kind,
  wordOf,
} from "../convention.ts";
import { isPresent } from "../record.ts";

const kinds: Readonly<Record<string, Kind>> = {
  workflow: "agent",
  agent: "agent",
  task: "step",
  tool: "tool",
};

const requests: Readonly<Record<string, Kind>> = {
  chat: "model",
  completion: "model",
  embedding: "embedding",
  rerank: "rerank",
};

export const openLlmetry: Convention = {
  id: "openllmetry",
  title: "OpenLLMetry / Traceloop",
  source: "https://github.com/traceloop/openllmetry",
  recognises: (record) =>
    hasPrefix(
      record,
      "traceloop.",
      "llm.request.",
      "llm.usage.",
      "llm.is_streaming",
      "llm.user",
    ),
  kindRank: 30,
  kind: (record) =>
    kinds[wordOf(record, "traceloop.span.kind")] ??
      requests[wordOf(record, "llm.request.type")],
  fields: {
    operation: [
      attribute("traceloop.span.kind", 130),
      attribute("llm.request.type", 150),
    ],
    tokens_input: [attribute("llm.usage.prompt_tokens", 150)],
    tokens_output: [attribute("llm.usage.completion_tokens", 150)],
    tokens_reasoning: [attribute("llm.usage.reasoning_tokens", 130)],
    tool_definitions: [
      flattened("llm.request.functions.", (value) => value, 130),
    ],
    tool_name: [
      computed("traceloop.entity.name, of a tool", (record) => {
        const value = record.attributes["traceloop.entity.name"];
        return wordOf(record, "traceloop.span.kind") === "tool" &&
            isPresent(value)
          ? { value, keys: ["traceloop.entity.name"] }
          : undefined;
      }, 130),
    ],
    tool_input: [attribute("traceloop.entity.input", 170)],
    tool_output: [attribute("traceloop.entity.output", 170)],
    prompt: [attribute("traceloop.entity.input", 170)],
    response: [attribute("traceloop.entity.output", 170)],
    input: [attribute("traceloop.entity.input", 140)],
    output: [attribute("traceloop.entity.output", 140)],
    agent_name: [
      computed("traceloop.entity.name, of an agent", (record) => {
        const value = record.attributes["traceloop.entity.name"];
        return wordOf(record, "traceloop.span.kind") === "agent" &&
            isPresent(value)
          ? { value, keys: ["traceloop.entity.name"] }
          : undefined;
      }, 130),
    ],
    workflow: [attribute("traceloop.workflow.name")],
    session_id: [attribute("traceloop.association.properties.session_id", 110)],
    user_id: [
      attribute("traceloop.association.properties.user_id", 110),
      attribute("gen_ai.user", 130),
      attribute("llm.user", 140),
      attribute("gen_ai.request.user", 150),
    ],
    prompt_template_id: [attribute("traceloop.prompt.key")],
    prompt_version: [attribute("traceloop.prompt.version")],
  },
};
