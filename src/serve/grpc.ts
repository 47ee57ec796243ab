// OTLP/gRPC: the same exports over HTTP/2 on a port of its own. Each unary call becomes a request to
// the route that takes the export, so both have one behaviour; this file only translates.
import * as http2 from "node:http2";
import { limits } from "../limits.ts";
import type { BodyHold, BodyRoom } from "../receive/body.ts";
import type { Signal } from "../receive/otlp/export.ts";
import { type Code, codes, encodeStatus, readStatus, retryInfo } from "../receive/otlp/response.ts";

export interface GrpcOptions {
  host: string;
  port: number;
  /** The server's own routes; the peer is where the call comes from. */
  fetch(request: Request, peer: Peer | null): Promise<Response>;
  /** Shared with the routes: a message takes room while it arrives. */
  bodies: BodyRoom;
  onError(what: string, error: unknown): void;
}

/** As Bun names the other end of a connection. */
export type Peer = Bun.SocketAddress;

export interface GrpcServer {
  port: number;
  /** Lets calls that were begun end, within bounds. */
  stop(): Promise<void>;
}

const methods = new Map<string, Signal>([
  ["/opentelemetry.proto.collector.trace.v1.TraceService/Export", "traces"],
  ["/opentelemetry.proto.collector.logs.v1.LogsService/Export", "logs"],
  ["/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", "metrics"],
]);

const connectionsMax = 512;
const callsPerConnectionMax = 128;
const headerBytesMax = 16 * 1024;
/** A caller that sends nothing for so long has gone. */
const quietCallMs = 30_000;
const quietConnectionMs = 10 * 60_000;
const stopMsMax = 5000;
const busyRetryS = 1;
/** Flag and length before each message. */
const prefixBytes = 5;
const messageCharactersMax = 1000;

/** A call's end: its status, and the response message when all is well. */
interface Outcome {
  code: Code | 0;
  message: string;
  body: Uint8Array;
  retryAfterS: number | null;
}

/** Rejects when the address cannot be listened on. */
export async function startGrpc(options: GrpcOptions): Promise<GrpcServer> {
  const server = http2.createServer({
    settings: {
      maxConcurrentStreams: callsPerConnectionMax,
      maxHeaderListSize: headerBytesMax,
      initialWindowSize: 1024 * 1024,
    },
  });
  server.maxConnections = connectionsMax;
  const sessions = new Set<http2.ServerHttp2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
    session.setTimeout(quietConnectionMs, () => session.close());
    // A broken connection is its caller's problem.
    session.on("error", () => session.destroy());
  });
  server.on("stream", (stream: http2.ServerHttp2Stream, headers) => {
    stream.on("error", () => {});
    answerCall(stream, headers, options).catch((error) => {
      options.onError("a gRPC call", error);
      stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
    });
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(options.port, options.host, resolve);
  await promise;
  server.off("error", reject);
  server.on("error", (error) => options.onError("the gRPC listener", error));
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : options.port,
    stop: () => stop(server, sessions),
  };
}

async function stop(
  server: http2.Http2Server,
  sessions: ReadonlySet<http2.ServerHttp2Session>,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(() => {
    for (const session of sessions) session.destroy();
    resolve();
  }, stopMsMax);
  server.close(() => resolve());
  // Tells each caller to go elsewhere; what it has begun is answered first.
  for (const session of sessions) session.close();
  await promise;
  clearTimeout(timer);
}

async function answerCall(
  stream: http2.ServerHttp2Stream,
  headers: http2.IncomingHttpHeaders,
  options: GrpcOptions,
): Promise<void> {
  if (!/^application\/grpc(\+proto)?(;|$)/.test(headers["content-type"] ?? "")) {
    stream.respond({ ":status": 415 }, { endStream: true });
    return;
  }
  const late = Promise.withResolvers<Outcome>();
  const deadlineMs = timeoutMsOf(text(headers["grpc-timeout"]));
  const timer = deadlineMs === null ? undefined : setTimeout(() => {
    late.resolve(failed(codes.DEADLINE_EXCEEDED, "The caller's deadline has passed."));
  }, deadlineMs);
  try {
    respond(stream, await Promise.race([late.promise, outcomeOf(stream, headers, options)]));
  } finally {
    clearTimeout(timer);
  }
}

async function outcomeOf(
  stream: http2.ServerHttp2Stream,
  headers: http2.IncomingHttpHeaders,
  options: GrpcOptions,
): Promise<Outcome> {
  const signal = methods.get(text(headers[":path"]));
  if (signal === undefined) {
    return failed(codes.UNIMPLEMENTED, `There is no ${text(headers[":path"])} here.`);
  }
  const hold = options.bodies.hold();
  try {
    const message = await readMessage(stream, hold);
    if (!(message instanceof Message)) return message;
    const request = requestOf(signal, headers, message);
    // The route takes room for the same bytes, before anything else can.
    hold.release();
    const response = await options.fetch(request, peerOf(stream));
    return await outcomeOfResponse(response);
  } catch (error) {
    options.onError("a gRPC call", error);
    return failed(codes.INTERNAL, "Something is wrong here; the log has it.");
  } finally {
    hold.release();
  }
}

class Message {
  constructor(readonly bytes: Uint8Array, readonly isCompressed: boolean) {}
}

/**
 * The one message of a unary call, or why there is none. Events, not an iterator: leaving its loop
 * early would destroy the stream before it is answered.
 */
