// Vercel's AI SDK.
//
//   registerTelemetry(telemetry())                              version 7: everything that is called
//   wrapLanguageModel({ model, middleware: middleware() })      versions 5 and later: one model
import { ModelCall } from "./model_call.ts";
import { currentScope, within } from "./scope.ts";
import type { Fields } from "./span.ts";
import { OpenSpan } from "./span.ts";
import { quietly, state } from "./state.ts";
import { teeStream } from "./watch_response.ts";
import { count, get, many, orNone, parameters, textsOr, toolCall } from "./wire/reading.ts";

/** One call of `generateText` and its like. */
interface Operation {
  span: OpenSpan;
  model?: ModelCall;
  tools: Map<string, OpenSpan>;
}

/** Of calls that never end, the oldest are forgotten. */
const openMax = 10_000;

interface Execute<T> {
  callId: string;
  toolCallId?: string;
  execute: () => PromiseLike<T>;
}

/** A telemetry integration: calls, their steps' model calls, tools and embeddings. */
export class Telemetry {
  readonly #open = new Map<string, Operation>();

  readonly onStart = (event: unknown): void => {
    quietly(() => {
      if (state.client === null) return;
      const settings = get(event, "telemetry") ?? event;
      const span = new OpenSpan({
        kind: "chain",
        name: get(settings, "functionId") ?? get(event, "operationId") ?? "ai",
        input: get(event, "messages") ?? get(event, "prompt") ??
          get(event, "value"),
        attributes: {
          operation: get(event, "operationId"),
          ...get(event, "metadata") as Fields,
        },
      });
      this.#open.set(String(get(event, "callId")), { span, tools: new Map() });
      if (this.#open.size > openMax) {
        this.#open.delete(this.#open.keys().next().value!);
      }
    });
  };

  readonly onLanguageModelCallStart = (event: unknown): void => {
    quietly(() => {
      const operation = this.#of(event);
      if (operation === undefined) return;
      const told = [
        "callId",
        "provider",
        "modelId",
        "instructions",
        "messages",
        "tools",
      ];
      const ours = [
        "aiVersion",
        "functionId",
        "metadata",
        "recordInputs",
        "recordOutputs",
      ];
      operation.model = new ModelCall("ai", {
        kind: "generation",
        name: "ai.model",
        provider: providerOf(get(event, "provider")),
        model_requested: get(event, "modelId"),
        system_prompt: get(event, "instructions"),
        prompt: get(event, "messages"),
        tool_definitions: get(event, "tools"),
        model_parameters: parameters(event, ...told, ...ours),
      }, operation.span.scope);
    });
  };

