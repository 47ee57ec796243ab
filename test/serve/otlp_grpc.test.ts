// OTLP/gRPC as its callers meet it: what is right is stored, what is wrong has the status code that
// tells exporters whether to send again.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import * as http2 from "node:http2";
import { gzipSync } from "node:zlib";
import { field, fixed64, request, span } from "../../scripts/bench/otlp_wire.ts";
import { limits } from "../../src/limits.ts";
import { Reader } from "../../src/receive/otlp/protobuf/wire.ts";
import { BodyRoom } from "../../src/receive/body.ts";
import { type GrpcServer, startGrpc } from "../../src/serve/grpc.ts";
import { keys, startTestServer, type TestServer } from "./fixture.ts";

const traces = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const logs = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
const metrics = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
const answerMsMax = 10_000;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer([["grpc-listen", "127.0.0.1:0"]]);
});
afterAll(() => server.stop());

interface Answer {
  /** Headers and trailers together. */
  headers: Record<string, unknown>;
  messages: Buffer[];
}

interface Call {
  path?: string;
  headers?: Record<string, string>;
  /** Bytes after the headers; null leaves the call open. */
  bytes: Uint8Array | null;
}

/** One call on a connection of its own. */
async function call(
  { path = traces, headers = {}, bytes }: Call,
  port = server.grpcPort,
): Promise<Answer> {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  session.on("error", reject);
  const timer = setTimeout(() => reject(new Error("no answer")), answerMsMax);
  try {
    const stream = session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      authorization: `Bearer ${keys.shop}`,
      ...headers,
    });
    const answer: Answer = { headers: {}, messages: [] };
    stream.on("response", (head) => Object.assign(answer.headers, head));
    stream.on("trailers", (trailers) => Object.assign(answer.headers, trailers));
    stream.on("data", (chunk: Buffer) => answer.messages.push(chunk));
    stream.on("error", reject);
    stream.on("end", () => resolve(answer));
    if (bytes !== null) stream.end(bytes);
    return await promise;
  } finally {
    clearTimeout(timer);
    session.destroy();
  }
}

function framed(message: Uint8Array, flag = 0, length = message.length): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, message]);
}

let spans = 0;
function fresh(name: string): Buffer {
  const id = Buffer.alloc(8);
  id.writeBigUInt64BE(0x1000n + BigInt(++spans));
  return request(span(field(2, id), field(5, name)));
}

async function stored(name: string): Promise<number> {
  const response = await server.ask(`/api/events?name=${encodeURIComponent(name)}`);
  return (await response.json() as { total: number }).total;
}

