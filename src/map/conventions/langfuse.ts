// Langfuse's SDKs. https://langfuse.com/docs/opentelemetry
import type { Value } from "../../receive/otlp/telemetry.ts";
import { attribute, type Convention, hasPrefix, type Kind, made, wordOf } from "../convention.ts";
import { decoded, isObject, numberOf, type RawRecord } from "../record.ts";

const kinds: Readonly<Record<string, Kind>> = {
  generation: "model",
  embedding: "embedding",
  tool: "tool",
  agent: "agent",
  chain: "step",
  retriever: "retrieval",
  guardrail: "step",
  evaluator: "step",
};

/** Buckets of `usage_details` do not overlap: a kind's total is the sum of its parts. */
function usage(pattern: RegExp, whole: string) {
  return (value: Value): Value | undefined => {
    const details = decoded(value);
    if (!isObject(details)) return undefined;
    let sum: number | undefined;
    for (const [name, count] of Object.entries(details)) {
      const number = numberOf(count);
      if (number !== undefined && (name === whole || pattern.test(name))) {
        sum = (sum ?? 0) + number;
      }
    }
    return sum ?? numberOf(details[`${whole}_tokens`]) ??
      numberOf(
        details[whole === "input" ? "prompt_tokens" : "completion_tokens"],
      );
  };
}

function totalCost(value: Value): Value | undefined {
  const details = decoded(value);
  if (!isObject(details)) return undefined;
  if (numberOf(details.total) !== undefined) return details.total;
  const parts = Object.values(details).map((part) => numberOf(part))
    .filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.reduce((sum, part) => sum + part, 0);
}

/** When the first token came, as ISO 8601, sometimes in quotes of its own. */
function untilFirstToken(value: Value, record: RawRecord): Value | undefined {
  const start = record.start_ms;
  const first = typeof value === "string" ? Date.parse(value.replaceAll('"', "")) : Number.NaN;
  return start === null || Number.isNaN(first) || first < start ? undefined : first - start;
}

const usageDetails = "langfuse.observation.usage_details";

export const langfuse: Convention = {
  id: "langfuse",
  title: "Langfuse",
  source: "https://langfuse.com/docs/opentelemetry",
  recognises: (record) => hasPrefix(record, "langfuse."),
  kindRank: 10,
  kind: (record) => kinds[wordOf(record, "langfuse.observation.type")],
  fields: {
    operation: [attribute("langfuse.observation.type", 140)],
    model: [attribute("langfuse.observation.model.name", 50)],
    tokens_input: [
      made(
        usageDetails,
        "input and its parts",
        usage(/^input_|^cache_.*input/, "input"),
        115,
      ),
    ],
    tokens_output: [
      made(
        usageDetails,
        "output and its parts",
        usage(/^output_/, "output"),
        115,
      ),
    ],
    tokens_cache_read: [
      made(
        usageDetails,
        "cached input",
        firstOf(
          "input_cached_tokens",
          "cache_read_input_tokens",
          "input_cache_read",
        ),
        115,
      ),
    ],
    tokens_cache_write: [
      made(
        usageDetails,
        "cache creation",
        firstOf(
          "input_cache_creation",
          "cache_creation_input_tokens",
          "input_cache_write",
        ),
        115,
      ),
    ],
    tokens_reasoning: [
      made(
        usageDetails,
        "reasoning",
        firstOf(
          "output_reasoning_tokens",
          "output_reasoning",
          "reasoning_tokens",
        ),
        115,
      ),
    ],
    cost_reported_usd: [
      made("langfuse.observation.cost_details", "total, or sum", totalCost, 50),
    ],
    prompt: [attribute("langfuse.observation.input", 50)],
    response: [attribute("langfuse.observation.output", 50)],
    tool_input: [attribute("langfuse.observation.input", 150)],
    tool_output: [attribute("langfuse.observation.output", 150)],
    input: [
      attribute("langfuse.observation.input", 50),
      attribute("langfuse.trace.input", 180),
    ],
    output: [
      attribute("langfuse.observation.output", 50),
      attribute("langfuse.trace.output", 180),
    ],
    workflow: [attribute("langfuse.trace.name", 130)],
    session_id: [attribute("langfuse.session.id", 50)],
    user_id: [attribute("langfuse.user.id", 50)],
    env: [attribute("langfuse.environment", 50)],
    release: [attribute("langfuse.release", 50)],
    tags: [attribute("langfuse.trace.tags", 50)],
    time_to_first_token_ms: [
      made(
        "langfuse.observation.completion_start_time",
        "since the start",
        untilFirstToken,
        130,
      ),
    ],
    model_parameters: [attribute("langfuse.observation.model.parameters", 120)],
    prompt_template_id: [attribute("langfuse.observation.prompt.name", 90)],
    prompt_version: [attribute("langfuse.observation.prompt.version", 90)],
    error_message: [
      made(
        "langfuse.observation.status_message",
        "of level ERROR",
        (value, record) =>
          wordOf(record, "langfuse.observation.level") === "error" ? value : undefined,
        110,
      ),
    ],
  },
};

function firstOf(...names: string[]) {
  return (value: Value): Value | undefined => {
    const details = decoded(value);
    if (!isObject(details)) return undefined;
    return names.map((name) => details[name]).find((count) => numberOf(count) !== undefined);
  };
}
