// What is timed: recording one call of a model with its texts and figures, by each of the libraries.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const prompt = [
  { role: "system", content: "You are a helpful assistant." },
  { role: "user", content: "What is the capital of France? ".repeat(4) },
];
const response = "Paris is the capital of France. ".repeat(5);
const event = {
  model: "gpt-4o",
  provider: "openai",
  prompt,
  response,
  tokens_input: 123,
  tokens_output: 45,
  latency_ms: 812.5,
  finish_reason: "stop",
  session_id: "session-1",
};
/** OpenTelemetry's attributes are texts and numbers: whoever calls it writes the JSON. */
const attributes = () => ({
  "gen_ai.request.model": "gpt-4o",
  "gen_ai.provider.name": "openai",
  "gen_ai.input.messages": JSON.stringify(prompt),
  "gen_ai.output.messages": response,
  "gen_ai.usage.input_tokens": 123,
  "gen_ai.usage.output_tokens": 45,
  "gen_ai.response.finish_reasons": "stop",
  "session.id": "session-1",
});

const load = (folder, name) =>
  import(pathToFileURL(createRequire(`${folder}/bench.js`).resolve(name)).href);

async function aisentry(folder, port) {
  const module = await import(pathToFileURL(`${folder}/index.js`).href);
  if (port !== null) module.init({ dsn: `http://a-key-of-the-bench@127.0.0.1:${port}/bench` });
  return module;
}

const ours = (make) => async (folder, port) => {
  const module = await aisentry(folder, port);
  return {
    call: make(module),
    flush: () => module.flush(),
    dropped: () => module.stats()?.dropped,
  };
};

async function otelProvider(folder, processor) {
  const { NodeTracerProvider } = await load(folder, "@opentelemetry/sdk-trace-node");
  const provider = new NodeTracerProvider({ spanProcessors: [processor] });
  provider.register();
  return provider;
}

export const subjects = {
  /** The least that remembering a call can cost. */
  push: () => {
    let list = [];
    return {
      call: () => {
        if (list.length >= 10_000) list = [];
        list.push({ ...event });
      },
    };
  },
  "aisentry off": async (folder) => {
    const { logPromptCall } = await aisentry(folder, null);
    return { call: () => logPromptCall(event) };
  },
  "aisentry log": ours(({ logPromptCall }) => () => logPromptCall(event)),
  "aisentry log in a span": async (folder, port) => {
    const module = await aisentry(folder, port);
    const around = (work) => module.span("bench", work);
    return {
      ...await ours(({ logPromptCall }) => () => logPromptCall(event))(folder, port),
      around,
    };
  },
  "aisentry span": ours(({ span }) => () =>
    span("chat", { kind: "generation", ...event, latency_ms: undefined }, () => 1)
  ),
  "aisentry observe": ours(({ observe }) => {
    const work = observe((_question) => response, { kind: "generation", model: "gpt-4o" });
    return () => work(prompt);
  }),
  "OpenTelemetry": async (folder, port) => {
    const { BatchSpanProcessor } = await load(folder, "@opentelemetry/sdk-trace-base");
    const { OTLPTraceExporter } = await load(folder, "@opentelemetry/exporter-trace-otlp-http");
    const exporter = new OTLPTraceExporter({ url: `http://127.0.0.1:${port}/v1/traces` });
    const processor = new BatchSpanProcessor(exporter, { maxQueueSize: 10_000 });
    const tracer = (await otelProvider(folder, processor)).getTracer("bench");
    return {
      call: () => {
        const span = tracer.startSpan("chat", { attributes: attributes() });
        span.end();
      },
      flush: () => processor.forceFlush(),
    };
  },
  "Langfuse": async (folder, port) => {
    const { LangfuseSpanProcessor } = await load(folder, "@langfuse/otel");
    const { startObservation } = await load(folder, "@langfuse/tracing");
    const processor = new LangfuseSpanProcessor({
      publicKey: "pk-lf-bench",
      secretKey: "sk-lf-bench",
      baseUrl: `http://127.0.0.1:${port}`,
    });
    await otelProvider(folder, processor);
    return {
      call: () =>
        startObservation("chat", {
          model: "gpt-4o",
          input: prompt,
          output: response,
          usageDetails: { input: 123, output: 45 },
        }, { asType: "generation" }).end(),
      flush: () => processor.forceFlush(),
    };
  },
  "Sentry": async (folder, port) => {
    const Sentry = await load(folder, "@sentry/node");
    Sentry.init({
      dsn: `http://0123456789abcdef0123456789abcdef@127.0.0.1:${port}/1`,
      tracesSampleRate: 1,
      defaultIntegrations: false,
    });
    return {
      call: () =>
        Sentry.startSpan({ name: "chat", op: "gen_ai.chat", attributes: attributes() }, () => 1),
      flush: () => Sentry.flush(5000),
    };
  },
};
