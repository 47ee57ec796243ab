// aisentry: every public name of the package. All of them are safe to call at any time: before
// `init`, without a DSN and after `close` they do nothing, and none of them ever throws.
import { Client } from "./client.ts";
import type {
  AgentStep,
  AnyEvent,
  AssertionFailed,
  ErrorEvent,
  EventType,
  Hallucination,
  PromptCall,
  Score,
  ToolCall,
} from "./event.ts";
import { watchExit } from "./exit.ts";
import { Expectation, type ExpectOptions } from "./expect.ts";
import { labelsOf } from "./fit.ts";
import { follow } from "./follow.ts";
import { newRunId, newSpanId } from "./id.ts";
import { limits } from "./limits.ts";
import { type AnyFunction, decorate, type ObserveOptions, watch } from "./observe.ts";
import { currentScope, type Who, within } from "./scope.ts";
import { type Options, readSettings, sameSettings, text } from "./settings.ts";
import { isError } from "./snapshot.ts";
import { type Fields, OpenSpan, type Span, type SpanFields } from "./span.ts";
import { quietly, state } from "./state.ts";
import type { Stats } from "./tally.ts";
import { headersOf, type Origin, originOf } from "./trace_context.ts";
import { wrapClient } from "./wrap.ts";

export type * from "./event.ts";
export { type Expectation, ExpectationError, type ExpectOptions } from "./expect.ts";
export type { ObserveOptions } from "./observe.ts";
export type { PersonalKind, Redact, Redactor } from "./redact.ts";
export type { DropReason, Options, SentEvent } from "./settings.ts";
export type { Shape } from "./shape.ts";
export type { Span, SpanFields, SpanKind } from "./span.ts";
export type { Stats } from "./tally.ts";
export type { Origin } from "./trace_context.ts";
export { version } from "./version.ts";

let unwatch = () => {};

/**
 * Starts recording. Without a DSN, here or in AISENTRY_DSN, nothing is recorded and nothing is said.
 * Called again it does nothing, or takes over the new options.
 *
 * ```ts
 * init({ release: "1.4.2", env: "production" });
 * ```
 */
export function init(options: Options = {}): void {
  quietly(() => {
    const settings = readSettings(
      options ?? {},
      (reason) => state.warnings.once(reason, reason),
    );
    const { client } = state;
    if (
      client !== null && settings !== null &&
      sameSettings(client.settings, settings)
    ) return;
    void stop();
    if (settings === null) return;
    const { delivery } = state.client = new Client(settings);
    unwatch = watchExit(delivery);
    if (settings.spool_dir === undefined) return;
    // Few programs need it, and some hosts have no disk.
    delivery.spool = import("./spool.ts").then(
      (module) => module.openSpool(settings),
      () => null,
    );
  });
}

/** A call of a model. Returns the event's id, or undefined when it is not recorded. */
export function logPromptCall(fields: PromptCall): string | undefined {
  return log("prompt_call", fields);
}

/** A tool that ran. */
export function logToolCall(fields: ToolCall): string | undefined {
  return log("tool_call", fields);
}

/** A step of an agent. */
export function logAgentStep(fields: AgentStep): string | undefined {
  return log("agent_step", fields);
}

/**
 * Something that went wrong: whatever was thrown, and what is known about it; or fields with an
 * `error` among them.
 *
 * ```ts
 * try { await answer(question); } catch (error) { logError(error, { context: { question } }); }
 * ```
 */
export function logError(
  error: unknown,
  fields?: Omit<ErrorEvent, "error">,
): string | undefined {
  return quietly(() => {
    const isFields = typeof error === "object" && error !== null &&
      !isError(error) &&
      "error" in error;
    return log(
      "error",
      isFields ? { ...error, ...fields } : { ...fields, error: error ?? "unknown" },
    );
  });
}

/** An expectation that was not met. */
export function logAssertionFailed(
  fields: AssertionFailed,
): string | undefined {
  return log("assertion_failed", fields);
}

/** Made-up content that was found in an answer. */
export function logHallucination(fields: Hallucination): string | undefined {
  return log("hallucination_detected", fields);
}

/** Any event, by its `event_type`. */
export function logEvent(event: AnyEvent): string | undefined {
  return log(undefined, event);
}

