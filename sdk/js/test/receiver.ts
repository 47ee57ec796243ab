// A server that holds the SDK to the protocol and can be told to misbehave: what the real one does
// only on a bad day. It checks every request and remembers every event by its id.
import { gunzipSync } from "node:zlib";

export type StoredEvent = Record<string, unknown>;

/** What to do with the next request instead of storing it; undefined goes on as usual. */
export type Fault = (
  events: StoredEvent[],
) => Response | Promise<Response> | undefined;

export interface Receiver extends Disposable {
  dsn: string;
  /** Without a slash at the end. */
  url: string;
  /** Stored events, in the order of their first arrival. */
  events: Map<string, StoredEvent>;
  requests: {
    count: number;
    bytes: number;
    encoding: string | null;
    /** What the SDK says it dropped. */
    drops: string | null;
    atMs: number;
  }[];
  /** Faults of the next requests, one for each. */
  faults: Fault[];
  /** What was wrong with requests; empty at the end of every good test. */
  complaints: string[];
}

export const key = "a-key-of-the-tests";

export function startReceiver(
  path = "/v1/events",
  dsnPath = "/tests",
): Receiver {
  const events: Receiver["events"] = new Map();
  const requests: Receiver["requests"] = [];
  const faults: Fault[] = [];
  const complaints: string[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    fetch: async (request) => {
      const complain = (text: string) => complaints.push(text);
      if (request.method !== "POST") complain(`method ${request.method}`);
      if (new URL(request.url).pathname !== path) {
        complain(`path ${request.url}`);
      }
      if (request.headers.get("authorization") !== `Bearer ${key}`) {
        complain("authorization");
      }
      if (request.headers.get("content-type") !== "application/json") {
        complain("content-type");
      }
      const raw = new Uint8Array(await request.arrayBuffer());
      const encoding = request.headers.get("content-encoding");
      const bytes = encoding === "gzip" ? gunzipSync(raw) : raw;
      const body: unknown = JSON.parse(
        new TextDecoder("utf-8", { fatal: true }).decode(bytes),
      );
      const sent = (body as { events: StoredEvent[] }).events;
      requests.push({
        count: sent.length,
        bytes: bytes.length,
        encoding,
        drops: request.headers.get("x-aisentry-drops"),
        atMs: performance.now(),
      });
      for (const event of sent) {
        if (!/^[\w-]{1,128}$/.test(String(event.event_id))) {
          complain("event_id");
        }
        if (typeof event.event_type !== "string") complain("event_type");
        if (!/^\d{4}-.*T.*\.\d{3}Z$/.test(String(event.timestamp))) {
          complain("timestamp");
        }
      }
      const answer = faults.shift()?.(sent);
      if (answer !== undefined) return answer;
      return receipt(sent, events);
    },
  });
  return {
    dsn: `http://${key}@127.0.0.1:${server.port}${dsnPath}`,
    url: `http://127.0.0.1:${server.port}`,
    events,
    requests,
    faults,
    complaints,
    [Symbol.dispose]: () => void server.stop(true),
  };
}

function receipt(sent: StoredEvent[], events: Receiver["events"]): Response {
  let accepted = 0;
  for (const event of sent) {
    const id = String(event.event_id);
    if (events.has(id)) continue;
    events.set(id, event);
    accepted++;
  }
  const answer = {
    accepted,
    duplicates: sent.length - accepted,
    rejected: [],
    event_ids: sent.map((event) => event.event_id),
  };
  return Response.json(answer, { status: 202 });
}

/** A problem document, as the real server's. */
export function problem(
  status: number,
  headers: Record<string, string> = {},
  extra = {},
): Response {
  const body = {
    type: "urn:test",
    title: "Test",
    status,
    detail: `A test's ${status}.`,
    ...extra,
  };
  return Response.json(body, { status, headers });
}

export function hang(): Promise<Response> {
  return new Promise(() => {});
}

/** Asks again and again; the time bound is there for a test that fails. */
export async function until(
  isTrue: () => boolean,
  msMax = 4000,
): Promise<void> {
  const deadline = performance.now() + msMax;
  while (!isTrue()) {
    if (performance.now() > deadline) {
      throw new Error(`Not within ${msMax} ms: ${isTrue}`);
    }
    await Bun.sleep(5);
  }
}
