// One model call, tool call and agent step in the words of every convention: what is stored of it.
import { expect, test } from "bun:test";
import { mapLogRecord, mapSpan } from "../../src/map/map.ts";
import type { LogRecord, Span, Value } from "../../src/receive/otlp/telemetry.ts";
import { log, only, span, spanEvent } from "./fixture.ts";

function check(name: string, given: Span | LogRecord, expected: object): void {
  test(`map: ${name}`, () => {
    const event = "body" in given ? mapLogRecord(given) : mapSpan(given);
    expect(only(event, expected)).toEqual(expected as never);
  });
}

const question = [{ role: "user", content: "Is it late?" }];
const json = (value: unknown) => JSON.stringify(value);

check(
  "OpenTelemetry GenAI, structured messages",
  span({
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.response.finish_reasons": ["stop", "length"],
    "gen_ai.usage.input_tokens": 120,
    "gen_ai.usage.output_tokens": 30,
    "gen_ai.usage.cache_read.input_tokens": 100,
    "gen_ai.usage.reasoning.output_tokens": 12,
    "gen_ai.request.temperature": 0.2,
    "gen_ai.response.time_to_first_chunk": 0.25,
    "gen_ai.conversation.id": "conv-1",
    "gen_ai.system_instructions": json([{ type: "text", content: "Be kind." }]),
    "gen_ai.input.messages": json([{
      role: "user",
      parts: [{ type: "text", content: "Late?" }],
    }]),
    "gen_ai.output.messages": json([{
      role: "assistant",
      parts: [{ type: "text", content: "No" }],
    }]),
    "gen_ai.tool.definitions": json([{ type: "function", name: "clock" }]),
    "openai.response.service_tier": "flex",
  }),
  {
    event_type: "prompt_call",
    status: "success",
    provider: "openai",
    model: "gpt-4o-2024-08-06",
    model_requested: "gpt-4o",
    response_id: "chatcmpl-1",
    finish_reason: "stop",
    tokens_input: 120,
    tokens_output: 30,
    tokens_cache_read: 100,
    tokens_reasoning: 12,
    latency_ms: 1500,
    time_to_first_token_ms: 250,
    session_id: "conv-1",
    service_tier: "flex",
    model_parameters: { temperature: 0.2 },
    system_prompt: [{ type: "text", content: "Be kind." }],
    prompt: [{ role: "user", parts: [{ type: "text", content: "Late?" }] }],
    response: [{ role: "assistant", parts: [{ type: "text", content: "No" }] }],
    tool_definitions: [{ type: "function", name: "clock" }],
  },
);
check(
  "OpenTelemetry GenAI, newest names of tokens",
  span({
    "gen_ai.operation.name": "chat",
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.cache_write.input_tokens": 60,
    "gen_ai.usage.cache_creation.input_tokens": 7,
    "gen_ai.usage.audio.input_tokens": 5,
    "gen_ai.usage.audio.output_tokens": 6,
  }),
  {
    tokens_input: 100,
    tokens_cache_write: 60,
    tokens_audio_input: 5,
    tokens_audio_output: 6,
  },
);
check(
  "OpenTelemetry GenAI of 2024: span events",
  span({ "gen_ai.operation.name": "chat", "gen_ai.system": "vertex_ai" }, {
    events: [
      spanEvent("gen_ai.system.message", { content: "Be kind." }),
      spanEvent("gen_ai.user.message", { content: "Late?" }),
      spanEvent("gen_ai.choice", {
        index: 0,
        finish_reason: "tool_calls",
        message: json({ tool_calls: [{ id: "c1", type: "function" }] }),
      }),
    ],
  }),
  {
    provider: "gcp.vertex_ai",
    finish_reason: "tool_calls",
    prompt: [{ role: "system", content: "Be kind." }, {
      role: "user",
      content: "Late?",
    }],
    response: {
      role: "assistant",
      tool_calls: [{ id: "c1", type: "function" }],
    },
  },
);
check(
  "OpenTelemetry GenAI: content in the event of details",
  span({ "gen_ai.operation.name": "chat" }, {
    events: [spanEvent("gen_ai.client.inference.operation.details", {
      "gen_ai.input.messages": json(question),
      "gen_ai.output.messages": json([{ role: "assistant", content: "No" }]),
    })],
  }),
  { prompt: question, response: [{ role: "assistant", content: "No" }] },
);
check(
  "OpenTelemetry GenAI: a tool",
  span({
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": "clock",
    "gen_ai.tool.call.id": "c1",
    "gen_ai.tool.call.arguments": '{"zone":"UTC"}',
    "gen_ai.tool.call.result": '"12:00"',
  }),
  {
    event_type: "tool_call",
    tool_name: "clock",
    tool_call_id: "c1",
    input: { zone: "UTC" },
    output: '"12:00"',
  },
);
check(
  "OpenTelemetry GenAI: an agent's usage is a sum, not counted again",
  span({
    "gen_ai.operation.name": "invoke_agent",
    "gen_ai.agent.name": "planner",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 500,
    "gen_ai.input.messages": json(question),
  }),
  {
    event_type: "agent_step",
    agent_name: "planner",
    model: "gpt-4o",
    tokens_input: null,
    input_data: question,
    prompt: null,
  },
);
for (
  const [operation, event_type] of Object.entries({
    embeddings: "prompt_call",
    retrieval: "tool_call",
    rerank: "prompt_call",
    plan: "agent_step",
    invoke_workflow: "agent_step",
    search_memory: "tool_call",
    fetch_response: "agent_step",
    something_new: "span",
  })
) {
  check(
    `operation ${operation}`,
    span({ "gen_ai.operation.name": operation }),
    { event_type },
  );
}
check(
  "OpenInference",
  span({
    "openinference.span.kind": "LLM",
    "llm.model_name": "gpt-4o",
    "llm.provider": "openai",
    "llm.invocation_parameters": json({ model: "gpt-4o", temperature: 0 }),
    "llm.input_messages.1.message.role": "user",
    "llm.input_messages.1.message.contents.0.message_content.type": "text",
    "llm.input_messages.1.message.contents.0.message_content.text": "What is it?",
    "llm.input_messages.1.message.contents.1.message_content.type": "image",
    "llm.input_messages.1.message.contents.1.message_content.image.image.url":
      "https://a.example/b",
    "llm.input_messages.0.message.role": "system",
    "llm.input_messages.0.message.content": "Be kind.",
    "llm.output_messages.0.message.role": "assistant",
    "llm.output_messages.0.message.tool_calls.0.tool_call.id": "c1",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "look",
    "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": "{}",
    "llm.token_count.prompt": 10,
    "llm.token_count.completion": 5,
    "llm.token_count.prompt_details.cache_read": 4,
    "llm.cost.total": 0.002,
    "llm.tools.0.tool.json_schema": json({ name: "look" }),
    "session.id": "s1",
    "user.id": "u1",
    "tag.tags": ["a", "b"],
  }),
  {
    event_type: "prompt_call",
    model: "gpt-4o",
    provider: "openai",
    tokens_input: 10,
    tokens_output: 5,
    tokens_cache_read: 4,
    cost_reported_usd: 0.002,
    session_id: "s1",
    user_id: "u1",
    tags: ["a", "b"],
    model_parameters: { model: "gpt-4o", temperature: 0 },
    tool_definitions: [{ name: "look" }],
    prompt: [
      { role: "system", content: "Be kind." },
      {
        role: "user",
        content: [
          { type: "text", text: "What is it?" },
          { type: "image_url", image_url: { url: "https://a.example/b" } },
        ],
      },
    ],
    response: [{
      role: "assistant",
      tool_calls: [{
        type: "function",
        function: { name: "look", arguments: "{}" },
        id: "c1",
      }],
    }],
  },
);
check(
  "OpenInference: a tool, a chain, an agent, a retriever",
  span({
    "openinference.span.kind": "TOOL",
    "tool.name": "look",
    "input.value": '{"a":1}',
  }),
  { event_type: "tool_call", tool_name: "look", input: { a: 1 } },
);
check(
  "OpenInference: a chain",
  span({
    "openinference.span.kind": "CHAIN",
    "input.value": "hi",
    "output.value": "ho",
  }),
  { event_type: "agent_step", input_data: "hi", output_data: "ho" },
);
check(
  "OpenInference: a retriever",
  span({
    "openinference.span.kind": "RETRIEVER",
    "input.value": "late",
    "retrieval.documents.0.document.id": "d1",
    "retrieval.documents.0.document.score": 0.5,
  }),
  {
    event_type: "tool_call",
    input: "late",
    output: [{ document: { id: "d1", score: 0.5 } }],
  },
);
check(
  "OpenLLMetry, flattened",
  span({
    "llm.request.type": "chat",
    "gen_ai.system": "Anthropic",
    "gen_ai.request.model": "claude-sonnet-4-5",
    "gen_ai.prompt.0.role": "user",
    "gen_ai.prompt.0.content": json([{ type: "text", text: "hi" }]),
    "gen_ai.completion.0.role": "assistant",
    "gen_ai.completion.0.content": "ho",
    "gen_ai.completion.0.finish_reason": "stop",
    "gen_ai.usage.prompt_tokens": 9,
    "gen_ai.usage.completion_tokens": 3,
    "gen_ai.usage.cache_read_input_tokens": 2,
    "traceloop.association.properties.user_id": "u1",
    "traceloop.association.properties.session_id": "s1",
    "traceloop.workflow.name": "answer",
  }),
  {
    event_type: "prompt_call",
    model: "claude-sonnet-4-5",
    tokens_input: 9,
    tokens_output: 3,
    tokens_cache_read: 2,
    finish_reason: "stop",
    user_id: "u1",
    session_id: "s1",
    prompt: [{ role: "user", content: [{ type: "text", text: "hi" }] }],
    response: [{ role: "assistant", content: "ho", finish_reason: "stop" }],
  },
);
check(
  "OpenLLMetry: a tool",
  span({
    "traceloop.span.kind": "tool",
    "traceloop.entity.name": "look",
    "traceloop.entity.input": '{"inputs":{}}',
  }),
  { event_type: "tool_call", tool_name: "look", input: { inputs: {} } },
);
check(
  "Vercel AI SDK 5: the call inside",
  span({
    "operation.name": "ai.generateText.doGenerate",
    "ai.operationId": "ai.generateText.doGenerate",
    "ai.model.id": "gpt-5",
    "ai.model.provider": "openai.responses",
    "ai.prompt.messages": json(question),
    "ai.prompt.tools": [json({ type: "function", name: "clock" })],
    "ai.response.text": "No",
    "ai.response.toolCalls": json([{
      toolCallId: "c1",
      toolName: "clock",
      input: "{}",
    }]),
    "ai.response.finishReason": "tool-calls",
    "ai.response.providerMetadata": json({
      openai: { serviceTier: "priority" },
    }),
    "ai.response.msToFirstChunk": 120,
    "ai.usage.inputTokens": 62,
    "ai.usage.outputTokens": 85,
    "ai.usage.cachedInputTokens": 10,
    "ai.usage.reasoningTokens": 20,
    "ai.telemetry.metadata.userId": "u1",
    "ai.telemetry.metadata.sessionId": "s1",
    "ai.settings.maxRetries": 2,
  }),
  {
    event_type: "prompt_call",
    model: "gpt-5",
    provider: "openai",
    prompt: question,
    response: "No",
    tool_calls: [{ toolCallId: "c1", toolName: "clock", input: "{}" }],
    tool_definitions: [{ type: "function", name: "clock" }],
    finish_reason: "tool-calls",
    service_tier: "priority",
    time_to_first_token_ms: 120,
    tokens_input: 62,
    tokens_output: 85,
    tokens_cache_read: 10,
    tokens_reasoning: 20,
    user_id: "u1",
    session_id: "s1",
    model_parameters: { maxRetries: 2 },
  },
);
check(
  "Vercel AI SDK: a provider with its API",
  span({ "gen_ai.system": "openai.chat" }),
  {
    provider: "openai",
  },
);
check(
  "Vercel AI SDK 4: the span around it repeats the sums",
  span({
    "ai.operationId": "ai.generateText",
    "ai.model.id": "gpt-5",
    "ai.prompt": json({ prompt: "hi" }),
    "ai.response.text": "ho",
    "ai.usage.promptTokens": 14,
    "ai.usage.completionTokens": 43,
  }),
  {
    event_type: "agent_step",
    tokens_input: null,
    tokens_output: null,
    input_data: { prompt: "hi" },
    output_data: "ho",
  },
);
check(
  "Vercel AI SDK: a tool",
  span({
    "ai.operationId": "ai.toolCall",
    "ai.toolCall.name": "clock",
    "ai.toolCall.id": "c1",
    "ai.toolCall.args": "{}",
    "ai.toolCall.result": '"12:00"',
  }),
  {
    event_type: "tool_call",
    tool_name: "clock",
    tool_call_id: "c1",
    input: {},
    output: '"12:00"',
  },
);
check(
  "Vercel AI SDK: cached tokens of Anthropic hide in the provider's metadata",
  span({
    "ai.operationId": "ai.streamText.doStream",
    "ai.usage.promptTokens": 1000,
    "ai.response.providerMetadata": json({
      anthropic: {
        usage: {
          cache_read_input_tokens: 600,
          cache_creation_input_tokens: 200,
          cache_creation: { ephemeral_1h_input_tokens: 50 },
        },
      },
    }),
  }),
  {
    tokens_input: 1000,
    tokens_cache_read: 600,
    tokens_cache_write: 200,
    tokens_cache_write_1h: 50,
  },
);
check(
  "Langfuse",
  span({
    "langfuse.observation.type": "generation",
    "langfuse.observation.model.name": "gpt-4o",
    "langfuse.observation.input": json(question),
    "langfuse.observation.output": "No",
    "langfuse.observation.usage_details": json({
      input: 10,
      input_cached_tokens: 30,
      output: 5,
      output_reasoning_tokens: 2,
      total: 47,
    }),
    "langfuse.observation.cost_details": json({ input: 0.1, output: 0.2 }),
    "langfuse.observation.completion_start_time": '"2026-01-31T12:00:00.400Z"',
    "langfuse.observation.prompt.name": "greet",
    "langfuse.observation.prompt.version": 3,
    "langfuse.session.id": "s1",
    "session.id": "s2",
    "user.id": "u1",
    "langfuse.environment": "staging",
    "langfuse.release": "v7",
    "langfuse.trace.tags": ["a"],
  }),
  {
    event_type: "prompt_call",
    model: "gpt-4o",
    prompt: question,
    response: "No",
    tokens_input: 40,
    tokens_output: 7,
    tokens_cache_read: 30,
    tokens_reasoning: 2,
    cost_reported_usd: 0.1 + 0.2,
    time_to_first_token_ms: 400,
    prompt_template_id: "greet",
    prompt_version: "3",
    session_id: "s1",
    user_id: "u1",
    env: "staging",
    release: "v7",
    tags: ["a"],
  },
);
for (
  const [level, status] of Object.entries({
    ERROR: "error",
    WARNING: "warning",
    DEFAULT: "success",
  })
) {
  check(
    `Langfuse: level ${level}`,
    span({
      "langfuse.observation.type": "generation",
      "langfuse.observation.level": level,
      "langfuse.observation.status_message": "no answer",
    }),
    { status, error: level === "ERROR" ? { message: "no answer" } : null },
  );
}
check(
  "Langfuse: a span with input and output",
  span({
    "langfuse.observation.type": "span",
    "langfuse.observation.input": '{"a":1}',
  }),
  { event_type: "span", input: { a: 1 }, prompt: null },
);
check(
  "LangSmith",
  span({
    "langsmith.span.kind": "llm",
    "langsmith.metadata.ls_model_name": "gpt-4o",
    "langsmith.metadata.ls_provider": "openai",
    "langsmith.metadata.session_id": "s1",
    "langsmith.trace.session_id": "the-project",
    "langsmith.span.tags": "a, b",
    "gen_ai.prompt": json({ messages: question }),
    "gen_ai.completion": json({ role: "assistant", content: "No" }),
    "gen_ai.usage.input_tokens": 4,
    "gen_ai.usage.input_token_details": json({ cache_read: 3 }),
  }),
  {
    event_type: "prompt_call",
    model: "gpt-4o",
    provider: "openai",
    session_id: "s1",
    tags: ["a", "b"],
    prompt: { messages: question },
    response: { role: "assistant", content: "No" },
    tokens_input: 4,
    tokens_cache_read: 3,
  },
);
check(
  "Pydantic AI 1: events in an attribute",
  span({
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o",
    "events": json([
      { "event.name": "gen_ai.user.message", role: "user", content: "hi" },
      {
        "event.name": "gen_ai.choice",
        message: { role: "assistant", content: "ho" },
      },
    ]),
    "operation.cost": 0.5,
  }),
  {
    event_type: "prompt_call",
    cost_reported_usd: 0.5,
    prompt: [{
      "event.name": "gen_ai.user.message",
      role: "user",
      content: "hi",
    }],
    response: { role: "assistant", content: "ho" },
  },
);
check(
  "Pydantic AI 2: an agent names no operation",
  span({
    agent_name: "qa",
    model_name: "gpt-4o",
    final_result: "ho",
    all_messages_events: "[]",
    "gen_ai.usage.input_tokens": 9,
  }),
  {
    event_type: "agent_step",
    agent_name: "qa",
    model: "gpt-4o",
    output_data: "ho",
    tokens_input: null,
  },
);
check(
  "Pydantic AI 2: a tool",
  span({
    "gen_ai.tool.name": "look",
    tool_arguments: '{"a":1}',
    tool_response: "found",
  }),
  {
    event_type: "tool_call",
    tool_name: "look",
    input: { a: 1 },
    output: "found",
  },
);
check(
  "LiteLLM",
  span({
    "gen_ai.operation.name": "acompletion",
    "gen_ai.cost.input_cost": 0.25,
    "gen_ai.cost.output_cost": 0.5,
    "gen_ai.response.finish_reasons": '["stop"]',
    "metadata.user_api_key_user_id": "u1",
    "llm.is_streaming": "False",
  }),
  {
    event_type: "prompt_call",
    cost_reported_usd: 0.75,
    finish_reason: "stop",
    user_id: "u1",
  },
);
check(
  "LiteLLM: the raw request repeats the call",
  span({
    "gen_ai.system": "openai",
    "gen_ai.usage.input_tokens": 5,
    "gen_ai.request.model": "m",
  }, {
    name: "raw_gen_ai_request",
  }),
  { event_type: "span", tokens_input: null },
);
check(
  "OpenLIT",
  span({
    "gen_ai.operation.name": "chat",
    "gen_ai.usage.cost": 0.25,
    "gen_ai.usage.prompt_tokens_details.cached_tokens": 7,
    "gen_ai.usage.input_tokens": 20,
    "gen_ai.usage.completion_tokens_details.reasoning_tokens": 3,
    "gen_ai.usage.output_tokens": 9,
    "gen_ai.session.id": "s1",
    "gen_ai.user.id": "u1",
  }),
  {
    cost_reported_usd: 0.25,
    tokens_cache_read: 7,
    tokens_reasoning: 3,
    session_id: "s1",
    user_id: "u1",
  },
);
check(
  "MCP",
  span({
    "mcp.method.name": "tools/call",
    "mcp.session.id": "s1",
    "gen_ai.tool.call.arguments": "{}",
    "error.type": "tool_error",
  }, { name: "tools/call clock" }),
  {
    event_type: "tool_call",
    tool_name: "clock",
    session_id: "s1",
    input: {},
    status: "error",
  },
);
check(
  "MCP: a list of tools is no call",
  span({ "mcp.method.name": "tools/list" }),
  {
    event_type: "span",
  },
);
check(
  "Google ADK",
  span({
    "gcp.vertex.agent.llm_request": json({
      model: "gemini-2.0-flash",
      contents: question,
    }),
    "gcp.vertex.agent.llm_response": json({
      content: { role: "model", parts: [{ text: "No" }] },
      finish_reason: "STOP",
      usage_metadata: { cached_content_token_count: 3 },
    }),
    "gen_ai.usage.input_tokens": 9,
  }, { name: "call_llm" }),
  {
    event_type: "prompt_call",
    model: "gemini-2.0-flash",
    prompt: question,
    response: { role: "model", parts: [{ text: "No" }] },
    finish_reason: "STOP",
    tokens_cache_read: 3,
  },
);
check(
  "Sentry",
  span({
    "gen_ai.operation.name": "chat",
    "gen_ai.request.messages": json(question),
    "gen_ai.response.text": "No",
    "gen_ai.response.tool_calls": json([{ id: "c1" }]),
    "gen_ai.usage.input_tokens": 9,
    "gen_ai.usage.input_tokens.cached": 4,
  }),
  {
    prompt: question,
    response: "No",
    tool_calls: [{ id: "c1" }],
    tokens_cache_read: 4,
  },
);
check(
  "Laminar",
  span({
    "lmnr.span.type": "LLM",
    "lmnr.span.input": json(question),
    "lmnr.span.output": "No",
  }),
  { event_type: "prompt_call", prompt: question, response: "No" },
);
check(
  "AgentOps",
  span({
    "agentops.span.kind": "tool",
    "agentops.entity.input": "{}",
    "gen_ai.tool.name": "look",
  }),
  { event_type: "tool_call", tool_name: "look", input: {} },
);
check(
  "MLflow",
  span({
    "mlflow.spanType": '"CHAT_MODEL"',
    "mlflow.spanInputs": json({ messages: question }),
  }),
  { event_type: "prompt_call", prompt: { messages: question } },
);
check(
  "Genkit",
  span({
    "genkit:metadata:subtype": "model",
    "genkit:name": "googleai/gemini-2.5-flash",
    "genkit:input": json({ messages: question }),
    "genkit:output": json({
      message: { role: "model" },
      usage: { inputTokens: 4 },
    }),
  }),
  {
    event_type: "prompt_call",
    model: "googleai/gemini-2.5-flash",
    prompt: question,
    response: { role: "model" },
    tokens_input: 4,
  },
);
check(
  "LiveKit",
  span({ "lk.chat_ctx": json(question), "lk.response.text": "No" }, {
    name: "llm_request",
  }),
  { event_type: "prompt_call", prompt: question, response: "No" },
);

