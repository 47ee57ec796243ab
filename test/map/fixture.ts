// Spans and log records to map, with as little as a test has to say.
import { type Draft } from "../../src/map/event.ts";
import type { LogRecord, Span, SpanEvent, Value } from "../../src/receive/otlp/telemetry.ts";

const resource = { attributes: {}, schema_url: "" };
const scope = { name: "test", version: "", attributes: {}, schema_url: "" };

export function span(
  attributes: Record<string, Value>,
  more: Partial<Span> = {},
): Span {
  return {
    resource,
    scope,
    trace_id: "0af7651916cd43dd8448eb211c80319c",
    span_id: "b7ad6b7169203331",
    parent_span_id: null,
    trace_state: "",
    flags: 0,
    name: "call",
    kind: 0,
    start: 1_769_860_800_000_000_000n,
    end: 1_769_860_801_500_000_000n,
    attributes: Object.assign(Object.create(null), attributes),
    events: [],
    links: [],
    status: { code: 0, message: "" },
    dropped: { attributes: 0, events: 0, links: 0 },
    ...more,
  };
}

export function log(
  event_name: string,
  attributes: Record<string, Value>,
  more: Partial<LogRecord> = {},
): LogRecord {
  return {
    resource,
    scope,
    time: 1_769_860_800_000_000_000n,
    observed_time: 0n,
    severity_number: 9,
    severity_text: "INFO",
    body: null,
    attributes: Object.assign(Object.create(null), attributes),
    event_name,
    trace_id: null,
    span_id: null,
    flags: 0,
    dropped_attributes: 0,
    ...more,
  };
}

export function spanEvent(
  name: string,
  attributes: Record<string, Value>,
): SpanEvent {
  return { name, time: 1_769_860_800_500_000_000n, attributes };
}

/** The fields that a test expects, of an event that may have more. */
export function only(event: Draft, expected: object): Draft {
  return Object.fromEntries(
    Object.keys(expected).map((name) => [name, event[name] ?? null]),
  );
}
