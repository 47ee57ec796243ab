// What the mapping must obey, whatever a producer sends: counts once and whole, nothing lost, no
// value that costs a span its place, and the same event from what is stored.
import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Field, fields } from "../../src/event.ts";
import { explain } from "../../src/map/explain.ts";
import { logRecordOf, mapLogRecord, mapSpan, spanOf } from "../../src/map/map.ts";
import { remap } from "../../src/map/remap.ts";
import { receiveEvent } from "../../src/receive/event.ts";
import type { LogRecord, Span, SpanLink, Value } from "../../src/receive/otlp/telemetry.ts";
import { log, only, span, spanEvent } from "./fixture.ts";

const receipt = {
  received_at: "2026-01-31T12:00:00.000000Z",
  project_id: "shop",
  latestMs: Date.UTC(2026, 1, 10),
  newId: () => "new-id",
};

/** As it comes back from the store. */
function stored(draft: Record<string, unknown>): Record<string, unknown> {
  const verdict = receiveEvent(JSON.parse(JSON.stringify(draft)), receipt);
  if ("rejection" in verdict) throw new Error(verdict.rejection.message);
  const event = JSON.parse(JSON.stringify(verdict.event)) as Record<
    string,
    unknown
  >;
  for (const { name, derived } of fields as readonly Field[]) {
    if (derived === "copy") delete event[name];
  }
  return event;
}