const claude: Record<string, Value> = {
  "session.id": "s1",
  "user.id": "install",
  "user.account_uuid": "u1",
};
check(
  "Claude Code: a request",
  log("", {
    ...claude,
    "event.name": "api_request",
    model: "claude-sonnet-4-5",
    input_tokens: "10",
    output_tokens: "20",
    cache_read_tokens: "300",
    cache_creation_tokens: "40",
    cost_usd: "0.05",
    duration_ms: "1200",
    request_id: "req_1",
  }, { body: "claude_code.api_request" }),
  {
    event_type: "prompt_call",
    name: "claude_code.api_request",
    run_id: "s1",
    session_id: "s1",
    user_id: "u1",
    provider: "anthropic",
    tokens_input: 350,
    tokens_output: 20,
    tokens_cache_read: 300,
    tokens_cache_write: 40,
    cost_reported_usd: 0.05,
    latency_ms: 1200,
    status: "success",
  },
);
check(
  "Claude Code: a tool that failed",
  log("claude_code.tool_result", {
    ...claude,
    tool_name: "Bash",
    success: "false",
    error: "exit 1",
    duration_ms: 40,
    tool_input: '{"command":"ls"}',
  }),
  {
    event_type: "tool_call",
    tool_name: "Bash",
    status: "error",
    error: { type: "tool_error", message: "exit 1" },
    input: { command: "ls" },
    latency_ms: 40,
  },
);
check(
  "Claude Code: its spans count nothing again",
  span({ model: "claude-sonnet-4-5", input_tokens: 10, output_tokens: 20 }, {
    name: "claude_code.llm_request",
  }),
  { event_type: "agent_step", model: "claude-sonnet-4-5", tokens_input: null },
);
check(
  "Codex: a completed response",
  log("codex.sse_event", {
    "event.kind": "response.completed",
    model: "gpt-5-codex",
    "conversation.id": "c1",
    input_token_count: "100",
    output_token_count: "20",
    cached_token_count: "60",
    reasoning_token_count: "5",
  }),
  {
    event_type: "prompt_call",
    run_id: "c1",
    session_id: "c1",
    provider: "openai",
    tokens_input: 100,
    tokens_cache_read: 60,
    tokens_reasoning: 5,
  },
);
check(
  "Codex: a request that failed",
  log("codex.api_request", { "error.message": "slow down", "http.response.status_code": "429" }),
  { event_type: "error", status: "error", error: { message: "slow down", code: "429" } },
);
check(
  "Claude Code: it gave up",
  log("claude_code.api_retries_exhausted", { error: "overloaded" }),
  { event_type: "error", status: "error", error: { message: "overloaded" } },
);
check(
  "LiteLLM: parts of a cost are added up, discounts and margins are not",
  span({
    "gen_ai.operation.name": "acompletion",
    "gen_ai.cost.input_cost": 0.25,
    "gen_ai.cost.output_cost": 0.5,
    "gen_ai.cost.original_cost": 1,
    "gen_ai.cost.discount_percent": 25,
  }),
  { cost_reported_usd: 0.75 },
);
check(
  "Codex: other events of the stream",
  log("codex.sse_event", { "event.kind": "response.created" }),
  {
    event_type: "span",
  },
);
for (
  const [name, label, event_type, status] of [
    ["relevance", "relevant", "score", "success"],
    ["relevance", "not_relevant", "assertion_failed", "assertion_failed"],
    ["toxicity", "not_toxic", "score", "success"],
    ["politeness", "0.2", "score", "success"],
    ["Groundedness", "Failed", "hallucination_detected", "success"],
  ] as const
) {
  check(
    `an evaluation: ${name} is ${label}`,
    log("gen_ai.evaluation.result", {
      "gen_ai.evaluation.name": name,
      "gen_ai.evaluation.score.label": label,
    }),
    {
      event_type,
      status,
      name,
      score_label: label,
      assertion_name: event_type === "assertion_failed" ? name : null,
    },
  );
}
const judged = {
  trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
  span_id: "00f067aa0ba902b7",
  trace_state: "",
  attributes: {},
};
check(
  "OpenInference: feedback given afterwards belongs to what it links to",
  span({
    "annotations.3.annotation.name": "correctness",
    "annotations.3.annotation.score": 0.9,
    "annotations.7.annotation.name": "tone",
  }, { links: [judged] }),
  {
    event_type: "score",
    name: "correctness",
    score_value: 0.9,
    run_id: judged.trace_id,
    parent_span_id: judged.span_id,
  },
);
check(
  "OpenInference: an evaluator's finding",
  span({
    "openinference.span.kind": "EVALUATOR",
    "trace.evaluations.0.evaluation.name": "hallucination",
    "trace.evaluations.0.evaluation.label": "hallucinated",
  }),
  { event_type: "hallucination_detected", name: "hallucination", score_label: "hallucinated" },
);
check(
  "OpenInference: an evaluation of the call beside it leaves the call a call",
  span({ "openinference.span.kind": "LLM", "annotations.0.annotation.score": 1 }),
  { event_type: "prompt_call", score_value: null },
);
check(
  "an evaluation below its span",
  log("gen_ai.evaluation.result", {
    "gen_ai.evaluation.name": "faithfulness",
    "gen_ai.evaluation.score.value": 0.2,
    "gen_ai.evaluation.score.label": "fail",
    "gen_ai.evaluation.explanation": "Made up.",
  }, {
    trace_id: "0af7651916cd43dd8448eb211c80319c",
    span_id: "b7ad6b7169203331",
  }),
  {
    event_type: "hallucination_detected",
    name: "faithfulness",
    score_value: 0.2,
    score_label: "fail",
    score_explanation: "Made up.",
    run_id: "0af7651916cd43dd8448eb211c80319c",
    parent_span_id: "b7ad6b7169203331",
  },
);
check(
  "an exception of a call",
  log("gen_ai.client.operation.exception", {
    "exception.type": "RateLimitError",
    "exception.message": "slow down",
    "exception.stacktrace": "at call",
  }, { severity_number: 13 }),
  {
    event_type: "error",
    status: "error",
    error: { type: "RateLimitError", message: "slow down", stack: "at call" },
  },
);
check(
  "a message as a log record",
  log("gen_ai.user.message", {}, { body: { content: "hi" } }),
  { event_type: "span", prompt: [{ role: "user", content: "hi" }] },
);
const details = {
  "gen_ai.operation.name": "chat",
  "gen_ai.request.model": "m",
  "gen_ai.usage.input_tokens": 3,
  "gen_ai.input.messages": question,
};
check(
  "the details of a call that no span tells of",
  log("gen_ai.client.inference.operation.details", details),
  { event_type: "prompt_call", tokens_input: 3, prompt: question },
);
check(
  "the details of a call beside its span: content, counted there",
  log("gen_ai.client.inference.operation.details", details, {
    trace_id: "0af7651916cd43dd8448eb211c80319c",
    span_id: "b7ad6b7169203331",
  }),
  { event_type: "span", tokens_input: null, prompt: question },
);
check(
  "any other log",
  log("", {}, { body: "disk is nearly full", severity_number: 13 }),
  {
    event_type: "span",
    status: "warning",
    name: "disk is nearly full",
    output: "disk is nearly full",
  },
);
check(
  "a log of an error",
  log("", {}, { body: "disk is full", severity_number: 17 }),
  {
    event_type: "error",
    status: "error",
    error: { message: "disk is full" },
  },
);
