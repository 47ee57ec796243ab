// Fields that no attribute became: they are the span's or the log record's own, or were inferred.
import type { Draft } from "./event.ts";
import type { Reading } from "./reading.ts";
import type { RawRecord } from "./record.ts";

export interface Own {
  field: string;
  from: string;
  value: unknown;
}

const ofSpans: Readonly<Record<string, string>> = {
  event_id: "trace id and span id",
  run_id: "trace id",
  parent_span_id: "parent span id",
  name: "name of the span",
  timestamp: "start",
  latency_ms: "end − start",
};
const ofLogs: Readonly<Record<string, string>> = {
  event_id: "hash of the record",
  parent_span_id: "span id",
  name: "name of the event",
  timestamp: "time",
};

/** In the order of the event; only fields that it has. */
export function originsOf(record: RawRecord, reading: Reading, event: Draft): Own[] {
  const { values, hits } = reading;
  const telemetry = (event.telemetry ?? {}) as Draft;
  const isSpan = record.signal === "span";
  const from = { ...(isSpan ? ofSpans : ofLogs) };
  if (isSpan && telemetry.trace_id !== undefined) {
    from.run_id = "trace id of the link";
    from.parent_span_id = "span id of the link";
  }
  if (!isSpan) {
    from.run_id = telemetry.trace_id === undefined ? runOf(record, event) : "trace id";
    if (String(event.event_id).startsWith("request-")) from.event_id = "id of the response";
    if (record.name === "") from.name = typeof record.body === "string" ? "body" : "scope";
    if (telemetry.time === undefined) from.timestamp = "observed time";
    if (telemetry.body_in !== undefined) from[String(telemetry.body_in)] = "body";
  }
  if (hits.has("score_name")) delete from.name;
  if (telemetry.end === undefined) delete from.latency_ms;
  if (values.has("provider") && !hits.has("provider")) from.provider = "inferred from the model";
  if (event.event_type === "tool_call" && !hits.has("tool_name")) from.tool_name = from.name!;
  from.status = statusFrom(record, reading, event);
  const rows = Object.keys(from).map((field) => ({
    field,
    from: from[field]!,
    value: event[field],
  }));
  const { message } = (event.error ?? {}) as Draft;
  if (message !== undefined && !hits.has("error_message")) {
    rows.push({
      field: "error_message",
      from: messageFrom(isSpan, message, values),
      value: message,
    });
  }
  return rows.filter(({ value }) => value !== undefined);
}

function runOf({ attributes }: RawRecord, { run_id, event_id }: Draft): string {
  const key = Object.keys(attributes).find((one) => attributes[one] === run_id);
  return run_id === event_id ? "the event is its own run" : key ?? "an attribute";
}

function messageFrom(isSpan: boolean, message: unknown, values: Reading["values"]): string {
  if (message === values.get("error_type")) return "type of the error";
  return isSpan ? "message of the status" : "body";
}

function statusFrom({ signal, events }: RawRecord, { hits }: Reading, event: Draft): string {
  const { status } = (event.telemetry ?? {}) as { status?: { code: number } };
  if (event.status === "assertion_failed") return hits.get("score_label")!.source.label;
  if (event.status === "success" || status?.code === 2) {
    return signal === "span" ? "status of the span" : "no sign of a failure";
  }
  const sign = hits.get("error_type") ?? hits.get("level");
  if (sign !== undefined) return sign.source.label;
  return events.some(({ name }) => name === "exception") ? "event exception" : "severity";
}
