// Exports to measure with: model calls of a chosen size with ids that were never sent before.
import type { Encoding } from "../../src/receive/otlp/export.ts";
import { makeEvents } from "./events.ts";
import { attribute, field, fixed64, number, request, span, text } from "./otlp_wire.ts";

export const encodings: readonly Encoding[] = ["protobuf", "json"];

export interface BenchExport {
  /** The next body. */
  body(): Buffer;
  spansOf: number;
}

/** What the attributes and the envelope take besides the text. */
const bytesOfRest = 250;

/** Ids are written over the placeholders in place: making bodies anew would cost more than sending. */
export function exportOf(encoding: Encoding, spans: number, bytes: number): BenchExport {
  const calls = makeEvents(7, 0, spans, Math.max(bytes - bytesOfRest, 50) + 480, 1_790_000_000_000);
  const placeholders = calls.map((_, at) => (0xa5a5a5a5_00000000n + BigInt(at)).toString(16));
  const whole = encoding === "protobuf"
    ? request(...calls.map((call, at) => protobufSpan(call, placeholders[at]!)))
    : Buffer.from(JSON.stringify(jsonRequest(calls, placeholders)));
  const places = placeholders.map((id) =>
    whole.indexOf(encoding === "protobuf" ? Buffer.from(id, "hex") : id)
  );
  let next = 1n;
  return {
    spansOf: spans,
    body: () => {
      for (const place of places) {
        const id = (next++).toString(16).padStart(16, "0");
        whole.write(id, place, encoding === "protobuf" ? "hex" : "latin1");
      }
      // Of its own: the one before may still be on its way.
      return Buffer.from(whole);
    },
  };
}

type Call = Record<string, unknown>;

const startNs = 1_790_000_000_000_000_000n;

function attributesOf({ model, tokens_input, tokens_output, prompt, response }: Call) {
  const message = (role: string, content: unknown) =>
    JSON.stringify([{ role, parts: [{ type: "text", content }] }]);
  return {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": String(model),
    "gen_ai.usage.input_tokens": Number(tokens_input),
    "gen_ai.usage.output_tokens": Number(tokens_output),
    ...String(prompt).length < 40 ? {} : {
      "gen_ai.input.messages": message("user", prompt),
      "gen_ai.output.messages": message("assistant", response),
    },
  };
}

function protobufSpan(call: Call, id: string): Buffer {
  const attributes = Object.entries(attributesOf(call)).map(([key, value]) =>
    attribute(9, key, typeof value === "number" ? number(3, value) : text(value))
  );
  return span(
    field(2, Buffer.from(id, "hex")),
    fixed64(7, startNs),
    fixed64(8, startNs + 1_234_567_890n),
    ...attributes,
  );
}

function jsonRequest(calls: readonly Call[], ids: readonly string[]) {
  const spans = calls.map((call, at) => ({
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: ids[at],
    name: "chat",
    kind: 3,
    startTimeUnixNano: String(startNs),
    endTimeUnixNano: String(startNs + 1_234_567_890n),
    attributes: Object.entries(attributesOf(call)).map(([key, value]) => ({
      key,
      value: typeof value === "number" ? { intValue: String(value) } : { stringValue: value },
    })),
  }));
  const attributes = [{ key: "service.name", value: { stringValue: "shop" } }];
  return {
    resourceSpans: [{
      resource: { attributes },
      scopeSpans: [{ scope: { name: "tests", version: "1.0" }, spans }],
    }],
  };
}