const rows: [string, Span, object][] = [
  [
    "R1: what an agent sums up is not counted, and stays among the attributes",
    span({
      "gen_ai.operation.name": "invoke_agent",
      "gen_ai.usage.input_tokens": 500,
      "gen_ai.usage.cost": 0.5,
    }),
    {
      tokens_input: null,
      cost_reported_usd: null,
      attributes: {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.usage.input_tokens": 500,
        "gen_ai.usage.cost": 0.5,
      },
    },
  ],
  [
    "R2: cache beside the input is added to it",
    span({
      "gen_ai.operation.name": "chat",
      "gen_ai.usage.input_tokens": 10,
      "gen_ai.usage.cache_read.input_tokens": 100,
      "gen_ai.usage.cache_write.input_tokens": 5,
    }),
    { tokens_input: 115, tokens_cache_read: 100, tokens_cache_write: 5 },
  ],
  [
    "R2: reasoning beside the output is added to it",
    span({
      "gen_ai.operation.name": "chat",
      "gen_ai.usage.output_tokens": 10,
      "gen_ai.usage.reasoning.output_tokens": 40,
    }),
    { tokens_output: 50, tokens_reasoning: 40 },
  ],
  [
    "R3: numbers and flags as text",
    span({
      "gen_ai.operation.name": "chat",
      "gen_ai.usage.input_tokens": "12",
      "gen_ai.usage.output_tokens": 7.0,
      "gen_ai.response.finish_reasons": '["stop"]',
    }),
    { tokens_input: 12, tokens_output: 7, finish_reason: "stop" },
  ],
  [
    "R2: counts that no number holds are left as they came",
    span({
      "gen_ai.operation.name": "chat",
      "gen_ai.usage.input_tokens": 9_007_199_254_740_000,
      "gen_ai.usage.cache_read.input_tokens": 9_007_199_254_740_991,
    }),
    { tokens_input: 9_007_199_254_740_000, tokens_cache_read: 9_007_199_254_740_991 },
  ],
  [
    "R3: what OTLP wraps values in, when an exporter lets it through",
    span({
      "gen_ai.operation.name": "chat",
      "gen_ai.usage.input_tokens": { intValue: "12" },
      "gen_ai.request.model": { stringValue: "gpt-4o" },
    }),
    { tokens_input: 12, model: "gpt-4o" },
  ],
  [
    "R3: what cannot be read gives way to the next name",
    span({
      "gen_ai.operation.name": "chat",
      "gen_ai.usage.input_tokens": "many",
      "gen_ai.usage.prompt_tokens": 3,
      "session.id": "s".repeat(300),
      "gen_ai.conversation.id": "c",
    }),
    { tokens_input: 3, session_id: "c" },
  ],
  [
    "R3: what is no number is not there",
    span({
      "gen_ai.operation.name": "chat",
      "gen_ai.usage.input_tokens": "many",
      "gen_ai.usage.output_tokens": -1,
    }),
    { tokens_input: null, tokens_output: null },
  ],
  [
    "R4: JSON inside JSON",
    span({
      "gen_ai.operation.name": "chat",
      "gen_ai.input.messages": JSON.stringify(
        JSON.stringify([{ role: "user", content: "hi" }]),
      ),
    }),
    { prompt: [{ role: "user", content: "hi" }] },
  ],
  [
    "R5: indexes are sparse, and are numbers",
    span({
      "openinference.span.kind": "LLM",
      "llm.input_messages.247.message.content": "third",
      "llm.input_messages.33.message.content": "first",
      "llm.input_messages.100.message.content": "second",
    }),
    {
      prompt: [{ content: "first" }, { content: "second" }, {
        content: "third",
      }],
    },
  ],
  [
    "R5: a name that JavaScript knows is data like any other, and makes no structure",
    span({
      "openinference.span.kind": "LLM",
      "llm.input_messages.0.message.__proto__.polluted": "yes",
      "llm.input_messages.0.message.content": "hi",
      "__proto__": "x",
    }),
    { prompt: [{ content: "hi" }] },
  ],
  [
    "R5: a name of a million steps makes no structure",
    span({
      "openinference.span.kind": "LLM",
      [`llm.input_messages.${"0.".repeat(1_000_000)}x`]: "hi",
    }),
    { event_type: "prompt_call", prompt: null },
  ],
  [
    "R6: OpenTelemetry counts seconds",
    span({ "gen_ai.operation.name": "chat", "gen_ai.response.time_to_first_chunk": 0.25 }),
    { time_to_first_token_ms: 250 },
  ],
  [
    "R6: the AI SDK counts milliseconds",
    span({ "ai.operationId": "ai.streamText.doStream", "ai.response.msToFirstChunk": 250 }),
    { time_to_first_token_ms: 250 },
  ],
  ["R7: a span without a parent", span({}, { parent_span_id: null }), { parent_span_id: null }],
  [
    "R7: an end before the start is no duration",
    span({}, { end: 1n }),
    { latency_ms: null },
  ],
  ["R7: a start that is unknown", span({}, { start: 0n }), {
    timestamp: null,
    latency_ms: null,
  }],
  [
    "R8: old and new names together are not summed",
    span({
      "gen_ai.operation.name": "chat",
      "gen_ai.usage.input_tokens": 10,
      "gen_ai.usage.prompt_tokens": 10,
      "llm.token_count.prompt": 11,
    }),
    { tokens_input: 11 },
  ],
  [
    "R9: content is optional",
    span({ "gen_ai.operation.name": "chat", "gen_ai.request.model": "m" }),
    {
      event_type: "prompt_call",
      model: "m",
      prompt: null,
    },
  ],
  [
    "an unknown model attribute alone is no call",
    span({ "gen_ai.request.model": "m" }),
    {
      event_type: "span",
      model: "m",
    },
  ],
  [
    "a model and tokens are a call, without an operation",
    span({ "gen_ai.request.model": "m", "gen_ai.usage.output_tokens": 3 }),
    { event_type: "prompt_call", tokens_output: 3 },
  ],
  [
    "a model and a question are a call, also when no answer came",
    span({ "gen_ai.request.model": "m", "gen_ai.input.messages": "hi" }, {
      status: { code: 2, message: "429" },
    }),
    { event_type: "prompt_call", status: "error" },
  ],
  [
    "a provider is inferred from a name that is its maker's alone",
    span({ "gen_ai.operation.name": "chat", "gen_ai.request.model": "claude-sonnet-4-5" }),
    { provider: "anthropic" },
  ],
  [
    "a provider of an open model is not guessed at",
    span({ "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-oss-20b" }),
    { provider: null },
  ],
  ["a status of error", span({}, { status: { code: 2, message: "boom" } }), {
    status: "error",
    error: { message: "boom" },
  }],
  [
    "an exception that was handled",
    span({}, {
      status: { code: 1, message: "" },
      events: [spanEvent("exception", {})],
    }),
    { status: "success", error: null },
  ],
  [
    "an exception that was not",
    span({}, {
      events: [
        spanEvent("exception", {
          "exception.type": "E",
          "exception.message": "m",
        }),
      ],
    }),
    { status: "error", error: { type: "E", message: "m" } },
  ],
  [
    "a timeout",
    span({ "error.type": "TimeoutError" }, {
      status: { code: 2, message: "" },
    }),
    {
      status: "timeout",
      error: { type: "TimeoutError", message: "TimeoutError" },
    },
  ],
  [
    "a length that stops the answer is no error",
    span({
      "gen_ai.operation.name": "chat",
      "gen_ai.response.finish_reasons": ["length"],
    }),
    { status: "success", finish_reason: "length" },
  ],
  [
    "resource, environment and release",
    span({}, {
      resource: {
        attributes: {
          "service.name": "api",
          "service.version": "7",
          "deployment.environment.name": "production",
        },
        schema_url: "",
      },
    }),
    { service: "api", release: "7", env: "production" },
  ],
];
for (const [name, given, expected] of rows) {
  test(`map: ${name}`, () => {
    const event = mapSpan(given);
    expect(only(event, expected)).toEqual(expected as never);
    expect(only(stored(event), { event_type: "" })).toEqual(
      only(event, { event_type: "" }),
    );
  });
}