  readonly onLanguageModelCallEnd = (event: unknown): void => {
    quietly(() => {
      this.#of(event)?.model?.end({
        ...contentOf(get(event, "content")),
        ...usageOf(get(event, "usage")),
        model: get(event, "modelId"),
        response_id: get(event, "responseId"),
        finish_reason: get(event, "finishReason"),
        time_to_first_token_ms: get(
          event,
          "performance",
          "timeToFirstOutputMs",
        ),
      });
    });
  };

  readonly onToolExecutionStart = (event: unknown): void => {
    quietly(() => {
      const operation = this.#of(event);
      if (operation === undefined) return;
      const call = get(event, "toolCall");
      const name = get(call, "toolName");
      const span = new OpenSpan({
        kind: "tool",
        name,
        tool_name: name,
        tool_call_id: get(call, "toolCallId"),
        input: get(call, "input"),
      }, operation.span.scope);
      operation.tools.set(String(get(call, "toolCallId")), span);
    });
  };

  readonly onToolExecutionEnd = (event: unknown): void => {
    quietly(() => {
      const id = String(get(event, "toolCall", "toolCallId"));
      const tools = this.#of(event)?.tools;
      const span = tools?.get(id);
      tools?.delete(id);
      const output = get(event, "toolOutput");
      const failure = get(output, "type") === "tool-error"
        ? get(output, "error")
        : get(event, "error");
      span?.set({ output: get(output, "output") });
      span?.end(failure === undefined ? undefined : { thrown: failure });
    });
  };

  readonly onEmbedStart = (event: unknown): void => {
    quietly(() => {
      const operation = this.#of(event);
      if (operation === undefined) return;
      operation.model = new ModelCall("ai", {
        kind: "embedding",
        name: "ai.embed",
        provider: providerOf(get(event, "provider")),
        model_requested: get(event, "modelId"),
        model: get(event, "modelId"),
        prompt: get(event, "values") ?? get(event, "value"),
      }, operation.span.scope);
    });
  };

  readonly onEmbedEnd = (event: unknown): void => {
    quietly(() =>
      this.#of(event)?.model?.end({
        tokens_input: count(event, "usage", "tokens"),
        attributes: { embeddings: many(event, "embeddings").length },
      })
    );
  };

  readonly onEnd = (event: unknown): void => {
    const output = get(event, "text") || get(event, "object");
    this.#end(event, { output });
  };

  readonly onAbort = (event: unknown): void => this.#end(event, { status: "warning" });

  readonly onError = (event: unknown): void => {
    this.#end(event, {}, { thrown: get(event, "error") ?? event });
  };

  /** What is called meanwhile belongs to the model call. */
  readonly executeLanguageModelCall = <T>(
    { callId, execute }: Execute<T>,
  ): PromiseLike<T> => inside(this.#open.get(callId)?.model?.span, execute);

  /** What is called meanwhile belongs to the tool. */
  readonly executeTool = <T>(
    { callId, toolCallId, execute }: Execute<T>,
  ): PromiseLike<T> => inside(this.#open.get(callId)?.tools.get(String(toolCallId)), execute);

  #of(event: unknown): Operation | undefined {
    return this.#open.get(String(get(event, "callId")));
  }

  #end(event: unknown, fields: Fields, failure?: { thrown: unknown }): void {
    quietly(() => {
      const operation = this.#of(event);
      this.#open.delete(String(get(event, "callId")));
      operation?.model?.end({ ...fields, output: undefined }, failure);
      for (const tool of operation?.tools.values() ?? []) tool.end(failure);
      operation?.span.set(fields);
      operation?.span.end(failure);
    });
  }
}

/** Made for `registerTelemetry`, or for a call's `telemetry.integrations`. */
export function telemetry(): Telemetry {
  return new Telemetry();
}

function inside<T>(
  span: OpenSpan | undefined,
  execute: () => PromiseLike<T>,
): PromiseLike<T> {
  return span === undefined ? execute() : within(span.scope, execute);
}

interface Wrapped<T> {
  doGenerate: () => PromiseLike<T>;
  doStream: () => PromiseLike<T>;
  params: unknown;
  model: unknown;
}

/** Fits every version of the specification. */
export interface Middleware {
  readonly specificationVersion: never;
  // deno-lint-ignore no-explicit-any -- what the model answers is the library's to know
  wrapGenerate(options: any): Promise<any>;
  // deno-lint-ignore no-explicit-any -- as above
  wrapStream(options: any): Promise<any>;
}

/** Made for `wrapLanguageModel`: each call of the model is recorded. */
export function middleware(): Middleware {
  return {
    specificationVersion: "v4" as never,
    wrapGenerate: async ({ doGenerate, params, model }: Wrapped<unknown>) => {
      const call = begin(params, model);
      if (call === undefined) return await doGenerate();
      try {
        const result = await within(call.span.scope, doGenerate);
        quietly(() => call.end(answered(result)));
        return result;
      } catch (thrown) {
        call.end({}, { thrown });
        throw thrown;
      }
    },
    wrapStream: async ({ doStream, params, model }: Wrapped<unknown>) => {
      const call = begin(params, model);
      if (call === undefined) return await doStream();
      try {
        const result = await within(call.span.scope, doStream);
        const stream = quietly(() => watchParts(get(result, "stream") as ReadableStream, call));
        return stream === undefined ? result : { ...result as object, stream };
      } catch (thrown) {
        call.end({}, { thrown });
        throw thrown;
      }
    },
  };
}

