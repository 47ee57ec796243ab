// OTLP/HTTP as exporters meet it: every encoding and compression, partial success, and errors that
// say whether to send again.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Hono } from "hono";
import { deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import {
  attribute,
  field,
  fixed64,
  request,
  span,
  text,
  traceId,
} from "../../scripts/bench/otlp_wire.ts";
import { limits } from "../../src/limits.ts";
import { bytes, Reader, varint } from "../../src/receive/otlp/protobuf/wire.ts";
import { Problem } from "../../src/serve/errors.ts";
import { respondStatus } from "../../src/serve/otlp.ts";
import { keys, startTestServer, type TestServer } from "./fixture.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

const protobuf = "application/x-protobuf";
const json = "application/json";

interface Answer {
  status: number;
  type: string | null;
  body: Uint8Array;
  headers: Headers;
}

async function send(
  path: string,
  body: Uint8Array | string,
  headers: Record<string, string> = {},
  project: "shop" | "bank" | null = "shop",
): Promise<Answer> {
  const response = await server.ask(path, project, {
    method: "POST",
    body: body as BodyInit,
    headers: { "content-type": protobuf, ...headers },
  });
  return {
    status: response.status,
    type: response.headers.get("content-type"),
    body: new Uint8Array(await response.arrayBuffer()),
    headers: response.headers,
  };
}

/** Numbers by field and texts by field of a message without repeated fields. */
function messageOf(body: Uint8Array): Record<number, number | string> {
  const wire = new Reader(body);
  const fields: Record<number, number | string> = {};
  for (let tag = wire.tag(); tag !== 0; tag = wire.tag()) {
    if (tag % 8 === varint(0)) fields[tag >> 3] = wire.int32();
    else if (tag % 8 === bytes(0)) fields[tag >> 3] ??= wire.text();
    else wire.skip(tag);
  }
  return fields;
}

const jsonOf = ({ body }: Answer) => JSON.parse(Buffer.from(body).toString());

let spans = 0;
/** A span with an id of its own. */
function fresh(name: string, ...parts: Uint8Array[]): Buffer {
  const id = Buffer.alloc(8);
  id.writeBigUInt64BE(BigInt(++spans));
  return span(field(2, id), field(5, name), ...parts);
}

const jsonSpan = (fields: object = {}) => ({
  traceId: traceId.toString("hex"),
  spanId: (++spans).toString(16).padStart(16, "0"),
  name: "json",
  startTimeUnixNano: "1700000000000000000",
  endTimeUnixNano: "1700000001000000000",
  ...fields,
});
const jsonRequest = (...spans: unknown[]) =>
  JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] });

async function stored(name: string, project: "shop" | "bank" = "shop"): Promise<number> {
  const response = await server.ask(`/api/events?name=${encodeURIComponent(name)}`, project);
  return (await response.json() as { total: number }).total;
}

describe("every way to send a span stores it", () => {
  const small = gzipSync;
  const cases: [string, Record<string, string>, (body: Buffer) => Uint8Array][] = [
    ["plain", {}, (body) => body],
    ["gzip", { "content-encoding": "gzip" }, (body) => small(body)],
    ["zstd", { "content-encoding": "zstd" }, (body) => zstdCompressSync(body)],
    ["deflate", { "content-encoding": "deflate" }, (body) => deflateSync(body)],
    ["identity", { "content-encoding": "identity" }, (body) => body],
    ["parameters", { "content-type": `${protobuf}; charset=utf-8` }, (body) => body],
    ["capitals", { "content-type": "Application/X-Protobuf" }, (body) => body],
    ["without the x", { "content-type": "application/protobuf" }, (body) => body],
  ];
  test.each(cases)("protobuf, %s", async (name, headers, packed) => {
    const answer = await send("/v1/traces", packed(request(fresh(name))), headers);
    expect([answer.status, answer.body.length]).toEqual([200, 0]);
    expect(answer.type).toBe((headers["content-type"] ?? protobuf).split(";")[0]!.toLowerCase());
    expect(await stored(name)).toBe(1);
  });

  test("json, gzip", async () => {
    const body = gzipSync(jsonRequest(jsonSpan({ name: "json, gzip" })));
    const answer = await send("/v1/traces", body, {
      "content-type": `${json}; charset=utf-8`,
      "content-encoding": "gzip",
    });
    expect([answer.status, answer.type, jsonOf(answer)]).toEqual([200, json, {}]);
    expect(await stored("json, gzip")).toBe(1);
  });

  test("an export that comes again is a duplicate", async () => {
    const body = request(fresh("again"));
    for (let time = 0; time < 3; time++) {
      expect(await send("/v1/traces", body)).toMatchObject({ status: 200 });
    }
    expect(await stored("again")).toBe(1);
  });

  test("thousands of spans in one export", async () => {
    const body = request(...Array.from({ length: 2500 }, () => fresh("many")));
    expect(await send("/v1/traces", body)).toMatchObject({ status: 200 });
    expect(await stored("many")).toBe(2500);
  });

  test("nothing at all is an export too", async () => {
    expect(await send("/v1/traces", "")).toMatchObject({ status: 200 });
    expect(await send("/v1/logs", "{}", { "content-type": json })).toMatchObject({ status: 200 });
    expect(await send("/v1/metrics", "{}", { "content-type": json })).toMatchObject({
      status: 200,
    });
  });
});

