// Producers that add a few names of their own: Sentry, Laminar, AgentOps, Google ADK, MLflow,
// Genkit, LiveKit.
import type { Value } from "../../receive/otlp/telemetry.ts";
import {
  attribute,
  type Convention,
  has,
  hasPrefix,
  type Kind,
  made,
  member,
  names,
  wordOf,
} from "../convention.ts";
import { decoded, isObject } from "../record.ts";

export const sentry: Convention = {
  id: "sentry",
  title: "Sentry",
  source: "https://docs.sentry.io/platforms/javascript/guides/node/configuration/integrations/",
  recognises: (record) =>
    names(
      record,
      "gen_ai.response.text",
      "gen_ai.response.tool_calls",
      "gen_ai.request.available_tools",
      "gen_ai.tool.input",
      "gen_ai.tool.output",
      "gen_ai.request.messages",
      "gen_ai.usage.input_tokens.cached",
    ),
  fields: {
    tokens_cache_read: [attribute("gen_ai.usage.input_tokens.cached", 115)],
    tokens_cache_write: [
      attribute("gen_ai.usage.input_tokens.cache_write", 115),
    ],
    tokens_reasoning: [attribute("gen_ai.usage.output_tokens.reasoning", 115)],
    prompt: [attribute("gen_ai.request.messages", 115)],
    response: [attribute("gen_ai.response.text", 125)],
    tool_calls: [attribute("gen_ai.response.tool_calls", 125)],
    tool_definitions: [attribute("gen_ai.request.available_tools", 140)],
    tool_input: [attribute("gen_ai.tool.input", 120)],
    tool_output: [attribute("gen_ai.tool.output", 120)],
  },
};

const laminarKinds: Readonly<Record<string, Kind>> = {
  llm: "model",
  tool: "tool",
  executor: "step",
  evaluator: "step",
  evaluation: "step",
};

export const laminar: Convention = {
  id: "laminar",
  title: "Laminar",
  source: "https://docs.lmnr.ai",
  recognises: (record) => hasPrefix(record, "lmnr."),
  kindRank: 11,
  kind: (record) => laminarKinds[wordOf(record, "lmnr.span.type")],
  fields: {
    cost_reported_usd: [attribute("gen_ai.usage.cost", 100)],
    tool_input: [attribute("lmnr.span.input", 170)],
    tool_output: [attribute("lmnr.span.output", 170)],
    prompt: [attribute("lmnr.span.input", 180)],
    response: [attribute("lmnr.span.output", 180)],
    input: [attribute("lmnr.span.input", 150)],
    output: [attribute("lmnr.span.output", 150)],
    session_id: [attribute("lmnr.association.properties.session_id", 118)],
    user_id: [attribute("lmnr.association.properties.user_id", 118)],
  },
};

const agentOpsKinds: Readonly<Record<string, Kind>> = {
  llm: "model",
  tool: "tool",
  agent: "agent",
  session: "agent",
  workflow: "agent",
  operation: "step",
  task: "step",
};

export const agentOps: Convention = {
  id: "agentops",
  title: "AgentOps",
  source: "https://docs.agentops.ai",
  recognises: (record) => hasPrefix(record, "agentops."),
  kindRank: 13,
  kind: (record) => agentOpsKinds[wordOf(record, "agentops.span.kind")],
  fields: {
    cost_reported_usd: [attribute("gen_ai.usage.total_cost", 120)],
    tool_input: [attribute("agentops.entity.input", 170)],
    tool_output: [attribute("agentops.entity.output", 170)],
    input: [attribute("agentops.entity.input", 150)],
    output: [attribute("agentops.entity.output", 150)],
    agent_name: [attribute("agentops.entity.name", 190)],
  },
};

const request = "gcp.vertex.agent.llm_request";
const response = "gcp.vertex.agent.llm_response";

export const googleAdk: Convention = {
  id: "google_adk",
  title: "Google ADK",
  source: "https://google.github.io/adk-docs/",
  recognises: (record) => hasPrefix(record, "gcp.vertex.agent."),
  kindRank: 70,
  kind: (record) => {
    if (
      record.name === "call_llm" || record.name.startsWith("generate_content")
    ) return "model";
    if (/^(invocation|agent_run|invoke_agent)\b/.test(record.name)) {
      return "agent";
    }
    return has(record, "gcp.vertex.agent.tool_call_args") ? "tool" : undefined;
  },
  fields: {
    model_requested: [member(request, "model", 150)],
    tokens_cache_read: [
      member(response, "usage_metadata.cached_content_token_count", 150),
    ],
    tokens_reasoning: [
      member(response, "usage_metadata.thoughts_token_count", 150),
    ],
    prompt: [member(request, "contents", 119)],
    response: [member(response, "content", 119)],
    system_prompt: [member(request, "config.system_instruction", 150)],
    tool_definitions: [member(request, "config.tools", 150)],
    tool_input: [attribute("gcp.vertex.agent.tool_call_args", 115)],
    tool_output: [attribute("gcp.vertex.agent.tool_response", 115)],
    session_id: [attribute("gcp.vertex.agent.session_id", 180)],
    finish_reason: [member(response, "finish_reason", 160)],
  },
};

