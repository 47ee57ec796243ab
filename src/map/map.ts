// Spans and log records → events, by every convention at once. Pure.
// A record is mapped again from what its event keeps: see remap.ts.
import type { Status } from "../event.ts";
import type { LogRecord, Span, SpanEvent, SpanLink, Value } from "../receive/otlp/telemetry.ts";
import {
  type Draft,
  eventTypes,
  label,
  remaining,
  restored,
  setFields,
  setOutcome,
  shallow,
} from "./event.ts";
import { type Reading, readingOf } from "./reading.ts";
import { isObject, type RawRecord, textOf } from "./record.ts";
import { verdictOf } from "./verdict.ts";
import { isoOf, microsecondsOf, nanosOf } from "./time.ts";

const spanKinds = [
  "",
  "internal",
  "server",
  "client",
  "producer",
  "consumer",
] as const;
const nanosPerMs = 1_000_000n;

export function rawSpan(span: Span): RawRecord {
  return {
    signal: "span",
    name: span.name,
    attributes: span.attributes,
    resource: span.resource.attributes,
    scope_name: span.scope.name,
    events: span.events,
    body: null,
    has_span: true,
    start_ms: span.start === 0n ? null : Number(span.start / 1000n) / 1000,
  };
}

/** A span as an event that a producer could have sent. */
export function mapSpan(span: Span): Draft {
  const reading = readingOf(rawSpan(span));
  const { attributes, moved } = remaining(span.attributes, reading);
  const event: Draft = {
    event_id: `${span.trace_id}-${span.span_id}`,
    event_type: eventTypes[reading.kind],
    run_id: span.trace_id,
    span_id: span.span_id,
    name: label(span.name),
    received_as: "span",
  };
  if (span.parent_span_id !== null) event.parent_span_id = span.parent_span_id;
  if (span.start !== 0n) {
    event.timestamp = microsecondsOf(span.start);
  }
  if (span.start !== 0n && span.end >= span.start) {
    event.latency_ms = Number(span.end - span.start) / Number(nanosPerMs);
  } else if (reading.values.has("latency_ms")) {
    event.latency_ms = reading.values.get("latency_ms");
  }
  setFields(event, reading);
  const { code, message } = span.status;
  const told = reading.values.has("error_type") ||
    span.events.some(({ name }) => name === "exception");
  setOutcome(event, reading, {
    failed: code === 2 || (code === 0 && told),
    message,
  });
  setOwn(event, reading);
  if (attributes !== undefined) event.attributes = attributes;
  if (span.kind > 0) {
    event.span_kind = spanKinds[span.kind] ?? String(span.kind);
  }
  setOrigin(event, span);
  if (span.events.length > 0) event.span_events = span.events.map(eventJson);
  if (span.links.length > 0) event.span_links = span.links.map(linkJson);
  event.telemetry = present({
    ...(reading.kind === "score" ? setTarget(event, span) : {}),
    start: span.start === 0n ? null : String(span.start),
    end: span.end === 0n ? null : String(span.end),
    name: event.name === span.name ? null : span.name,
    kind: spanKinds[span.kind] === undefined ? span.kind : null,
    status: code === 0 && message === "" ? null : { code, message },
    trace_state: span.trace_state,
    flags: span.flags,
    dropped: Object.values(span.dropped).some((count) => count > 0) ? span.dropped : null,
    ...schemas(span),
    workflow: reading.values.get("workflow") ?? null,
    rules: reading.rules.length > 0 ? reading.rules : null,
    moved: moved ?? null,
  });
  return event;
}

/** The name of a log's event: OpenTelemetry has had three places for it. */
function eventNameOf({ event_name, attributes, body }: LogRecord): string {
  const named = event_name || textOf(attributes["event.name"]) || "";
  // Claude Code's attribute is short; its body has the whole name.
  if (
    typeof body === "string" && /^(claude_code|codex)\.[a-z_.]+$/.test(body)
  ) return body;
  return named;
}

export function rawLog(record: LogRecord): RawRecord {
  const nanos = record.time === 0n ? record.observed_time : record.time;
  return {
    signal: "log",
    name: eventNameOf(record),
    attributes: record.attributes,
    resource: record.resource.attributes,
    scope_name: record.scope.name,
    events: [],
    body: record.body,
    has_span: record.span_id !== null,
    start_ms: nanos === 0n ? null : Number(nanos / 1000n) / 1000,
  };
}

/** From here on a severity is an error. */
const errorSeverityMin = 17;
const warningSeverityMin = 13;
const bodyNameCharactersMax = 80;

