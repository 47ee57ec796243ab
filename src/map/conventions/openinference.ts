// OpenInference (Arize Phoenix): lists are flattened with indexes.
// https://github.com/Arize-ai/openinference/tree/main/spec
import {
  attribute,
  attributes,
  type Convention,
  flattened,
  hasPrefix,
  type Kind,
  member,
  type Source,
  wordOf,
} from "../convention.ts";
import { isObject } from "../record.ts";
import {
  completions,
  flatMessages,
  listOf,
  openInferenceMessages,
  openInferenceTools,
} from "../messages.ts";

const kinds: Readonly<Record<string, Kind>> = {
  llm: "model",
  embedding: "embedding",
  reranker: "rerank",
  retriever: "retrieval",
  tool: "tool",
  agent: "agent",
  chain: "step",
  guardrail: "step",
  evaluator: "step",
  prompt: "step",
};

/** Of a span, of its trace, of its session. */
const annotations = ["", "trace.", "session."]
  .flatMap((of) => [`${of}annotations.`, `${of}evaluations.`]);

/** One record is one event: of several annotations the first; the others stay in the attributes. */
function ofFirst(part: string): Source[] {
  return annotations.map((prefix) =>
    flattened(prefix, (value) => {
      const first = listOf(value)[0];
      const inner = isObject(first) ? first.annotation ?? first.evaluation : undefined;
      return isObject(inner) ? inner[part] : undefined;
    })
  );
}

/** Feedback and evaluations: on a span that says of itself what it is, they describe that span. */
export const openInferenceAnnotations: Convention = {
  id: "openinference_annotations",
  title: "OpenInference annotations",
  source: "https://github.com/Arize-ai/openinference/blob/main/spec/annotations.md",
  recognises: (record) => hasPrefix(record, ...annotations),
  kindRank: 85,
  kind: () => "score",
  fields: {
    score_name: ofFirst("name"),
    score_value: ofFirst("score"),
    score_label: ofFirst("label"),
    score_explanation: ofFirst("explanation"),
  },
};

export const openInference: Convention = {
  id: "openinference",
  title: "OpenInference",
  source: "https://github.com/Arize-ai/openinference/tree/main/spec",
  recognises: (record) =>
    hasPrefix(
      record,
      "openinference.",
      "llm.",
      "input.",
      "output.",
      "tool.",
      "embedding.",
      "reranker.",
      "retrieval.",
      "tag.",
      "agent.name",
      "graph.node.",
    ),
  kindRank: 20,
  kind: (record) => {
    const kind = wordOf(record, "openinference.span.kind");
    return kind === "evaluator" && hasPrefix(record, ...annotations) ? "score" : kinds[kind];
  },
  fields: {
    operation: [attribute("openinference.span.kind", 120)],
    model: attributes(
      "llm.response.model_name",
      "llm.model_name",
      "embedding.model_name",
      "reranker.model_name",
    ),
    model_requested: [
      attribute("llm.request.model_name"),
      member("llm.invocation_parameters", "model", 150),
      member("llm.invocation_parameters", "model_name", 150),
    ],
    provider: [attribute("llm.provider"), attribute("llm.system")],
    tokens_input: [
      attribute("llm.token_count.prompt", 95),
      attribute("llm.usage.prompt_tokens", 160),
    ],
    tokens_output: [
      attribute("llm.token_count.completion", 95),
      attribute("llm.usage.completion_tokens", 160),
    ],
    tokens_cache_read: [attribute("llm.token_count.prompt_details.cache_read")],
    tokens_cache_write: [
      attribute("llm.token_count.prompt_details.cache_write"),
    ],
    tokens_reasoning: [
      attribute("llm.token_count.completion_details.reasoning"),
    ],
    tokens_audio_input: [attribute("llm.token_count.prompt_details.audio")],
    tokens_audio_output: [
      attribute("llm.token_count.completion_details.audio"),
    ],
    cost_reported_usd: [attribute("llm.cost.total")],
    prompt: [
      flattened("llm.input_messages.", openInferenceMessages),
      flattened("llm.prompts.", completions("prompt"), 130),
      attribute("input.value", 160),
    ],
    response: [
      flattened("llm.output_messages.", openInferenceMessages),
      flattened("llm.choices.", completions("completion"), 130),
      attribute("output.value", 160),
    ],
    tool_definitions: [flattened("llm.tools.", openInferenceTools)],
    tool_name: [attribute("tool.name")],
    tool_call_id: [attribute("tool.id")],
    tool_input: [
      attribute("input.value", 160),
      attribute("tool.parameters", 170),
    ],
    tool_output: [attribute("output.value", 160)],
    input: [attribute("input.value", 130), attribute("reranker.query", 140)],
    output: [
      attribute("output.value", 130),
      flattened("retrieval.documents.", flatMessages, 140),
      flattened("reranker.output_documents.", flatMessages, 140),
    ],
    agent_name: [attribute("agent.name"), attribute("graph.node.name", 180)],
    session_id: [attribute("session.id", 90)],
    user_id: [attribute("user.id", 90)],
    tags: [attribute("tag.tags")],
    finish_reason: [attribute("llm.finish_reason", 125)],
    model_parameters: [attribute("llm.invocation_parameters")],
    prompt_template_id: [
      attribute("prompt.id"),
      attribute("llm.prompt_template.template", 150),
    ],
    prompt_version: [attribute("llm.prompt_template.version")],
  },
};
