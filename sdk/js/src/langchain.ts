// LangChain.js and LangGraph: a callback handler.
//
//   await chain.invoke(input, { callbacks: [new CallbackHandler()] });
//
// What is called first is the run; chains, models, tools and retrievers are its spans. One handler
// may serve any number of runs at once.
import { ModelCall } from "./model_call.ts";
import { currentScope } from "./scope.ts";
import type { Failure, Fields } from "./span.ts";
import { OpenSpan } from "./span.ts";
import { quietly, state } from "./state.ts";
import { count, get, many, orNone } from "./wire/reading.ts";

const openMax = 10_000;

/** Made for `callbacks`. */
export class CallbackHandler {
  readonly name = "aisentry";
  readonly lc_serializable = false;
  readonly awaitHandlers = true;
  readonly raiseError = false;
  readonly ignoreLLM = false;
  readonly ignoreChain = false;
  readonly ignoreAgent = false;
  readonly ignoreRetriever = false;
  readonly ignoreCustomEvent = false;
  readonly #open = new Map<string, OpenSpan | ModelCall>();

  /** The same: it keeps runs apart by their ids. */
  copy(): this {
    return this;
  }

  handleChainStart(...args: unknown[]): void {
    // As it is called; the library's declarations name the last ones in another order.
    const [chain, inputs, id, parent, tags, metadata, , runName] = args;
    const node = get(metadata, "langgraph_node");
    this.#start(id, parent, {
      kind: "chain",
      name: runName ?? nameOf(chain) ?? node ?? "chain",
      input: plain(inputs),
      tags: tagsOf(tags),
      session_id: get(metadata, "thread_id") ?? get(metadata, "session_id"),
      agent_name: node,
    });
  }

  handleChainEnd(outputs: unknown, id: unknown): void {
    this.#end(id, { output: plain(outputs) });
  }

  handleChainError(error: unknown, id: unknown): void {
    // A graph that waits for a human says so by throwing.
    const isPause = /Interrupt|ParentCommand/.test(String(get(error, "name")));
    this.#end(
      id,
      isPause ? { status: "success" } : {},
      isPause ? undefined : { thrown: error },
    );
  }

  handleChatModelStart(...args: unknown[]): void {
    const [model, messages, id, parent, extra, tags, metadata, runName] = args;
    const [prompt] = many(messages);
    this.#startModel(
      id,
      parent,
      many(prompt).map(messageOf),
      model,
      extra,
      tags,
      metadata,
      runName,
    );
  }

  handleLLMStart(...args: unknown[]): void {
    const [model, prompts, id, parent, extra, tags, metadata, runName] = args;
    const [prompt] = many(prompts);
    this.#startModel(id, parent, prompt, model, extra, tags, metadata, runName);
  }

  handleLLMNewToken(_token: unknown, _place: unknown, id: unknown): void {
    const call = this.#open.get(String(id));
    if (call instanceof ModelCall) call.piece();
  }

  handleLLMEnd(result: unknown, id: unknown): void {
    this.#end(id, quietly(() => answered(result)) ?? {});
  }

  handleLLMError(error: unknown, id: unknown): void {
    this.#end(id, {}, { thrown: error });
  }

  handleToolStart(...args: unknown[]): void {
    const [tool, input, id, parent, tags, metadata, runName, callId] = args;
    const name = runName ?? nameOf(tool) ?? "tool";
    this.#start(id, parent, {
      kind: "tool",
      name,
      tool_name: name,
      tool_call_id: callId,
      input: parsed(input),
      tags: tagsOf(tags),
      agent_name: get(metadata, "langgraph_node"),
    });
  }

  handleToolEnd(output: unknown, id: unknown): void {
    const failed = get(output, "status") === "error";
    this.#end(id, {
      output: plain(get(output, "content") ?? output),
      tool_call_id: get(output, "tool_call_id"),
      ...(failed &&
        {
          status: "error",
          error: { message: String(get(output, "content")) },
        }),
    });
  }

  handleToolError(error: unknown, id: unknown): void {
    this.#end(id, {}, { thrown: error });
  }

  handleRetrieverStart(...args: unknown[]): void {
    const [retriever, query, id, parent, tags, , runName] = args;
    this.#start(id, parent, {
      kind: "retrieval",
      name: runName ?? nameOf(retriever) ?? "retriever",
      input: query,
      tags: tagsOf(tags),
    });
  }

  handleRetrieverEnd(documents: unknown, id: unknown): void {
    this.#end(id, { output: plain(documents) });
  }

  handleRetrieverError(error: unknown, id: unknown): void {
    this.#end(id, {}, { thrown: error });
  }

  #startModel(
    id: unknown,
    parent: unknown,
    prompt: unknown,
    model: unknown,
    extra: unknown,
    tags: unknown,
    metadata: unknown,
    runName: unknown,
  ): void {
    quietly(() => {
      if (state.client === null) return;
      const { tools, model: named, ...invocation } = get(extra, "invocation_params") as Fields ??
        {};
      const requested = named ?? get(metadata, "ls_model_name");
      const fields: Fields = {
        kind: "generation",
        name: runName ?? nameOf(model) ?? "model",
        provider: get(metadata, "ls_provider"),
        model_requested: requested,
        model: requested,
        prompt,
        tool_definitions: tools,
        model_parameters: plain(invocation),
        tags: tagsOf(tags),
        agent_name: get(metadata, "langgraph_node"),
      };
      this.#keep(id, new ModelCall("langchain", fields, this.#scopeOf(parent)));
    });
  }

  #scopeOf(parent: unknown) {
    const outer = this.#open.get(String(parent));
    const span = outer instanceof ModelCall ? outer.span : outer;
    return span?.scope ?? currentScope();
  }

  #start(id: unknown, parent: unknown, fields: Fields): void {
    quietly(() => {
      if (state.client === null) return;
      this.#keep(id, new OpenSpan(fields, this.#scopeOf(parent)));
    });
  }

  #keep(id: unknown, open: OpenSpan | ModelCall): void {
    this.#open.set(String(id), open);
    // Of what never ends, the oldest is forgotten.
    if (this.#open.size > openMax) {
      this.#open.delete(this.#open.keys().next().value!);
    }
  }

  #end(id: unknown, fields: Fields, failure?: Failure): void {
    quietly(() => {
      const open = this.#open.get(String(id));
      this.#open.delete(String(id));
      if (open instanceof ModelCall) return open.end(fields, failure);
      open?.set(fields);
      open?.end(failure);
    });
  }
}

