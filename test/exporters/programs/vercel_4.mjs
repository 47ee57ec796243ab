// Vercel's AI SDK 4 with its own telemetry: a text with a tool.
import { createOpenAI } from "@ai-sdk/openai-4";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { generateText, tool } from "ai4";
import { z } from "zod3";

const provider = new NodeTracerProvider({
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
});
provider.register();
const openai = createOpenAI({ baseURL: process.env.OPENAI_BASE_URL });
await generateText({
  model: openai("zai/GLM-5.2"),
  prompt: "What is the weather in Paris?",
  maxSteps: 3,
  tools: {
    get_weather: tool({
      description: "Get the weather in a city.",
      parameters: z.object({ city: z.string() }),
      execute: () => "sunny, 25C",
    }),
  },
  experimental_telemetry: {
    isEnabled: true,
    functionId: "forecast",
    metadata: { userId: "noor", sessionId: "session-1" },
  },
});
await provider.shutdown();
