// What a log call does: copy the event, complete it, decide on the sample, ask the hook, queue it.
import { Delivery } from "./delivery.ts";
import { type EventType } from "./event.ts";
import { fitEvent, kindOf, labelsOf } from "./fit.ts";
import { describeHost } from "./host.ts";
import { isSampled, newEventId } from "./id.ts";
import { limits } from "./limits.ts";
import { isContent, isSuspect, nameKinds, scrub } from "./redact.ts";
import { currentScope, type Scope, type Who } from "./scope.ts";
import type { SentEvent, Settings } from "./settings.ts";
import { Snapshot } from "./snapshot.ts";
import { version } from "./version.ts";
import { Warnings } from "./warning.ts";

/** What the fields that every event has weigh, about. */
const headBytes = 400;

export class Client {
  readonly delivery: Delivery;
  readonly warnings = new Warnings();
  /** Of events outside of a run. The tags of `init` stay whatever is set later. */
  readonly who: Who;
  readonly #client: object;
  #isClosed = false;

  constructor(readonly settings: Settings) {
    this.delivery = new Delivery(
      settings,
      this.warnings,
      (event) => this.#encode(event),
    );
    const { user_id, session_id } = settings;
    this.who = { user_id, session_id, tags: [] };
    this.#client = { ...describeHost(), sdk_version: `aisentry-js/${version}` };
  }

  /**
   * The event's id, or undefined when it will not be sent. Without a type, the fields name it.
   * `scope` is the span that it belongs to: where the program is, unless given.
   */
  log(
    event_type: EventType | undefined,
    fields: object,
    scope: Scope | undefined = currentScope(),
  ): string | undefined {
    try {
      return this.#log(event_type, fields, scope);
    } catch (cause) {
      this.#failed("An event could not be logged", cause);
      return undefined;
    }
  }

  /** Nothing more is taken; what is left after the time given is dropped, and counted. */
  close(timeoutMs: number): Promise<boolean> {
    this.#isClosed = true;
    return this.delivery.close(timeoutMs);
  }

