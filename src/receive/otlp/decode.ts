// The bytes of an OTLP export → what it says, whatever its encoding; or why it cannot be read, in a
// sentence that helps. Pure.
import {
  type Encoding,
  type Export,
  type ExportRefusal,
  rejectedText,
  type Signal,
  wrongSignal,
} from "./export.ts";
import * as jsonLogs from "./json/logs.ts";
import * as jsonMetrics from "./json/metrics.ts";
import * as jsonTraces from "./json/traces.ts";
import * as protobufLogs from "./protobuf/logs.ts";
import * as protobufMetrics from "./protobuf/metrics.ts";
import { shapeOf } from "./protobuf/shape.ts";
import * as protobufTraces from "./protobuf/traces.ts";
import type { LogRecord, MetricPoint, Span } from "./telemetry.ts";

export interface Items {
  traces: Span;
  logs: LogRecord;
  metrics: MetricPoint;
}

type Decoders = {
  [S in Signal]: Record<Encoding, (body: Uint8Array) => Export<Items[S]> | ExportRefusal>;
};

const decoders: Decoders = {
  traces: { protobuf: protobufTraces.readTraces, json: jsonTraces.readTraces },
  logs: { protobuf: protobufLogs.readLogs, json: jsonLogs.readLogs },
  metrics: { protobuf: protobufMetrics.readMetrics, json: jsonMetrics.readMetrics },
};

export function decode<S extends Signal>(
  signal: S,
  encoding: Encoding,
  body: Uint8Array,
): Export<Items[S]> | ExportRefusal {
  const shape = encoding === "protobuf" ? shapeOf(body, signal) : null;
  if (shape?.fits === false && shape.other !== null) return wrongSignal(shape.other, signal);
  const decoded = decoders[signal][encoding](body);
  if ("reason" in decoded) return { ...decoded, message: decoded.message + hint(encoding, body) };
  const { items, rejected } = decoded;
  if (items.length > 0 || rejected.count === 0) return decoded;
  // What a span has its ids in, a metric has its name and description in.
  if (typeof shape?.other === "string") return wrongSignal(shape.other, signal);
  return { reason: "invalid_export", message: rejectedText(signal, rejected, rejected.count) };
}

const newline = 0x0a;
const brace = 0x7b;

/** What the body seems to be instead. */
function hint(encoding: Encoding, body: Uint8Array): string {
  const [first, second] = body;
  if (first === 0x1f && second === 0x8b) {
    return " The body is compressed: send Content-Encoding: gzip.";
  }
  if (encoding === "protobuf" && first === brace) {
    return " The body seems to be JSON: send Content-Type: application/json.";
  }
  return encoding === "json" && first === newline
    ? " The body seems to be protobuf: send Content-Type: application/x-protobuf."
    : "";
}
