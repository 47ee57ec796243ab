// Google's generateContent and embeddings, in the names of its HTTP API. Pure.
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

const generate: Operation = {
  name: "generate_content",
  kind: "generation",
  asked: (body) => {
    const told = ["contents", "systemInstruction", "tools", "generationConfig"];
    const rest = {
      ...get(body, "generationConfig") as Fields | undefined,
      ...parameters(body, ...told),
    };
    return {
      prompt: get(body, "contents"),
      system_prompt: get(body, "systemInstruction"),
      tool_definitions: get(body, "tools"),
      model_parameters: Object.keys(rest).length > 0 ? rest : undefined,
    };
  },
  answered: (answer) => {
    const texts: [unknown, unknown][] = [];
    const calls: Fields[] = [];
    let reasoning = "";
    const candidates = many(answer, "candidates");
    for (
      const part of candidates.flatMap((one) => many(one, "content", "parts"))
    ) {
      const call = get(part, "functionCall");
      if (call !== undefined) {
        calls.push(
          toolCall(get(call, "id"), get(call, "name"), get(call, "args")),
        );
      } else if (get(part, "thought") === true) {
        reasoning += String(get(part, "text"));
      } else texts.push([get(part, "text"), part]);
    }
    const usage = get(answer, "usageMetadata");
    const thoughts = count(usage, "thoughtsTokenCount");
    return {
      model: get(answer, "modelVersion"),
      response_id: get(answer, "responseId"),
      response: textsOr(texts),
      reasoning: reasoning || undefined,
      tool_calls: orNone(calls),
      finish_reason: get(candidates, 0, "finishReason") ??
        get(answer, "promptFeedback", "blockReason"),
      tokens_input: total(
        count(usage, "promptTokenCount"),
        count(usage, "toolUsePromptTokenCount"),
      ),
      tokens_output: total(count(usage, "candidatesTokenCount"), thoughts),
      tokens_cache_read: count(usage, "cachedContentTokenCount"),
      tokens_reasoning: thoughts,
    };
  },
  fold: (answer, piece) => {
    for (
      const name of [
        "usageMetadata",
        "modelVersion",
        "responseId",
        "promptFeedback",
      ]
    ) {
      answer[name] = get(piece, name) ?? answer[name];
    }
    const [whole] = (answer.candidates ??= [{ content: { parts: [] } }]) as [
      Fields,
    ];
    const parts = many(piece, "candidates", 0, "content", "parts");
    many(whole, "content", "parts").push(...parts);
    whole.finishReason = get(piece, "candidates", 0, "finishReason") ??
      whole.finishReason;
    return parts.length > 0;
  },
};

const embed: Operation = {
  name: "embed_content",
  kind: "embedding",
  asked: (body) => ({
    prompt: orNone(many(body, "requests").map((one) => get(one, "content"))) ??
      get(body, "content"),
  }),
  answered: (answer) => ({
    attributes: { embeddings: many(answer, "embeddings").length || 1 },
  }),
  fold: () => false,
};

/** By what stands behind the colon of the address. */
export const gemini: Record<string, Operation> = {
  generateContent: generate,
  streamGenerateContent: generate,
  embedContent: embed,
  batchEmbedContents: embed,
};