/** A log record as an event; what belongs to a span stands below it in the run. */
export function mapLogRecord(record: LogRecord): Draft {
  const raw = rawLog(record);
  const reading = readingOf(raw);
  const isFailure = record.severity_number >= errorSeverityMin;
  const { attributes, moved } = remaining(record.attributes, reading);
  const nanos = record.time === 0n ? record.observed_time : record.time;
  const responseId = reading.values.get("response_id");
  // One request is one event, however often and in whichever way it is told.
  const event_id = reading.kind === "model" && typeof responseId === "string"
    ? idOf("request", responseId)
    : idOf(
      "log",
      JSON.stringify([
        record.trace_id,
        record.span_id,
        String(nanos),
        raw.name,
        record.severity_number,
        record.body,
        record.attributes,
        record.resource.attributes,
        record.scope.name,
      ]),
    );
  const body = record.body;
  const event: Draft = {
    event_id,
    event_type: reading.kind === "other" && isFailure ? "error" : eventTypes[reading.kind],
    run_id: record.trace_id ?? runOf(record) ?? event_id,
    name: label(
      raw.name ||
        (typeof body === "string" && body !== ""
          ? body.slice(0, bodyNameCharactersMax)
          : record.scope.name || "log"),
    ),
    received_as: "log",
  };
  if (record.span_id !== null) event.parent_span_id = record.span_id;
  if (nanos !== 0n) {
    event.timestamp = microsecondsOf(nanos);
  }
  setFields(event, reading);
  const said = typeof body === "string" && body !== raw.name ? body : "";
  const failed = isFailure || reading.kind === "error" ||
    reading.values.has("error_type");
  setOutcome(event, reading, { failed, message: said });
  if (!failed && record.severity_number >= warningSeverityMin) {
    event.status = "warning";
  }
  setOwn(event, reading);
  const latency = reading.values.get("latency_ms");
  if (latency !== undefined) event.latency_ms = latency;
  // What a plain log says is its output; structured messages have found their fields.
  const bodyField = said !== "" && event.output === undefined && event.prompt === undefined &&
      event.response === undefined && !failed
    ? "output"
    : null;
  if (bodyField !== null) event[bodyField] = said;
  if (attributes !== undefined) event.attributes = attributes;
  setOrigin(event, record);
  event.telemetry = present({
    time: record.time === 0n ? null : String(record.time),
    observed_time: record.observed_time === 0n ? null : String(record.observed_time),
    severity_number: record.severity_number,
    severity_text: record.severity_text,
    event_name: record.event_name,
    body_in: bodyField,
    trace_id: record.trace_id,
    flags: record.flags,
    dropped_attributes: record.dropped_attributes,
    ...schemas(record),
    rules: reading.rules.length > 0 ? reading.rules : null,
    moved: moved ?? null,
  });
  // Zero and nothing are something to say.
  if (bodyField === null && body !== null) {
    (event.telemetry as Draft).body = shallow(body);
  }
  return event;
}

/** A run of a program that sends no traces: a prompt of Claude Code, a conversation. */
function runOf({ attributes }: LogRecord): string | undefined {
  for (
    const key of [
      "prompt.id",
      "session.id",
      "conversation.id",
      "gen_ai.conversation.id",
    ]
  ) {
    const text = textOf(attributes[key]);
    if (text !== undefined && text.length <= 128) return text;
  }
  return undefined;
}

function idOf(what: string, text: string): string {
  return `${what}-${new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 32)}`;
}

/** What a type of event needs besides the fields of the reading. */
function setOwn(event: Draft, { values }: Reading): void {
  if (event.event_type === "tool_call") event.tool_name ??= event.name;
  if (event.event_type === "score") setScore(event, values);
  if (event.event_type === "error") event.error ??= { message: event.name };
}

function setScore(event: Draft, values: Reading["values"]): void {
  event.name = values.get("score_name") ?? event.name;
  const verdict = verdictOf(String(event.name), String(values.get("score_label") ?? ""));
  event.event_type = verdict;
  if (verdict === "assertion_failed") {
    event.assertion_name = event.name;
    event.assertion_type = "custom";
    if (event.status === "success") event.status = "assertion_failed" satisfies Status;
  }
}

/** A score that was given afterwards links to what it judges, and belongs there. */
function setTarget(event: Draft, { trace_id, parent_span_id, links: [link, more] }: Span): Draft {
  if (link === undefined || more !== undefined) return {};
  if (link.trace_id === null || link.span_id === null) return {};
  event.run_id = link.trace_id;
  event.parent_span_id = link.span_id;
  return { trace_id, parent_span_id };
}

function setOrigin(
  event: Draft,
  { resource, scope }: Pick<Span, "resource" | "scope">,
): void {
  if (Object.keys(resource.attributes).length > 0) {
    event.resource = mapped(resource.attributes);
  }
  if (
    scope.name !== "" || scope.version !== "" ||
    Object.keys(scope.attributes).length > 0
  ) {
    event.scope = present({
      name: scope.name,
      version: scope.version,
      attributes: Object.keys(scope.attributes).length > 0 ? mapped(scope.attributes) : null,
    });
  }
}

