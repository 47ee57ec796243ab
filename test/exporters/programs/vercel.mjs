// What Vercel's AI SDK 5 and 6 are asked alike: a text with a tool, with their own telemetry.
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";
import { z } from "zod";

export async function forecast({ generateText, stepCountIs, tool }, createOpenAI) {
  const provider = new NodeTracerProvider({
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  provider.register();
  const openai = createOpenAI({ baseURL: process.env.OPENAI_BASE_URL });
  await generateText({
    model: openai.chat("zai/GLM-5.2"),
    prompt: "What is the weather in Paris?",
    stopWhen: stepCountIs(3),
    tools: {
      get_weather: tool({
        description: "Get the weather in a city.",
        inputSchema: z.object({ city: z.string() }),
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
}
