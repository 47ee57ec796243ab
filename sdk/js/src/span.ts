// A span: what is logged inside belongs to it, and it is itself recorded, with its duration. The
// outermost one starts a run. Its kind says which event it becomes.
import type { AnyEvent, EventType } from "./event.ts";
import { newRunId, newSpanId } from "./id.ts";
import { openTelemetryIds } from "./host.ts";
import { labelsOf } from "./fit.ts";
import { currentScope, type Scope, type Who } from "./scope.ts";
import { text } from "./settings.ts";
import { isError } from "./snapshot.ts";
import { quietly, state } from "./state.ts";

/**
 * A `tool` is recorded as a tool_call, a `generation` as a prompt_call, an `agent` as an agent_step,
 * all others as a span.
 */
export type SpanKind =
  | "span"
  | "agent"
  | "chain"
  | "embedding"
  | "evaluator"
  | "event"
  | "generation"
  | "guardrail"
  | "retrieval"
  | "tool";

/** What a span can be told: the fields of its event, and what it is. */
export interface SpanFields extends Partial<Omit<AnyEvent, "event_type">> {
  kind?: SpanKind;
  /** Of whoever sent the request: `...extract(headers)`. */
  tracestate?: string | null;
}

export type Fields = Record<string, unknown>;

/** What a span's function is given: its ids, and a place for what becomes known on the way. */
export interface Span {
  readonly run_id: string;
  /** Parent of what is logged inside. */
  readonly span_id: string;
  readonly elapsed_ms: number;
  /** Adds fields to the span's own event: `set({ output: answer })`. */
  set(fields: Partial<Omit<AnyEvent, "event_type">>): void;
}

export interface Failure {
  thrown: unknown;
}

export class OpenSpan implements Span {
  readonly scope: Scope;
  readonly #outer: Scope | undefined;
  kind: SpanKind;
  readonly #fields: Fields;
  readonly startMs = Date.now();
  readonly #start = performance.now();
  #isOpen = true;

  /** A copy of `fields` is made. Without `outer`, it is the span that the program is in. */
  constructor(fields: Fields, outer = currentScope(), name?: string) {
    // The commonest stand there from the start: engines make objects slow that grow by a dozen.
    const own: Fields = {
      name,
      kind: undefined,
      run_id: undefined,
      span_id: undefined,
      parent_span_id: undefined,
      tracestate: undefined,
      user_id: undefined,
      session_id: undefined,
      tags: undefined,
      timestamp: undefined,
      latency_ms: undefined,
      status: undefined,
      input: undefined,
      output: undefined,
      prompt: undefined,
      response: undefined,
      provider: undefined,
      model: undefined,
      attributes: undefined,
    };
    for (const name in fields) {
      try {
        own[name] = fields[name];
      } catch {
        own[name] = "[unreadable]";
      }
    }
    this.#fields = own;
    this.kind = own.kind as SpanKind ?? "span";
    const named = text(own.run_id);
    const theirs = named === undefined && outer === undefined ? openTelemetryIds() : undefined;
    if (theirs !== undefined) own.parent_span_id ??= theirs.span_id;
    const run_id = named ?? outer?.run_id ?? theirs?.trace_id ??
      newRunId(this.startMs);
    this.#outer = outer?.run_id === run_id ? outer : undefined;
    this.scope = {
      run_id,
      span_id: text(own.span_id) ?? newSpanId(),
      tracestate: text(own.tracestate) ?? this.#outer?.tracestate,
      who: whoOf(own, outer, this.#outer),
      span: this,
    };
    // They are kept in the scope; what is absent is undefined, because deleting would make the object slow.
    own.kind =
      own.run_id =
      own.span_id =
      own.tracestate =
        undefined;
    own.user_id = own.session_id = own.tags = undefined;
  }

  get run_id(): string {
    return this.scope.run_id;
  }

  get span_id(): string {
    return this.scope.span_id;
  }

  get elapsed_ms(): number {
    return performance.now() - this.#start;
  }

  /** A function that needs no `this`: programs write `({ set }) => …`. */
  get set(): (fields: Fields) => void {
    return (fields) => void quietly(() => Object.assign(this.#fields, fields));
  }

  /** Fields that are not set already. */
  setDefaults(fields: Fields): void {
    for (const name in fields) this.#fields[name] ??= fields[name];
  }

  get(name: string): unknown {
    return this.#fields[name];
  }

  /** Records it, once. */
  end(failure?: Failure): string | undefined {
    const { client } = state;
    if (client === null || !this.#isOpen) return undefined;
    this.#isOpen = false;
    const fields = this.#fields;
    const { scope } = this;
    fields.run_id = scope.run_id;
    fields.span_id = scope.span_id;
    fields.parent_span_id ??= this.#outer?.span_id;
    fields.timestamp ??= this.startMs;
    fields.latency_ms ??= this.elapsed_ms;
    if (failure !== undefined) this.setDefaults(outcomeOf(failure.thrown));
    // It takes its user, session and labels from its own scope.
    return client.log(shape(this.kind, fields), fields, scope);
  }
}

/** How a span that threw is recorded. */
function outcomeOf(thrown: unknown): Fields {
  const error = thrown ?? "unknown";
  const names = isError(error) ? `${error.name} ${error.constructor?.name}` : "";
  // Somebody's wish is no failure of the program.
  const status = /Abort/.test(names) ? "warning" : /Timeout/.test(names) ? "timeout" : "error";
  return { error, status };
}

/** Moves what every span has to where events of this kind have it; answers their type. */
function shape(kind: SpanKind, fields: Fields): EventType {
  const move = (from: string, to: string) => {
    if (fields[from] === undefined) return;
    fields[to] ??= fields[from];
    fields[from] = undefined;
  };
  switch (kind) {
    case "tool":
      fields.tool_name ??= fields.name;
      return "tool_call";
    case "generation":
      move("input", "prompt");
      move("output", "response");
      return "prompt_call";
    case "agent":
      move("input", "input_data");
      move("output", "output_data");
      fields.step_name ??= fields.name;
      return "agent_step";
    case "span":
      return "span";
    default:
      fields.attributes = { kind, ...fields.attributes as object };
      return "span";
  }
}

function whoOf(
  given: Fields,
  outer: Scope | undefined,
  sameRun: Scope | undefined,
): Who {
  const inherited = outer?.who ?? state.client?.who ?? nobody;
  const { user_id, session_id, tags } = given;
  if ((user_id ?? session_id ?? tags ?? undefined) === undefined) {
    // What is set further down the same run is set for all of it.
    return sameRun?.who ?? { ...inherited };
  }
  return {
    user_id: text(user_id) ?? inherited.user_id,
    session_id: text(session_id) ?? inherited.session_id,
    tags: [...new Set([...inherited.tags, ...labelsOf(tags) ?? []])],
  };
}

const nobody: Who = { tags: [] };
