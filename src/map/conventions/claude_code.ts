// Claude Code: its log events carry tokens and cost. Its spans (a beta) describe the same requests
// again, so they are steps and count nothing. https://code.claude.com/docs/en/monitoring-usage
import type { Value } from "../../receive/otlp/telemetry.ts";
import { attribute, computed, type Convention, made } from "../convention.ts";
import { countOf, type RawRecord } from "../record.ts";

/** `claude_code.api_request` → `api_request`; empty when the record is of another. */
export function claudeCodeEvent({ name }: Pick<RawRecord, "name">): string {
  return name.startsWith("claude_code.") ? name.slice("claude_code.".length) : "";
}

/** What it calls input are the uncached tokens alone. */
const wholeInput = computed(
  "input_tokens + cache_read_tokens + cache_creation_tokens",
  (record) => {
    const { attributes } = record;
    const input = countOf(attributes.input_tokens);
    if (input === undefined) return undefined;
    const read = countOf(attributes.cache_read_tokens) ?? 0;
    const written = countOf(attributes.cache_creation_tokens) ?? 0;
    return {
      value: input + read + written,
      keys: ["input_tokens"],
      ...(read + written > 0 ? { rule: "cache_added_to_input" } : {}),
    };
  },
);

const failures = new Set(["api_error", "api_retries_exhausted", "internal_error"]);
const failed = (value: Value) => value === "false" || value === false ? "tool_error" : undefined;

export const claudeCode: Convention = {
  id: "claude_code",
  title: "Claude Code",
  source: "https://code.claude.com/docs/en/monitoring-usage",
  recognises: (record) => claudeCodeEvent(record) !== "",
  kindRank: 5,
  kind: (record) => {
    const event = claudeCodeEvent(record);
    if (record.signal === "span") return "step";
    if (event === "api_request") return "model";
    if (failures.has(event)) return "error";
    if (event === "tool_result") return "tool";
    if (event === "user_prompt") return "step";
    return event === "" ? undefined : "other";
  },
  fields: {
    model: [attribute("model")],
    provider: [
      computed(
        "always anthropic",
        (record) =>
          claudeCodeEvent(record) === "api_request" ? { value: "anthropic", keys: [] } : undefined,
        160,
      ),
    ],
    tokens_input: [wholeInput],
    tokens_output: [attribute("output_tokens")],
    tokens_cache_read: [attribute("cache_read_tokens")],
    tokens_cache_write: [attribute("cache_creation_tokens")],
    cost_reported_usd: [attribute("cost_usd")],
    tool_name: [attribute("tool_name")],
    tool_call_id: [attribute("tool_use_id")],
    tool_input: [attribute("tool_input"), attribute("tool_parameters")],
    tool_output: [attribute("tool_output"), attribute("tool_result")],
    input: [attribute("prompt")],
    // Its user.id is the installation's.
    user_id: [attribute("user.account_uuid", 40), attribute("user.email", 190)],
    session_id: [attribute("session.id", 40)],
    release: [attribute("app.version", 150)],
    latency_ms: [attribute("duration_ms")],
    time_to_first_token_ms: [attribute("ttft_ms", 120)],
    finish_reason: [attribute("stop_reason", 150)],
    response_id: [attribute("request_id", 120)],
    service_tier: [attribute("speed", 150)],
    error_type: [
      attribute("error_type", 110),
      made("success", "false", failed, 160),
    ],
    error_message: [attribute("error", 120)],
    error_code: [attribute("status_code", 120)],
  },
};