describe("partial success", () => {
  test("in protobuf", async () => {
    const body = request(fresh("kept"), field(5, "lost"), fresh("kept"));
    const answer = await send("/v1/traces", body);
    expect([answer.status, answer.type]).toEqual([200, protobuf]);
    const wire = new Reader(answer.body);
    expect(wire.tag()).toBe(bytes(1));
    wire.enter();
    expect([wire.tag(), wire.int64(), wire.tag()]).toEqual([varint(1), 1, bytes(2)]);
    expect(wire.text()).toStartWith('1 of 3 spans rejected. span 1 "lost": trace_id is missing');
    expect(await stored("kept")).toBe(2);
  });

  test("in JSON, with an event that is too large", async () => {
    const huge = { key: "a", value: { stringValue: "x".repeat(limits.eventBytesMax) } };
    const body = jsonRequest(jsonSpan({ attributes: [huge] }), jsonSpan({ name: "small" }));
    const answer = await send("/v1/traces", body, { "content-type": json });
    expect(answer.status).toBe(200);
    expect(jsonOf(answer)).toEqual({
      partialSuccess: {
        rejectedSpans: "1",
        errorMessage: expect.stringContaining('span "json": The event has more than'),
      },
    });
    expect(await stored("small")).toBe(1);
  });

  test("names its counter after the signal", async () => {
    const points = [{ asInt: "1" }, { asInt: "no" }];
    const body = JSON.stringify({
      resourceMetrics: [{
        scopeMetrics: [{ metrics: [{ name: "m", gauge: { dataPoints: points } }] }],
      }],
    });
    const answer = await send("/v1/metrics", body, { "content-type": json });
    expect(jsonOf(answer)).toMatchObject({ partialSuccess: { rejectedDataPoints: "1" } });
    const records = [{ body: { stringValue: "a" } }, { body: "b" }];
    const logs = JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: records }] }] });
    expect(jsonOf(await send("/v1/logs", logs, { "content-type": json })))
      .toMatchObject({ partialSuccess: { rejectedLogRecords: "1" } });
  });
});

describe("errors are a Status in the encoding of the request", () => {
  const cut = request(fresh("cut")).subarray(0, 40);
  const cases: [string, number, number, string, () => Promise<Answer>][] = [
    ["a cut protobuf", 400, 3, "cut short", () => send("/v1/traces", cut)],
    [
      "all spans without ids",
      400,
      3,
      "1 of 1 spans",
      () => send("/v1/traces", request(field(5, "a"))),
    ],
    ["logs as traces", 400, 3, "/v1/logs", () => send("/v1/traces", request(fixed64(1, 5n)))],
    ["no gzip", 400, 3, "gzip", () => send("/v1/traces", "abc", { "content-encoding": "gzip" })],
    [
      "unknown compression",
      415,
      12,
      '"br"',
      () => send("/v1/traces", "", { "content-encoding": "br" }),
    ],
    [
      "no key that is known",
      401,
      16,
      "unknown or was revoked",
      () => send("/v1/traces", "", { authorization: "Bearer nobody" }),
    ],
    ["another project", 403, 7, 'project "bank"', () => send("/v1/projects/bank/traces", "")],
    [
      "a bomb",
      413,
      8,
      "inflates to more",
      () =>
        send("/v1/traces", gzipSync(Buffer.alloc(limits.bodyInflatedBytesMax + 1)), {
          "content-encoding": "gzip",
        }),
    ],
    [
      "millions of values",
      413,
      8,
      "millions of values",
      () => send("/v1/traces", Buffer.alloc(1_000_000, field(1))),
    ],
    [
      "a doubled path",
      404,
      5,
      "OTEL_EXPORTER_OTLP_ENDPOINT",
      () => send("/v1/traces/v1/traces", ""),
    ],
  ];
  test.each(cases)("%s", async (_, status, code, message, ask) => {
    const answer = await ask();
    expect([answer.status, answer.type]).toEqual([status, protobuf]);
    const told = messageOf(answer.body);
    expect(told[1]).toBe(code);
    expect(String(told[2])).toContain(message);
    expect(answer.headers.has("retry-after")).toBe(false);
  });

  test("in JSON, with the details that the specification asks for", async () => {
    const answer = await send("/v1/traces", "[", { "content-type": json });
    expect([answer.status, answer.type]).toEqual([400, json]);
    expect(jsonOf(answer)).toEqual({
      code: 3,
      message: expect.stringContaining("not JSON"),
      details: [{
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        fieldViolations: [{ field: "body", description: expect.stringContaining("not JSON") }],
      }],
    });
  });

  test("in JSON when the content type is not known", async () => {
    const answer = await send("/v1/traces", "", { "content-type": "text/plain" });
    expect([answer.status, answer.type]).toEqual([415, json]);
    expect(jsonOf(answer).message).toContain("application/x-protobuf");
  });

  test("a disk that is full is a reason to wait, in a code that exporters wait for", async () => {
    const app = new Hono();
    app.onError((error, c) => respondStatus(c, error as Problem));
    app.post("/v1/traces", () => {
      throw new Problem(507, "Disk full", "The disk is full.", {}, 30);
    });
    const answer = await app.request("/v1/traces", {
      method: "POST",
      headers: { "content-type": protobuf },
    });
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "30"]);
    expect(messageOf(new Uint8Array(await answer.arrayBuffer())))
      .toMatchObject({ 1: 14, 2: "The disk is full." });
  });

  test("for another method too", async () => {
    const response = await server.ask("/v1/logs");
    expect([response.status, response.headers.get("allow")]).toEqual([405, "POST"]);
    expect(await response.json()).toMatchObject({ code: 12 });
  });
});

