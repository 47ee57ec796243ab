// Endpoints on this machine that speak OpenAI's and Anthropic's HTTP, or anything else, as they are told.
import { createServer, type Server, type Socket } from "node:net";
import type { CheckDeps } from "../../src/monitor/check.ts";
import { type Monitor, monitorSchema } from "../../src/monitor/monitor.ts";
import type { Resolve } from "../../src/notify/address.ts";

export interface Asked {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string;
  json: Record<string, unknown>;
}

export interface Endpoint {
  url: string;
  asked: Asked[];
  /** What is answered from now on. */
  answer: Answer;
  stop(): Promise<void>;
}

export type Answer = (asked: Asked, count: number) => Response | Promise<Response>;

/** An answer of OpenAI's chat completions. */
export function completion(text: string, more: Record<string, unknown> = {}): Response {
  return Response.json({
    id: "chatcmpl-1",
    object: "chat.completion",
    model: "gpt-4o-mini-2024-07-18",
    choices: [{ index: 0, message: { role: "assistant", content: text }, finish_reason: "stop" }],
    usage: {
      prompt_tokens: 1000,
      completion_tokens: 100,
      prompt_tokens_details: { cached_tokens: 200 },
      completion_tokens_details: { reasoning_tokens: 10 },
    },
    ...more,
  });
}

/** An answer of Anthropic's messages. */
export function message(text: string): Response {
  return Response.json({
    id: "msg_1",
    type: "message",
    model: "claude-haiku-4-5-20251001",
    content: [{ type: "text", text }],
    stop_reason: "end_turn",
    usage: { input_tokens: 10, cache_read_input_tokens: 90, output_tokens: 5 },
  });
}

export function startEndpoint(answer: Answer = () => completion("Paris.")): Endpoint {
  const asked: Asked[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 60,
    fetch: async (request) => {
      const body = await request.text();
      const url = new URL(request.url);
      const one: Asked = {
        method: request.method,
        path: url.pathname + url.search,
        headers: Object.fromEntries(request.headers),
        body,
        json: body.startsWith("{") ? JSON.parse(body) : {},
      };
      asked.push(one);
      return await endpoint.answer(one, asked.length);
    },
  });
  const endpoint: Endpoint = {
    url: `http://127.0.0.1:${server.port}`,
    asked,
    answer,
    stop: () => server.stop(true),
  };
  return endpoint;
}

/** A server that says what it is told to, byte by byte if need be. */
export async function raw(
  answer: (socket: Socket) => void,
): Promise<{ url: string; stop(): void }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", () => answer(socket));
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

export const toLoopback: Resolve = () => Promise.resolve(["127.0.0.1"]);

export function deps(given: Partial<CheckDeps> = {}): CheckDeps {
  return {
    allowInside: true,
    resolve: toLoopback,
    monotonicMs: () => performance.now(),
    nowMs: () => Date.UTC(2026, 0, 31, 12),
    costOf: () => null,
    pause: () => Promise.resolve(),
    random: () => 0.5,
    ...given,
  };
}

export function monitor(fields: Record<string, unknown>): Monitor {
  const type = fields.type ?? "openai";
  const asks = type === "http" ? {} : { model: "gpt-4o-mini", prompt: "Capital of France?" };
  return monitorSchema.parse({ name: "Capital", type, url: "http://a.test", ...asks, ...fields });
}
