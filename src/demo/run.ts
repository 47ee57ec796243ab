// One run of the demo while it is being told: a clock that moves on, a tree of spans, costs.
import type { Event } from "../event.ts";
import type { Random } from "../std/random.ts";

/** An event as a program would send it. */
export type DemoEvent =
  & Partial<Event>
  & Pick<Event, "event_id" | "run_id" | "event_type" | "timestamp">;

export interface Model {
  model: string;
  provider: string;
  /** US dollars per million tokens; null for a model of one's own, whose cost nobody reports. */
  input: number | null;
  output: number;
  firstTokenMs: number;
  tokensPerS: number;
}

export const models: Readonly<Record<"large" | "small" | "strong" | "quick" | "own", Model>> = {
  large: {
    model: "claude-sonnet-4-5",
    provider: "anthropic",
    input: 3,
    output: 15,
    firstTokenMs: 820,
    tokensPerS: 62,
  },
  small: {
    model: "gpt-5-mini",
    provider: "openai",
    input: 0.25,
    output: 2,
    firstTokenMs: 380,
    tokensPerS: 120,
  },
  strong: {
    model: "gpt-5",
    provider: "openai",
    input: 1.25,
    output: 10,
    firstTokenMs: 1100,
    tokensPerS: 55,
  },
  quick: {
    model: "gemini-2.5-flash",
    provider: "google",
    input: 0.3,
    output: 2.5,
    firstTokenMs: 290,
    tokensPerS: 170,
  },
  own: {
    model: "llama-3.3-70b",
    provider: "self-hosted",
    input: null,
    output: 0,
    firstTokenMs: 450,
    tokensPerS: 38,
  },
};

/** What a provider does at a moment: in an incident calls are slow, and some fail. */
export interface Weather {
  slowdown: number;
  failures: number;
}

export type WeatherAt = (provider: string, ms: number) => Weather;

export interface PromptCall {
  name: string;
  model: Model;
  system: string;
  user: string;
  response: string;
  template?: string;
  tool_calls?: unknown[];
  /** Tokens of documents and history that the texts here only hint at. */
  contextTokens?: number;
  attributes?: Record<string, unknown>;
}

export interface ToolCall {
  tool_name: string;
  input: unknown;
  output?: unknown;
  /** Median duration. */
  ms: number;
  error?: { type: string; message: string; code?: string };
  attributes?: Record<string, unknown>;
}

export type Common = Pick<
  DemoEvent,
  "run_id" | "user_id" | "session_id" | "release" | "env" | "tags" | "client"
>;

export class Run {
  readonly events: DemoEvent[] = [];
  /** Milliseconds since 1970; each step moves it on. */
  at: number;
  failed = false;

  constructor(
    readonly random: Random,
    readonly weatherAt: WeatherAt,
    readonly common: Common,
    startMs: number,
  ) {
    this.at = startMs;
  }

  /** An event of any kind at the present moment. */
  add(event: Partial<DemoEvent> & Pick<DemoEvent, "event_type">): DemoEvent {
    const number = this.events.length;
    const made: DemoEvent = {
      ...this.common,
      event_id: `${this.common.run_id}-${number}`,
      timestamp: new Date(this.at).toISOString(),
      span_id: `${this.common.run_id}-s${number}`,
      ...number === 0 ? {} : { parent_span_id: `${this.common.run_id}-s0` },
      ...event,
    };
    this.events.push(made);
    return made;
  }

  /** The step that holds all the others; `finish` gives it its end. */
  begin(name: string, input_data: unknown): void {
    this.add({
      event_type: "agent_step",
      name,
      step_name: name,
      step_type: "reasoning",
      input_data,
    });
  }

  finish(output_data: unknown, error?: DemoEvent["error"]): void {
    const root = this.events[0];
    if (root === undefined) return;
    root.latency_ms = Math.round(this.at - Date.parse(root.timestamp));
    root.status = error === undefined ? "success" : "error";
    if (error === undefined) root.output_data = output_data;
    else root.error = error;
  }

  /** False when the call failed: whoever called decides what to do about it. */
  prompt(call: PromptCall): boolean {
    const { random } = this;
    const { model, system, user, response } = call;
    const weather = this.weatherAt(model.provider, this.at);
    const fails = random.chance(weather.failures);
    const input = Math.round((system.length + user.length) / 3.8) + (call.contextTokens ?? 0);
    const output = fails ? 0 : Math.round(response.length / 3.8) + random.integer(4, 30);
    const cached = model.provider === "anthropic" ? Math.round(input * random.between(0, 0.7)) : 0;
    const firstToken = random.skewed(model.firstTokenMs, 0.35) * weather.slowdown;
    const timesOut = fails && random.chance(0.4);
    const latency = timesOut
      ? 30_000
      : fails
      ? random.skewed(900, 0.4)
      : firstToken + output / model.tokensPerS * 1000 * random.between(0.8, 1.3) * weather.slowdown;
    this.add({
      event_type: "prompt_call",
      name: call.name,
      model: model.model,
      provider: model.provider,
      prompt: [{ role: "system", content: system }, { role: "user", content: user }],
      latency_ms: Math.round(latency),
      status: timesOut ? "timeout" : fails ? "error" : "success",
      ...call.template === undefined ? {} : {
        prompt_template_id: call.template,
        prompt_version: this.common.release?.startsWith("2.3") ? "7" : "8",
      },
      ...call.attributes === undefined ? {} : { attributes: call.attributes },
      ...fails ? { error: overloaded(model.provider, timesOut) } : {
        response,
        tokens_input: input,
        tokens_output: output,
        ...cached > 0 ? { tokens_cache_read: cached } : {},
        ...costOf(model, input, cached, output),
        ...call.tool_calls === undefined ? {} : { tool_calls: call.tool_calls },
        time_to_first_token_ms: Math.round(firstToken),
        finish_reason: call.tool_calls === undefined ? "stop" : "tool_calls",
      },
    });
    this.at += latency + random.between(2, 15);
    return !fails;
  }

  tool(call: ToolCall): void {
    const latency = this.random.skewed(call.ms, 0.5);
    this.add({
      event_type: "tool_call",
      name: call.tool_name,
      tool_name: call.tool_name,
      tool_call_id: `call_${this.common.run_id}_${this.events.length}`,
      input: call.input,
      latency_ms: Math.round(latency * 10) / 10,
      status: call.error === undefined ? "success" : "error",
      ...call.output === undefined ? {} : { output: call.output },
      ...call.error === undefined ? {} : { error: call.error },
      ...call.attributes === undefined ? {} : { attributes: call.attributes },
    });
    this.at += latency + this.random.between(1, 8);
  }

  wait(ms: number): void {
    this.at += ms;
  }
}

/** A cached token costs a tenth. */
function costOf(model: Model, input: number, cached: number, output: number) {
  if (model.input === null) return {};
  const dollars = ((input - cached) * model.input + cached * model.input / 10 +
    output * model.output) / 1e6;
  return { cost_reported_usd: Math.round(dollars * 1e8) / 1e8 };
}

function overloaded(provider: string, timesOut: boolean): DemoEvent["error"] {
  return timesOut
    ? { type: "APITimeoutError", message: "Request timed out after 30000 ms.", code: "timeout" }
    : {
      type: "OverloadedError",
      message: `529 ${provider} is overloaded. Please try again later.`,
      code: "529",
    };
}
