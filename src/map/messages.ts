// Messages that producers take apart, put together again: flattened attributes, span events, and
// answers whose text and tool calls stand apart.
import type { SpanEvent, Value } from "../receive/otlp/telemetry.ts";
import { decoded, isObject, isPresent, textOf } from "./record.ts";

type Fields = Record<string, Value>;

/** OpenInference: `[{message: {role, content, contents, tool_calls}}]` → messages. */
export function openInferenceMessages(value: Value): Value | undefined {
  if (!Array.isArray(value)) return undefined;
  const messages = value.map((item) =>
    isObject(item) && isObject(item.message) ? item.message : item
  )
    .map((message) => isObject(message) ? openInferenceMessage(message) : message);
  return messages.length === 0 ? undefined : messages;
}

function openInferenceMessage(message: Fields): Fields {
  const {
    contents,
    tool_calls,
    function_call_name,
    function_call_arguments_json,
    ...rest
  } = message;
  const made: Fields = { ...rest };
  const parts = listOf(contents).map((part) =>
    isObject(part) && isObject(part.message_content) ? contentPart(part.message_content) : part
  );
  if (parts.length > 0) {
    made.content = made.content === undefined
      ? parts
      : [{ type: "text", text: made.content }, ...parts];
  }
  const calls = listOf(tool_calls).map((call) =>
    isObject(call) && isObject(call.tool_call) ? toolCall(call.tool_call) : call
  );
  if (isPresent(function_call_name)) {
    calls.push(toolCall({
      function: {
        name: function_call_name,
        arguments: function_call_arguments_json ?? null,
      },
    }));
  }
  if (calls.length > 0) made.tool_calls = calls;
  return made;
}

function contentPart(content: Fields): Fields {
  const { image, ...rest } = content;
  if (!isObject(image)) return rest;
  const inner = isObject(image.image) ? image.image : image;
  return { ...rest, type: "image_url", image_url: { url: inner.url ?? null } };
}

function toolCall(call: Fields): Fields {
  const { id, function: called, ...rest } = call;
  const made: Fields = { ...rest, type: "function", function: called ?? null };
  if (isPresent(id)) made.id = id;
  return made;
}

/** OpenLLMetry: `[{role, content, tool_calls: [{id, name, arguments}]}]`, contents often as JSON. */
export function flatMessages(value: Value): Value | undefined {
  if (!Array.isArray(value)) return undefined;
  const messages = value.map((message) => {
    if (!isObject(message)) return message;
    const content = decoded(message.content);
    return Array.isArray(content) ? { ...message, content } : message;
  });
  return messages.length === 0 ? undefined : messages;
}

/** `llm.prompts.0.prompt.text`, `llm.choices.0.completion.text`. */
export function completions(name: string): (value: Value) => Value | undefined {
  return (value) => {
    const texts = listOf(value).map((item) =>
      isObject(item) && isObject(item[name]) ? textOf((item[name] as Fields).text) : undefined
    ).filter((text) => text !== undefined);
    return texts.length === 0 ? undefined : texts.length === 1 ? texts[0] : texts;
  };
}

/** Tool definitions that stand as JSON in `….tool.json_schema`. */
export function openInferenceTools(value: Value): Value | undefined {
  const tools = listOf(value).map((item) => {
    const tool = isObject(item) && isObject(item.tool) ? item.tool : item;
    return isObject(tool) && tool.json_schema !== undefined ? decoded(tool.json_schema)! : tool;
  });
  return tools.length === 0 ? undefined : tools;
}

export function listOf(value: Value | undefined): Value[] {
  return Array.isArray(value) ? value : [];
}

const messageEvent = /^gen_ai\.(system|user|assistant|tool)\.message$/;

/** What the deprecated events `gen_ai.user.message` and its like say, in order. */
export function promptOfEvents(
  events: readonly SpanEvent[],
): Value | undefined {
  const messages: Value[] = [];
  for (const { name, attributes } of events) {
    const role = messageEvent.exec(name)?.[1];
    if (role !== undefined) messages.push(messageOfEvent(attributes, role));
    else if (name === "gen_ai.content.prompt") {
      const prompt = decoded(attributes["gen_ai.prompt"]);
      if (isPresent(prompt)) {
        messages.push(...(Array.isArray(prompt) ? prompt : [prompt]));
      }
    }
  }
  return messages.length === 0 ? undefined : messages;
}

/** What `gen_ai.choice` says: an answer for each choice. */
export function responseOfEvents(
  events: readonly SpanEvent[],
): Value | undefined {
  const messages: Value[] = [];
  for (const { name, attributes } of events) {
    if (name === "gen_ai.choice") messages.push(choiceMessage(attributes));
    else if (name === "gen_ai.content.completion") {
      const completion = decoded(attributes["gen_ai.completion"]);
      if (isPresent(completion)) {
        messages.push(
          ...(Array.isArray(completion) ? completion : [completion]),
        );
      }
    }
  }
  return messages.length === 0 ? undefined : messages.length === 1 ? messages[0] : messages;
}

/** The fields of a message event: beside one another, or in a body of their own. */
export function messageOfEvent(given: Fields, role: string): Value {
  const body = decoded(given.body ?? given["gen_ai.event.content"]);
  const { "gen_ai.system": _system, "event.name": _name, ...fields } = isObject(body)
    ? body
    : given;
  const made: Fields = { role, ...fields };
  const content = decoded(made.content);
  if (content !== undefined) made.content = content;
  const calls = decoded(made.tool_calls);
  if (calls !== undefined) made.tool_calls = calls;
  return made;
}

export function choiceMessage(given: Fields): Value {
  const body = decoded(given.body ?? given["gen_ai.event.content"]);
  const choice = isObject(body) ? body : given;
  const message = decoded(choice.message);
  if (isObject(message)) return { role: "assistant", ...message };
  return typeof message === "string"
    ? { role: "assistant", content: message }
    : messageOfEvent(choice, "assistant");
}
