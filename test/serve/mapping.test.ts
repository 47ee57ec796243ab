// Spans and log records as exporters send them, and what the inspector tells of the events.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startTestServer, type TestServer } from "./fixture.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await send("/v1/traces", {
    resourceSpans: [{
      resource: { attributes: attributes({ "service.name": "api" }) },
      scopeSpans: [{ spans: [callSpan] }],
    }],
  });
  await send("/v1/logs", { resourceLogs: [{ scopeLogs: [{ logRecords: [requestLog] }] }] });
  await server.send([{ event_id: "sent", event_type: "prompt_call", model: "gpt-4o" }]);
});
afterAll(() => server.stop());

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";
/** Long enough that it is not stored twice. */
const messages = JSON.stringify([{ role: "user", content: "Is it late? ".repeat(20) }]);

const callSpan = {
  traceId,
  spanId,
  name: "chat gpt-4o",
  startTimeUnixNano: "1769860800000000000",
  endTimeUnixNano: "1769860801500000000",
  attributes: attributes({
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 1,
    "gen_ai.usage.cache_read.input_tokens": 9,
    "gen_ai.input.messages": messages,
    "http.route": "/chat",
  }),
};
const requestLog = {
  timeUnixNano: "1769860800000000000",
  eventName: "claude_code.api_request",
  attributes: attributes({
    "session.id": "s1",
    model: "claude-sonnet-4-5",
    input_tokens: "10",
    output_tokens: "20",
    request_id: "req_1",
  }),
};

function attributes(given: Record<string, string | number>) {
  return Object.entries(given).map(([key, value]) => ({
    key,
    value: typeof value === "number" ? { intValue: String(value) } : { stringValue: value },
  }));
}

async function send(path: string, body: object): Promise<void> {
  const response = await server.ask(path, "shop", { method: "POST", body: JSON.stringify(body) });
  expect([response.status, await response.text()]).toEqual([200, "{}"]);
}

interface Told {
  title?: string;
  fields: { field: string; from: string; convention: string; value: string; others: unknown[] }[];
}

async function mapping(event_id: string, project: "shop" | "bank" = "shop", query = "") {
  const response = await server.ask(`/api/events/${event_id}/mapping${query}`, project);
  return { status: response.status, body: await response.json() as Told };
}

describe("GET /api/events/{event_id}/mapping", () => {
  test("a span: what each field was made of, and what was left over", async () => {
    const { status, body } = await mapping(`${traceId}-${spanId}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      event_id: `${traceId}-${spanId}`,
      received_as: "span",
      kind: "model",
      kind_by: "otel_genai",
      rules: ["cache_added_to_input", "provider_inferred"],
      not_counted: [],
      left_over: ["http.route"],
    });
    const from = Object.fromEntries(
      body.fields
        .map(({ field, from, value }) => [field, [from, value]]),
    );
    expect(from).toMatchObject({
      event_type: ["gen_ai.operation.name", "prompt_call"],
      run_id: ["trace id", traceId],
      model: ["gen_ai.request.model", "gpt-4o"],
      tokens_input: ["gen_ai.usage.input_tokens", "10"],
      prompt: ["gen_ai.input.messages", expect.stringContaining("Is it late?")],
      service: ["resource: service.name", "api"],
      status: ["status of the span", "success"],
    });
  });

  test("a log record", async () => {
    const list = await (await server.ask("/api/events?model=claude-sonnet-4-5")).json() as {
      events: { event_id: string }[];
    };
    const { status, body } = await mapping(list.events[0]!.event_id);
    expect(status).toBe(200);
    expect(body).toMatchObject({ received_as: "log", kind: "model", kind_by: "claude_code" });
    expect(body.fields).toContainEqual({
      field: "event_id",
      from: "id of the response",
      convention: "common",
      value: list.events[0]!.event_id,
      others: [],
    });
  });

  test.each(
    [
      ["an event that was sent as it is", "sent", "shop", "", 404, "Not mapped"],
      ["an event that is not there", "nowhere", "shop", "", 404, "Not found"],
      ["an event of another project", `${traceId}-${spanId}`, "bank", "", 404, "Not found"],
      ["another project's name", "sent", "bank", "?project_id=shop", 403, "Forbidden"],
      ["an unknown parameter", "sent", "shop", "?deep=1", 400, "Unknown parameter"],
    ] as const,
  )("%s: %s", async (_name, event_id, project, query, status, title) => {
    const answer = await mapping(event_id, project, query);
    expect(answer.status).toBe(status);
    expect(answer.body.title).toBe(title);
  });
});