describe("a call that is right", () => {
  test("is stored, and answered with an empty message", async () => {
    const answer = await call({ bytes: framed(fresh("plain")) });
    expect(answer.headers).toMatchObject({
      ":status": 200,
      "content-type": "application/grpc+proto",
      "grpc-status": "0",
    });
    expect(Buffer.concat(answer.messages)).toEqual(Buffer.alloc(5));
    expect(await stored("plain")).toBe(1);
  });

  test("may be compressed", async () => {
    const bytes = framed(gzipSync(fresh("gzip")), 1);
    const answer = await call({ bytes, headers: { "grpc-encoding": "gzip" } });
    expect(answer.headers["grpc-status"]).toBe("0");
    expect(await stored("gzip")).toBe(1);
  });

  test("may announce compression and not use it", async () => {
    const answer = await call({
      bytes: framed(fresh("not")),
      headers: { "grpc-encoding": "gzip" },
    });
    expect(answer.headers["grpc-status"]).toBe("0");
  });

  test("may be of any signal", async () => {
    for (const path of [logs, metrics]) {
      expect((await call({ path, bytes: framed(Buffer.alloc(0)) })).headers["grpc-status"]).toBe(
        "0",
      );
    }
  });

  test("may be large", async () => {
    const name = "large".padEnd(100, "x");
    const body = Buffer.concat(Array.from({ length: 20_000 }, () => fresh(name)));
    expect(body.length).toBeGreaterThan(4 * 1024 * 1024);
    expect((await call({ bytes: framed(body) })).headers["grpc-status"]).toBe("0");
    expect(await stored(name)).toBe(20_000);
  });

  test("tells what it rejected", async () => {
    const good = span(field(2, Buffer.from("0102030405060708", "hex")));
    const { messages } = await call({ bytes: framed(request(good, field(5, "bad"))) });
    const wire = new Reader(Buffer.concat(messages).subarray(5));
    wire.tag();
    wire.enter();
    expect([wire.tag(), wire.int64(), wire.tag()]).toEqual([8, 1, 18]);
    expect(wire.text()).toStartWith('1 of 2 spans rejected. span 1 "bad"');
  });

  test("may share its connection with others", async () => {
    const session = http2.connect(`http://127.0.0.1:${server.grpcPort}`);
    const statuses = await Promise.all(Array.from({ length: 50 }, (_, at) => {
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      const stream = session.request({
        ":method": "POST",
        ":path": traces,
        "content-type": "application/grpc",
        authorization: `Bearer ${keys.shop}`,
      });
      stream.on("trailers", (trailers) => resolve(trailers["grpc-status"]));
      stream.on("error", reject);
      stream.resume();
      stream.end(framed(fresh(`shared ${at}`)));
      return promise;
    }));
    session.close();
    expect(new Set(statuses)).toEqual(new Set(["0"]));
    expect(await stored("shared 49")).toBe(1);
  });
});

const key = (authorization: string) => ({ authorization });

describe("a call that is wrong", () => {
  const cases: [string, Call, number, string][] = [
    ["an unknown method", { path: "/a.B/C", bytes: framed(Buffer.alloc(0)) }, 12, "no /a.B/C here"],
    ["no message", { bytes: Buffer.alloc(0) }, 3, "cut short"],
    ["half a prefix", { bytes: Buffer.alloc(3) }, 3, "cut short"],
    ["half a message", { bytes: framed(fresh("half")).subarray(0, 30) }, 3, "cut short"],
    [
      "two messages",
      { bytes: Buffer.concat([framed(fresh("a")), framed(fresh("b"))]) },
      3,
      "has more",
    ],
    ["a message that is no protobuf", { bytes: framed(Buffer.from("hello")) }, 3, "protobuf"],
    ["logs as traces", { bytes: framed(request(fixed64(1, 5n))) }, 3, "/v1/logs"],
    [
      "no gzip",
      { bytes: framed(Buffer.from("hello"), 1), headers: { "grpc-encoding": "gzip" } },
      3,
      "gzip",
    ],
    [
      "unknown compression",
      { bytes: framed(fresh("c"), 1), headers: { "grpc-encoding": "snappy" } },
      12,
      "snappy",
    ],
    [
      "a size beyond the limit",
      { bytes: framed(Buffer.alloc(10), 0, limits.exportBytesMax + 1) },
      8,
      "at most",
    ],
    [
      "a bomb",
      {
        bytes: framed(gzipSync(Buffer.alloc(limits.bodyInflatedBytesMax + 1)), 1),
        headers: { "grpc-encoding": "gzip" },
      },
      8,
      "inflates",
    ],
    [
      "an unknown key",
      { bytes: framed(fresh("k")), headers: key("Bearer nobody") },
      16,
      "unknown or was revoked",
    ],
    [
      "another project",
      { bytes: framed(fresh("p")), headers: { "x-watchllm-project": "bank" } },
      7,
      "bank",
    ],
    ["a deadline that passes", { bytes: null, headers: { "grpc-timeout": "20m" } }, 4, "deadline"],
  ];
  test.each(cases)("%s", async (_, wrong, code, message) => {
    const { headers } = await call(wrong);
    expect(headers).toMatchObject({ ":status": 200, "grpc-status": String(code) });
    expect(decodeURIComponent(String(headers["grpc-message"]))).toContain(message);
    const details = Buffer.from(String(headers["grpc-status-details-bin"]), "base64");
    const wire = new Reader(details);
    expect([wire.tag(), wire.int32()]).toEqual([8, code]);
  });

  test("that is no gRPC at all", async () => {
    const answer = await call({ bytes: Buffer.alloc(0), headers: { "content-type": "text/html" } });
    expect(answer.headers[":status"]).toBe(415);
  });
});

