// Anthropic's messages: asked, answered, and streamed in pieces. Pure.
import {
  count,
  type Fields,
  get,
  many,
  type Operation,
  orNone,
  parameters,
  textsOr,
  toolCall,
  total,
} from "./reading.ts";

const messages: Operation = {
  name: "messages",
  kind: "generation",
  asked: (body) => ({
    model_requested: get(body, "model"),
    prompt: get(body, "messages"),
    system_prompt: get(body, "system"),
    tool_definitions: get(body, "tools"),
    model_parameters: parameters(body, "model", "messages", "system", "tools"),
  }),
  answered: (answer) => {
    const texts: [unknown, unknown][] = [];
    const calls: Fields[] = [];
    let reasoning = "";
    for (const block of many(answer, "content")) {
      const type = get(block, "type");
      if (type === "tool_use") {
        calls.push(
          toolCall(get(block, "id"), get(block, "name"), get(block, "input")),
        );
      } else if (type === "thinking") {
        reasoning += String(get(block, "thinking"));
      } else if (type !== "redacted_thinking") {
        texts.push([type === "text" ? get(block, "text") : undefined, block]);
      }
    }
    const usage = get(answer, "usage");
    const read = count(usage, "cache_read_input_tokens");
    const written = count(usage, "cache_creation_input_tokens");
    return {
      model: get(answer, "model"),
      response_id: get(answer, "id"),
      response: textsOr(texts),
      reasoning: reasoning || undefined,
      tool_calls: orNone(calls),
      finish_reason: get(answer, "stop_reason"),
      // What was cached is counted apart from its input; here the input is all of it.
      tokens_input: total(count(usage, "input_tokens"), read, written),
      tokens_output: count(usage, "output_tokens"),
      tokens_cache_read: read,
      tokens_cache_write: written,
      tokens_cache_write_1h: count(
        usage,
        "cache_creation",
        "ephemeral_1h_input_tokens",
      ),
      service_tier: get(usage, "service_tier"),
    };
  },
  fold: (answer, piece) => {
    const blocks = (answer.content ??= []) as Fields[];
    const at = count(piece, "index") ?? 0;
    switch (get(piece, "type")) {
      case "message_start":
        Object.assign(answer, get(piece, "message"), { content: blocks });
        break;
      case "content_block_start":
        blocks[at] = { ...get(piece, "content_block") as Fields };
        break;
      case "content_block_delta": {
        const block = blocks[at] ??= { type: "text" };
        for (
          const [from, to] of [["text", "text"], ["thinking", "thinking"], [
            "partial_json",
            "input",
          ]]
        ) {
          const text = get(piece, "delta", from!);
          if (typeof text !== "string") continue;
          // A tool's input begins as an empty object.
          block[to!] = (typeof block[to!] === "string" ? block[to!] : "") +
            text;
        }
        return true;
      }
      case "message_delta": {
        answer.stop_reason = get(piece, "delta", "stop_reason") ??
          answer.stop_reason;
        // What the end says replaces what the beginning said.
        const usage = parameters(get(piece, "usage") ?? {}) ?? {};
        const known = Object.entries(usage).filter(([, value]) => value !== null);
        answer.usage = {
          ...answer.usage as Fields,
          ...Object.fromEntries(known),
        };
      }
    }
    return false;
  },
};

/** By the end of the address. */
export const anthropic: Record<string, Operation> = { "v1/messages": messages };