function readMessage(
  stream: http2.ServerHttp2Stream,
  hold: BodyHold,
): Promise<Message | Outcome> {
  const { promise, resolve } = Promise.withResolvers<Message | Outcome>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  let expected = Infinity;
  // A stream's own timeout is that of its whole connection under Bun.
  const quiet = setTimeout(() => stream.close(http2.constants.NGHTTP2_CANCEL), quietCallMs);
  const finish = (result: Message | Outcome) => {
    clearTimeout(quiet);
    stream.off("data", take);
    // What still comes is not wanted, but the connection has other calls.
    stream.resume();
    resolve(result);
  };
  const take = (chunk: Buffer) => {
    quiet.refresh();
    chunks.push(chunk);
    bytes += chunk.length;
    if (!hold.take(chunk.length)) return finish(busy());
    if (expected === Infinity && bytes >= prefixBytes) {
      expected = Buffer.concat(chunks).readUInt32BE(1) + prefixBytes;
      if (expected > limits.exportBytesMax) return finish(tooLarge(expected));
    }
    if (bytes > expected) {
      finish(failed(codes.INVALID_ARGUMENT, "A unary call has one message; this one has more."));
    }
  };
  const cutShort = () => finish(failed(codes.INVALID_ARGUMENT, "The message is cut short."));
  stream.on("data", take);
  stream.on("close", cutShort);
  stream.on("end", () => {
    if (bytes !== expected) return cutShort();
    const body = Buffer.concat(chunks);
    finish(new Message(body.subarray(prefixBytes), (body[0]! & 1) === 1));
  });
  return promise;
}

function busy(): Outcome {
  const message = "Too many exports are being read; send again later.";
  return failed(codes.UNAVAILABLE, message, busyRetryS);
}

function tooLarge(bytes: number): Outcome {
  return failed(
    codes.RESOURCE_EXHAUSTED,
    `The message has ${bytes} bytes; at most ${limits.exportBytesMax} are taken.`,
  );
}

/** The same export by OTLP/HTTP. Metadata are headers, as they are on the wire. */
function requestOf(
  signal: Signal,
  headers: http2.IncomingHttpHeaders,
  { bytes, isCompressed }: Message,
): Request {
  const sent = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(":") || transportHeaders.has(name) || value === undefined) continue;
    sent.set(name, text(value));
  }
  sent.set("host", text(headers[":authority"] ?? headers.host));
  sent.set("content-type", "application/x-protobuf");
  sent.set("content-length", String(bytes.length));
  if (isCompressed) sent.set("content-encoding", text(headers["grpc-encoding"]));
  return new Request(`http://localhost/v1/${signal}`, {
    method: "POST",
    headers: sent,
    body: bytes as Uint8Array<ArrayBuffer>,
  });
}

/** Of the connection and of gRPC, not of the export. */
const transportHeaders = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "cookie",
  "grpc-accept-encoding",
  "grpc-encoding",
  "grpc-timeout",
  "te",
  "transfer-encoding",
]);

async function outcomeOfResponse(response: Response): Promise<Outcome> {
  const body = new Uint8Array(await response.arrayBuffer());
  if (response.ok) return { code: 0, message: "", body, retryAfterS: null };
  const { code, message } = readStatus(body);
  const retryAfter = response.headers.get("retry-after");
  return { code, message, body, retryAfterS: retryAfter === null ? null : Number(retryAfter) };
}

function failed(code: Code, message: string, retryAfterS: number | null = null): Outcome {
  const status = encodeStatus("protobuf", { code, message, retryAfterS });
  return { code, message, body: status as Uint8Array, retryAfterS };
}

function respond(stream: http2.ServerHttp2Stream, outcome: Outcome): void {
  if (stream.destroyed || stream.closed || stream.headersSent) return;
  const head = {
    ":status": 200,
    "content-type": "application/grpc+proto",
    "grpc-accept-encoding": "identity,gzip,deflate,zstd",
  };
  if (outcome.code !== 0) {
    stream.respond({ ...head, ...trailersOf(outcome) }, { endStream: true });
    // What the caller is still sending is not wanted.
    if (!stream.readableEnded) stream.close(http2.constants.NGHTTP2_NO_ERROR);
    return;
  }
  stream.respond(head, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers(trailersOf(outcome)));
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt32BE(outcome.body.length, 1);
  stream.end(Buffer.concat([prefix, outcome.body]));
}

function trailersOf({ code, message, body, retryAfterS }: Outcome): Record<string, string> {
  const trailers: Record<string, string> = { "grpc-status": String(code) };
  if (code === 0) return trailers;
  trailers["grpc-message"] = percentEncoded(message.slice(0, messageCharactersMax));
  trailers["grpc-status-details-bin"] = Buffer.from(body).toString("base64");
  // Some exporters look for the delay here.
  if (retryAfterS !== null) {
    trailers["google.rpc.retryinfo-bin"] = Buffer.from(retryInfo(retryAfterS)).toString("base64");
  }
  return trailers;
}

/** Only what is no printable ASCII is encoded: callers leave the rest as it is. */
function percentEncoded(message: string): string {
  return message.toWellFormed().replaceAll(/[^ -$&-~]/gu, encodeURIComponent);
}

function peerOf(stream: http2.ServerHttp2Stream): Peer | null {
  const { remoteAddress, remoteFamily, remotePort } = stream.session?.socket ?? {};
  if (remoteAddress === undefined) return null;
  const family = remoteFamily === "IPv6" ? "IPv6" : "IPv4";
  return { address: remoteAddress, family, port: remotePort ?? 0 };
}

function text(value: string | string[] | undefined): string {
  return Array.isArray(value) ? value.join(", ") : value ?? "";
}

const unitMs: Record<string, number> = { H: 3.6e6, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };
const timeoutMsMax = 24 * 3.6e6;

/** Null when the caller waits for ever. */
function timeoutMsOf(timeout: string): number | null {
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(timeout) ?? [];
  if (digits === undefined || unit === undefined) return null;
  return Math.min(Number(digits) * unitMs[unit]!, timeoutMsMax);
}