test("a page of another origin or a foreign host is not the local user", async () => {
  for (const headers of [{ ":authority": "evil.example" }, { "x-forwarded-for": "1.2.3.4" }]) {
    const session = http2.connect(`http://127.0.0.1:${server.grpcPort}`);
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const stream = session.request({
      ":method": "POST",
      ":path": traces,
      "content-type": "application/grpc",
      "x-watchllm-project": "shop",
      ...headers,
    });
    stream.on("response", (head) => resolve(head["grpc-status"]));
    stream.end(framed(fresh("foreign")));
    expect(await promise).toBe("16");
    session.destroy();
  }
});

test("the local user needs no key", async () => {
  const session = http2.connect(`http://127.0.0.1:${server.grpcPort}`);
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const stream = session.request({
    ":method": "POST",
    ":path": traces,
    "content-type": "application/grpc",
    "x-watchllm-project": "shop",
  });
  stream.on("trailers", (trailers) => resolve(trailers["grpc-status"]));
  stream.resume();
  stream.end(framed(fresh("local")));
  expect(await promise).toBe("0");
  session.destroy();
});

describe("a server that cannot take it now", () => {
  let grpc: GrpcServer;
  let answerWith: () => Promise<Response>;
  beforeAll(async () => {
    grpc = await startGrpc({
      host: "127.0.0.1",
      port: 0,
      bodies: new BodyRoom(1024 * 1024),
      fetch: () => answerWith(),
      onError: () => {},
    });
  });
  afterAll(() => grpc.stop());

  test("says when to send again, in the words of every exporter", async () => {
    answerWith = () =>
      Promise.resolve(
        new Response(Buffer.from("080e12046275737900", "hex").subarray(0, 8), {
          status: 503,
          headers: { "retry-after": "7" },
        }),
      );
    const { headers } = await call({ bytes: framed(fresh("busy")) }, grpc.port);
    expect(headers).toMatchObject({ "grpc-status": "14", "grpc-message": "busy" });
    const delay = Buffer.from(String(headers["google.rpc.retryinfo-bin"]), "base64");
    expect(delay.toString("hex")).toBe("0a020807");
    const unknown = await call({ path: "/ä;%.b/C", bytes: framed(fresh("path")) }, grpc.port);
    expect(String(unknown.headers["grpc-message"])).toMatch(/^There is no [!-~]+;%25.* here\.$/);
  });

  test("has bounded room for messages", async () => {
    const { headers } = await call({ bytes: framed(Buffer.alloc(2 * 1024 * 1024)) }, grpc.port);
    expect(headers["grpc-status"]).toBe("14");
    expect(headers["google.rpc.retryinfo-bin"]).toBeDefined();
  });

  test("survives a route that throws", async () => {
    answerWith = () => Promise.reject(new Error("a bug"));
    expect((await call({ bytes: framed(fresh("bug")) }, grpc.port)).headers["grpc-status"]).toBe(
      "13",
    );
    answerWith = () => Promise.resolve(new Response(new Uint8Array()));
    expect((await call({ bytes: framed(fresh("fine")) }, grpc.port)).headers["grpc-status"]).toBe(
      "0",
    );
  });

  test("answers what was begun before it stops", async () => {
    const begun = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    answerWith = async () => {
      begun.resolve();
      await release.promise;
      return new Response(new Uint8Array());
    };
    const answer = call({ bytes: framed(fresh("last")) }, grpc.port);
    await begun.promise;
    const stopped = grpc.stop();
    release.resolve();
    expect((await answer).headers["grpc-status"]).toBe("0");
    await stopped;
  });
});