const unfit: Record<string, Value> = {
  "session.id": "s".repeat(500),
  "gen_ai.request.model": "m".repeat(5000),
  "gen_ai.usage.input_tokens": -5,
  "gen_ai.operation.name": "chat",
  "gen_ai.response.time_to_first_chunk": -1,
  "tag.tags": Array.from({ length: 1000 }, (_, at) => `tag ${at}`),
  "deep": JSON.parse("[".repeat(200) + "]".repeat(200)),
  "gen_ai.input.messages": "[".repeat(200) + "]".repeat(200),
};

test("map: no attribute costs a span its place, and none is lost", () => {
  const event = stored(mapSpan(span(unfit, { name: "n".repeat(3000) })));
  expect(event.session_id).toBeUndefined();
  expect(String(event.model).length).toBe(1024);
  const back = spanOf(event);
  expect(Object.keys(back.attributes).sort()).toEqual(
    Object.keys(unfit).sort(),
  );
  expect(back.name.length).toBe(3000);
});

test("map: brackets alone are not parsed", () => {
  const started = performance.now();
  const prompt = "[".repeat(10_000_000);
  expect(mapSpan(span({ "gen_ai.operation.name": "chat", "gen_ai.input.messages": prompt })).prompt)
    .toBe(prompt);
  expect(performance.now() - started).toBeLessThan(1000);
});

test("map: brackets inside of a long text do not keep it from being parsed", () => {
  const messages = [{ role: "user", content: `${'\\"[{'.repeat(20_000)}\\` }];
  const attributes = {
    "gen_ai.operation.name": "chat",
    "gen_ai.input.messages": JSON.stringify(messages),
  };
  expect(mapSpan(span(attributes)).prompt).toEqual(messages);
});

test("map: a record does not decide how the next one with its names is read", () => {
  const usage = { "gen_ai.operation.name": "chat", "gen_ai.usage.cost": "", "first": 1 };
  expect(mapSpan(span(usage)).cost_reported_usd).toBeUndefined();
  expect(mapSpan(span({ ...usage, "gen_ai.usage.cost": 0.5 })).cost_reported_usd).toBe(0.5);
  mapSpan(span({ "gen_ai.operation.name\ngen_ai.request.model": "chat" }));
  const call = { "gen_ai.operation.name": "chat", "gen_ai.request.model": "m" };
  expect(mapSpan(span(call))).toMatchObject({ event_type: "prompt_call", model: "m" });
});

test("map: a million indexes take bounded time", () => {
  const attributes: Record<string, Value> = {
    "openinference.span.kind": "LLM",
  };
  for (let at = 0; at < 300_000; at++) {
    attributes[`llm.input_messages.${at * 7}.message.content`] = "x";
  }
  const started = performance.now();
  const { prompt } = mapSpan(span(attributes)) as { prompt: unknown[] };
  expect(prompt.length).toBe(10_001);
  expect(performance.now() - started).toBeLessThan(10_000);
});

test("map: a repeated export is the same event", () => {
  expect(mapSpan(span({ a: 1 })).event_id).toBe(
    mapSpan(span({ a: 2 })).event_id,
  );
  const record = log("x", { a: 1 });
  expect(mapLogRecord(record).event_id).toBe(
    mapLogRecord({ ...record }).event_id,
  );
  expect(mapLogRecord(log("x", { a: 2 })).event_id).not.toBe(
    mapLogRecord(record).event_id,
  );
});

