// The framework hooks with the real libraries, at their newest supported versions (the oldest by
// `deno task test:frameworks`), in front of a stand-in that answers what was recorded.
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  spyOn,
  test,
} from "bun:test";
import { middleware, telemetry } from "../src/ai_sdk.ts";
import * as aisentry from "../src/index.ts";
import { CallbackHandler } from "../src/langchain.ts";
import { wrapClient, wrapServer } from "../src/mcp.ts";
import { TracingProcessor } from "../src/openai_agents.ts";
import { judge, type Named } from "./cases.ts";
import { libraries, triedSet } from "./libraries/install.ts";
import { load, type Loose, makeClient, type StandIn, startStandIn } from "./provide.ts";
import { type Receiver, startReceiver } from "./receiver.ts";

const warned = spyOn(console, "warn").mockImplementation(() => {});
let folder: string;
let standIn: StandIn;
let receiver: Receiver;

beforeAll(async () => {
  folder = await libraries(triedSet);
  standIn = startStandIn();
}, 300_000);
afterAll(() => {
  standIn[Symbol.dispose]();
  warned.mockRestore();
});
beforeEach(() => {
  receiver = startReceiver();
  aisentry.init({ dsn: receiver.dsn });
});
afterEach(async () => {
  await aisentry.close(1000);
  receiver[Symbol.dispose]();
});

/** Answers of the stand-in, in turn. */
function answers(...exchanges: string[]): void {
  standIn.exchanges.splice(0, Infinity, ...exchanges);
}

async function arrived(expected: Named[]): Promise<void> {
  expect(await aisentry.flush(10_000)).toBe(true);
  expect(judge([...receiver.events.values()] as Named[], expected)).toBeNull();
  expect(receiver.complaints).toEqual([]);
}

const question = "What is the weather in Paris?";
/** What the recordings of a tool that is asked for, and of an answer, come to. */
const asks = {
  event_type: "prompt_call",
  provider: "openai",
  model: "zai/GLM-5.2",
  tokens_input: 167,
  tokens_output: 37,
  tokens_reasoning: 25,
  tool_calls: [{ name: "get_weather", arguments: { city: "Paris" } }],
};
const says = {
  event_type: "prompt_call",
  provider: "openai",
  model: "llama-3.3-70b",
  tokens_input: 43,
  tokens_output: 9,
  response: "2 + 2 = 4.",
};
const ran = {
  event_type: "tool_call",
  tool_name: "get_weather",
  input: { city: "Paris" },
};

