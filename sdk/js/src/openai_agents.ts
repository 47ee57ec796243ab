// OpenAI Agents: a tracing processor.
//
//   import { addTraceProcessor } from "@openai/agents";
//   addTraceProcessor(new TracingProcessor());
//
// A trace is a run; agents, tools, model calls and the rest are its spans.
import { currentScope, type Scope } from "./scope.ts";
import { quietly, state } from "./state.ts";
import type { Fields } from "./span.ts";
import { openai } from "./wire/openai.ts";
import { get, many, orNone, parameters, toolCall } from "./wire/reading.ts";

/** Made for `addTraceProcessor` and `setTraceProcessors`. */
export class TracingProcessor {
  /** Agents that are open, by their span, to name what they do. */
  readonly #agents = new Map<string, string>();
  readonly #traces = new Map<string, Trace>();

  start(): void {}

  onTraceStart(trace: unknown): Promise<void> {
    quietly(() => {
      const id = String(get(trace, "traceId"));
      this.#traces.set(id, { startMs: Date.now(), outer: currentScope() });
      if (this.#traces.size > tracesMax) {
        this.#traces.delete(this.#traces.keys().next().value!);
      }
    });
    return Promise.resolve();
  }

  onTraceEnd(trace: unknown): Promise<void> {
    quietly(() => {
      const id = String(get(trace, "traceId"));
      const known = this.#traces.get(id);
      this.#traces.delete(id);
      state.client?.log("span", {
        run_id: known?.outer?.run_id ?? id,
        span_id: id,
        parent_span_id: known?.outer?.span_id,
        name: get(trace, "name"),
        session_id: get(trace, "groupId"),
        timestamp: known?.startMs,
        latency_ms: known && Date.now() - known.startMs,
        attributes: { kind: "agent", ...get(trace, "metadata") as Fields },
      });
    });
    return Promise.resolve();
  }

  onSpanStart(span: unknown): Promise<void> {
    quietly(() => {
      if (get(span, "spanData", "type") !== "agent") return;
      this.#agents.set(
        String(get(span, "spanId")),
        String(get(span, "spanData", "name")),
      );
      // Of agents that never end, the oldest are forgotten.
      if (this.#agents.size > agentsMax) {
        this.#agents.delete(this.#agents.keys().next().value!);
      }
    });
    return Promise.resolve();
  }

  onSpanEnd(span: unknown): Promise<void> {
    quietly(() => this.#log(span));
    return Promise.resolve();
  }

  async shutdown(): Promise<void> {
    await this.forceFlush();
  }

  async forceFlush(): Promise<void> {
    await state.client?.delivery.flush(flushMsMax);
  }

  #log(span: unknown): void {
    const data = get(span, "spanData");
    const trace = String(get(span, "traceId"));
    const span_id = String(get(span, "spanId"));
    const started = Date.parse(String(get(span, "startedAt")));
    const ended = Date.parse(String(get(span, "endedAt")));
    const error = get(span, "error");
    const parent = get(span, "parentId");
    const base: Fields = {
      run_id: this.#traces.get(trace)?.outer?.run_id ?? trace,
      span_id,
      parent_span_id: parent ?? trace,
      timestamp: get(span, "startedAt"),
      latency_ms: ended >= started ? ended - started : undefined,
      agent_name: this.#agents.get(String(parent)),
      ...(error === undefined ? {} : {
        status: "error",
        error: {
          message: get(error, "message"),
          ...get(error, "data") as Fields,
        },
      }),
    };
    const name = get(data, "name");
    const type = String(get(data, "type"));
    const log = state.client?.log.bind(state.client);
    switch (type) {
      case "agent":
        this.#agents.delete(span_id);
        log?.("agent_step", {
          ...base,
          name,
          step_name: name,
          agent_name: name,
          attributes: parameters(data, "type", "name"),
        });
        break;
      case "function":
        log?.("tool_call", {
          ...base,
          name,
          tool_name: name,
          input: parsed(get(data, "input")),
          output: parsed(get(data, "output")),
          attributes: parameters(data, "type", "name", "input", "output"),
        });
        break;
      case "generation":
        log?.("prompt_call", {
          ...base,
          name: "generation",
          provider: "openai",
          ...generation(data),
        });
        break;
      case "response":
        log?.("prompt_call", {
          ...base,
          name: "openai.responses",
          provider: "openai",
          ...openai.responses!.asked(get(data, "_response") ?? {}),
          ...openai.responses!.answered(get(data, "_response")),
          prompt: get(data, "_input"),
        });
        break;
      default:
        log?.("span", {
          ...base,
          name: name ?? type,
          ...(get(data, "triggered") === true && { status: "warning" }),
          attributes: { kind: type, ...parameters(data, "type", "name") },
        });
    }
  }
}

interface Trace {
  startMs: number;
  /** Of the program, when it was in a span. */
  outer: Scope | undefined;
}

const agentsMax = 1000;
const tracesMax = 1000;
const flushMsMax = 5000;

/** A chat's messages, as the agents keep them of models that speak no responses. */
function generation(data: unknown): Fields {
  const [first] = many(data, "output");
  // Some keep the provider's answer, some its messages.
  const answer = get(first, "choices") === undefined
    ? { choices: many(data, "output").map((message) => ({ message })) }
    : first;
  const usage = get(data, "usage");
  const known = openai["chat/completions"]!.answered(answer);
  return {
    ...known,
    model: known.model ?? get(data, "model"),
    model_requested: get(data, "model"),
    prompt: get(data, "input"),
    model_parameters: get(data, "model_config"),
    tokens_input: known.tokens_input ?? get(usage, "input_tokens") ??
      get(usage, "prompt_tokens"),
    tokens_output: known.tokens_output ?? get(usage, "output_tokens") ??
      get(usage, "completion_tokens"),
    tool_calls: known.tool_calls ?? orNone(
      many(data, "output").filter((one) => get(one, "type") === "function_call")
        .map((one) => toolCall(get(one, "callId"), get(one, "name"), get(one, "arguments"))),
    ),
  };
}

function parsed(value: unknown): unknown {
  try {
    return typeof value === "string" ? JSON.parse(value) : value;
  } catch {
    return value;
  }
}