/**
 * Feedback on a run, or the outcome of an evaluation: a number, a yes or no, or a word. It belongs to
 * the run that it is logged in, or to the `run_id` given.
 *
 * ```ts
 * score({ run_id, name: "helpful", score_value: 1 });
 * ```
 */
export function score(
  fields: Omit<Score, "score_value"> & {
    score_value?: number | boolean | string | null;
  },
): string | undefined {
  return quietly(() => {
    const { score_value: value } = fields;
    if (typeof value === "boolean") {
      return log("score", { ...fields, score_value: Number(value) });
    }
    if (typeof value !== "string") return log("score", fields);
    return log("score", { score_label: value, ...fields, score_value: null });
  });
}

/**
 * Calls a function; the events logged inside belong to one span, which is itself recorded with its
 * duration and, when the function throws, the error. The outermost span starts a run. Returns and
 * throws what the function does.
 *
 * Where the host cannot follow a program across `await` (browsers), pass `run_id` on yourself.
 *
 * ```ts
 * const docs = await span("retrieve", { kind: "retrieval", input: question }, async (s) => { … });
 * ```
 */
export function span<T>(work: (span: Span) => T): T;
export function span<T>(name: string, work: (span: Span) => T): T;
export function span<T>(fields: SpanFields, work: (span: Span) => T): T;
export function span<T>(
  name: string,
  fields: SpanFields,
  work: (span: Span) => T,
): T;
export function span<T>(...parts: unknown[]): T {
  const work = parts.pop() as (span: Span) => T;
  const open = state.client === null ? undefined : quietly(() => {
    const [first, more] = parts;
    const isNamed = typeof first === "string";
    const fields = (isNamed ? more : first) as Fields | undefined;
    return new OpenSpan(
      fields ?? {},
      currentScope(),
      isNamed ? first : work.name || "span",
    );
  });
  if (open === undefined) return work(new Nowhere());
  return within(open.scope, () => follow(() => work(open), open));
}

/** The same as `span`. */
export const run = span;

/** What a span's function is given while nothing is recorded. */
class Nowhere implements Span {
  #run_id: string | undefined;
  #span_id: string | undefined;
  readonly elapsed_ms = 0;

  get run_id(): string {
    return this.#run_id ??= newRunId(Date.now());
  }

  get span_id(): string {
    return this.#span_id ??= newSpanId();
  }

  set(): void {}
}

/** The span that the program is in; undefined outside of spans. */
export function currentSpan(): Span | undefined {
  return currentScope()?.span as Span | undefined;
}

/**
 * A function that behaves as the one given; each call is a span, with what it was given and what it
 * returned. For functions and methods of every kind: sync, async, generators (whose output is what
 * they yielded) and async generators. Also a decorator of methods.
 *
 * ```ts
 * const search = observe(async function search(query: string) { … }, { kind: "tool" });
 *
 * class Agent {
 *   @observe({ kind: "agent" }) async answer(question: string) { … }
 * }
 * ```
 */
export function observe<F extends AnyFunction>(
  work: F,
  options?: ObserveOptions,
): F;
export function observe<F extends AnyFunction>(
  work: F,
  context: ClassMethodDecoratorContext,
): F;
export function observe(
  prototype: object,
  name: string | symbol,
  descriptor: PropertyDescriptor,
): PropertyDescriptor;
export function observe(options: ObserveOptions): Observer;
export function observe(
  first: unknown,
  second?: unknown,
  third?: PropertyDescriptor,
): unknown {
  if (third !== undefined) return decorate({}, first, second, third);
  if (typeof first !== "function") {
    return (work: unknown, context: unknown, descriptor?: PropertyDescriptor) =>
      decorate(first as ObserveOptions, work, context, descriptor);
  }
  const options = quietly(() => {
    const isContext = typeof (second as { addInitializer?: unknown })?.addInitializer ===
      "function";
    return isContext ? undefined : { ...second as ObserveOptions };
  });
  return options === undefined ? decorate({}, first, second) : watch(first as AnyFunction, options);
}