export const mlflow: Convention = {
  id: "mlflow",
  title: "MLflow",
  source: "https://mlflow.org/docs/latest/genai/tracing/",
  recognises: (record) => hasPrefix(record, "mlflow."),
  kindRank: 25,
  kind: (record) => {
    const type = decoded(record.attributes["mlflow.spanType"]);
    const known: Readonly<Record<string, Kind>> = {
      LLM: "model",
      CHAT_MODEL: "model",
      EMBEDDING: "embedding",
      RERANKER: "rerank",
      RETRIEVER: "retrieval",
      TOOL: "tool",
      AGENT: "agent",
      CHAIN: "step",
      PARSER: "step",
    };
    return typeof type === "string" ? known[type.replaceAll('"', "")] : undefined;
  },
  fields: {
    tokens_input: [member("mlflow.chat.tokenUsage", "input_tokens", 150)],
    tokens_output: [member("mlflow.chat.tokenUsage", "output_tokens", 150)],
    prompt: [attribute("mlflow.spanInputs", 185)],
    response: [attribute("mlflow.spanOutputs", 185)],
    tool_input: [attribute("mlflow.spanInputs", 185)],
    tool_output: [attribute("mlflow.spanOutputs", 185)],
    input: [attribute("mlflow.spanInputs", 160)],
    output: [attribute("mlflow.spanOutputs", 160)],
    session_id: [attribute("mlflow.trace.session", 180)],
    user_id: [attribute("mlflow.trace.user", 180)],
  },
};

const genkitKinds: Readonly<Record<string, Kind>> = {
  model: "model",
  embedder: "embedding",
  reranker: "rerank",
  retriever: "retrieval",
  tool: "tool",
  flow: "agent",
};

const genkitOutput = (path: string) => (value: Value): Value | undefined => {
  const output = decoded(value);
  const usage = isObject(output) ? decoded(output.usage) : undefined;
  return isObject(usage) ? usage[path] : undefined;
};

export const genkit: Convention = {
  id: "genkit",
  title: "Genkit",
  source: "https://genkit.dev/docs/observability/advanced-configuration/",
  recognises: (record) => hasPrefix(record, "genkit:"),
  kindRank: 45,
  kind: (record) => genkitKinds[wordOf(record, "genkit:metadata:subtype")],
  fields: {
    model: [
      made(
        "genkit:name",
        "of a model",
        (value, record) =>
          wordOf(record, "genkit:metadata:subtype") === "model" ? value : undefined,
        180,
      ),
    ],
    tokens_input: [
      made(
        "genkit:output",
        "usage.inputTokens",
        genkitOutput("inputTokens"),
        170,
      ),
    ],
    tokens_output: [
      made(
        "genkit:output",
        "usage.outputTokens",
        genkitOutput("outputTokens"),
        170,
      ),
    ],
    prompt: [
      member("genkit:input", "messages", 150),
      attribute("genkit:input", 155),
    ],
    response: [
      member("genkit:output", "message", 150),
      attribute("genkit:output", 155),
    ],
    tool_name: [
      made(
        "genkit:name",
        "of a tool",
        (value, record) => wordOf(record, "genkit:metadata:subtype") === "tool" ? value : undefined,
        180,
      ),
    ],
    tool_input: [attribute("genkit:input", 150)],
    tool_output: [attribute("genkit:output", 150)],
    input: [attribute("genkit:input", 145)],
    output: [attribute("genkit:output", 145)],
    session_id: [attribute("genkit:sessionId", 180)],
  },
};

export const livekit: Convention = {
  id: "livekit",
  title: "LiveKit Agents",
  source: "https://docs.livekit.io/agents/",
  recognises: (record) => hasPrefix(record, "lk."),
  kindRank: 75,
  kind: (record) => {
    if (/^llm_(request|node)$/.test(record.name)) {
      return record.name === "llm_request" ? "model" : "step";
    }
    if (record.name === "function_tool") return "tool";
    return /^(agent_|user_turn|agent_turn|tts_|stt_)/.test(record.name) ? "step" : undefined;
  },
  fields: {
    prompt: [attribute("lk.chat_ctx", 190)],
    response: [attribute("lk.response.text", 190)],
    tool_name: [attribute("lk.function_tool.name", 160)],
    tool_call_id: [attribute("lk.function_tool.id", 160)],
    tool_input: [attribute("lk.function_tool.arguments", 160)],
    tool_output: [attribute("lk.function_tool.output", 160)],
    input: [attribute("lk.user_input", 180), attribute("lk.chat_ctx", 190)],
    output: [attribute("lk.response.text", 190)],
  },
};

export const others = [
  sentry,
  laminar,
  agentOps,
  googleAdk,
  mlflow,
  genkit,
  livekit,
];
