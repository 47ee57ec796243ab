// The real client libraries of providers, in front of a stand-in that answers what was recorded.
import { pathToFileURL } from "node:url";
import type { Call } from "./cases.ts";
import { readExchange, real } from "./cases.ts";

export interface StandIn extends Disposable {
  url: string;
  /** Exchanges that are answered next, in turn; the last one again and again. */
  exchanges: string[];
  /** Paths and bodies that were asked for. */
  asked: { path: string; body: string }[];
}

export function startStandIn(): StandIn {
  const exchanges: string[] = [];
  const asked: StandIn["asked"] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    fetch: async (request) => {
      asked.push({
        path: new URL(request.url).pathname,
        body: await request.text(),
      });
      const name = exchanges.length > 1 ? exchanges.shift()! : exchanges[0]!;
      const { response } = readExchange(name);
      const headers = { "content-type": response.content_type };
      const body = response.text ?? JSON.stringify(response.body);
      return new Response(body, { status: response.status, headers });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    exchanges,
    asked,
    [Symbol.dispose]: () => void server.stop(true),
  };
}

type Maker = new (options: object) => unknown;

/** Loads a module out of a folder of installed libraries. */
export async function load<T>(folder: string, name: string): Promise<T> {
  const path = Bun.resolveSync(name, folder);
  return await import(pathToFileURL(path).href) as T;
}

export type ProviderName = "openai" | "anthropic" | "google_genai";

const makers: Record<
  ProviderName,
  (folder: string, url: string) => Promise<unknown>
> = {
  openai: async (folder, url) => {
    const { default: OpenAI } = await load<{ default: Maker }>(
      folder,
      "openai",
    );
    return new OpenAI({
      apiKey: "sk-of-the-tests",
      baseURL: `${url}/v1`,
      maxRetries: 0,
    });
  },
  anthropic: async (folder, url) => {
    const { default: Anthropic } = await load<{ default: Maker }>(
      folder,
      "@anthropic-ai/sdk",
    );
    return new Anthropic({
      apiKey: "of-the-tests",
      baseURL: url,
      maxRetries: 0,
    });
  },
  google_genai: async (folder, url) => {
    const { GoogleGenAI } = await load<{ GoogleGenAI: Maker }>(
      folder,
      "@google/genai",
    );
    return new GoogleGenAI({
      apiKey: "of-the-tests",
      httpOptions: { baseUrl: url },
    });
  },
};

/** Unknown types: the libraries are installed later than this is checked. */
// deno-lint-ignore no-explicit-any
export type Loose = any;

export async function makeClient(
  folder: string,
  name: ProviderName,
  url: string,
): Promise<Loose> {
  return await makers[name](folder, url);
}

/** Makes a case's call with a client; reads a stream to its end, or as much of it as is told. */
export async function callProvider(
  client: Loose,
  call: Call,
): Promise<unknown> {
  const path = call.method!.split(".").map((step) =>
    step.replace(/_(\w)/g, (_, letter) => letter.toUpperCase())
  );
  const method = path.pop()!;
  const owner = path.reduce((object, step) => object[step], client);
  const result = await owner[method](real(call.with));
  if (typeof result?.[Symbol.asyncIterator] !== "function") return result;
  let pieces = 0;
  for await (const _piece of result) if (++pieces === call.take) break;
  return undefined;
}