function begin(params: unknown, model: unknown): ModelCall | undefined {
  if (state.client === null) return undefined;
  return quietly(() =>
    new ModelCall("ai", {
      kind: "generation",
      name: "ai.model",
      provider: providerOf(get(model, "provider")),
      model_requested: get(model, "modelId"),
      model: get(model, "modelId"),
      prompt: get(params, "prompt"),
      tool_definitions: get(params, "tools"),
      model_parameters: parameters(
        params,
        "prompt",
        "tools",
        "headers",
        "abortSignal",
      ),
    }, currentScope())
  );
}

function answered(result: unknown): Fields {
  const reason = get(result, "finishReason");
  return {
    ...contentOf(get(result, "content")),
    ...usageOf(get(result, "usage")),
    model: get(result, "response", "modelId"),
    response_id: get(result, "response", "id"),
    finish_reason: get(reason, "unified") ?? reason,
  };
}

/** A streamed answer, as the parts say; put together as a whole one is. */
function watchParts(stream: ReadableStream, call: ModelCall): ReadableStream {
  const texts = new Map<string, { type: string; text: string }>();
  const content: unknown[] = [];
  let result: Fields = {};
  const finish = () => ({
    ...result,
    content: [...texts.values(), ...content],
  });
  return teeStream<unknown>(stream, {
    add: (part) =>
      void quietly(() => {
        const [, kind] = /^(text|reasoning)-delta$/.exec(String(get(part, "type"))) ?? [];
        if (kind !== undefined) {
          call.piece();
          const id = `${kind} ${get(part, "id")}`;
          const known = texts.get(id) ?? { type: kind, text: "" };
          known.text += String(
            get(part, "delta") ?? get(part, "textDelta") ?? "",
          );
          texts.set(id, known);
          return;
        }
        switch (get(part, "type")) {
          case "tool-call":
            call.piece();
            content.push(part);
            break;
          case "response-metadata":
            result = { ...result, response: part };
            break;
          case "finish":
            result = {
              ...result,
              usage: get(part, "usage"),
              finishReason: get(part, "finishReason"),
            };
            break;
          case "error":
            call.end(answered(finish()), { thrown: get(part, "error") });
        }
      }),
    end: (isWhole) => {
      const cut = isWhole ? {} : { attributes: { stream: "not read to its end" } };
      quietly(() => call.end({ ...answered(finish()), ...cut }));
    },
    fail: (thrown) => call.end(answered(finish()), { thrown }),
  });
}

function contentOf(content: unknown): Fields {
  const parts = Array.isArray(content) ? content : [];
  const of = (type: string) => parts.filter((part) => get(part, "type") === type);
  const calls = of("tool-call").map((call) =>
    toolCall(
      get(call, "toolCallId"),
      get(call, "toolName"),
      get(call, "input") ?? get(call, "args"),
    )
  );
  return {
    response: textsOr(of("text").map((part) => [get(part, "text"), part])),
    reasoning: of("reasoning").map((part) => get(part, "text")).join("") ||
      undefined,
    tool_calls: orNone(calls),
  };
}

/** Version 7's names, or the model's own: numbers, or totals with their parts. */
function usageOf(usage: unknown): Fields {
  return {
    tokens_input: count(usage, "inputTokens") ??
      count(usage, "inputTokens", "total"),
    tokens_output: count(usage, "outputTokens") ??
      count(usage, "outputTokens", "total"),
    tokens_cache_read: count(usage, "inputTokenDetails", "cacheReadTokens") ??
      count(usage, "inputTokens", "cacheRead") ??
      count(usage, "cachedInputTokens"),
    tokens_cache_write: count(usage, "inputTokenDetails", "cacheWriteTokens") ??
      count(usage, "inputTokens", "cacheWrite"),
    tokens_reasoning: count(usage, "outputTokenDetails", "reasoningTokens") ??
      count(usage, "outputTokens", "reasoning") ??
      count(usage, "reasoningTokens"),
  };
}

/** "openai.chat" is OpenAI's. */
function providerOf(provider: unknown): string | undefined {
  return typeof provider === "string" ? provider.replace(/\..*$/, "") : undefined;
}
