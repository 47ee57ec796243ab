// Endpoints that speak OpenAI's chat completions.
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

export const openai: Kind = {
  ask: (monitor, { api_key, headers = {} }) => ({
    method: "POST",
    url: below(monitor.url, "/chat/completions"),
    headers: {
      "content-type": "application/json",
      ...(api_key === undefined ? {} : { authorization: `Bearer ${api_key}` }),
      ...headers,
    },
    body: JSON.stringify({
      ...monitor.parameters,
      model: monitor.model,
      messages: messagesOf(monitor),
    }),
  }),
  read: (body) => {
    const answer = parsed(body);
    if (answer === null) return "The body is no JSON object.";
    const choice = Array.isArray(answer.choices) ? objectOf(answer.choices[0]) : null;
    const message = objectOf(choice?.message);
    if (message === null) return "The body has no choices[0].message.";
    const usage = objectOf(answer.usage) ?? {};
    const input = objectOf(usage.prompt_tokens_details) ?? {};
    const output = objectOf(usage.completion_tokens_details) ?? {};
    return withoutUndefined({
      text: textOf(message),
      model: wordOf(answer.model),
      response_id: wordOf(answer.id),
      finish_reason: wordOf(choice?.finish_reason),
      service_tier: wordOf(answer.service_tier),
      tool_calls: Array.isArray(message.tool_calls) && isShallow(message.tool_calls)
        ? message.tool_calls
        : undefined,
      tokens_input: countOf(usage.prompt_tokens),
      tokens_output: countOf(usage.completion_tokens),
      tokens_cache_read: countOf(input.cached_tokens),
      tokens_reasoning: countOf(output.reasoning_tokens),
      // Of OpenRouter and its like.
      cost_reported_usd: typeof usage.cost === "number" && usage.cost >= 0 ? usage.cost : undefined,
    });
  },
};

function textOf({ content, refusal }: Json): string {
  if (typeof content === "string") return content;
  if (Array.isArray(content)) {
    return content.map((part) => objectOf(part)?.text).filter((text) => typeof text === "string")
      .join("");
  }
  return typeof refusal === "string" ? refusal : "";
}
