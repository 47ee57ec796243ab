// The exporters of OpenTelemetry JS as users have them, unchanged but for the address: traces, logs
// and metrics by HTTP with protobuf and JSON, and by gRPC. And hostile exports beside them.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { attribute, field, request, span, text } from "../../scripts/bench/otlp_wire.ts";
import { installed } from "../../scripts/opentelemetry.ts";
import { limits } from "../../src/limits.ts";
import { temporaryFolder } from "../store/fixture.ts";
import {
  bareEnvironment,
  freePort,
  fromSource,
  type RunningServer,
  startServer,
} from "./binary.ts";

const key = "a-key-for-the-tests-only";
const answerMsMax = 10_000;
/** At the worst moment of the hostile exports. */
const residentMBMax = 1200;
const MiB = 1024 * 1024;

const folder = temporaryFolder();
let server: RunningServer;
let grpcPort = 0;
let packages = "";

beforeAll(async () => {
  packages = await installed();
  grpcPort = await freePort();
  server = await startServer({
    dataDir: folder.path,
    command: fromSource,
    env: {
      WATCHLLM_INIT_PROJECT: "shop",
      WATCHLLM_INIT_KEY: key,
      WATCHLLM_GRPC_LISTEN: `127.0.0.1:${grpcPort}`,
    },
  });
}, 120_000);
afterAll(async () => {
  await server.kill();
  folder.remove();
});

async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  return await fetch(server.url + path, {
    ...init,
    headers: { authorization: `Bearer ${key}`, ...init.headers as Record<string, string> },
    signal: AbortSignal.timeout(answerMsMax),
  });
}

interface Found {
  total: number;
  events: Record<string, unknown>[];
}

const eventsOf = async (query: string) => await (await ask(`/api/events?${query}`)).json() as Found;

