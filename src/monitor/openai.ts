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
import { brokenOff, errorIn, eventsIn, isStream, type Joined } from "./stream.ts";

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
      ...(monitor.stream ? { stream: true, stream_options: { include_usage: true } } : {}),
      model: monitor.model,
      messages: messagesOf(monitor),
    }),
  }),
  read: (body) => {
    const joined = isStream(body) ? join(body) : { answer: parsed(body), first_token_bytes: null };
    if (typeof joined === "string") return joined;
    const { answer, first_token_bytes } = joined;
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
      first_token_bytes: first_token_bytes ?? undefined,
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

/** Pieces of one choice; further choices are not asked for. */
function join(body: string): Joined {
  const { events, isDone } = eventsIn(body);
  const answer: Json = {};
  const message: Json = { content: "" };
  const calls: Json[] = [];
  let finish_reason: unknown = null;
  let first_token_bytes: number | null = null;
  for (const { data, bytes } of events) {
    const problem = errorIn(data);
    if (problem !== null) return problem;
    for (const name of ["id", "model", "usage", "service_tier"]) {
      if (data[name] !== undefined && data[name] !== null) answer[name] = data[name];
    }
    const choice = Array.isArray(data.choices) ? objectOf(data.choices[0]) : null;
    finish_reason = choice?.finish_reason ?? finish_reason;
    const delta = objectOf(choice?.delta) ?? {};
    const said = typeof delta.content === "string" ? delta.content : "";
    message.content += said;
    const parts = Array.isArray(delta.tool_calls) ? delta.tool_calls.map(objectOf) : [];
    for (const part of parts) addCall(calls, part ?? {});
    if (said !== "" || parts.length > 0) first_token_bytes ??= bytes;
  }
  if (!isDone && finish_reason === null) return brokenOff;
  if (calls.length > 0) message.tool_calls = calls;
  return { answer: { ...answer, choices: [{ message, finish_reason }] }, first_token_bytes };
}

const callsMax = 100;

function addCall(calls: Json[], { index, id, function: made }: Json): void {
  const at = Number.isInteger(index) ? index as number : calls.length;
  if (at < 0 || at > calls.length || at >= callsMax) return;
  const { name, arguments: piece } = objectOf(made) ?? {};
  const call = calls[at] ??= { id, type: "function", function: { name, arguments: "" } };
  const whole = call.function as { arguments: string };
  if (typeof piece === "string") whole.arguments += piece;
}
