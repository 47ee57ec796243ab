// Langfuse's JavaScript SDK of the OpenTelemetry generation.
import { LangfuseSpanProcessor } from "@langfuse/otel";
import { propagateAttributes, startActiveObservation, startObservation } from "@langfuse/tracing";
import { NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

const provider = new NodeTracerProvider({
  spanProcessors: [new LangfuseSpanProcessor()],
});
provider.register();
await propagateAttributes({
  userId: "noor",
  sessionId: "session-1",
  tags: ["beta"],
}, () =>
  startActiveObservation("trip", (trip) => {
    trip.update({ input: { q: "Porto" } });
    startObservation("ask", {
      model: "gpt-4o",
      input: [{ role: "user", content: "hi" }],
    }, { asType: "generation" }).update({
      output: { role: "assistant", content: "ho" },
      usageDetails: { input: 100, output: 20 },
    }).end();
    trip.update({ output: "booked" });
  }));
await provider.forceFlush();
await provider.shutdown();
