// LiteLLM's proxy and SDK. https://docs.litellm.ai/docs/observability/opentelemetry_integration
import { attribute, computed, type Convention, has, hasPrefix, member } from "../convention.ts";
import { numberOf } from "../record.ts";

export const litellm: Convention = {
  id: "litellm",
  title: "LiteLLM",
  source: "https://docs.litellm.ai/docs/observability/opentelemetry_integration",
  recognises: (record) =>
    hasPrefix(
      record,
      "gen_ai.cost.",
      "metadata.user_api_key",
      "llm.is_streaming",
    ) ||
    has(record, "hidden_params", "response_cost"),
  fields: {
    cost_reported_usd: [
      attribute("gen_ai.cost.total_cost", 115),
      computed("sum of gen_ai.cost.*", ({ attributes }) => {
        const keys = Object.keys(attributes).filter((key) => key.startsWith("gen_ai.cost."));
        const parts = keys.map((key) => numberOf(attributes[key])).filter((
          part,
        ) => part !== undefined);
        return parts.length === 0
          ? undefined
          : { value: parts.reduce((sum, part) => sum + part, 0), keys };
      }, 120),
      attribute("response_cost", 125),
      member("hidden_params", "response_cost", 130),
    ],
    user_id: [
      attribute("metadata.user_api_key_end_user_id", 160),
      attribute("metadata.user_api_key_user_id", 161),
      attribute("end_user", 162),
    ],
    tags: [
      attribute("request_tags", 140),
      attribute("metadata.requester_metadata.tags", 141),
    ],
    error_type: [member("error_information", "error_class", 150)],
    error_code: [member("error_information", "error_code", 150)],
    error_message: [attribute("error_str", 150)],
  },
};
