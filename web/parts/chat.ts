// A whole run as one chat. Every model call repeats the conversation so far: each message is told
// once, where it was new, and tool calls stand where they ran. Pure.
import type { FullEvent } from "../api.ts";
import { asText } from "./format.ts";
import { callMessages, type Message, type Part, plain, responseMessages } from "./messages.ts";

export interface ChatEntry {
  message: Message;
  event: FullEvent;
  /** The event's figures belong to this message: it is what the event made. */
  isResult: boolean;
}

/** Events in order of time → what was said. */
export function chatOf(events: readonly FullEvent[]): ChatEntry[] {
  const entries: ChatEntry[] = [];
  /** How often each message was told: the same words said again are said again. */
  const said = new Map<string, number>();
  const called = new Set<string>();
  const returned = new Set<string>();
  const hasCalls = events.some(({ event_type }) => event_type === "prompt_call");

  /** `past` counts the messages of one prompt: what it repeats of before is not told again. */
  const tell = (message: Message, event: FullEvent, past: Map<string, number> | null) => {
    const parts = message.parts.filter((part) =>
      part.kind !== "tool_result" || !(part.id !== null && returned.has(part.id))
    );
    if (parts.length === 0 && message.parts.length > 0) return;
    const key = keyOf({ ...message, parts });
    const before = said.get(key) ?? 0;
    if (past !== null) {
      const times = (past.get(key) ?? 0) + 1;
      past.set(key, times);
      if (times <= before) return;
    }
    said.set(key, before + 1);
    for (const part of parts) {
      if (part.kind === "tool_call") called.add(part.id ?? part.name);
      if (part.kind === "tool_result" && part.id !== null) returned.add(part.id);
    }
    entries.push({ message: { ...message, parts }, event, isResult: past === null });
  };

  for (const event of events) {
    switch (event.event_type) {
      case "prompt_call": {
        const past = new Map<string, number>();
        for (const message of callMessages(event.prompt, event.system_prompt)) {
          tell(message, event, past);
        }
        const answers = responseMessages(event.response, event.tool_calls);
        for (const message of answers) tell(message, event, null);
        if (failureText(event) !== null) tell(failure(event), event, null);
        break;
      }
      case "tool_call":
        tell(toolMessage(event, called, returned), event, null);
        break;
      case "error":
        tell(failure(event), event, null);
        break;
      default: {
        const parts = partsOf(event, hasCalls);
        if (parts.length > 0) tell({ role: event.event_type, name: null, parts }, event, null);
      }
    }
  }
  return entries;
}

function toolMessage(
  event: FullEvent,
  called: ReadonlySet<string>,
  returned: ReadonlySet<string>,
): Message {
  const id = event.tool_call_id ?? null;
  const name = event.tool_name ?? event.name ?? "tool";
  const parts: Part[] = [];
  // What the model has just asked for need not be said again.
  if (!(id !== null && called.has(id))) {
    parts.push({ kind: "tool_call", id, name, input: plain(event.input) });
  }
  const output = event.output ?? failureText(event);
  if (!(id !== null && returned.has(id)) && output != null) {
    parts.push({ kind: "tool_result", id, name, output: plain(output) });
  }
  return { role: "tool", name, parts };
}

function failure(event: FullEvent): Message {
  const text = failureText(event) ?? event.status;
  return { role: "error", name: null, parts: [{ kind: "text", text }] };
}

/** "Type: message" of its error, as far as they are known; null without an error. */
function failureText({ error, error_type, error_message }: FullEvent): string | null {
  const parts = [error?.type ?? error_type, error?.message ?? error_message]
    .filter((part) => part != null);
  return parts.length === 0 ? null : parts.map(asText).join(": ");
}

/** What other kinds add to a conversation. Steps only repeat the calls inside them. */
function partsOf(event: FullEvent, hasCalls: boolean): Part[] {
  const parts: Part[] = [];
  const add = (value: unknown) => {
    if (value === null || value === undefined || value === "") return;
    const given = plain(value);
    parts.push(
      typeof given === "string" ? { kind: "text", text: given } : { kind: "json", value: given },
    );
  };
  if (typeof event.reasoning === "string") parts.push({ kind: "reasoning", text: event.reasoning });
  if (!hasCalls) {
    for (const value of [event.input_data, event.input, event.output_data, event.output]) {
      add(value);
    }
  }
  if (event.event_type === "score") {
    add(
      [event.name, event.score_label, event.score_value, event.score_explanation]
        .filter((part) => part != null).join(" · "),
    );
  }
  if (event.event_type === "assertion_failed") {
    add(
      `${event.assertion_name ?? "An assertion"} failed (${event.severity ?? "no severity given"})`,
    );
  }
  if (event.event_type === "hallucination_detected") add(event.flagged_content);
  return parts;
}

function keyOf({ role, parts }: Message): string {
  return `${role} ${
    JSON.stringify(parts.map((part) => {
      switch (part.kind) {
        case "text":
        case "reasoning":
          return part.text;
        case "tool_call":
          return [part.name, part.input];
        case "tool_result":
          return [part.id, part.output];
        case "media":
          return part.source;
        case "json":
          return part.value;
      }
    }))
  }`;
}
