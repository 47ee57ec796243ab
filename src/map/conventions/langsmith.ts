// LangSmith over OpenTelemetry. https://docs.langchain.com/langsmith/trace-with-opentelemetry
import { attribute, type Convention, hasPrefix, type Kind, member, wordOf } from "../convention.ts";

const kinds: Readonly<Record<string, Kind>> = {
  llm: "model",
  chain: "step",
  tool: "tool",
  retriever: "retrieval",
  embedding: "embedding",
  prompt: "step",
  parser: "step",
};

export const langsmith: Convention = {
  id: "langsmith",
  title: "LangSmith",
  source: "https://docs.langchain.com/langsmith/trace-with-opentelemetry",
  recognises: (record) => hasPrefix(record, "langsmith."),
  kindRank: 12,
  kind: (record) => kinds[wordOf(record, "langsmith.span.kind")],
  fields: {
    operation: [attribute("langsmith.span.kind", 145)],
    model_requested: [attribute("langsmith.metadata.ls_model_name", 110)],
    provider: [attribute("langsmith.metadata.ls_provider", 150)],
    tokens_cache_read: [
      member("gen_ai.usage.input_token_details", "cache_read", 130),
    ],
    tokens_cache_write: [
      member("gen_ai.usage.input_token_details", "cache_creation", 130),
    ],
    tokens_reasoning: [
      member("gen_ai.usage.output_token_details", "reasoning", 130),
    ],
    tool_input: [attribute("gen_ai.prompt", 180)],
    tool_output: [attribute("gen_ai.completion", 180)],
    input: [attribute("gen_ai.prompt", 170)],
    output: [attribute("gen_ai.completion", 170)],
    workflow: [attribute("langsmith.trace.name", 140)],
    // langsmith.trace.session_id is the project there.
    session_id: [
      attribute("langsmith.metadata.session_id", 115),
      attribute("langsmith.metadata.thread_id", 116),
      attribute("langsmith.metadata.conversation_id", 117),
    ],
    user_id: [attribute("langsmith.metadata.user_id", 115)],
    tags: [attribute("langsmith.span.tags", 120)],
  },
};
