// A program with OpenTelemetry as a user has it: exporters without options, told by OTEL_* variables
// where to send. Arguments: the folder of its packages, the exporter (proto, http or grpc), a name.
import { createRequire } from "node:module";
import { join } from "node:path";

const [folder, protocol, name] = process.argv.slice(2);
const require = createRequire(join(folder, "package.json"));
const { BatchSpanProcessor, TracerProvider } = require("@opentelemetry/sdk-trace");
const { BatchLogRecordProcessor, LoggerProvider } = require("@opentelemetry/sdk-logs");
const { MeterProvider, PeriodicExportingMetricReader } = require("@opentelemetry/sdk-metrics");
const { resourceFromAttributes } = require("@opentelemetry/resources");
const { OTLPTraceExporter } = require(`@opentelemetry/exporter-trace-otlp-${protocol}`);
const { OTLPLogExporter } = require(`@opentelemetry/exporter-logs-otlp-${protocol}`);
const { OTLPMetricExporter } = require(`@opentelemetry/exporter-metrics-otlp-${protocol}`);

const resource = resourceFromAttributes({ "service.name": name, "service.version": "1.2.3" });

const tracers = new TracerProvider({
  resource,
  spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
});
const loggers = new LoggerProvider({
  resource,
  processors: [new BatchLogRecordProcessor({ exporter: new OTLPLogExporter() })],
});
const meters = new MeterProvider({
  resource,
  readers: [new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter() })],
});

const span = tracers.getTracer("client").startSpan(`chat ${name}`, { kind: 2 });
span.setAttributes({
  "gen_ai.operation.name": "chat",
  "gen_ai.provider.name": "openai",
  "gen_ai.request.model": "gpt-4o-mini",
  "gen_ai.usage.input_tokens": 12,
  "gen_ai.usage.output_tokens": 3,
  "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Grüße?"}]}]',
  "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Hallo!"}]}]',
});
span.end();
loggers.getLogger("client").emit({
  eventName: "client.noted",
  severityNumber: 9,
  body: { note: name },
  attributes: { noted: true },
});
meters.getMeter("client").createHistogram("gen_ai.client.token.usage", { unit: "{token}" })
  .record(12, { "gen_ai.token.type": "input" });

for (const provider of [tracers, loggers, meters]) await provider.forceFlush();
for (const provider of [tracers, loggers, meters]) await provider.shutdown();
