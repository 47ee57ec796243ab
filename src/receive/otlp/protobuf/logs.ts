// ExportLogsServiceRequest in protobuf → log records.
import { emptyLogRecord } from "../empty.ts";
import { attempt, type Export, type ExportRefusal } from "../export.ts";
import { optionalId, spanIdBytes, traceIdBytes } from "../id.ts";
import type { LogRecord } from "../telemetry.ts";
import { Input, readAttribute, readItem, readRequest, readValue } from "./value.ts";
import { bytes, fixed32, fixed64, varint } from "./wire.ts";

export function readLogs(body: Uint8Array): Export<LogRecord> | ExportRefusal {
  return attempt((records) =>
    readRequest(new Input(body), (input, resource, scope) => {
      const record = emptyLogRecord(resource, scope);
      readItem("logs", input, records, record, () => readLogRecord(input, record));
    })
  );
}

function readLogRecord(input: Input, record: LogRecord): void {
  const { wire } = input;
  for (let tag = wire.tag(); tag !== 0; tag = wire.tag()) {
    switch (tag) {
      case fixed64(1):
        record.time = wire.fixed64();
        break;
      case varint(2):
        record.severity_number = wire.int32();
        break;
      case bytes(3):
        record.severity_text = wire.text();
        break;
      case bytes(5):
        record.body = readValue(input);
        break;
      case bytes(6):
        readAttribute(input, record.attributes);
        break;
      case varint(7):
        record.dropped_attributes = wire.uint32();
        break;
      case fixed32(8):
        record.flags = wire.fixed32();
        break;
      case bytes(9):
        record.trace_id = optionalId(wire.hex(), traceIdBytes);
        break;
      case bytes(10):
        record.span_id = optionalId(wire.hex(), spanIdBytes);
        break;
      case fixed64(11):
        record.observed_time = wire.fixed64();
        break;
      case bytes(12):
        record.event_name = wire.text();
        break;
      default:
        wire.skip(tag);
    }
  }
}