/** What `observe(options)` returns: it takes a function, or decorates a method. */
export interface Observer {
  <F extends AnyFunction>(work: F, context?: ClassMethodDecoratorContext): F;
  (
    prototype: object,
    name: string | symbol,
    descriptor: PropertyDescriptor,
  ): PropertyDescriptor;
}

/**
 * Records the calls of a client of OpenAI, Anthropic or Google GenAI, or of a library made like
 * theirs, and returns the very same object.
 *
 * ```ts
 * const openai = wrap(new OpenAI());
 * ```
 */
export function wrap<T>(client: T): T {
  quietly(() => wrapClient(client));
  return client;
}

/**
 * Checks of a value. Each breach becomes an assertion_failed event, and no exception unless `raises`.
 *
 * ```ts
 * expect(answer, "weather").json({ city: "string", "rain?": "boolean" }).lacks("as an AI").ok
 * ```
 */
export function expect(
  value: unknown,
  name?: string,
  options?: ExpectOptions,
): Expectation;
export function expect(value: unknown, options?: ExpectOptions): Expectation;
export function expect(value: unknown, ...parts: unknown[]): Expectation {
  const [first, second] = parts;
  const options = quietly(() => {
    const named = typeof first === "string" ? { name: first } : first as ExpectOptions;
    return { ...named, ...second as ExpectOptions };
  });
  return new Expectation(value, options ?? {});
}

/**
 * Adds W3C trace context of the present span to headers of a request; outside of spans nothing.
 * Answers the same headers, or new ones.
 *
 * ```ts
 * await fetch(url, { headers: inject({ accept: "text/plain" }) });
 * ```
 */
export function inject<H extends Headers | Record<string, string>>(
  headers: H = {} as H,
): H {
  quietly(() => {
    const scope = currentScope();
    if (scope === undefined) return;
    for (const [name, value] of Object.entries(headersOf(scope))) {
      if (headers instanceof Headers) {
        // A list of baggage grows; of the others there is one.
        if (name === "baggage") headers.append(name, value);
        else headers.set(name, value);
      } else {
        const theirs = name === "baggage" ? headers[name] : undefined;
        (headers as Record<string, string>)[name] = theirs ? `${theirs},${value}` : value;
      }
    }
  });
  return headers;
}

/**
 * The ids of whoever sent a request, to go on with its run; empty when it names none.
 *
 * ```ts
 * await span("handle", { ...extract(request.headers) }, () => answer(request));
 * ```
 */
export function extract(headers: unknown): Origin {
  return quietly(() => originOf(headers)) ?? {};
}

/** The end user served: by the run that calls it, or by the program when outside of runs. */
export function setUser(user_id: string | number | null | undefined): void {
  setWho((who) => who.user_id = text(user_id));
}

/** The session: of the run that calls it, or of the program when outside of runs. */
export function setSession(
  session_id: string | number | null | undefined,
): void {
  setWho((who) => who.session_id = text(session_id));
}

/** Labels: of the run that calls it, or of the program when outside of runs. */
export function setTags(tags: readonly string[]): void {
  setWho((who) => who.tags = labelsOf(tags) ?? []);
}

/**
 * Sends what waits. True once every event logged before is settled, that is, on the server's disk or
 * dropped and counted; false when that takes longer.
 */
export async function flush(
  timeout_ms: number = limits.flushMs,
): Promise<boolean> {
  return await state.client?.delivery.flush(timeout_ms) ?? true;
}

/** Sends what waits and stops recording; `init` starts anew. */
export function close(timeout_ms: number = limits.flushMs): Promise<boolean> {
  return stop(timeout_ms);
}

/** What became of the events logged so far; undefined when nothing is recorded. */
export function stats(): Stats | undefined {
  return state.client?.delivery.stats();
}

function log(
  event_type: EventType | undefined,
  fields: object,
): string | undefined {
  return state.client?.log(event_type, fields);
}

async function stop(timeoutMs: number = limits.flushMs): Promise<boolean> {
  const last = state.client;
  const undo = unwatch;
  state.client = null;
  unwatch = () => {};
  const isSettled = await last?.close(timeoutMs) ?? true;
  undo();
  return isSettled;
}

function setWho(change: (who: Who) => void): void {
  quietly(() => {
    const who = currentScope()?.who ?? state.client?.who;
    if (who !== undefined) change(who);
  });
}
