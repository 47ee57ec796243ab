// One HTTP request of a monitor: to a checked address only, without redirects, with bounds on time and
// on what is read of the answer.
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP } from "node:net";
import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate } from "node:zlib";
import { checkedAddress, type Resolve } from "../notify/address.ts";
import { retryAfterOf } from "../notify/post.ts";
import type { Asked } from "./kind.ts";

export interface ExchangeOptions {
  allowInside: boolean;
  resolve: Resolve;
  /** From resolving the name to the last byte. */
  timeoutMs: number;
  /** Never goes back. */
  monotonicMs(): number;
  /** The server stops: nothing is waited for. */
  signal: AbortSignal;
  /** Certificates to trust beside the system's, as PEM; for tests. */
  ca?: string;
}

/** Why there is no answer; the list is closed. */
export const failureReasons = [
  "address_refused",
  "unreachable",
  "timeout",
  "tls",
  "answer_too_large",
  "broken_answer",
  "stopped",
] as const;
export type FailureReason = (typeof failureReasons)[number];

export type Exchanged =
  | {
    ok: true;
    status: number;
    body: string;
    /** Seconds that the endpoint asks for. */
    retryAfterS: number | null;
    latency_ms: number;
    /** How much of the body had come, and when; of the first pieces. Empty when it was compressed. */
    arrivals: Arrival[];
  }
  | { ok: false; reason: FailureReason; message: string; latency_ms: number };

export interface Arrival {
  bytes: number;
  /** Since the beginning. */
  ms: number;
}

const arrivalsMax = 4096;
/** Of the answer, decompressed. */
export const answerBytesMax = 1024 * 1024;

class Failure extends Error {
  constructor(readonly reason: FailureReason, message: string) {
    super(message);
  }
}

export async function exchange(asked: Asked, options: ExchangeOptions): Promise<Exchanged> {
  const beganMs = options.monotonicMs();
  const latency = () => options.monotonicMs() - beganMs;
  const timeout = new AbortController();
  const timer = setTimeout(() => {
    const seconds = options.timeoutMs / 1000;
    timeout.abort(new Failure("timeout", `No whole answer within ${seconds} s.`));
  }, options.timeoutMs);
  const stop = () => timeout.abort(new Failure("stopped", "The server stopped."));
  options.signal.addEventListener("abort", stop);
  if (options.signal.aborted) stop();
  try {
    const url = new URL(asked.url);
    const answer = await unlessAborted(
      timeout.signal,
      connected(asked, url, options, timeout, latency),
    );
    return { ok: true, ...answer, latency_ms: latency() };
  } catch (error) {
    const failure = timeout.signal.reason instanceof Failure ? timeout.signal.reason : error;
    if (!(failure instanceof Failure)) throw error;
    return {
      ok: false,
      reason: failure.reason,
      message: failure.message,
      latency_ms: latency(),
    };
  } finally {
    clearTimeout(timer);
    options.signal.removeEventListener("abort", stop);
    // Whatever is still open is closed.
    timeout.abort(new Failure("stopped", "It is over."));
  }
}

async function connected(
  asked: Asked,
  url: URL,
  options: ExchangeOptions,
  { signal }: AbortController,
  latency: () => number,
) {
  const checked = await checkedAddress(url.hostname, options);
  if ("problem" in checked) {
    const isRefused = checked.problem === "refused";
    throw new Failure(isRefused ? "address_refused" : "unreachable", checked.message);
  }
  signal.throwIfAborted();
  const answer = await sent(asked, url, checked.address, options, signal);
  const { bytes, arrivals } = await bodyOf(answer, latency);
  const encoding = answer.headers["content-encoding"] ?? "identity";
  return {
    status: answer.statusCode ?? 0,
    body: await decoded(bytes, encoding),
    arrivals: encoding === "identity" ? arrivals : [],
    retryAfterS: retryAfterOf(
      answer.headers["retry-after"],
      Date.parse(answer.headers.date ?? ""),
    ),
  };
}

function sent(
  asked: Asked,
  url: URL,
  address: string,
  options: ExchangeOptions,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const isTls = url.protocol === "https:";
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const outgoing = (isTls ? requestHttps : requestHttp)({
    host: address,
    port: url.port === "" ? (isTls ? 443 : 80) : Number(url.port),
    path: url.pathname + url.search,
    method: asked.method,
    // No pool: a connection that was checked once must not serve another name.
    agent: false,
    headers: {
      "user-agent": "WatchLLM",
      "accept-encoding": "identity",
      ...asked.headers,
      host: url.host,
      connection: "close",
      ...(asked.body === null ? {} : { "content-length": String(Buffer.byteLength(asked.body)) }),
    },
    // The name of the certificate is that of the URL, not the number that it led to.
    ...(isTls && isIP(host) === 0 ? { servername: host } : {}),
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  }, resolve);
  outgoing.on("error", (error: NodeJS.ErrnoException) => reject(failureOf(error, url)));
  signal.addEventListener("abort", () => outgoing.destroy(), { once: true });
  outgoing.end(asked.body ?? undefined);
  return promise;
}

async function bodyOf(answer: IncomingMessage, latency: () => number) {
  const pieces: Buffer[] = [];
  const arrivals: Arrival[] = [];
  let bytes = 0;
  try {
    for await (const piece of answer) {
      pieces.push(piece as Buffer);
      bytes += (piece as Buffer).length;
      if (bytes > answerBytesMax) throw tooLarge();
      if (arrivals.length < arrivalsMax) arrivals.push({ bytes, ms: latency() });
    }
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure("broken_answer", "The connection broke before the answer was whole.");
  }
  return { bytes: Buffer.concat(pieces), arrivals };
}

function tooLarge(): Failure {
  return new Failure("answer_too_large", `The answer has more than ${answerBytesMax} bytes.`);
}

const expanders = {
  gzip: promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
} as const;

/** It asked for plain bytes; some servers do not care. */
async function decoded(bytes: Buffer, encoding: string): Promise<string> {
  const text = (plain: Uint8Array) => new TextDecoder().decode(plain);
  if (encoding === "identity" || encoding === "") return text(bytes);
  const expand = expanders[encoding as keyof typeof expanders];
  if (expand === undefined) {
    throw new Failure("broken_answer", "The answer is compressed in a way that is not known here.");
  }
  try {
    return text(await expand(bytes, { maxOutputLength: answerBytesMax }));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge();
    throw new Failure("broken_answer", "The answer's compression is broken.");
  }
}

function failureOf(error: NodeJS.ErrnoException, url: URL): Failure {
  const code = error.code ?? "";
  return /CERT|TLS|SSL|SIGNED|ALTNAME/.test(code)
    ? new Failure("tls", `The certificate of ${url.host} is not to be trusted: ${code}.`)
    : new Failure("unreachable", `${url.host} cannot be reached: ${code || error.message}.`);
}

async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const give = () => reject(signal.reason);
  signal.addEventListener("abort", give, { once: true });
  if (signal.aborted) give();
  // What comes after the end is nobody's.
  work.catch(() => {});
  return await Promise.race([work, promise]);
}
