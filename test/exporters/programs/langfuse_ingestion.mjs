// Langfuse's JavaScript SDK of the generation before, which sends to the ingestion API.
import { Langfuse } from "langfuse";

const langfuse = new Langfuse();
const trace = langfuse.trace({
  name: "trip",
  userId: "noor",
  sessionId: "session-1",
});
const generation = trace.generation({
  name: "ask",
  model: "gpt-4o",
  input: "hi",
});
generation.end({
  output: "ho",
  usage: { promptTokens: 100, completionTokens: 20 },
});
trace.score({ name: "quality", value: 0.9 });
await langfuse.shutdownAsync();
