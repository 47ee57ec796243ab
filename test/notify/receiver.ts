// A receiver on this machine: remembers what it was sent, checks signatures, answers as it is told.
import { signatureOf } from "../../src/notify/webhook.ts";

export interface Received {
  path: string;
  headers: Record<string, string>;
  body: string;
  // What webhooks send; other channels are read by their tests.
  json: Record<string, unknown>;
  /** Null when it bears no signature. */
  signed: boolean | null;
  atMs: number;
}

export interface Receiver {
  url: string;
  received: Received[];
  /** Resolves with the next that fits, seen before or not. */
  until(fits: (one: Received) => boolean, msMax?: number): Promise<Received>;
  stop(): Promise<void>;
}

type Answer = (received: Received, count: number) => Response | Promise<Response>;

export function startReceiver(
  options: { secret?: string; answer?: Answer; tls?: { cert: string; key: string } } = {},
): Receiver {
  const received: Received[] = [];
  const waiting = new Set<() => void>();
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 60,
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    fetch: async (request) => {
      const body = await request.text();
      const headers = Object.fromEntries(request.headers);
      const one: Received = {
        path: new URL(request.url).pathname,
        headers,
        body,
        json: body.startsWith("{") ? JSON.parse(body) : {},
        signed: signedBy(options.secret, headers, body),
        atMs: Date.now(),
      };
      received.push(one);
      for (const look of waiting) look();
      return await options.answer?.(one, received.length) ?? new Response("ok");
    },
  });
  return {
    url: `http${options.tls === undefined ? "" : "s"}://127.0.0.1:${server.port}/hook`,
    received,
    until: (fits, msMax = 20_000) => {
      const { promise, resolve, reject } = Promise.withResolvers<Received>();
      const look = () => {
        const found = received.find(fits);
        if (found !== undefined) end(() => resolve(found));
      };
      const end = (settle: () => void) => {
        clearTimeout(timer);
        waiting.delete(look);
        settle();
      };
      const timer = setTimeout(
        () => end(() => reject(new Error(`Not received in ${msMax} ms.`))),
        msMax,
      );
      waiting.add(look);
      look();
      return promise;
    },
    stop: () => server.stop(true),
  };
}

function signedBy(
  secret: string | undefined,
  headers: Record<string, string>,
  body: string,
): boolean | null {
  const signature = headers["x-watchllm-signature"];
  if (signature === undefined || secret === undefined) return null;
  return signature === signatureOf(secret, headers["x-watchllm-timestamp"] ?? "", body);
}

/** Polls until it answers with something. */
export async function eventually<T>(
  ask: () => Promise<T | null | undefined | false>,
  msMax = 20_000,
): Promise<T> {
  const deadline = performance.now() + msMax;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (performance.now() > deadline) throw new Error(`Nothing within ${msMax} ms.`);
    await Bun.sleep(25);
  }
}
