// OpenLIT. https://docs.openlit.io
import { attribute, type Convention, hasPrefix, names } from "../convention.ts";

export const openlit: Convention = {
  id: "openlit",
  title: "OpenLIT",
  source: "https://docs.openlit.io",
  recognises: (record) =>
    hasPrefix(
      record,
      "gen_ai.usage.prompt_tokens_details.",
      "gen_ai.usage.completion_tokens_details.",
    ) ||
    names(
      record,
      "gen_ai.usage.cost",
      "gen_ai.session.id",
      "gen_ai.user.id",
      "gen_ai.client.token.usage",
    ),
  fields: {
    tokens_cache_read: [
      attribute("gen_ai.usage.prompt_tokens_details.cached_tokens", 120),
    ],
    tokens_cache_write: [
      attribute(
        "gen_ai.usage.prompt_tokens_details.cache_creation_tokens",
        120,
      ),
    ],
    tokens_audio_input: [
      attribute("gen_ai.usage.prompt_tokens_details.audio_tokens", 120),
    ],
    tokens_reasoning: [
      attribute("gen_ai.usage.completion_tokens_details.reasoning_tokens", 120),
    ],
    tokens_audio_output: [
      attribute("gen_ai.usage.completion_tokens_details.audio_tokens", 120),
    ],
    cost_reported_usd: [attribute("gen_ai.usage.cost", 90)],
    session_id: [attribute("gen_ai.session.id", 130)],
    user_id: [attribute("gen_ai.user.id", 131)],
  },
};
