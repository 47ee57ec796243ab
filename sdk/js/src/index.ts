// aisentry: every public name of the package. All of them are safe to call at any time: before
// `init`, without a DSN and after `close` they do nothing, and none of them ever throws.
import { Client } from "./client.ts";
import type { Stats } from "./delivery.ts";
import type {
  AgentStep,
  AnyEvent,
  AssertionFailed,
  ErrorEvent,
  EventFields,
  EventType,
  Hallucination,
  PromptCall,
  Score,
  ToolCall,
} from "./event.ts";
import { watchExit } from "./exit.ts";
import { newRunId, newSpanId } from "./id.ts";
import { limits } from "./limits.ts";
import { currentScope, follow, type Run, type Scope, type Who, within } from "./run.ts";
import { type Options, readSettings, sameSettings, text } from "./settings.ts";
import { isError } from "./snapshot.ts";
import { Warnings } from "./warning.ts";

export type { Stats } from "./delivery.ts";
export type * from "./event.ts";
export type { Run } from "./run.ts";
export type { DropReason, Options, SentEvent } from "./settings.ts";
export { version } from "./version.ts";

let client: Client | null = null;
let unwatch = () => {};
const warnings = new Warnings();

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
    const settings = readSettings(options ?? {}, (reason) => warnings.once(reason, reason));
    if (client !== null && settings !== null && sameSettings(client.settings, settings)) return;
    void stop();
    if (settings === null) return;
    client = new Client(settings);
    unwatch = watchExit(client.delivery);
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
    const isFields = typeof error === "object" && error !== null && !isError(error) &&
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
 * Feedback on a run, or the outcome of an evaluation.
 *
 * ```ts
 * score({ run_id, name: "helpful", score_value: 1 });
 * ```
 */
export function score(fields: Score): string | undefined {
  return log("score", fields);
}

/**
 * Calls a function; the events logged inside belong to one run. The run itself is recorded as a span
 * with its duration and, when the function throws, the error. Within a run, a further one is a span
 * of the same run. Returns and throws what the function does.
 *
 * Where the host cannot follow a program across `await` (browsers), pass `run_id` on yourself.
 *
 * ```ts
 * const answer = await run("answer", async ({ run_id }) => { … });
 * ```
 */
export function run<T>(work: (run: Run) => T): T;
export function run<T>(name: string, work: (run: Run) => T): T;
export function run<T>(fields: EventFields, work: (run: Run) => T): T;
export function run<T>(
  first: string | EventFields | ((run: Run) => T),
  second?: (run: Run) => T,
): T {
  const work = second ?? first as (run: Run) => T;
  const recorder = client;
  const given = recorder === null ? undefined : quietly(() => runFields(first));
  const scope = quietly(() => newScope(given ?? {}));
  if (recorder === null || scope === undefined) {
    return work(scope ?? { run_id: "", span_id: "" });
  }
  const { run_id, span_id } = scope;
  const outer = currentScope();
  const started = {
    parent_span_id: outer?.run_id === run_id ? outer.span_id : undefined,
    timestamp: Date.now(),
  };
  const start = performance.now();
  const end = (failure?: { thrown: unknown }) => {
    const latency_ms = performance.now() - start;
    const error = failure && { error: failure.thrown ?? "unknown" };
    recorder.log("span", {
      ...started,
      latency_ms,
      ...error,
      ...given,
      run_id,
      span_id,
    });
  };
  // The span is logged inside, where it takes its user, session and labels from the scope.
  return within(scope, () => follow(() => work({ run_id, span_id }), end));
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
  setWho((who) => who.tags = [...tags].map(String));
}

/**
 * Sends what waits. True once every event logged before is settled, that is, on the server's disk or
 * dropped and counted; false when that takes longer.
 */
export async function flush(
  timeout_ms: number = limits.flushMs,
): Promise<boolean> {
  return await client?.delivery.flush(timeout_ms) ?? true;
}

/** Sends what waits and stops recording; `init` starts anew. */
export function close(timeout_ms: number = limits.flushMs): Promise<boolean> {
  return stop(timeout_ms);
}

/** What became of the events logged so far; undefined when nothing is recorded. */
export function stats(): Stats | undefined {
  return client?.delivery.stats();
}

function log(
  event_type: EventType | undefined,
  fields: object,
): string | undefined {
  return client?.log(event_type, fields);
}

async function stop(timeoutMs: number = limits.flushMs): Promise<boolean> {
  const last = client;
  const undo = unwatch;
  client = null;
  unwatch = () => {};
  const isSettled = await last?.close(timeoutMs) ?? true;
  undo();
  return isSettled;
}

function runFields(first: unknown): EventFields {
  if (typeof first === "string") return { name: first };
  if (typeof first === "function") return { name: first.name || "run" };
  return { ...first as EventFields };
}

function newScope(given: EventFields): Scope {
  const outer = currentScope();
  const run_id = text(given.run_id) ?? outer?.run_id ?? newRunId(Date.now());
  const span_id = text(given.span_id) ?? newSpanId();
  const { user_id, session_id, tags } = given;
  const isNamed = (user_id ?? session_id ?? tags ?? undefined) !== undefined;
  // What is set further down the same run is set for all of it.
  if (outer?.run_id === run_id && !isNamed) {
    return { run_id, span_id, who: outer.who };
  }
  const inherited: Who = outer?.who ?? client?.who ?? { tags: [] };
  const who = {
    user_id: text(user_id) ?? inherited.user_id,
    session_id: text(session_id) ?? inherited.session_id,
    tags: tags == null ? inherited.tags : [...inherited.tags, ...tags],
  };
  return { run_id, span_id, who };
}

function setWho(change: (who: Who) => void): void {
  quietly(() => {
    const who = currentScope()?.who ?? client?.who;
    if (who !== undefined) change(who);
  });
}

function quietly<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (cause) {
    warnings.once("internal_error", `A call failed: ${cause}`);
    return undefined;
  }
}
