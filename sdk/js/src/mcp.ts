// Model Context Protocol: clients and servers of @modelcontextprotocol/sdk, whose calls are watched
// where they all go through. They stay the objects that they are.
//
//   wrapClient(client)   each tool, prompt and resource that is asked for
//   wrapServer(server)   each tool, prompt and resource that is served, as the run of who asks
import { followResult } from "./follow.ts";
import { within } from "./scope.ts";
import type { Fields } from "./span.ts";
import { OpenSpan } from "./span.ts";
import { quietly, state } from "./state.ts";
import { headersOf, originOf } from "./trace_context.ts";
import { get } from "./wire/reading.ts";

type Method = (this: unknown, ...args: unknown[]) => unknown;

/** What the protocol's own bookkeeping is not. */
const watched =
  /^(tools\/call|prompts\/get|resources\/read|completion\/complete|sampling\/createMessage|elicitation\/create)$/;

/** An MCP client; returns the very same object. */
export function wrapClient<T extends object>(client: T): T {
  quietly(() => {
    replace(client, "request", (original) =>
      function (this: unknown, ...args) {
        const [request, ...rest] = args;
        const span = state.client === null ? undefined : quietly(() => open(request, "client"));
        if (span === undefined) return original.apply(this, args);
        const sent = quietly(() => withContext(request, span)) ?? request;
        return within(span.scope, () => watch(() => original.call(this, sent, ...rest), span));
      });
  });
  return client;
}

/** An MCP server, low-level `Server` or `McpServer`, before or after its handlers are set. */
export function wrapServer<T extends object>(server: T): T {
  quietly(() => {
    // McpServer keeps a Server, which keeps the handlers by their method.
    const inner = get(server, "server") as object ?? server;
    const handlers = get(inner, "_requestHandlers");
    if (!(handlers instanceof Map)) return;
    for (const [method, handler] of handlers) {
      if (watched.test(String(method))) {
        handlers.set(method, serving(handler as Method));
      }
    }
    const set = handlers.set;
    Object.defineProperty(handlers, "set", {
      configurable: true,
      value(this: Map<unknown, unknown>, method: unknown, handler: Method) {
        return set.call(
          this,
          method,
          watched.test(String(method)) ? serving(handler) : handler,
        );
      },
    });
  });
  return server;
}

function serving(handler: Method): Method {
  return function (this: unknown, ...args) {
    const [request] = args;
    const span = state.client === null ? undefined : quietly(() => {
      const { tracestate, ...origin } = originOf(
        get(request, "params", "_meta"),
      );
      return open(request, "server", { ...origin, tracestate });
    });
    if (span === undefined) return handler.apply(this, args);
    return within(
      span.scope,
      () => watch(() => handler.apply(this, args), span),
    );
  };
}

function open(
  request: unknown,
  side: "client" | "server",
  origin: Fields = {},
): OpenSpan | undefined {
  const method = String(get(request, "method"));
  if (!watched.test(method)) return undefined;
  const params = get(request, "params");
  const name = String(get(params, "name") ?? get(params, "uri") ?? method);
  const isTool = method === "tools/call";
  return new OpenSpan({
    ...origin,
    kind: isTool ? "tool" : "span",
    name: `${method} ${name}`,
    ...(isTool && { tool_name: name }),
    input: get(params, "arguments") ?? params,
    attributes: { mcp: { method, side } },
  });
}

/** The program that answers may go on with the run: MCP carries trace context in `_meta`. */
function withContext(request: unknown, span: OpenSpan): unknown {
  const params = get(request, "params") as Fields | undefined;
  const _meta = { ...params?._meta as Fields, ...headersOf(span.scope) };
  return { ...request as Fields, params: { ...params, _meta } };
}

function watch(work: () => unknown, span: OpenSpan): unknown {
  const watcher = {
    end(failure?: { thrown: unknown }, result?: unknown) {
      quietly(() => {
        const content = get(result, "content");
        span.set({
          output: get(result, "structuredContent") ?? content ?? result,
        });
        // A tool that fails says so in its result.
        const isError = get(result, "isError") === true;
        if (isError) {
          span.set({
            status: "error",
            error: { message: textOf(content), type: "ToolError" },
          });
        }
        span.end(failure);
      });
    },
  };
  try {
    return followResult(work(), watcher);
  } catch (thrown) {
    watcher.end({ thrown });
    throw thrown;
  }
}

function textOf(content: unknown): string {
  const texts = Array.isArray(content) ? content.map((part) => get(part, "text")) : [];
  return texts.filter((text) => typeof text === "string").join("\n") ||
    "The tool failed.";
}

function replace(
  owner: object,
  name: string,
  replacing: (original: Method) => Method,
): void {
  const original = (owner as Record<string, unknown>)[name];
  if (typeof original !== "function") return;
  const value = replacing(original as Method);
  Object.defineProperty(owner, name, {
    value,
    configurable: true,
    writable: true,
  });
}
