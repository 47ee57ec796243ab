// Anthropic's messages.
import {
  below,
  countOf,
  isShallow,
  type Json,
  type Kind,
  messagesOf,
  objectOf,
  parsed,
  withoutUndefined,
  wordOf,
} from "./kind.ts";
import { brokenOff, errorIn, eventsIn, isStream, type Joined } from "./stream.ts";

const version = "2023-06-01";
/** The API wants a bound; a monitor's answers are short. */
const tokensMax = 1024;

export const anthropic: Kind = {
  ask: (monitor, { api_key, headers = {} }) => {
    const all = messagesOf(monitor);
    const system = all.filter(({ role }) => role === "system").map(({ content }) => content);
    return {
      method: "POST",
      url: below(monitor.url.replace(/\/v1\/?$/, ""), "/v1/messages"),
      headers: {
        "content-type": "application/json",
        "anthropic-version": version,
        ...(api_key === undefined ? {} : { "x-api-key": api_key }),
        ...headers,
      },
      body: JSON.stringify({
        max_tokens: tokensMax,
        ...monitor.parameters,
        ...(monitor.stream ? { stream: true } : {}),
        model: monitor.model,
        ...(system.length === 0 ? {} : { system: system.join("\n\n") }),
        messages: all.filter(({ role }) => role !== "system"),
      }),
    };
  },
  read: (body) => {
    const joined = isStream(body) ? join(body) : { answer: parsed(body), first_token_bytes: null };
    if (typeof joined === "string") return joined;
    const { answer, first_token_bytes } = joined;
    if (answer === null) return "The body is no JSON object.";
    if (!Array.isArray(answer.content)) return "The body has no content.";
    const parts = answer.content.map(objectOf);
    const usage = objectOf(answer.usage) ?? {};
    const written = objectOf(usage.cache_creation) ?? {};
    const read = countOf(usage.cache_read_input_tokens);
    const write = countOf(usage.cache_creation_input_tokens);
    const fresh = countOf(usage.input_tokens);
    const tools = parts.filter((part) => part?.type === "tool_use");
    return withoutUndefined({
      text: parts.map((part) => part?.type === "text" ? part.text : null)
        .filter((text) => typeof text === "string").join(""),
      model: wordOf(answer.model),
      response_id: wordOf(answer.id),
      finish_reason: wordOf(answer.stop_reason),
      service_tier: wordOf(usage.service_tier),
      tool_calls: tools.length > 0 && isShallow(tools) ? tools : undefined,
      // The API counts what is cached beside the input.
      tokens_input: fresh === undefined ? undefined : fresh + (read ?? 0) + (write ?? 0),
      tokens_output: countOf(usage.output_tokens),
      tokens_cache_read: read,
      tokens_cache_write: write,
      tokens_cache_write_1h: countOf(written.ephemeral_1h_input_tokens),
      first_token_bytes: first_token_bytes ?? undefined,
    });
  },
};

const blocksMax = 100;

function join(body: string): Joined {
  let answer = null as Json | null;
  let first_token_bytes: number | null = null;
  let isWhole = false;
  const blocks: Json[] = [];
  for (const { data, bytes } of eventsIn(body).events) {
    const problem = data.type === "error" ? errorIn(data) : null;
    if (problem !== null) return problem;
    const at = typeof data.index === "number" ? data.index : -1;
    const delta = objectOf(data.delta) ?? {};
    switch (data.type) {
      case "message_start":
        answer = { ...objectOf(data.message) };
        break;
      case "content_block_start":
        if (at === blocks.length && at < blocksMax) {
          blocks.push({ ...objectOf(data.content_block) });
        }
        break;
      case "content_block_delta": {
        const block = blocks[at];
        if (block === undefined) break;
        if (typeof delta.text === "string") block.text = `${block.text ?? ""}${delta.text}`;
        if (typeof delta.partial_json === "string") {
          block.json = `${block.json ?? ""}${delta.partial_json}`;
        }
        if (delta.text || delta.partial_json) first_token_bytes ??= bytes;
        break;
      }
      case "message_delta":
        answer = {
          ...answer,
          stop_reason: delta.stop_reason,
          usage: { ...objectOf(answer?.usage), ...objectOf(data.usage) },
        };
        break;
      case "message_stop":
        isWhole = true;
    }
  }
  if (answer === null || !isWhole) return brokenOff;
  const content = blocks.map(({ json, ...block }) =>
    typeof json === "string" ? { ...block, input: parsed(json) ?? json } : block
  );
  return { answer: { ...answer, content }, first_token_bytes };
}