describe("exporters of OpenTelemetry JS", () => {
  test.each([
    ["http/protobuf", "proto", "none"],
    ["http/protobuf, gzip", "proto", "gzip"],
    ["http/json", "http", "none"],
    ["http/json, gzip", "http", "gzip"],
    ["grpc", "grpc", "none"],
    ["grpc, gzip", "grpc", "gzip"],
  ])("%s", async (name, protocol, compression) => {
    const client = Bun.spawn(
      [process.execPath, join(import.meta.dir, "otlp_client.mjs"), packages, protocol, name],
      {
        env: bareEnvironment({
          OTEL_EXPORTER_OTLP_ENDPOINT: protocol === "grpc"
            ? `http://127.0.0.1:${grpcPort}`
            : server.url,
          OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer ${key}`,
          OTEL_EXPORTER_OTLP_COMPRESSION: compression,
        }),
        stdout: "pipe",
        stderr: "pipe",
      },
    );
    const [code, errors] = await Promise.all([client.exited, new Response(client.stderr).text()]);
    expect([code, errors]).toEqual([0, ""]);

    const { total, events: [call] } = await eventsOf(`name=${encodeURIComponent(`chat ${name}`)}`);
    expect(total).toBe(1);
    const whole = await (await ask(`/api/events/${call!.event_id}`)).json();
    expect(whole).toMatchObject({
      event_type: "prompt_call",
      model: "gpt-4o-mini",
      provider: "openai",
      tokens_input: 12,
      tokens_output: 3,
      release: "1.2.3",
    });
    expect(JSON.stringify(whole)).toContain("Grüße?");
    expect(JSON.stringify(whole)).toContain("Hallo!");

    const counted = await (await ask("/metrics")).text();
    for (const signal of ["traces", "logs", "metrics"]) {
      expect(counted).toMatch(new RegExp(`otlp_accepted_total\\{signal="${signal}"\\} [1-9]`));
    }
  }, 60_000);

  test("nothing of it was refused or rejected", async () => {
    const counted = await (await ask("/metrics")).text();
    expect(counted).not.toMatch(/watchllm_otlp_(rejected|refused)_total\{/);
  });
});

describe("hostile exports", () => {
  const send = async (
    body: Uint8Array,
    headers: Record<string, string> = {},
    path = "/v1/traces",
  ) => {
    const response = await ask(path, {
      method: "POST",
      headers: { "content-type": "application/x-protobuf", ...headers },
      body: body as BodyInit,
    });
    await response.arrayBuffer();
    return response.status;
  };
  const json = { "content-type": "application/json" };
  const gzip = { "content-encoding": "gzip" };
  const many = (count: number, part: Buffer) => Buffer.concat(Array<Buffer>(count).fill(part));
  const id = (last: number) => field(2, Buffer.from([0xbb, 0, 0, 0, 0, 0, 0, last]));

  /** Attributes without values, of 12 bytes each. */
  const names = (count: number) => {
    const bytes = Buffer.alloc(count * 12);
    for (let at = 0; at < count; at++) {
      bytes.set([9 << 3 | 2, 10, 1 << 3 | 2, 8], at * 12);
      bytes.write(at.toString(36).padStart(8, "0"), at * 12 + 4, "latin1");
    }
    return bytes;
  };

  // deno-fmt-ignore
  const cases: [string, number, () => Uint8Array, Record<string, string>?][] = [
    ["64 MiB of zeros", 400, () => Buffer.alloc(limits.exportBytesMax)],
    ["more than 64 MiB", 413, () => Buffer.alloc(limits.exportBytesMax + 1)],
    ["a gzip bomb", 413, () => gzipSync(Buffer.alloc(200 * MiB)), gzip],
    ["64 MiB of resources", 413, () => gzipSync(many(30 * MiB, Buffer.from([0x0a, 0]))), gzip],
    ["two million attributes with names of their own", 400, () => gzipSync(request(span(names(2_000_000)))), gzip],
    ["a million and a half attributes in a hundred spans", 200, () => gzipSync(request(...Array.from({ length: 100 }, (_, at) => span(id(100 + at), names(15_000))))), gzip],
    ["a million keys that all differ", 200, () => Buffer.from(`{"resourceSpans":[{${Array.from({ length: 1_000_000 }, (_, at) => `"${at}":`).join("0,")}0}]}`), json],
    ["64 MiB of empty objects", 413, () => gzipSync(`{"resourceSpans":[${"{},".repeat(20 * MiB)}{}]}`), { ...gzip, ...json }],
    ["a million brackets", 400, () => Buffer.from("[".repeat(1_000_000)), json],
    ["a span of 20 MB beside a small one", 200, () => request(span(id(1), field(5, "beside")), span(id(2), attribute(9, "a", text("x".repeat(20e6)))))],
    ["indexes in the millions", 200, () => request(span(id(3), field(5, "indexes"), ...[0, 5_000_000, 2 ** 31].map((at) => attribute(9, `gen_ai.prompt.${at}.content`, text("far")))))],
    ["spans that are each other's parents", 200, () => request(span(id(4), field(4, Buffer.from([0xbb, 0, 0, 0, 0, 0, 0, 5]))), span(id(5), field(4, Buffer.from([0xbb, 0, 0, 0, 0, 0, 0, 4]))))],
    ["a span that is its own parent", 200, () => request(span(id(6), field(4, Buffer.from([0xbb, 0, 0, 0, 0, 0, 0, 6]))))],
    ["ten thousand spans without ids", 400, () => request(...Array<Buffer>(10_000).fill(field(5, "a")))],
  ];
  for (const [name, status, body, headers] of cases) {
    test(name, async () => expect(await send(body(), headers)).toBe(status), 30_000);
  }

  test("and their neighbours are there, and the server is well", async () => {
    expect((await eventsOf("name=beside")).total).toBe(1);
    expect((await eventsOf("name=indexes")).total).toBe(1);
    expect((await ask("/readyz")).status).toBe(200);
    const trace = "0af7651916cd43dd8448eb211c80319c";
    expect((await ask(`/api/runs/${trace}`)).status).toBe(200);
    const [, peakKB] = /VmHWM:\s+(\d+)/.exec(
      readFileSync(`/proc/${server.process.pid}/status`, "utf8"),
    ) ?? [];
    console.log(`otlp: peak of ${Math.round(Number(peakKB) / 1024)} MB`);
    expect(Number(peakKB) / 1024).toBeLessThan(residentMBMax);
    expect(server.output()).not.toContain("Cannot map");
  });
});
