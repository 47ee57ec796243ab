// ExportLogsServiceRequest in JSON → log records.
import { emptyLogRecord } from "../empty.ts";
import { attempt, type Export, type ExportRefusal } from "../export.ts";
import { optionalId, spanIdBytes, traceIdBytes } from "../id.ts";
import type { LogRecord } from "../telemetry.ts";
import { enumOf, idOf, int32Of, type Message, textOf, uintegerOf } from "./fields.ts";
import { readAttributes, readItem, readRequest, readValue } from "./value.ts";

const known = new Set([
  "timeUnixNano",
  "observedTimeUnixNano",
  "severityNumber",
  "severityText",
  "eventName",
  "traceId",
  "spanId",
  "droppedAttributesCount",
]);

/** SEVERITY_NUMBER_TRACE, …_TRACE2 to …_FATAL4, in order. */
const severities = [
  "SEVERITY_NUMBER_UNSPECIFIED",
  ...["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"].flatMap((level) =>
    ["", "2", "3", "4"].map((step) => `SEVERITY_NUMBER_${level}${step}`)
  ),
];

export function readLogs(body: Uint8Array): Export<LogRecord> | ExportRefusal {
  return attempt((records) =>
    readRequest(body, "logs", (value, resource, scope) => {
      const record = emptyLogRecord(resource, scope);
      readItem("logs", records, value, record, known, (message) => readLogRecord(message, record));
    })
  );
}

function readLogRecord(message: Message, record: LogRecord): void {
  record.time = uintegerOf(message.timeUnixNano, "timeUnixNano");
  record.observed_time = uintegerOf(message.observedTimeUnixNano, "observedTimeUnixNano");
  record.severity_number = enumOf(message.severityNumber, "severityNumber", severities);
  record.severity_text = textOf(message.severityText, "severityText");
  record.body = readValue(message.body, "body");
  readAttributes(message.attributes, "attributes", record.attributes);
  record.event_name = textOf(message.eventName, "eventName");
  record.trace_id = optionalId(idOf(message.traceId, "traceId"), traceIdBytes);
  record.span_id = optionalId(idOf(message.spanId, "spanId"), spanIdBytes);
  record.flags = int32Of(message.flags, "flags") >>> 0;
  record.dropped_attributes = int32Of(message.droppedAttributesCount, "droppedAttributesCount");
}
