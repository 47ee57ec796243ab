// Codex CLI: log events, most numbers as text.
// https://github.com/openai/codex/blob/main/docs/config.md
import type { Value } from "../../receive/otlp/telemetry.ts";
import { attribute, computed, type Convention, has, made } from "../convention.ts";
import type { RawRecord } from "../record.ts";

function codexEvent({ name }: Pick<RawRecord, "name">): string {
  return name.startsWith("codex.") ? name.slice("codex.".length) : "";
}

const isCompleted = ({ attributes }: RawRecord) =>
  attributes["event.kind"] === "response.completed";

const failed = (value: Value) => value === "false" || value === false ? "tool_error" : undefined;

export const codex: Convention = {
  id: "codex",
  title: "Codex CLI",
  source: "https://github.com/openai/codex",
  recognises: (record) => codexEvent(record) !== "",
  kindRank: 5,
  kind: (record) => {
    const event = codexEvent(record);
    if (record.signal === "span") return "step";
    if (event === "sse_event") return isCompleted(record) ? "model" : "other";
    if (event === "tool_result") return "tool";
    if (event === "api_request" && has(record, "error.message")) return "error";
    if (event === "user_prompt") return "step";
    return event === "" ? undefined : "other";
  },
  fields: {
    model: [attribute("model"), attribute("slug", 150)],
    provider: [
      computed(
        "openai, of a completed response",
        (record) =>
          codexEvent(record) === "sse_event" && isCompleted(record)
            ? { value: "openai", keys: [] }
            : undefined,
        160,
      ),
    ],
    tokens_input: [attribute("input_token_count")],
    tokens_output: [attribute("output_token_count")],
    tokens_cache_read: [attribute("cached_token_count")],
    tokens_reasoning: [attribute("reasoning_token_count")],
    tool_name: [attribute("tool_name")],
    tool_call_id: [attribute("call_id")],
    tool_input: [attribute("arguments")],
    tool_output: [attribute("output")],
    input: [attribute("prompt")],
    user_id: [attribute("user.account_id", 60), attribute("user.email", 190)],
    session_id: [attribute("conversation.id", 60)],
    release: [attribute("app.version", 150)],
    latency_ms: [attribute("duration_ms")],
    error_type: [made("success", "false", failed, 160)],
    error_message: [attribute("error.message", 120)],
    error_code: [attribute("http.response.status_code", 130)],
  },
};