  #failed(what: string, cause: unknown): void {
    this.warnings.once("internal_error", `${what}: ${cause}`);
    this.delivery.tally.drop("internal_error", 1);
  }

  #log(
    event_type: EventType | undefined,
    fields: object,
    scope: Scope | undefined,
  ): string | undefined {
    const { delivery, settings } = this;
    if (this.#isClosed) return this.#refuse("closed");
    if (typeof fields !== "object" || fields === null) {
      this.warnings.once("invalid_event", "An event is an object of fields.");
      return this.#refuse("invalid_event");
    }
    const nowMs = Date.now();
    const snapshot = new Snapshot();
    let event: SentEvent | null = this.#complete(
      event_type,
      fields,
      scope,
      snapshot,
      nowMs,
    );
    const isFailure = wentWrong(event);
    const { sample_rate } = settings;
    // An event without a run is its own.
    const run_id = String(event.run_id ?? event.event_id);
    if (sample_rate < 1 && !isFailure && !isSampled(run_id, sample_rate)) {
      return this.#refuse("sampled_out");
    }
    const event_id = event.event_id = String(event.event_id);
    let bytes = headBytes + snapshot.bytes;
    if (settings.before_send !== undefined) {
      [event, bytes] = this.#consult(
        this.#cleaned(event),
        settings.before_send,
        bytes,
      );
      if (event === null) return this.#refuse("before_send");
    }
    const entry = { event_id, event, json: undefined, bytes };
    return delivery.add(entry, isFailure, nowMs) ? event_id : undefined;
  }

  #refuse(
    reason: "closed" | "invalid_event" | "sampled_out" | "before_send",
  ): undefined {
    this.delivery.tally.drop(reason, 1);
  }

  #complete(
    event_type: EventType | undefined,
    fields: object,
    scope: Scope | undefined,
    snapshot: Snapshot,
    nowMs: number,
  ): SentEvent {
    const who = scope?.who ?? this.who;
    const { settings } = this;
    // One order of keys for every event, the commonest of them from the start: engines make such
    // objects fast. What stays undefined is not sent.
    const event: SentEvent = {
      event_id: undefined,
      event_type,
      run_id: scope?.run_id,
      timestamp: undefined,
      user_id: who.user_id,
      session_id: who.session_id,
      release: settings.release,
      env: settings.env,
      service: settings.service,
      client: this.#client,
      name: undefined,
      span_id: undefined,
      parent_span_id: undefined,
      latency_ms: undefined,
      status: undefined,
      prompt: undefined,
      response: undefined,
      provider: undefined,
      model: undefined,
      tokens_input: undefined,
      tokens_output: undefined,
      input: undefined,
      output: undefined,
    };
    for (const name of Object.keys(fields)) {
      if (
        name === "__proto__" ||
        name === "event_type" && event_type !== undefined
      ) continue;
      if (!settings.capture_content && isContent(name)) continue;
      const value = snapshot.field(fields, name);
      if (value === undefined || value === null) continue;
      event[name] = name === "error" ? errorParts(value, settings.capture_content) : value;
    }
    event.event_id ??= newEventId(nowMs);
    event.timestamp = timestamp(event.timestamp, event.latency_ms, nowMs);
    if (
      scope !== undefined && event.run_id === scope.run_id &&
      event.span_id !== scope.span_id
    ) {
      event.parent_span_id ??= scope.span_id;
    }
    const { tags } = settings;
    if (tags.length + who.tags.length > 0) {
      event.tags = [
        ...new Set([...tags, ...who.tags, ...labelsOf(event.tags) ?? []]),
      ];
    }
    return event;
  }

  /** As the server takes it, and without what must not leave the machine. */
  #cleaned(event: SentEvent): SentEvent {
    const misfit = fitEvent(event);
    if (misfit !== undefined) {
      const text = `${misfit} was not of its kind: what was given is kept in attributes.`;
      this.warnings.once(`misfit ${misfit}`, text);
    }
    const { redactors } = this.settings;
    return redactors.length > 0 ? scrub(event, redactors) : event;
  }

  /** In the background, shortly before it is sent. */
  #encode(event: SentEvent): string | undefined {
    try {
      // What a hook has seen was cleaned before.
      const isClean = this.settings.before_send !== undefined;
      const cleaned = isClean ? event : this.#cleaned(event);
      const json = JSON.stringify(cleaned);
      return isSuspect(json) ? JSON.stringify(scrub(cleaned, [])) : json;
    } catch (cause) {
      this.#failed("An event could not be sent", cause);
      return undefined;
    }
  }

  /** What the hook wants to be sent, which may be nothing, and its bytes. */
  #consult(
    event: SentEvent,
    hook: NonNullable<Settings["before_send"]>,
    bytes: number,
  ): [SentEvent | null, number] {
    const { event_id, event_type } = event;
    try {
      if (isSuspect(JSON.stringify(event))) event = scrub(event, []);
      const shown = Object.entries(event).filter(([, value]) => value !== undefined);
      const answer: unknown = hook({
        ...Object.fromEntries(shown),
        client: { ...this.#client },
      });
      if (answer === null || answer === undefined) return [null, 0];
      if (typeof answer !== "object" || answer instanceof Promise) {
        throw new TypeError("it must return an event or null");
      }
      // The hook may keep what it returned, and change it later.
      const snapshot = new Snapshot();
      const copy = {
        event_id,
        event_type,
        ...snapshot.copy(answer) as SentEvent,
      };
      return [copy, headBytes + snapshot.bytes];
    } catch (cause) {
      const text = `before_send failed (${cause}): events are sent without their content.`;
      this.warnings.once("before_send", text);
      return [withoutContent({ ...event, event_id, event_type }), bytes];
    }
  }
}

/** Whether its status, told or by the server's default, is another than success. */
function wentWrong({ status, error, event_type }: SentEvent): boolean {
  if (typeof status === "string") return status !== "success";
  return event_type === "error" || event_type === "assertion_failed" ||
    error !== undefined;
}

/** Nothing that a failed hook may have been meant to remove. */
function withoutContent(event: SentEvent): SentEvent {
  const kept: SentEvent = {
    event_type: event.event_type,
    client: event.client,
  };
  for (const [name, value] of Object.entries(event)) {
    const isPersonal = name === "user_id" || name === "session_id";
    if (!isPersonal && nameKinds.includes(kindOf.get(name)!)) {
      kept[name] = value;
    }
  }
  if (event.error !== undefined) {
    kept.error = { message: "[removed: before_send failed]" };
  }
  return kept;
}

/** Anything can be thrown; an event's error has a message. */
function errorParts(value: unknown, hasContent: boolean): unknown {
  const parts = typeof value === "object" && !Array.isArray(value)
    ? value as SentEvent
    : { message: typeof value === "string" ? value : JSON.stringify(value) };
  if (hasContent) return parts;
  // A provider's message may repeat what it was asked.
  const { type, code } = parts as SentEvent;
  return { type, code };
}

let lastMs = NaN;
let lastText = "";

function iso(ms: number): string {
  // Events come in bursts, and a date is slow to write.
  if (ms !== lastMs) {
    lastText = new Date(ms).toISOString();
    lastMs = ms;
  }
  return lastText;
}

/** When it started: what was told, otherwise now less the duration. */
function timestamp(told: unknown, latency_ms: unknown, nowMs: number): unknown {
  if (typeof told === "number" && Math.abs(told) <= limits.dateMsMax) {
    return iso(told);
  }
  if (told !== undefined) return told;
  const isDuration = typeof latency_ms === "number" && latency_ms > 0 &&
    latency_ms < nowMs;
  return iso(isDuration ? Math.round(nowMs - latency_ms) : nowMs);
}