const names = [
  "gen_ai.operation.name",
  "gen_ai.input.messages",
  "gen_ai.output.messages",
  "gen_ai.tool.call.arguments",
  "gen_ai.usage.input_tokens",
  "openinference.span.kind",
  "input.value",
  "output.value",
  "langfuse.observation.input",
  "langfuse.observation.type",
  "traceloop.entity.input",
  "ai.operationId",
  "ai.prompt",
  "session.id",
  "llm.input_messages.0.message.content",
  "something.else",
  "annotations.0.annotation.label",
  "annotations.0.annotation.name",
  "gen_ai.evaluation.name",
  "langfuse.observation.level",
];
const value: fc.Arbitrary<Value> = fc.oneof(
  fc.string(),
  fc.constantFrom<Value>(
    "chat",
    "invoke_agent",
    "LLM",
    "TOOL",
    "CHAIN",
    "generation",
    "ai.toolCall",
  ),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.jsonValue({ maxDepth: 3 }).map((made) => JSON.stringify(made)),
  fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Value>,
  fc.string({ minLength: 65, maxLength: 90 }),
);
const attributes = fc.dictionary(fc.constantFrom(...names), value, {
  noNullPrototype: true,
});

const links: fc.Arbitrary<SpanLink[]> = fc.array(
  fc.constant({
    trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
    span_id: "00f067aa0ba902b7",
    trace_state: "",
    attributes: {},
  }),
  { maxLength: 2 },
);

