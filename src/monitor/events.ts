// A check as events of the project, like those of any program: a span for the check, a call for each
// attempt, and what did not hold of the last.
import type { Attempt, Outcome } from "./check.ts";
import { outcomeOf } from "./check.ts";
import { messagesOf } from "./kind.ts";
import { providerOf } from "./kinds.ts";
import type { Monitor } from "./monitor.ts";

type Draft = Record<string, unknown>;

export interface Checked {
  /** Of the run too. */
  id: string;
  monitor_id: string;
  monitor: Monitor;
  attempts: readonly Attempt[];
}

/** Every event of every monitor has it; and one that is its own. */
export const monitorTag = "monitor";

export function tagOf(monitor_id: string): string {
  return `monitor:${monitor_id}`;
}

export function eventsOf(checked: Checked): Draft[] {
  const { attempts } = checked;
  const last = attempts.at(-1)!;
  return [
    rootOf(checked, last),
    ...attempts.map((attempt, at) => callOf(checked, attempt, at)),
    ...brokenOf(checked, last),
  ];
}

function baseOf({ id, monitor_id, monitor }: Checked, name: string): Draft {
  return {
    event_id: name === "" ? id : `${id}.${name}`,
    run_id: id,
    span_id: name === "" ? id : `${id}.${name}`,
    name: monitor.name,
    tags: [monitorTag, tagOf(monitor_id), ...monitor.tags],
    ...(monitor.env === undefined ? {} : { env: monitor.env }),
  };
}

/** Not an error, whatever came of it: its calls and assertions are, and count once. */
function rootOf(checked: Checked, last: Attempt): Draft {
  const [first] = checked.attempts;
  return {
    ...baseOf(checked, ""),
    event_type: "span",
    timestamp: iso(first!.at),
    status: last.problem === null ? "success" : "warning",
    latency_ms: last.at + last.latency_ms - first!.at,
    attributes: {
      monitor_id: checked.monitor_id,
      outcome: outcomeOf(last),
      attempts: checked.attempts.length,
      ...(last.problem === null ? {} : { problem: last.problem, message: last.message }),
    },
  };
}

function callOf(checked: Checked, attempt: Attempt, at: number): Draft {
  const { monitor } = checked;
  const { read, verdicts } = attempt;
  const isCall = attempt.problem === null || attempt.problem === "assertion_failed";
  const common = {
    ...baseOf(checked, String(at + 1)),
    parent_span_id: checked.id,
    timestamp: iso(attempt.at),
    latency_ms: attempt.latency_ms,
    // What does not hold has an event of its own: the call itself went well.
    status: isCall ? "success" : statusOf(attempt),
    ...(isCall ? {} : errorOf(attempt)),
    attributes: {
      monitor_id: checked.monitor_id,
      attempt: at + 1,
      ...(attempt.status === null ? {} : { http_status: attempt.status }),
      // Of an attempt that was followed by another, this is all that is told of it.
      ...(verdicts.length === 0 ? {} : {
        assertions: verdicts.map(({ text, holds }) => ({ text, holds })),
      }),
    },
  };
  if (monitor.type === "http") {
    return {
      ...common,
      event_type: "tool_call",
      tool_name: "http",
      input: {
        method: monitor.method ?? "GET",
        // What stands behind the question mark is often a key.
        url: monitor.url.split(/[?#]/, 1)[0],
        ...(monitor.body === undefined ? {} : { body: monitor.body }),
      },
      ...(attempt.answer === null ? {} : { output: attempt.answer }),
    };
  }
  const provider = providerOf(monitor);
  const {
    text = attempt.answer ?? undefined,
    model = monitor.model,
    first_token_bytes: _,
    ...rest
  } = read ?? {};
  return {
    ...common,
    event_type: "prompt_call",
    prompt: messagesOf(monitor),
    model,
    model_requested: monitor.model,
    ...(provider === undefined ? {} : { provider }),
    ...(Object.keys(monitor.parameters).length === 0
      ? {}
      : { model_parameters: monitor.parameters }),
    ...rest,
    ...(attempt.first_token_ms === null ? {} : { time_to_first_token_ms: attempt.first_token_ms }),
    ...(text === undefined ? {} : { response: text }),
  };
}

const formats = new Set(["json_path", "json_shape", "regex", "length"]);

function brokenOf(checked: Checked, last: Attempt): Draft[] {
  return last.verdicts.flatMap(({ text, holds, actual, type }, at) =>
    holds !== false ? [] : [{
      ...baseOf(checked, `a${at + 1}`),
      name: text.slice(0, 1024),
      parent_span_id: `${checked.id}.${checked.attempts.length}`,
      event_type: "assertion_failed",
      timestamp: iso(last.at + last.latency_ms),
      status: "assertion_failed",
      assertion_name: text.slice(0, 1024),
      assertion_type: formats.has(type) ? "response_format" : "custom",
      expected: text,
      actual: actual ?? "",
      severity: "high",
      attributes: { monitor_id: checked.monitor_id },
    }]
  );
}

function statusOf({ problem }: Attempt): string {
  return problem === "timeout" ? "timeout" : "error";
}

function errorOf({ problem, message, status, answer }: Attempt): Draft {
  if (problem === null) return {};
  const said = problem === "answered_error" && answer ? ` ${answer.slice(0, 300)}` : "";
  return {
    error: {
      message: `${message}${said}`,
      type: problem,
      ...(status === null ? {} : { code: String(status) }),
    },
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

export type { Outcome };
