// Prompts and responses of many shapes as one conversation: OpenAI, Anthropic, Gemini, Vercel AI,
// LangChain and OpenTelemetry spell messages differently. What is not recognised stays JSON. Pure.
import { asText } from "./format.ts";

export type Part =
  | { kind: "text"; text: string }
  | { kind: "reasoning"; text: string }
  | { kind: "tool_call"; id: string | null; name: string; input: unknown }
  | { kind: "tool_result"; id: string | null; name: string | null; output: unknown }
  /** `source` is an address, or the reference of a file that the server keeps. */
  | { kind: "media"; type: string; source: string | null }
  | { kind: "json"; value: unknown };

export interface Message {
  role: string;
  /** Who speaks, when the message says more than the role. */
  name: string | null;
  parts: Part[];
}

type Fields = Record<string, unknown>;

/** Messages deeper in one another than this are shown as JSON. */
const nestedMax = 4;

export function promptMessages(prompt: unknown): Message[] {
  return messagesOf(prompt, "user", 0);
}

/** What a model call was given: its instructions, unless the messages begin with them, and those. */
export function callMessages(prompt: unknown, system_prompt: unknown): Message[] {
  const messages = promptMessages(prompt);
  const system = messagesOf(system_prompt, "system", 0);
  const repeats = JSON.stringify(messages.slice(0, system.length)) === JSON.stringify(system);
  return repeats ? messages : [...system, ...messages];
}

/** Response and the tool calls that the model asked for; a call that is in both is told once. */
export function responseMessages(response: unknown, toolCalls: unknown): Message[] {
  const messages = messagesOf(response, "assistant", 0);
  const known = new Set(
    messages.flatMap(({ parts }) => parts).flatMap((part) =>
      part.kind === "tool_call" ? [callKey(part)] : []
    ),
  );
  const more = (Array.isArray(toolCalls) ? toolCalls : []).map(toolCall)
    .filter((part) => !known.has(callKey(part)));
  if (more.length === 0) return messages;
  const last = messages.at(-1);
  if (last?.role === "assistant") last.parts.push(...more);
  else messages.push({ role: "assistant", name: null, parts: more });
  return messages;
}

function callKey(part: Part & { kind: "tool_call" }): string {
  return part.id ?? `${part.name} ${JSON.stringify(part.input)}`;
}

function messagesOf(value: unknown, role: string, depth: number): Message[] {
  if (value === null || value === undefined || value === "") return [];
  if (typeof value === "string") {
    const parsed = depth < nestedMax ? conversationIn(value) : undefined;
    if (parsed !== undefined) return messagesOf(parsed, role, depth + 1);
    return [{ role, name: null, parts: [{ kind: "text", text: value }] }];
  }
  if (Array.isArray(value)) {
    if (value.some(isMessage)) return value.flatMap((item) => messagesOf(item, role, depth + 1));
    return [{ role, name: null, parts: partsOf(value) }];
  }
  if (!isFields(value) || depth > nestedMax) {
    return [{ role, name: null, parts: [{ kind: "json", value }] }];
  }
  const inner = within(value);
  if (inner !== null) {
    const system = value.system ?? value.instructions ?? value.systemInstruction;
    return [
      ...messagesOf(system, "system", depth + 1),
      ...messagesOf(inner, role, depth + 1),
    ];
  }
  // Gemini writes its instruction as parts without a role.
  if (Array.isArray(value.parts) || isMessage(value)) return [message(value, role)];
  return [{ role, name: null, parts: [part(value)] }];
}

/** The list of messages that an envelope holds: a request body, or a provider's whole answer. */
function within(value: Fields): unknown {
  if (Array.isArray(value.messages)) return value.messages;
  if (Array.isArray(value.contents)) return value.contents;
  if (Array.isArray(value.choices)) {
    return value.choices.map((choice) => isFields(choice) ? choice.message ?? choice.text : choice);
  }
  if (Array.isArray(value.candidates)) {
    return value.candidates.map((candidate) => isFields(candidate) ? candidate.content : candidate);
  }
  if (Array.isArray(value.output) && value.role === undefined) return value.output;
  return null;
}

