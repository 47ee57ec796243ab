// What a monitor may say: the one schema for the API and for what is stored. Its secrets are apart.
import { z } from "zod";
import { limits } from "../limits.ts";
import { assertionBounds, assertionSchema } from "./assertion.ts";
import { isShallow } from "./kind.ts";

export const monitorBounds = {
  perProjectMax: 200,
  promptCharactersMax: 32_000,
  messagesMax: 50,
  bodyCharactersMax: 32_000,
  headersMax: 30,
  headerCharactersMax: 4096,
  intervalMinutesMax: 7 * 24 * 60,
  timeoutSecondsMax: 60,
  retriesMax: 3,
  failuresMax: 20,
  channelsMax: 20,
  tagsMax: 20,
} as const;

export const monitorTypes = ["openai", "anthropic", "http"] as const;
export type MonitorType = (typeof monitorTypes)[number];

export const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] as const;

const label = z.string().min(1).max(200);
/** What the connection itself says. */
const ownHeaders = ["host", "content-length", "transfer-encoding", "connection", "upgrade"];

const headers = z.record(
  z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/, "is no name of a header"),
  // Printable Latin-1: no line can be begun by a value.
  z.string().regex(/^[\t\x20-\x7e\x80-\xff]*$/, "has characters that no header may have")
    .max(monitorBounds.headerCharactersMax)
    .nullable(),
).refine((all) => Object.keys(all).length <= monitorBounds.headersMax, "30 headers at most")
  .refine(
    (all) => !Object.keys(all).some((name) => ownHeaders.includes(name.toLowerCase())),
    `${ownHeaders.join(", ")} are set by the connection`,
  );

const prompt = z.union([
  z.string().min(1).max(monitorBounds.promptCharactersMax),
  z.array(z.strictObject({
    role: z.enum(["system", "user", "assistant"]),
    content: z.string().max(monitorBounds.promptCharactersMax),
  })).min(1).max(monitorBounds.messagesMax),
]);

/** Sealed at rest, and never shown. */
export const secretShape = {
  api_key: z.string().min(1).max(monitorBounds.headerCharactersMax)
    .regex(/^[\x21-\x7e]+$/, "has characters that no key has").nullable().optional()
    .describe("Sent as the endpoint expects it. Kept when left out; null takes it away."),
  headers: headers.nullable().optional()
    .describe(
      "Sent with the request. Those that are left out stay as they are; null takes one away.",
    ),
};

export const monitorShape = {
  name: label,
  description: z.string().max(4000).optional(),
  enabled: z.boolean().default(true),
  type: z.enum(monitorTypes).describe(
    "`openai` is any endpoint that speaks OpenAI's chat completions.",
  ),
  url: z.url({ protocol: /^https?$/ }).max(2000).refine(
    (url) => !/^[^/]*\/\/[^/?#]*@/.test(url),
    "has a name or password in it; send them as a header",
  ).describe("Of `openai`, the base such as https://api.openai.com/v1; of `http`, the whole URL."),
  model: z.string().min(1).max(limits.labelCharactersMax).optional(),
  provider: z.string().min(1).max(limits.labelCharactersMax).optional()
    .describe("Whose price holds, when the address does not say."),
  prompt: prompt.optional().describe("Text, or messages."),
  system: z.string().max(monitorBounds.promptCharactersMax).optional(),
  parameters: z.record(z.string().max(100), z.unknown()).default({})
    .refine((value) => isShallow(value), "is nested too deep")
    .describe('Further fields of the request, such as `{"temperature": 0, "max_tokens": 100}`.'),
  stream: z.boolean().default(false)
    .describe("Ask for a stream: the time to the first token is then known."),
  method: z.enum(methods).optional(),
  body: z.string().max(monitorBounds.bodyCharactersMax).optional(),
  interval_minutes: z.int().min(1).max(monitorBounds.intervalMinutesMax).default(5),
  timeout_seconds: z.number().min(1).max(monitorBounds.timeoutSecondsMax).default(30)
    .describe("Of one attempt, from connecting to the end of the answer."),
  retries: z.int().min(0).max(monitorBounds.retriesMax).default(1)
    .describe("Further attempts before a check fails."),
  assertions: z.array(assertionSchema).max(assertionBounds.countMax).default([]),
  channels: z.array(z.string().max(limits.idCharactersMax)).max(monitorBounds.channelsMax)
    .default([]).describe("Who is told."),
  failures_to_alert: z.int().min(1).max(monitorBounds.failuresMax).default(2)
    .describe("Checks in a row that must fail before an alert fires."),
  repeat_minutes: z.number().min(0).max(30 * 24 * 60).default(240)
    .describe("What still fires is told again after so long; 0 is never."),
  env: z.string().min(1).max(limits.labelCharactersMax).optional(),
  tags: z.array(label).max(monitorBounds.tagsMax).default([]),
};

const unchecked = z.object(monitorShape);
export type Monitor = z.infer<typeof unchecked>;

/** What is sealed. */
export interface Secrets {
  api_key?: string;
  headers?: Record<string, string>;
}

/** What a schema of fields cannot say. */
export function checkMonitor(monitor: Monitor, context: z.core.$RefinementCtx<unknown>): void {
  const wrong = (path: keyof Monitor, message: string) =>
    context.addIssue({ code: "custom", path: [path], message });
  const isHttp = monitor.type === "http";
  const others = isHttp
    ? ["model", "prompt", "system", "provider"] as const
    : ["method", "body"] as const;
  for (const name of others) {
    if (monitor[name] !== undefined) wrong(name, `a monitor of type ${monitor.type} has none`);
  }
  if (!isHttp) {
    for (const name of ["model", "prompt"] as const) {
      if (monitor[name] === undefined) wrong(name, "is needed");
    }
    for (const name of ["model", "messages", "stream"]) {
      if (Object.hasOwn(monitor.parameters, name)) wrong("parameters", `must not set ${name}`);
    }
    return;
  }
  if (monitor.stream) wrong("stream", "a monitor of type http has none");
  if (Object.keys(monitor.parameters).length > 0) {
    wrong("parameters", "http has none; set the body");
  }
  const method = monitor.method ?? "GET";
  if (monitor.body !== undefined && (method === "GET" || method === "HEAD")) {
    wrong("body", `${method} has none`);
  }
}

export const monitorSchema = z.strictObject(monitorShape).superRefine(checkMonitor);

/** Changes of these make another question of a monitor: what failed before says nothing of it. */
const asking = [
  "type",
  "url",
  "model",
  "prompt",
  "system",
  "parameters",
  "stream",
  "method",
  "body",
  "assertions",
] as const satisfies readonly (keyof Monitor)[];

export function asksTheSame(one: Monitor, other: Monitor): boolean {
  return asking.every((name) => JSON.stringify(one[name]) === JSON.stringify(other[name]));
}
