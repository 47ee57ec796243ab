// Observations of another product become spans again, and differences are told.
import { expect, test } from "bun:test";
import { differences, type Observation, otlpSpan } from "../../scripts/replay_framework_traces.ts";
import { decode } from "../../src/receive/otlp/decode.ts";
import { mapSpan } from "../../src/map/map.ts";
import type { Span } from "../../src/receive/otlp/telemetry.ts";

const observation: Observation = {
  id: "b7ad6b7169203331",
  traceId: "0af7651916cd43dd8448eb211c80319c",
  parentObservationId: null,
  type: "GENERATION",
  name: "chat",
  startTime: "2026-01-31T12:00:00.000Z",
  endTime: "2026-01-31T12:00:01.500Z",
  level: "DEFAULT",
  statusMessage: null,
  input: [{ role: "user", content: "hi" }],
  output: "ho",
  model: "gpt-4o",
  inputUsage: 10,
  outputUsage: 5,
  metadata: JSON.stringify({
    attributes: {
      "gen_ai.operation.name": "chat",
      "gen_ai.request.model": "gpt-4o",
      "gen_ai.usage.input_tokens": 10,
      "gen_ai.usage.output_tokens": 6,
      "gen_ai.response.finish_reasons": ["stop"],
      "gen_ai.request.temperature": 0.5,
    },
  }),
};

function stored(given: Observation): Record<string, unknown> {
  const body = { resourceSpans: [{ scopeSpans: [{ spans: [otlpSpan(given)] }] }] };
  const decoded = decode("traces", "json", new TextEncoder().encode(JSON.stringify(body)));
  if ("reason" in decoded) throw new Error(decoded.message);
  return mapSpan(decoded.items[0] as Span);
}

test("replay: what is the same, and what is not", () => {
  const event = stored(observation);
  expect(event).toMatchObject({
    event_type: "prompt_call",
    latency_ms: 1500,
    prompt: [{ role: "user", content: "hi" }],
    response: "ho",
    model_parameters: { temperature: 0.5 },
  });
  expect(differences(observation, event)).toEqual([
    { name: "chat", field: "tokens_output", ours: 6, theirs: 5 },
  ]);
});

test("replay: without attributes, as that product's own SDK sends it", () => {
  const bare = { ...observation, metadata: {} };
  expect(differences(bare, stored(bare))).toEqual([]);
});