/** A conversation that was sent as JSON text; undefined when the text is just text. */
function conversationIn(text: string): unknown {
  const start = text.trimStart()[0];
  if (start !== "[" && start !== "{") return undefined;
  try {
    const value: unknown = JSON.parse(text);
    const looks = Array.isArray(value)
      ? value.length > 0 && value.every(isMessage)
      : isFields(value) && (isMessage(value) || within(value) !== null);
    return looks ? value : undefined;
  } catch {
    return undefined;
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isMessage(value: unknown): value is Fields {
  if (!isFields(value)) return false;
  if (value.type === "function_call" || value.type === "function_call_output") return true;
  if (typeof value.role === "string") return true;
  return ["human", "ai", "system"].includes(String(value.type)) && "content" in value;
}

/** A map: a role comes from data, and an object knows more names than it was given. */
const roles: ReadonlyMap<string, string> = new Map([
  ["human", "user"],
  ["ai", "assistant"],
  ["model", "assistant"],
  ["developer", "system"],
  ["function", "tool"],
]);

function message(value: Fields, fallback: string): Message {
  const given = typeof value.role === "string" ? value.role : String(value.type ?? fallback);
  const role = value.type === "function_call"
    ? "assistant"
    : value.type === "function_call_output"
    ? "tool"
    : roles.get(given) ?? given;
  const name = typeof value.name === "string" && role !== "tool" ? value.name : null;
  if (value.type === "function_call" || value.type === "function_call_output") {
    return { role, name: null, parts: [part(value)] };
  }
  const parts: Part[] = [];
  const thinking = value.reasoning_content ?? value.thinking ?? value.reasoning;
  if (typeof thinking === "string" && thinking !== "") {
    parts.push({ kind: "reasoning", text: thinking });
  }
  const content = value.content ?? value.parts ?? value.text;
  if (role === "tool" && !holdsResults(content)) {
    const id = text(value.tool_call_id ?? value.toolCallId ?? value.id);
    parts.push({ kind: "tool_result", id, name: text(value.name), output: plain(content) });
  } else parts.push(...partsOf(content));
  const calls = value.tool_calls ?? value.toolCalls;
  if (Array.isArray(calls)) parts.push(...calls.map(toolCall));
  if (value.function_call !== undefined) parts.push(toolCall(value.function_call));
  return { role, name, parts };
}

function holdsResults(content: unknown): boolean {
  return Array.isArray(content) &&
    content.some((item) => isFields(item) && part(item).kind === "tool_result");
}

function partsOf(content: unknown): Part[] {
  if (content === null || content === undefined || content === "") return [];
  return (Array.isArray(content) ? content : [content]).map(part);
}

function part(value: unknown): Part {
  if (typeof value === "string") return { kind: "text", text: value };
  if (!isFields(value)) return { kind: "json", value };
  const type = String(value.type ?? "").replaceAll("-", "_");
  const body = value.text ?? value.content;
  if (/^(text|input_text|output_text|refusal)$/.test(type) && typeof body === "string") {
    return { kind: "text", text: body };
  }
  if (/thinking|reasoning/.test(type)) {
    const thought = value.thinking ?? value.reasoning ?? body;
    if (typeof thought === "string") return { kind: "reasoning", text: thought };
  }
  if (/^(tool_use|tool_call|function_call|function|server_tool_use)$/.test(type)) {
    return toolCall(value);
  }
  if (/^(tool_result|tool_call_response|function_call_output|function_response)$/.test(type)) {
    return toolResult(value);
  }
  if (isFields(value.functionCall)) return toolCall(value.functionCall);
  if (isFields(value.functionResponse)) return toolResult(value.functionResponse);
  const inline = value.inlineData ?? value.inline_data ?? value.fileData ?? value.file_data;
  if (isFields(inline)) return { kind: "media", type: "file", source: mediaSource(inline) };
  if (/image|audio|file|document|video|blob|uri/.test(type)) {
    return { kind: "media", type, source: mediaSource(value) };
  }
  const bare = Object.keys(value).every((key) => key === "text" || key === "type");
  if (bare && typeof value.text === "string") return { kind: "text", text: value.text };
  return { kind: "json", value };
}

/** Where a file is: providers put its address or its bytes under many names. */
const mediaKeys = [
  "image_url",
  "source",
  "url",
  "uri",
  "image",
  "data",
  "content",
  "input_audio",
  "file",
  "file_data",
  "fileUri",
  "file_uri",
  "media_type",
] as const;

function mediaSource(value: Fields, depth = 0): string | null {
  for (const key of mediaKeys) {
    const found = value[key];
    if (typeof found === "string" && found !== "") return found;
    if (isFields(found) && depth < nestedMax) {
      const inside = mediaSource(found, depth + 1);
      if (inside !== null) return inside;
    }
  }
  return null;
}

function toolCall(value: unknown): Part & { kind: "tool_call" } {
  if (!isFields(value)) return { kind: "tool_call", id: null, name: "tool", input: value };
  const called = isFields(value.function) ? value.function : value;
  return {
    kind: "tool_call",
    id: text(value.call_id ?? value.tool_call_id ?? value.toolCallId ?? value.id),
    name: text(called.name ?? value.tool_name ?? value.toolName) ?? "tool",
    input: plain(called.arguments ?? called.input ?? called.args ?? called.parameters),
  };
}

function toolResult(value: Fields): Part {
  return {
    kind: "tool_result",
    id: text(
      value.tool_use_id ?? value.tool_call_id ?? value.toolCallId ?? value.call_id ?? value.id,
    ),
    name: text(value.name ?? value.toolName),
    output: plain(value.content ?? value.output ?? value.response ?? value.result),
  };
}

function text(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

/** JSON that was sent as text becomes the value again; a list of text blocks becomes its text. */
export function plain(value: unknown): unknown {
  if (typeof value === "string") {
    const start = value.trimStart()[0];
    if (start !== "{" && start !== "[") return value;
    try {
      return JSON.parse(value);
    } catch {
      return value;
    }
  }
  if (Array.isArray(value) && value.length > 0) {
    const parts = value.map(part);
    if (parts.every((each) => each.kind === "text")) {
      return parts.map((each) => each.kind === "text" ? each.text : "").join("\n");
    }
  }
  return value;
}

/** What was said, as plain text. */
export function messageText({ parts }: Message): string {
  return parts.map((part) => {
    switch (part.kind) {
      case "text":
      case "reasoning":
        return part.text;
      case "tool_call":
        return `${part.name}(${asText(part.input)})`;
      case "tool_result":
        return asText(part.output);
      case "media":
        return part.source ?? part.type;
      case "json":
        return asText(part.value);
    }
  }).join("\n\n");
}
