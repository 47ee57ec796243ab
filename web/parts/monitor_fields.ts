// A monitor as it is typed into the form, and back.
import type { Monitor, MonitorFields } from "./monitor.ts";
import {
  assertionOf,
  jsonOf,
  newAssertion,
  type TypedAssertion,
  typedAssertion,
} from "./monitor_assertions.ts";

export interface TypedMonitor {
  type: MonitorFields["type"];
  name: string;
  description: string;
  url: string;
  model: string;
  provider: string;
  prompt: string;
  /** The prompt is a list of messages, shown as JSON. */
  isMessages: boolean;
  system: string;
  parameters: string;
  stream: boolean;
  method: string;
  body: string;
  api_key: string;
  /** New ones, a line each. */
  headers: string;
  /** Secrets that are set and are to go. */
  removed: string[];
  interval_minutes: string;
  timeout_seconds: string;
  retries: string;
  failures_to_alert: string;
  channels: string[];
  env: string;
  tags: string;
  assertions: TypedAssertion[];
}

export const emptyMonitor: TypedMonitor = {
  type: "openai",
  name: "",
  description: "",
  url: "https://api.openai.com/v1",
  model: "",
  provider: "",
  prompt: "",
  isMessages: false,
  system: "",
  parameters: "",
  stream: false,
  method: "GET",
  body: "",
  api_key: "",
  headers: "",
  removed: [],
  interval_minutes: "5",
  timeout_seconds: "30",
  retries: "1",
  failures_to_alert: "2",
  channels: [],
  env: "",
  tags: "",
  assertions: [newAssertion],
};

/** Where each type is usually found. */
export const usualUrls: Record<MonitorFields["type"], string> = {
  openai: "https://api.openai.com/v1",
  anthropic: "https://api.anthropic.com",
  http: "https://",
};

export function typedOf(monitor: Monitor): TypedMonitor {
  const { prompt, parameters } = monitor;
  const isMessages = Array.isArray(prompt);
  return {
    ...emptyMonitor,
    type: monitor.type,
    name: monitor.name,
    description: monitor.description ?? "",
    url: monitor.url,
    model: monitor.model ?? "",
    provider: monitor.provider ?? "",
    prompt: isMessages ? JSON.stringify(prompt, null, 2) : prompt ?? "",
    isMessages,
    system: monitor.system ?? "",
    parameters: Object.keys(parameters).length === 0 ? "" : JSON.stringify(parameters),
    stream: monitor.stream,
    method: monitor.method ?? "GET",
    body: monitor.body ?? "",
    interval_minutes: String(monitor.interval_minutes),
    timeout_seconds: String(monitor.timeout_seconds),
    retries: String(monitor.retries),
    failures_to_alert: String(monitor.failures_to_alert),
    channels: monitor.channels,
    env: monitor.env ?? "",
    tags: monitor.tags.join(", "),
    assertions: monitor.assertions.map(typedAssertion),
  };
}

/** What is sent. Throws an error in words when something typed cannot be read. */
export function fieldsOf(typed: TypedMonitor, before: Monitor | null): Record<string, unknown> {
  const isHttp = typed.type === "http";
  const given = (name: string, text: string) => text.trim() === "" ? {} : { [name]: text.trim() };
  const headers = {
    ...Object.fromEntries(
      typed.removed.flatMap((name) =>
        name.startsWith("headers.") ? [[name.slice("headers.".length), null]] : []
      ),
    ),
    ...headersOf(typed.headers),
  };
  return {
    type: typed.type,
    name: typed.name.trim(),
    ...given("description", typed.description),
    enabled: before?.enabled ?? true,
    repeat_minutes: before?.repeat_minutes ?? 240,
    url: typed.url.trim(),
    ...(isHttp
      ? {
        method: typed.method,
        ...(typed.body === "" || typed.method === "GET" || typed.method === "HEAD"
          ? {}
          : { body: typed.body }),
      }
      : {
        ...given("model", typed.model),
        ...given("provider", typed.provider),
        ...(typed.prompt === "" ? {} : {
          prompt: typed.isMessages ? jsonOf(typed.prompt, "The prompt") : typed.prompt,
        }),
        ...(typed.system === "" ? {} : { system: typed.system }),
        stream: typed.stream,
        ...(typed.parameters.trim() === ""
          ? {}
          : { parameters: jsonOf(typed.parameters, "Further fields") }),
      }),
    ...(typed.api_key !== ""
      ? { api_key: typed.api_key.trim() }
      : typed.removed.includes("api_key")
      ? { api_key: null }
      : {}),
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
    interval_minutes: Number(typed.interval_minutes),
    timeout_seconds: Number(typed.timeout_seconds),
    retries: Number(typed.retries),
    failures_to_alert: Number(typed.failures_to_alert),
    channels: typed.channels,
    ...given("env", typed.env),
    tags: typed.tags.split(",").map((tag) => tag.trim()).filter((tag) => tag !== ""),
    assertions: typed.assertions.map(assertionOf),
  };
}

function headersOf(text: string): Record<string, string> {
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  return Object.fromEntries(lines.map((line) => {
    const at = line.indexOf(":");
    if (at < 1) throw new Error(`Headers: "${line}" is not of the form name: value.`);
    return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  }));
}
