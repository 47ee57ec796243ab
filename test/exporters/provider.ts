// A stand-in for the providers' HTTP APIs: answers recorded from real ones, chosen by the request.
import exchanges from "./exchanges.json" with { type: "json" };

interface ChatRequest {
  stream?: boolean;
  tools?: unknown[];
  messages?: { role: string }[];
}

export interface Provider {
  /** Base of OpenAI's API, without a slash at the end. */
  openai: string;
  anthropic: string;
  stop(): Promise<void>;
}

export function startProvider(): Provider {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      const { pathname } = new URL(request.url);
      const body = await request.json() as ChatRequest;
      if (pathname.endsWith("/chat/completions")) return chat(body);
      if (pathname.endsWith("/messages")) {
        return Response.json(exchanges.message);
      }
      return Response.json(
        { error: { message: `Not recorded: ${pathname}` } },
        { status: 404 },
      );
    },
  });
  const base = `http://127.0.0.1:${server.port}`;
  return {
    openai: `${base}/v1`,
    anthropic: base,
    stop: () => server.stop(true),
  };
}

/** First the call of the tool that was offered, and the answer once the tool has spoken. */
function chat({ stream, tools = [], messages = [] }: ChatRequest): Response {
  if (messages.some(({ role }) => role === "fail")) {
    return Response.json({
      error: { message: "slow down", type: "rate_limit" },
    }, { status: 429 });
  }
  if (stream) {
    return new Response(exchanges.stream, {
      headers: { "content-type": "text/event-stream" },
    });
  }
  const isAnswered = messages.some(({ role }) => role === "tool");
  return Response.json(
    tools.length > 0 && !isAnswered ? exchanges.tool_call : exchanges.answer,
  );
}