describe(triedSet, () => {
  const from = <T = Loose>(name: string) => load<T>(folder, name);

  async function aiModel(): Promise<Loose> {
    const { createOpenAI } = await from("@ai-sdk/openai");
    return createOpenAI({ apiKey: "k", baseURL: `${standIn.url}/v1` }).chat(
      "zai/GLM-5.2",
    );
  }

  async function weather(): Promise<Loose> {
    const [{ tool }, { z }] = [await from("ai"), await from("zod")];
    return tool({
      description: "Get the weather in a city.",
      inputSchema: z.object({ city: z.string() }),
      execute: ({ city }: { city: string }) => {
        aisentry.logEvent({ event_type: "span", name: "inside the tool" });
        return { sky: "clear", city };
      },
    });
  }

  test("AI SDK: a model in middleware, with tools and a stream", async () => {
    const { generateText, streamText, wrapLanguageModel, stepCountIs } = await from("ai");
    const model = wrapLanguageModel({
      model: await aiModel(),
      middleware: middleware(),
    });
    answers("openai_chat_tools", "openai_chat");
    const result = await aisentry.span(
      "answer",
      async () =>
        await generateText({
          model,
          prompt: question,
          temperature: 0.5,
          tools: { get_weather: await weather() },
          stopWhen: stepCountIs(1),
        }),
    );
    expect(result.toolCalls).toHaveLength(1);
    answers("openai_chat_stream");
    const stream = streamText({
      model,
      prompt: "Count from 1 to 5, comma separated.",
    });
    let text = "";
    for await (const piece of stream.textStream) text += piece;
    expect(text).toBe("1, 2, 3, 4, 5");
    await arrived([
      {
        ...asks,
        parent_span_id: { $id: "answer" },
        model_parameters: { temperature: 0.5 },
      },
      { name: "inside the tool" },
      { name: "answer", span_id: { $id: "answer" } },
      {
        event_type: "prompt_call",
        response: "1, 2, 3, 4, 5",
        finish_reason: "stop",
        tokens_input: 46,
        tokens_output: 14,
        time_to_first_token_ms: { $between: [0, 60000] },
      },
    ]);
  });

  test("AI SDK: what a model throws passes through", async () => {
    const { generateText, wrapLanguageModel } = await from("ai");
    const model = wrapLanguageModel({
      model: await aiModel(),
      middleware: middleware(),
    });
    answers("openai_responses_error");
    const failed = generateText({ model, prompt: "x", maxRetries: 0 });
    expect(String(await failed.catch((error: unknown) => error))).toContain(
      "No tool output found",
    );
    await arrived([{
      event_type: "prompt_call",
      status: "error",
      error: {
        message: { $text: "No tool output found" },
        type: { $text: "APICallError" },
      },
    }]);
  });

  // Of version 7 on.
  test.if(triedSet === "newest")(
    "AI SDK: telemetry of a call with tools",
    async () => {
      const { generateText, stepCountIs } = await from("ai");
      answers("openai_chat_tools", "openai_chat");
      const result = await generateText({
        model: await aiModel(),
        instructions: "Be brief.",
        prompt: question,
        tools: { get_weather: await weather() },
        stopWhen: stepCountIs(3),
        telemetry: { integrations: [telemetry()], functionId: "weather" },
      });
      expect(result.text).toBe("2 + 2 = 4.");
      await arrived([
        {
          event_type: "span",
          name: { $text: "weather|generateText" },
          span_id: { $id: "root" },
          run_id: { $id: "run" },
          output: "2 + 2 = 4.",
        },
        {
          ...asks,
          run_id: { $id: "run" },
          parent_span_id: { $id: "root" },
          system_prompt: "Be brief.",
          prompt: [{ role: "user", content: question }],
          tool_definitions: [{ name: "get_weather" }],
        },
        {
          ...ran,
          parent_span_id: { $id: "root" },
          span_id: { $id: "tool" },
          output: { sky: "clear", city: "Paris" },
        },
        { name: "inside the tool", parent_span_id: { $id: "tool" } },
        { ...says, parent_span_id: { $id: "root" } },
      ]);
    },
  );

  test.if(triedSet === "newest")(
    "AI SDK: telemetry of a call that fails",
    async () => {
      const { generateText } = await from("ai");
      answers("openai_responses_error");
      const failed = generateText({
        model: await aiModel(),
        prompt: "x",
        maxRetries: 0,
        telemetry: { integrations: [telemetry()] },
      });
      expect(await failed.catch(() => "failed")).toBe("failed");
      await arrived([
        { event_type: "span", status: "error", span_id: { $id: "root" } },
        {
          event_type: "prompt_call",
          status: "error",
          parent_span_id: { $id: "root" },
        },
      ]);
    },
  );

  async function chatModel(options: object = {}): Promise<Loose> {
    const { ChatOpenAI } = await from("@langchain/openai");
    return new ChatOpenAI({
      model: "zai/GLM-5.2",
      apiKey: "k",
      maxRetries: 0,
      configuration: { baseURL: `${standIn.url}/v1` },
      useResponsesApi: false,
      ...options,
    });
  }

  test("LangChain: a chain, and a stream", async () => {
    const { ChatPromptTemplate } = await from("@langchain/core/prompts");
    const prompt = ChatPromptTemplate.fromMessages([["system", "Be brief."], [
      "human",
      "{q}",
    ]]);
    const callbacks = [new CallbackHandler()];
    answers("openai_chat");
    const chain = prompt.pipe(await chatModel({ temperature: 0.5 }));
    const answer = await aisentry.span(
      "answer",
      () => chain.invoke({ q: "2 + 2?" }, { callbacks }),
    );
    expect(answer.content).toBe("2 + 2 = 4.");
    answers("openai_chat_stream");
    const model = await chatModel({ streamUsage: true });
    for await (const _piece of await model.stream("Count.", { callbacks }));
    await arrived([
      {
        event_type: "span",
        name: "answer",
        span_id: { $id: "answer" },
        run_id: { $id: "run" },
      },
      {
        event_type: "span",
        name: "RunnableSequence",
        run_id: { $id: "run" },
        parent_span_id: { $id: "answer" },
        span_id: { $id: "chain" },
        attributes: { kind: "chain" },
        input: { q: "2 + 2?" },
        output: { role: "assistant", content: "2 + 2 = 4." },
      },
      { name: "ChatPromptTemplate", parent_span_id: { $id: "chain" } },
      {
        ...says,
        run_id: { $id: "run" },
        parent_span_id: { $id: "chain" },
        prompt: [{ role: "system", content: "Be brief." }, {
          role: "user",
          content: "2 + 2?",
        }],
      },
      {
        event_type: "prompt_call",
        response: "1, 2, 3, 4, 5",
        time_to_first_token_ms: { $between: [0, 60000] },
      },
    ]);
  });

  test("LangGraph: an agent with a tool", async () => {
    const { createReactAgent } = await from("@langchain/langgraph/prebuilt");
    const [{ tool }, { z }] = [
      await from("@langchain/core/tools"),
      await from("zod"),
    ];
    const getWeather = tool(
      ({ city }: { city: string }) => `Clear in ${city}.`,
      {
        name: "get_weather",
        description: "d",
        schema: z.object({ city: z.string() }),
      },
    );
    answers("openai_chat_tools", "openai_chat");
    const agent = createReactAgent({
      llm: await chatModel(),
      tools: [getWeather],
    });
    const result = await agent.invoke(
      { messages: [{ role: "user", content: question }] },
      {
        callbacks: [new CallbackHandler()],
        configurable: { thread_id: "thread-1" },
      },
    );
    expect(result.messages.at(-1).content).toBe("2 + 2 = 4.");
    expect(await aisentry.flush(10_000)).toBe(true);
    const events = [...receiver.events.values()] as Named[];
    expect(new Set(events.map((event) => event.run_id)).size).toBe(1);
    const known = new Set(events.map((event) => event.span_id));
    const roots = events.filter((event) => !known.has(event.parent_span_id!));
    expect(roots.map((event) => event.name)).toEqual(["LangGraph"]);
    const calls = events.filter((event) => event.event_type !== "span");
    expect(judge(calls, [
      {
        ...asks,
        agent_name: { $text: "agent" },
        prompt: [{ role: "user", content: question }],
      },
      { ...ran, output: "Clear in Paris.", tool_call_id: { $is: "anything" } },
      says,
    ])).toBeNull();
  });

  test("LangChain: what a model throws passes through", async () => {
    answers("openai_responses_error");
    const model = await chatModel();
    const failed = model.invoke("x", { callbacks: [new CallbackHandler()] });
    expect(String(await failed.catch((error: unknown) => error))).toContain(
      "No tool output found",
    );
    await arrived([{
      event_type: "prompt_call",
      status: "error",
      error: { message: { $text: "No tool" } },
    }]);
  });

  test("LangChain over a wrapped client: tokens are counted once", async () => {
    answers("openai_chat");
    const model = await chatModel();
    // Its client is made at the first call.
    await model.invoke("x").catch(() => {});
    aisentry.wrap(model.client ?? model.completions?.client);
    await model.invoke("2 + 2?", { callbacks: [new CallbackHandler()] });
    expect(await aisentry.flush(10_000)).toBe(true);
    const events = [...receiver.events.values()];
    expect(events.map((event) => event.event_type).sort()).toEqual([
      "prompt_call",
      "span",
    ]);
    const counted = events.filter((event) => event.tokens_input !== undefined);
    expect(counted).toHaveLength(1);
  });

  test("OpenAI Agents: an agent with a tool", async () => {
    const agents = await from("@openai/agents");
    const { z } = await from("zod");
    agents.setTraceProcessors([new TracingProcessor()]);
    agents.setTracingDisabled(false);
    const client = await makeClient(folder, "openai", standIn.url);
    const model = new agents.OpenAIChatCompletionsModel(client, "zai/GLM-5.2");
    const getWeather = agents.tool({
      name: "get_weather",
      description: "d",
      parameters: z.object({ city: z.string() }),
      execute: ({ city }: { city: string }) => `Clear in ${city}.`,
    });
    const agent = new agents.Agent({
      name: "Clerk",
      instructions: "Be brief.",
      model,
      tools: [getWeather],
    });
    answers("openai_chat_tools", "openai_chat");
    const result = await aisentry.span(
      "answer",
      () => agents.run(agent, question),
    );
    expect(result.finalOutput).toBe("2 + 2 = 4.");
    expect(await aisentry.flush(10_000)).toBe(true);
    const events = [...receiver.events.values()] as Named[];
    expect(new Set(events.map((event) => event.run_id)).size).toBe(1);
    const calls = events.filter((event) => event.event_type !== "span");
    expect(judge(calls, [
      { event_type: "agent_step", step_name: "Clerk", agent_name: "Clerk" },
      { ...asks, tokens_reasoning: { $between: [0, 25] } },
      { ...ran, output: "Clear in Paris." },
      says,
    ])).toBeNull();
    const known = new Set(events.map((event) => event.span_id));
    const roots = events.filter((event) => !known.has(event.parent_span_id!));
    expect(roots.map((event) => event.name)).toEqual(["answer"]);
  });

  test("MCP: a client and a server, as one run", async () => {
    const { Client } = await from("@modelcontextprotocol/sdk/client/index.js");
    const { McpServer } = await from("@modelcontextprotocol/sdk/server/mcp.js");
    const { InMemoryTransport } = await from(
      "@modelcontextprotocol/sdk/inMemory.js",
    );
    const { z } = await from("zod");
    const server = wrapServer(new McpServer({ name: "s", version: "1" }));
    server.tool(
      "get_weather",
      { city: z.string() },
      ({ city }: { city: string }) => {
        if (city === "Atlantis") throw new Error("no such city");
        return { content: [{ type: "text", text: `Clear in ${city}.` }] };
      },
    );
    const [left, right] = InMemoryTransport.createLinkedPair();
    const client = new Client({ name: "c", version: "1" });
    expect(wrapClient(client)).toBe(client);
    await Promise.all([server.connect(left), client.connect(right)]);
    await client.listTools();
    await aisentry.span("answer", async () => {
      const result = await client.callTool({
        name: "get_weather",
        arguments: { city: "Paris" },
      });
      expect(result.content[0].text).toBe("Clear in Paris.");
      await client.callTool({
        name: "get_weather",
        arguments: { city: "Atlantis" },
      });
    });
    await client.close();
    const side = (side: string) => ({
      attributes: { mcp: { method: "tools/call", side } },
    });
    const failed = {
      status: "error",
      error: { message: { $text: "no such city" } },
    };
    await arrived([
      { name: "answer", run_id: { $id: "run" }, span_id: { $id: "answer" } },
      {
        ...ran,
        ...side("client"),
        run_id: { $id: "run" },
        parent_span_id: { $id: "answer" },
        span_id: { $id: "call" },
        output: [{ type: "text", text: "Clear in Paris." }],
      },
      {
        ...ran,
        ...side("server"),
        run_id: { $id: "run" },
        parent_span_id: { $id: "call" },
      },
      {
        event_type: "tool_call",
        ...side("client"),
        ...failed,
        input: { city: "Atlantis" },
      },
      {
        event_type: "tool_call",
        ...side("server"),
        ...failed,
        run_id: { $id: "run" },
      },
    ]);
  });
});