function mapped(attributes: Record<string, Value>): Record<string, Value> {
  const made = Object.create(null) as Record<string, Value>;
  for (const key in attributes) made[key] = shallow(attributes[key]!);
  return made;
}

function schemas({ resource, scope }: Pick<Span, "resource" | "scope">) {
  return {
    resource_schema_url: resource.schema_url,
    scope_schema_url: scope.schema_url,
  };
}

/** Without what is null, empty or zero: absence says the same. */
function present(fields: Draft): Draft {
  const made: Draft = {};
  for (const name in fields) {
    const value = fields[name];
    if (value !== null && value !== undefined && value !== "" && value !== 0) made[name] = value;
  }
  return made;
}

function eventJson({ name, time, attributes }: SpanEvent): Draft {
  return present({
    name,
    time: time === 0n ? null : isoOf(time),
    attributes: Object.keys(attributes).length > 0 ? mapped(attributes) : null,
  });
}

function linkJson(
  { trace_id, span_id, trace_state, attributes }: SpanLink,
): Draft {
  return present({
    trace_id,
    span_id,
    trace_state,
    attributes: Object.keys(attributes).length > 0 ? mapped(attributes) : null,
  });
}

/** The span that an event was made of. */
export function spanOf(event: Draft): Span {
  const telemetry = (event.telemetry ?? {}) as Draft;
  const status = (telemetry.status ?? {}) as {
    code?: number;
    message?: string;
  };
  const dropped = (telemetry.dropped ?? {}) as Partial<Span["dropped"]>;
  const kind = spanKinds.indexOf(event.span_kind as (typeof spanKinds)[number]);
  return {
    ...originOf(event),
    trace_id: String(telemetry.trace_id ?? event.run_id),
    span_id: String(event.span_id),
    parent_span_id: textOf(
      (telemetry.trace_id === undefined ? event : telemetry).parent_span_id as Value,
    ) ?? null,
    trace_state: String(telemetry.trace_state ?? ""),
    flags: Number(telemetry.flags ?? 0),
    name: String(telemetry.name ?? event.name ?? ""),
    kind: typeof telemetry.kind === "number" ? telemetry.kind : Math.max(0, kind),
    start: nanosOf(telemetry.start),
    end: nanosOf(telemetry.end),
    attributes: restored(event),
    events: listOf(event.span_events).map(({ name, time, attributes }) => ({
      name: String(name ?? ""),
      time: nanosOf(time),
      attributes: attributesOf(attributes),
    })),
    links: listOf(event.span_links).map((
      { trace_id, span_id, trace_state, attributes },
    ) => ({
      trace_id: textOf(trace_id as Value) ?? null,
      span_id: textOf(span_id as Value) ?? null,
      trace_state: String(trace_state ?? ""),
      attributes: attributesOf(attributes),
    })),
    status: { code: status.code ?? 0, message: status.message ?? "" },
    dropped: {
      attributes: dropped.attributes ?? 0,
      events: dropped.events ?? 0,
      links: dropped.links ?? 0,
    },
  };
}

/** The log record that an event was made of. */
export function logRecordOf(event: Draft): LogRecord {
  const telemetry = (event.telemetry ?? {}) as Draft;
  const bodyIn = textOf(telemetry.body_in as Value);
  return {
    ...originOf(event),
    time: nanosOf(telemetry.time),
    observed_time: nanosOf(telemetry.observed_time),
    severity_number: Number(telemetry.severity_number ?? 0),
    severity_text: String(telemetry.severity_text ?? ""),
    body: (bodyIn === undefined ? telemetry.body ?? null : event[bodyIn] ?? null) as Value,
    attributes: restored(event),
    event_name: String(telemetry.event_name ?? ""),
    trace_id: textOf(telemetry.trace_id as Value) ?? null,
    span_id: textOf(event.parent_span_id as Value) ?? null,
    flags: Number(telemetry.flags ?? 0),
    dropped_attributes: Number(telemetry.dropped_attributes ?? 0),
  };
}

function originOf(event: Draft): Pick<Span, "resource" | "scope"> {
  const telemetry = (event.telemetry ?? {}) as Draft;
  const scope = (event.scope ?? {}) as Draft;
  return {
    resource: {
      attributes: attributesOf(event.resource),
      schema_url: String(telemetry.resource_schema_url ?? ""),
    },
    scope: {
      name: String(scope.name ?? ""),
      version: String(scope.version ?? ""),
      attributes: attributesOf(scope.attributes),
      schema_url: String(telemetry.scope_schema_url ?? ""),
    },
  };
}

function attributesOf(value: unknown): Record<string, Value> {
  return Object.assign(
    Object.create(null),
    isObject(value) ? value : {},
  ) as Record<string, Value>;
}

function listOf(value: unknown): Draft[] {
  return Array.isArray(value) ? value.filter((item) => isObject(item)) : [];
}