/** JSON equality: text that is JSON may come back with other blanks. */
function normal(given: Record<string, Value>): unknown {
  return Object.fromEntries(
    Object.entries(given).map(([key, one]) => {
      if (typeof one !== "string" || !/^\s*["[{]/.test(one)) return [key, one];
      try {
        return [key, { json: JSON.parse(one) as unknown }];
      } catch {
        return [key, one];
      }
    }).sort(([a], [b]) => String(a) < String(b) ? -1 : 1),
  );
}

test("map: the raw record comes back, and gives the same event", () => {
  fc.assert(
    fc.property(attributes, links, fc.constantFrom(0, 1, 2), (made, links, code) => {
      const given = JSON.parse(JSON.stringify(made)) as Record<string, Value>;
      const sent = span(given, { links, status: { code, message: "" } });
      const event = stored(mapSpan(sent));
      const back = spanOf(event);
      expect([back.trace_id, back.parent_span_id]).toEqual([sent.trace_id, sent.parent_span_id]);
      expect(normal(back.attributes)).toEqual(normal(given));
      expect(remap(event)).toBeNull();
      expect(explain(event)?.received_as).toBe("span");
    }),
    { numRuns: 300 },
  );
});

test("map: a log record comes back, and gives the same event", () => {
  fc.assert(
    fc.property(
      attributes,
      value,
      fc.integer({ min: 0, max: 24 }),
      (made, body, severity) => {
        const record = JSON.parse(JSON.stringify({ made, body })) as {
          made: Record<string, Value>;
          body: Value;
        };
        const given: LogRecord = log("", record.made, {
          body: record.body,
          severity_number: severity,
        });
        const event = stored(mapLogRecord(given));
        const back = logRecordOf(event);
        expect(normal(back.attributes)).toEqual(normal(record.made));
        expect(back.body).toEqual(record.body);
        expect(back.severity_number).toBe(severity);
        expect(remap(event)).toBeNull();
      },
    ),
    { numRuns: 300 },
  );
});

test("remap: what an older mapping left out is found, and identity stays", () => {
  const event = stored(mapSpan(span({
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 10,
    "gen_ai.input.messages":
      '[{"role":"user","content":"hello, is anybody there at this late hour?"}]',
  })));
  const older = {
    ...event,
    event_type: "span",
    tokens_input: undefined,
    cost_estimate_usd: 1,
    cost_details: { price: "x" },
    redactions: { EMAIL_ADDRESS: 1 },
    user_id: "[EMAIL_ADDRESS:12]",
  };
  const again = remap(older)!;
  expect(again).toMatchObject({
    event_id: event.event_id,
    project_id: "shop",
    received_at: receipt.received_at,
    event_type: "prompt_call",
    tokens_input: 10,
    redactions: { EMAIL_ADDRESS: 1 },
    user_id: "[EMAIL_ADDRESS:12]",
  });
  // The estimate was made of other counts.
  expect(again.cost_estimate_usd).toBeUndefined();
  expect(remap({ event_id: "sent", event_type: "span" })).toBeNull();
});

test("explain: each field names its attribute, what lost, and what was left over", () => {
  const event = stored(mapSpan(span({
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o",
    "llm.model_name": "gpt-4o-mini",
    "gen_ai.usage.input_tokens": 1,
    "gen_ai.usage.cache_read.input_tokens": 9,
    "http.route": "/chat",
  })));
  const told = explain(event)!;
  expect(told).toMatchObject({
    kind: "model",
    kind_by: "otel_genai",
    left_over: ["http.route"],
  });
  expect(told.rules).toEqual(["cache_added_to_input", "provider_inferred"]);
  expect(told.conventions.map(({ id }) => id)).toEqual([
    "otel_genai",
    "openinference",
    "common",
  ]);
  const field = (name: string) => told.fields.find((one) => one.field === name);
  expect(field("model")).toEqual({
    field: "model",
    value: "gpt-4o-mini",
    from: "llm.model_name",
    convention: "openinference",
    others: [],
  });
  expect(field("tokens_input")).toMatchObject({
    value: "10",
    from: "gen_ai.usage.input_tokens",
  });
  expect(field("provider")).toMatchObject({ value: "openai", from: "inferred from the model" });
  expect(field("event_type")).toMatchObject({ value: "prompt_call", convention: "otel_genai" });
  expect(explain({ event_id: "sent" })).toBeNull();
});

const origins: [string, Record<string, unknown>, string, object][] = [
  ["the run", mapSpan(span({})), "run_id", { from: "trace id" }],
  ["the duration", mapSpan(span({})), "latency_ms", { value: "1500", from: "end − start" }],
  [
    "a failure",
    mapSpan(span({}, { status: { code: 2, message: "boom" } })),
    "status",
    { value: "error", from: "status of the span" },
  ],
  [
    "its message",
    mapSpan(span({}, { status: { code: 2, message: "boom" } })),
    "error_message",
    { value: "boom", from: "message of the status" },
  ],
  [
    "a failure that only an exception tells",
    mapSpan(span({}, { events: [spanEvent("exception", {})] })),
    "status",
    { value: "error", from: "event exception" },
  ],
  [
    "a type that was inferred",
    mapSpan(span({ "gen_ai.request.model": "m", "gen_ai.usage.output_tokens": 3 })),
    "event_type",
    { value: "prompt_call", from: "inferred from a model and its tokens or content" },
  ],
  [
    "a model that was only asked for",
    mapSpan(span({ "gen_ai.operation.name": "chat", "gen_ai.request.model": "m" })),
    "model",
    { value: "m", from: "gen_ai.request.model" },
  ],
  [
    "what lost against an older or other name",
    mapSpan(span({
      "gen_ai.operation.name": "chat",
      "gen_ai.usage.input_tokens": 10,
      "gen_ai.usage.prompt_tokens": 11,
    })),
    "tokens_input",
    {
      value: "10",
      others: [{ from: "gen_ai.usage.prompt_tokens", convention: "otel_genai", value: "11" }],
    },
  ],
  [
    "a value that could not be stored",
    mapSpan(span({ "session.id": "s".repeat(300), "gen_ai.conversation.id": "c" })),
    "session_id",
    { value: "c", from: "gen_ai.conversation.id" },
  ],
  ["the words of a log", mapLogRecord(log("", {}, { body: "hi" })), "output", { from: "body" }],
  [
    "the run of a log",
    mapLogRecord(log("", { "session.id": "s1" })),
    "run_id",
    { value: "s1", from: "session.id" },
  ],
  [
    "a log that says how bad it is",
    mapLogRecord(log("", {}, { body: "disk is full", severity_number: 17 })),
    "status",
    { value: "error", from: "severity" },
  ],
  [
    "a failed evaluation",
    mapLogRecord(log("gen_ai.evaluation.result", { "gen_ai.evaluation.score.label": "fail" })),
    "status",
    { value: "assertion_failed", from: "gen_ai.evaluation.score.label" },
  ],
];
for (const [name, draft, field, expected] of origins) {
  test(`explain: ${name}`, () => {
    const found = explain(stored(draft))!.fields.filter((one) => one.field === field);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject(expected);
  });
}

test("explain: what an agent sums up is named as not counted", () => {
  const usage = { "gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 5 };
  const told = explain(stored(mapSpan(span(usage))))!;
  expect(told.not_counted).toEqual(["gen_ai.usage.input_tokens"]);
  expect(told.left_over).toEqual(["gen_ai.usage.input_tokens"]);
  expect(told.rules).toEqual(["aggregate_not_counted"]);
});
