// ExportTraceServiceRequest in JSON → spans.
import { emptyAttributes, emptySpan } from "../empty.ts";
import { attempt, type Export, type ExportRefusal } from "../export.ts";
import {
  optionalId,
  parentOf,
  requireSpanId,
  requireTraceId,
  spanIdBytes,
  traceIdBytes,
} from "../id.ts";
import type { Span, SpanEvent, SpanLink } from "../telemetry.ts";
import {
  enumOf,
  idOf,
  int32Of,
  listOf,
  type Message,
  messageOf,
  textOf,
  uintegerOf,
} from "./fields.ts";
import { readAttributes, readItem, readRequest } from "./value.ts";

const known = new Set([
  "traceId",
  "spanId",
  "parentSpanId",
  "traceState",
  "startTimeUnixNano",
  "endTimeUnixNano",
  "droppedAttributesCount",
  "droppedEventsCount",
  "droppedLinksCount",
]);

const kinds = [
  "SPAN_KIND_UNSPECIFIED",
  "SPAN_KIND_INTERNAL",
  "SPAN_KIND_SERVER",
  "SPAN_KIND_CLIENT",
  "SPAN_KIND_PRODUCER",
  "SPAN_KIND_CONSUMER",
];
const statusCodes = ["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"];

export function readTraces(body: Uint8Array): Export<Span> | ExportRefusal {
  return attempt((spans) =>
    readRequest(body, "traces", (value, resource, scope) => {
      const span = emptySpan(resource, scope);
      readItem("traces", spans, value, span, known, (message) => readSpan(message, span));
    })
  );
}

function readSpan(message: Message, span: Span): void {
  span.name = textOf(message.name, "name");
  span.trace_id = requireTraceId(idOf(message.traceId, "traceId"));
  span.span_id = requireSpanId(idOf(message.spanId, "spanId"));
  span.parent_span_id = parentOf(idOf(message.parentSpanId, "parentSpanId"));
  span.trace_state = textOf(message.traceState, "traceState");
  span.flags = int32Of(message.flags, "flags") >>> 0;
  span.kind = enumOf(message.kind, "kind", kinds);
  span.start = uintegerOf(message.startTimeUnixNano, "startTimeUnixNano");
  span.end = uintegerOf(message.endTimeUnixNano, "endTimeUnixNano");
  readAttributes(message.attributes, "attributes", span.attributes);
  span.events = listOf(message.events, "events").map(readEvent);
  span.links = listOf(message.links, "links").map(readLink);
  const status = messageOf(message.status, "status");
  span.status.code = enumOf(status.code, "status.code", statusCodes);
  span.status.message = textOf(status.message, "status.message");
  span.dropped.attributes = int32Of(message.droppedAttributesCount, "droppedAttributesCount");
  span.dropped.events = int32Of(message.droppedEventsCount, "droppedEventsCount");
  span.dropped.links = int32Of(message.droppedLinksCount, "droppedLinksCount");
}

function readEvent(value: unknown): SpanEvent {
  const message = messageOf(value, "events[]");
  const attributes = emptyAttributes();
  readAttributes(message.attributes, "events[].attributes", attributes);
  return {
    name: textOf(message.name, "events[].name"),
    time: uintegerOf(message.timeUnixNano, "events[].timeUnixNano"),
    attributes,
  };
}

function readLink(value: unknown): SpanLink {
  const message = messageOf(value, "links[]");
  const attributes = emptyAttributes();
  readAttributes(message.attributes, "links[].attributes", attributes);
  return {
    trace_id: optionalId(idOf(message.traceId, "links[].traceId"), traceIdBytes),
    span_id: optionalId(idOf(message.spanId, "links[].spanId"), spanIdBytes),
    trace_state: textOf(message.traceState, "links[].traceState"),
    attributes,
  };
}