describe("the project", () => {
  test.each(
    [
      ["of the key", "/v1/traces", {}, "bank"],
      ["by path", "/v1/projects/bank/traces", {}, null],
      ["by an endpoint that a path is appended to", "/v1/projects/bank/v1/traces", {}, null],
      ["by parameter", "/v1/traces?project_id=bank", {}, null],
      ["by header", "/v1/traces", { "x-watchllm-project": "bank" }, null],
    ] as const,
  )("%s", async (name, path, headers, project) => {
    expect(await send(path, request(fresh(name)), headers, project)).toMatchObject({ status: 200 });
    expect(await stored(name, "bank")).toBe(1);
    expect(await stored(name, "shop")).toBe(0);
  });

  test("must be named by the local user, who knows both", async () => {
    const answer = await send(
      "/v1/traces",
      request(fresh("whose")),
      { "content-type": json },
      null,
    );
    expect([answer.status, jsonOf(answer).code]).toEqual([400, 3]);
    expect(jsonOf(answer).message).toContain("OTEL_EXPORTER_OTLP_HEADERS=x-watchllm-project=");
  });
});

test("what came and what was refused is counted by signal", async () => {
  const text = await (await server.ask("/metrics")).text();
  for (
    const line of [
      /^watchllm_otlp_accepted_total\{signal="traces"\} [1-9]/m,
      /^watchllm_otlp_duplicate_total\{signal="traces"\} 2$/m,
      /^watchllm_otlp_rejected_total\{signal="traces",reason="invalid_trace_id"\} \d/m,
      /^watchllm_otlp_rejected_total\{signal="traces",reason="event_too_large"\} 1$/m,
      /^watchllm_otlp_refused_total\{signal="traces",reason="invalid_protobuf"\} 1$/m,
      /^watchllm_otlp_refused_total\{signal="traces",reason="unknown_encoding"\} 1$/m,
    ]
  ) expect(text).toMatch(line);
});

test("attributes that nest, repeat and name parts of JavaScript arrive as they were sent", async () => {
  const nested = field(6, attribute(1, "k", field(5, field(1, text("v")))));
  await send(
    "/v1/traces",
    request(fresh("nested", attribute(9, "a", nested), attribute(9, "__proto__", text("p")))),
  );
  const found = await (await server.ask("/api/events?name=nested")).json() as {
    events: { event_id: string }[];
  };
  const id = encodeURIComponent(found.events[0]!.event_id);
  const whole = await (await server.ask(`/api/events/${id}`)).text();
  expect(whole).toContain('{"k":["v"]}');
  expect(whole).toContain('"__proto__":"p"');
});

test("a slow rate and a server that is off are told to try later", async () => {
  const limited = await startTestServer([["rate-limit-events-per-s", "1"]]);
  const off = await startTestServer([["enabled", "false"]]);
  try {
    const ask = (url: string) =>
      fetch(`${url}/v1/traces`, {
        method: "POST",
        headers: { "content-type": json, authorization: `Bearer ${keys.shop}` },
        body: jsonRequest(jsonSpan(), jsonSpan(), jsonSpan(), jsonSpan()),
      });
    expect((await ask(limited.url)).status).toBe(200);
    for (const [url, status] of [[limited.url, 429], [off.url, 503]] as const) {
      const answer = await ask(url);
      const after = answer.headers.get("retry-after");
      expect([answer.status, Number(after) > 0]).toEqual([status, true]);
      expect(await answer.json()).toMatchObject({
        code: 14,
        details: [{
          "@type": "type.googleapis.com/google.rpc.RetryInfo",
          retryDelay: `${after}s`,
        }],
      });
    }
  } finally {
    await limited.stop();
    await off.stop();
  }
});
