// LiteLLM's proxy and SDK. https://docs.litellm.ai/docs/observability/opentelemetry_integration
import {
  attribute,
  computed,
  type Convention,
  type Found,
  hasPrefix,
  member,
  names,
} from "../convention.ts";
import { numberOf, type RawRecord } from "../record.ts";

/** Beside these there are discounts, margins and percentages, which are no parts of a sum. */
const parts = ["gen_ai.cost.input_cost", "gen_ai.cost.output_cost", "gen_ai.cost.tool_usage_cost"];

function sumOfParts({ attributes }: RawRecord): Found | undefined {
  const keys = parts.filter((key) => numberOf(attributes[key]) !== undefined);
  if (keys.length === 0) return undefined;
  return { value: keys.reduce((sum, key) => sum + numberOf(attributes[key])!, 0), keys };
}

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
    names(record, "hidden_params", "response_cost"),
  fields: {
    cost_reported_usd: [
      attribute("gen_ai.cost.total_cost", 115),
      computed("sum of gen_ai.cost.{input,output,tool_usage}_cost", sumOfParts, 120),
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
