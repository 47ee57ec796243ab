// ExportTraceServiceRequest in protobuf → spans.
import { emptyAttributes, emptySpan } from "../empty.ts";
import { attempt, cost, type Export, type ExportRefusal } from "../export.ts";
import {
  optionalId,
  parentOf,
  requireSpanId,
  requireTraceId,
  spanIdBytes,
  traceIdBytes,
} from "../id.ts";
import type { Span, SpanEvent, SpanLink } from "../telemetry.ts";
import { Input, readAttribute, readItem, readRequest } from "./value.ts";
import { bytes, fixed32, fixed64, varint } from "./wire.ts";

export function readTraces(body: Uint8Array): Export<Span> | ExportRefusal {
  return attempt((spans) =>
    readRequest(new Input(body), (input, resource, scope) => {
      const span = emptySpan(resource, scope);
      readItem("traces", input, spans, span, () => readSpan(input, span));
    })
  );
}

function readSpan(input: Input, span: Span): void {
  const { wire } = input;
  let parent = "";
  for (let tag = wire.tag(); tag !== 0; tag = wire.tag()) {
    switch (tag) {
      case bytes(1):
        span.trace_id = wire.hex();
        break;
      case bytes(2):
        span.span_id = wire.hex();
        break;
      case bytes(3):
        span.trace_state = wire.text();
        break;
      case bytes(4):
        parent = wire.hex();
        break;
      case bytes(5):
        span.name = wire.text();
        break;
      case varint(6):
        span.kind = wire.int32();
        break;
      case fixed64(7):
        span.start = wire.fixed64();
        break;
      case fixed64(8):
        span.end = wire.fixed64();
        break;
      case bytes(9):
        readAttribute(input, span.attributes);
        break;
      case varint(10):
        span.dropped.attributes = wire.uint32();
        break;
      case bytes(11):
        span.events.push(readEvent(input));
        break;
      case varint(12):
        span.dropped.events = wire.uint32();
        break;
      case bytes(13):
        span.links.push(readLink(input));
        break;
      case varint(14):
        span.dropped.links = wire.uint32();
        break;
      case bytes(15):
        readStatus(input, span.status);
        break;
      case fixed32(16):
        span.flags = wire.fixed32();
        break;
      default:
        wire.skip(tag);
    }
  }
  span.trace_id = requireTraceId(span.trace_id);
  span.span_id = requireSpanId(span.span_id);
  span.parent_span_id = parentOf(parent);
}

function readEvent(input: Input): SpanEvent {
  const { wire } = input;
  input.budget.spend(cost.record);
  const event: SpanEvent = { name: "", time: 0n, attributes: emptyAttributes() };
  const outer = wire.enter();
  for (let tag = wire.tag(); tag !== 0; tag = wire.tag()) {
    switch (tag) {
      case fixed64(1):
        event.time = wire.fixed64();
        break;
      case bytes(2):
        event.name = wire.text();
        break;
      case bytes(3):
        readAttribute(input, event.attributes);
        break;
      default:
        wire.skip(tag);
    }
  }
  wire.leave(outer);
  return event;
}

function readLink(input: Input): SpanLink {
  const { wire } = input;
  input.budget.spend(cost.record);
  const link: SpanLink = {
    trace_id: null,
    span_id: null,
    trace_state: "",
    attributes: emptyAttributes(),
  };
  const outer = wire.enter();
  for (let tag = wire.tag(); tag !== 0; tag = wire.tag()) {
    switch (tag) {
      case bytes(1):
        link.trace_id = optionalId(wire.hex(), traceIdBytes);
        break;
      case bytes(2):
        link.span_id = optionalId(wire.hex(), spanIdBytes);
        break;
      case bytes(3):
        link.trace_state = wire.text();
        break;
      case bytes(4):
        readAttribute(input, link.attributes);
        break;
      default:
        wire.skip(tag);
    }
  }
  wire.leave(outer);
  return link;
}

function readStatus({ wire }: Input, status: Span["status"]): void {
  const outer = wire.enter();
  for (let tag = wire.tag(); tag !== 0; tag = wire.tag()) {
    switch (tag) {
      case bytes(2):
        status.message = wire.text();
        break;
      case varint(3):
        status.code = wire.int32();
        break;
      default:
        wire.skip(tag);
    }
  }
  wire.leave(outer);
}