/** What it is called: told by the program, or by its class. */
function nameOf(serialized: unknown): unknown {
  return get(serialized, "name") ?? many(serialized, "id").at(-1);
}

/** LangGraph's own labels say what the fields say already. */
function tagsOf(tags: unknown): string[] | undefined {
  const own = many(tags).map(String).filter((tag) => !/^(seq|graph|langsmith):/.test(tag));
  return orNone(own);
}

/** Messages as providers have them, wherever they are; the rest as it is. */
function plain(value: unknown, level = 0): unknown {
  if (level > levelsMax || typeof value !== "object" || value === null) {
    return value;
  }
  if (isMessage(value)) return messageOf(value);
  if (Array.isArray(value)) {
    return value.map((entry) => plain(entry, level + 1));
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    // A command of LangGraph's, and other classes.
    const update = get(value, "update");
    return update === undefined ? value : plain(update, level + 1);
  }
  return Object.fromEntries(
    Object.entries(value).map((
      [name, entry],
    ) => [name, plain(entry, level + 1)]),
  );
}

const levelsMax = 4;

function isMessage(value: object): boolean {
  return typeof get(value, "_getType") === "function" ||
    typeof get(value, "getType") === "function";
}

const roles: Record<string, string> = { human: "user", ai: "assistant" };

function messageOf(message: unknown): unknown {
  if (typeof message !== "object" || message === null) return message;
  const { _getType, getType } = message as Record<
    string,
    (() => string) | undefined
  >;
  const type = String(
    (getType ?? _getType)?.call(message) ?? get(message, "role"),
  );
  const calls = many(message, "tool_calls").map(callOf);
  return {
    role: roles[type] ?? type,
    content: get(message, "content"),
    ...(calls.length > 0 && { tool_calls: calls }),
    ...(get(message, "tool_call_id") !== undefined &&
      { tool_call_id: get(message, "tool_call_id") }),
  };
}

function callOf(call: unknown): Fields {
  return {
    id: get(call, "id"),
    name: get(call, "name"),
    arguments: get(call, "args"),
  };
}

function answered(result: unknown): Fields {
  const generations = many(result, "generations").flatMap((one) => many(one));
  const [first] = generations;
  const message = get(first, "message");
  const head = get(message, "response_metadata");
  const usage = get(message, "usage_metadata");
  const old = get(result, "llmOutput", "tokenUsage");
  const texts = generations.map((one) => get(one, "message", "content") ?? get(one, "text"));
  const content = texts.length === 1 ? texts[0] : orNone(texts);
  return {
    model: get(head, "model_name") ?? get(head, "model"),
    response_id: get(head, "id") ?? get(message, "id"),
    response: content === "" ? undefined : content,
    tool_calls: orNone(many(message, "tool_calls").map(callOf)),
    finish_reason: get(head, "finish_reason") ?? get(head, "stop_reason") ??
      get(first, "generationInfo", "finish_reason"),
    tokens_input: count(usage, "input_tokens") ?? count(old, "promptTokens"),
    tokens_output: count(usage, "output_tokens") ??
      count(old, "completionTokens"),
    tokens_cache_read: count(usage, "input_token_details", "cache_read"),
    tokens_cache_write: count(usage, "input_token_details", "cache_creation"),
    tokens_audio_input: count(usage, "input_token_details", "audio"),
    tokens_reasoning: count(usage, "output_token_details", "reasoning"),
    tokens_audio_output: count(usage, "output_token_details", "audio"),
  };
}

function parsed(value: unknown): unknown {
  try {
    return typeof value === "string" ? JSON.parse(value) : value;
  } catch {
    return value;
  }
}
