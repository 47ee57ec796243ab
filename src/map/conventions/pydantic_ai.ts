// Pydantic AI and Logfire, instrumentation versions 1 to 6. https://ai.pydantic.dev/logfire/
import type { Value } from "../../receive/otlp/telemetry.ts";
import { attribute, type Convention, has, made, member, names } from "../convention.ts";
import { choiceMessage } from "../messages.ts";
import { decoded, isObject } from "../record.ts";

/** `events`: messages and choices of one call, in one list. */
function messages(value: Value): Value | undefined {
  const events = decoded(value);
  if (!Array.isArray(events)) return undefined;
  const given = events.filter((event) =>
    isObject(event) && event["event.name"] !== "gen_ai.choice"
  );
  return given.length === 0 ? undefined : given;
}

function answer(value: Value): Value | undefined {
  const events = decoded(value);
  if (!Array.isArray(events)) return undefined;
  const choices = events.filter((event) =>
    isObject(event) && event["event.name"] === "gen_ai.choice"
  )
    .map((event) => choiceMessage(event as Record<string, Value>));
  return choices.length === 0 ? undefined : choices.length === 1 ? choices[0] : choices;
}

export const pydanticAi: Convention = {
  id: "pydantic_ai",
  title: "Pydantic AI / Logfire",
  source: "https://ai.pydantic.dev/logfire/",
  recognises: (record) =>
    names(
      record,
      "pydantic_ai.all_messages",
      "all_messages_events",
      "final_result",
      "agent_name",
      "model_request_parameters",
      "logfire.msg",
      "tool_arguments",
      "tool_response",
      "operation.cost",
    ),
  kindRank: 90,
  // Versions 1 and 2 name no operation; their agent spans repeat the usage of the calls inside.
  kind: (record) => {
    if (has(record, "tool_arguments", "tool_response")) return "tool";
    if (has(record, "gen_ai.operation.name")) return undefined;
    return has(
        record,
        "final_result",
        "all_messages_events",
        "pydantic_ai.all_messages",
        "agent_name",
      )
      ? "agent"
      : undefined;
  },
  fields: {
    model_requested: [attribute("model_name", 120)],
    cost_reported_usd: [attribute("operation.cost", 110)],
    prompt: [
      made("events", "messages", messages, 115),
      attribute("pydantic_ai.all_messages", 118),
    ],
    response: [
      made("events", "choices", answer, 115),
      attribute("final_result", 118),
    ],
    tool_definitions: [
      member("model_request_parameters", "function_tools", 150),
    ],
    tool_input: [attribute("tool_arguments", 110)],
    tool_output: [attribute("tool_response", 110)],
    input: [
      attribute("pydantic_ai.all_messages", 118),
      attribute("all_messages_events", 119),
    ],
    output: [attribute("final_result", 118)],
    agent_name: [attribute("agent_name", 110)],
    model_parameters: [attribute("model_request_parameters", 160)],
  },
};
