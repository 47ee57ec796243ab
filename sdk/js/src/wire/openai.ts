// OpenAI's operations, as their many imitators speak them too: chat, responses, embeddings. Pure.
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
} from "./reading.ts";

/** Chat's names, or those of responses and embeddings. */
function usageOf(usage: unknown): Fields {
  const isChat = count(usage, "prompt_tokens") !== undefined;
  const [input, output] = isChat
    ? ["prompt_tokens", "completion_tokens"]
    : ["input_tokens", "output_tokens"];
  const [into, out] = [`${input}_details`, `${output}_details`];
  return {
    tokens_input: count(usage, input!),
    tokens_output: count(usage, output!),
    tokens_cache_read: count(usage, into, "cached_tokens"),
    tokens_audio_input: count(usage, into, "audio_tokens"),
    tokens_reasoning: count(usage, out, "reasoning_tokens"),
    tokens_audio_output: count(usage, out, "audio_tokens"),
    // OpenRouter says what it charged.
    cost_reported_usd: count(usage, "cost"),
  };
}

function headOf(answer: unknown): Fields {
  return {
    model: get(answer, "model"),
    response_id: get(answer, "id"),
    service_tier: get(answer, "service_tier"),
    ...usageOf(get(answer, "usage")),
  };
}

function callOf(call: unknown): Fields {
  const custom = get(call, "custom");
  return custom === undefined
    ? toolCall(
      get(call, "id"),
      get(call, "function", "name"),
      get(call, "function", "arguments"),
    )
    : toolCall(get(call, "id"), get(custom, "name"), get(custom, "input"));
}

const chat: Operation = {
  name: "chat.completions",
  kind: "generation",
  asked: (body) => ({
    model_requested: get(body, "model"),
    prompt: get(body, "messages"),
    tool_definitions: get(body, "tools") ?? get(body, "functions"),
    model_parameters: parameters(
      body,
      "model",
      "messages",
      "tools",
      "functions",
    ),
  }),
  answered: (answer) => {
    const messages = many(answer, "choices").map((choice) => get(choice, "message"));
    const calls = messages.flatMap((message) => {
      const old = get(message, "function_call");
      return [
        ...many(message, "tool_calls"),
        ...(old === undefined ? [] : [{ function: old }]),
      ];
    });
    return {
      ...headOf(answer),
      // One answer's text; several as they came.
      response: messages.length === 1
        ? get(messages[0], "content") ?? get(messages[0], "refusal")
        : orNone(messages),
      tool_calls: orNone(calls.map(callOf)),
      finish_reason: get(answer, "choices", 0, "finish_reason"),
    };
  },
  fold: (answer, piece) => {
    for (const name of ["id", "model", "service_tier", "usage"]) {
      answer[name] = get(piece, name) ?? answer[name];
    }
    let hasAnswer = false;
    const choices = (answer.choices ??= []) as Fields[];
    for (const given of many(piece, "choices")) {
      const choice = choices[count(given, "index") ?? 0] ??= { message: {} };
      choice.finish_reason = get(given, "finish_reason") ??
        choice.finish_reason;
      const message = choice.message as Fields;
      for (const name of ["content", "refusal"]) {
        const text = get(given, "delta", name);
        if (typeof text !== "string" || text === "") continue;
        message[name] = (message[name] ?? "") + text;
        hasAnswer = true;
      }
      for (const call of many(given, "delta", "tool_calls")) {
        hasAnswer = true;
        const calls = (message.tool_calls ??= []) as {
          id?: unknown;
          function: Fields;
        }[];
        const known = calls[count(call, "index") ?? 0] ??= {
          function: { arguments: "" },
        };
        known.id = get(call, "id") ?? known.id;
        known.function.name = get(call, "function", "name") ??
          known.function.name;
        known.function.arguments += String(
          get(call, "function", "arguments") ?? "",
        );
      }
    }
    return hasAnswer;
  },
};

const responses: Operation = {
  name: "responses",
  kind: "generation",
  asked: (body) => ({
    model_requested: get(body, "model"),
    prompt: get(body, "input"),
    system_prompt: get(body, "instructions"),
    tool_definitions: get(body, "tools"),
    model_parameters: parameters(
      body,
      "model",
      "input",
      "instructions",
      "tools",
    ),
  }),
  answered: (answer) => {
    const texts: [unknown, unknown][] = [];
    const calls: Fields[] = [];
    for (const item of many(answer, "output")) {
      const type = get(item, "type");
      if (type === "function_call" || type === "custom_tool_call") {
        const given = get(item, "arguments") ?? get(item, "input");
        calls.push(toolCall(get(item, "call_id"), get(item, "name"), given));
      } else if (type === "message") {
        for (const part of many(item, "content")) {
          texts.push([get(part, "text") ?? get(part, "refusal"), part]);
        }
      } else if (type !== "reasoning") texts.push([undefined, item]);
    }
    const error = get(answer, "error");
    return {
      ...headOf(answer),
      response: textsOr(texts) ?? get(answer, "text_so_far"),
      tool_calls: orNone(calls),
      finish_reason: get(answer, "incomplete_details", "reason") ??
        get(answer, "status"),
      ...(error === undefined ? {} : {
        error: {
          message: String(get(error, "message")),
          code: get(error, "code"),
        },
        status: "error",
      }),
    };
  },
  fold: (answer, piece) => {
    const type = String(get(piece, "type"));
    // Each of the larger pieces has the whole response so far.
    Object.assign(answer, get(piece, "response"));
    if (type === "error") answer.error = piece;
    if (type === "response.output_text.delta") {
      answer.text_so_far = String(answer.text_so_far ?? "") +
        String(get(piece, "delta"));
    }
    return type.endsWith(".delta");
  },
};

const embeddings: Operation = {
  name: "embeddings",
  kind: "embedding",
  asked: (body) => ({
    model_requested: get(body, "model"),
    prompt: get(body, "input"),
    model_parameters: parameters(body, "model", "input"),
  }),
  // The vectors are left out: nobody reads them.
  answered: (answer) => ({
    ...headOf(answer),
    attributes: { embeddings: many(answer, "data").length },
  }),
  fold: () => false,
};

/** By the end of the address. */
export const openai: Record<string, Operation> = {
  "chat/completions": chat,
  responses,
  embeddings,
};
