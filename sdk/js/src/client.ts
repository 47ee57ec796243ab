// What a log call does: copy the event, complete it, decide on the sample, ask the hook, queue it.
import { Delivery } from "./delivery.ts";
import { type EventType, measureFields, textFields } from "./event.ts";
import type { Entry } from "./queue.ts";
import { describeHost } from "./host.ts";
import { isSampled, newEventId } from "./id.ts";
import { currentScope, type Who } from "./run.ts";
import type { SentEvent, Settings } from "./settings.ts";
import { Snapshot } from "./snapshot.ts";
import { version } from "./version.ts";
import { Warnings } from "./warning.ts";

/** What the fields that every event has weigh, about. */
const headBytes = 400;

export class Client {
  readonly delivery: Delivery;
  readonly warnings = new Warnings();
  /** Of events outside of a run. */
  readonly who: Who;
  readonly #client: object;
  #isClosed = false;

  constructor(readonly settings: Settings) {
    this.delivery = new Delivery(settings, this.warnings);
    const { user_id, session_id, tags } = settings;
    this.who = { user_id, session_id, tags };
    this.#client = { ...describeHost(), sdk_version: `aisentry-js/${version}` };
  }

  /**
   * The event's id, or undefined when it will not be sent. Without a type, the fields name it.
   */
  log(event_type: EventType | undefined, fields: object): string | undefined {
    try {
      return this.#log(event_type, fields);
    } catch (cause) {
      this.warnings.once("internal_error", `An event could not be logged: ${cause}`);
      this.delivery.drop("internal_error", 1);
      return undefined;
    }
  }

  close(timeoutMs: number): Promise<boolean> {
    this.#isClosed = true;
    return this.delivery.flush(timeoutMs);
  }

  #log(event_type: EventType | undefined, fields: object): string | undefined {
    const { delivery, settings } = this;
    if (this.#isClosed) return this.#refuse("closed");
    if (typeof fields !== "object" || fields === null) {
      this.warnings.once("invalid_event", "An event is an object of fields.");
      return this.#refuse("invalid_event");
    }
    const nowMs = Date.now();
    const snapshot = new Snapshot();
    const event = this.#complete(event_type, fields, snapshot, nowMs);
    const isFailure = wentWrong(event);
    const { sample_rate } = settings;
    // An event without a run is its own.
    const run_id = String(event.run_id ?? event.event_id);
    if (sample_rate < 1 && !isFailure && !isSampled(run_id, sample_rate)) {
      return this.#refuse("sampled_out");
    }
    const entry = { event, bytes: headBytes + snapshot.bytes };
    if (settings.before_send !== undefined && !this.#consult(entry, settings.before_send)) {
      return this.#refuse("before_send");
    }
    return delivery.add(entry, isFailure, nowMs) ? entry.event.event_id as string : undefined;
  }

  #refuse(reason: "closed" | "invalid_event" | "sampled_out" | "before_send"): undefined {
    this.delivery.drop(reason, 1);
  }

  #complete(
    event_type: EventType | undefined,
    fields: object,
    snapshot: Snapshot,
    nowMs: number,
  ): SentEvent {
    const scope = currentScope();
    const who = scope?.who ?? this.who;
    // One order of keys for every event: engines make such objects and their JSON fast.
    const event: SentEvent = {
      event_id: undefined,
      event_type,
      run_id: scope?.run_id,
      timestamp: undefined,
      user_id: who.user_id,
      session_id: who.session_id,
      release: this.settings.release,
      env: this.settings.env,
      client: this.#client,
    };
    for (const name of Object.keys(fields)) {
      if (name === "__proto__" || name === "event_type" && event_type !== undefined) continue;
      const value = snapshot.field(fields, name);
      if (value === undefined || value === null) continue;
      if (typeof value === "number" && textFields.has(name)) {
        event[name] = String(value);
      } else event[name] = name === "error" ? errorParts(value) : value;
    }
    event.event_id ??= newEventId(nowMs);
    event.timestamp = timestamp(event.timestamp, event.latency_ms, nowMs);
    if (scope !== undefined && event.run_id === scope.run_id && event.span_id !== scope.span_id) {
      event.parent_span_id ??= scope.span_id;
    }
    if (who.tags.length > 0) event.tags = merge(who.tags, event.tags);
    return event;
  }

  /** Changes the entry to what the hook wants to be sent; false when that is nothing. */
  #consult(entry: Entry, hook: NonNullable<Settings["before_send"]>): boolean {
    const { event_id, event_type } = entry.event;
    try {
      entry.event.client = { ...this.#client };
      const answer: unknown = hook(entry.event);
      if (answer === null || answer === undefined) return false;
      if (typeof answer !== "object" || answer instanceof Promise) {
        throw new TypeError("it must return an event or null");
      }
      // The hook may keep what it returned, and change it later.
      const snapshot = new Snapshot();
      entry.event = {
        event_id,
        event_type,
        ...snapshot.copy(answer) as SentEvent,
      };
      entry.bytes = headBytes + snapshot.bytes;
    } catch (cause) {
      const text = `before_send failed (${cause}): events are sent without their content.`;
      this.warnings.once("before_send", text);
      entry.event = withoutContent({ ...entry.event, event_id, event_type });
    }
    return true;
  }
}

/** Whether its status, told or by the server's default, is another than success. */
function wentWrong({ status, error, event_type }: SentEvent): boolean {
  if (typeof status === "string") return status !== "success";
  return event_type === "error" || event_type === "assertion_failed" || error !== undefined;
}

/** Nothing that a failed hook may have been meant to remove. */
function withoutContent(event: SentEvent): SentEvent {
  const kept: SentEvent = { client: event.client };
  for (const [name, value] of Object.entries(event)) {
    const isPersonal = name === "user_id" || name === "session_id";
    if (!isPersonal && (textFields.has(name) || measureFields.has(name))) {
      kept[name] = value;
    }
  }
  kept.event_type = event.event_type;
  if (event.error !== undefined) {
    kept.error = { message: "[removed: before_send failed]" };
  }
  return kept;
}

/** Anything can be thrown; an event's error has a message. */
function errorParts(value: unknown): unknown {
  if (typeof value === "object" && !Array.isArray(value)) return value;
  return { message: typeof value === "string" ? value : JSON.stringify(value) };
}

/** Labels of the run or program, then the event's own; what is no list is the server's to refuse. */
function merge(tags: readonly string[], own: unknown): unknown {
  if (own === undefined) return [...tags];
  return Array.isArray(own) ? [...new Set([...tags, ...own])] : own;
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
  if (typeof told === "number" && Math.abs(told) <= 8.64e15) return iso(told);
  if (told !== undefined) return told;
  const isDuration = typeof latency_ms === "number" && latency_ms > 0 && latency_ms < nowMs;
  return iso(isDuration ? Math.round(nowMs - latency_ms) : nowMs);
}
