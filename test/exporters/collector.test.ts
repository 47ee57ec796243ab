// A real OpenTelemetry Collector between an exporter and the built binary. It has to be made first,
// which takes minutes and a Go tool chain:
//   OTELCOL=$(bun scripts/collector.ts | tail -1) bun test test/exporters/collector.test.ts
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { freePort, type RunningServer, startServer } from "../end_to_end/binary.ts";
import { temporaryFolder } from "../store/fixture.ts";

const collector = process.env.OTELCOL;
const key = "a-key-for-the-tests-only";
const visibleMsMax = 30_000;

/** How the Collector sends: an exporter's settings, beside where to. */
const ways: Record<string, string> = {
  plain: "compression: none",
  gzip: "compression: gzip",
  zstd: "compression: zstd",
  deflate: "compression: deflate",
  json: "encoding: json",
};
const grpcWays: Record<string, string> = {
  grpc: "compression: none",
  grpc_gzip: "compression: gzip",
};
const projects = [...Object.keys(ways), ...Object.keys(grpcWays)];

describe.skipIf(collector === undefined)("collector", () => {
  const folder = temporaryFolder();
  let server: RunningServer,
    running: Bun.Subprocess,
    intake: number,
    grpc: number;

  async function start(port?: number): Promise<RunningServer> {
    return await startServer({
      dataDir: join(folder.path, "data"),
      ...port === undefined ? {} : { port },
      args: ["--grpc-listen", `127.0.0.1:${grpc}`],
      env: { WATCHLLM_INIT_PROJECT: "first", WATCHLLM_INIT_KEY: key },
    });
  }

  beforeAll(async () => {
    [intake, grpc] = [await freePort(), await freePort()];
    server = await start();
    const keys = new Map<string, string>();
    for (const project_id of projects) {
      await api("/api/projects", { project_id });
      keys.set(
        project_id,
        String(
          (await api("/api/keys", { project_id, scopes: ["ingest"] })).key,
        ),
      );
    }
    const retry = "retry_on_failure: { enabled: true, initial_interval: 200ms, max_interval: 1s }";
    const headers = (name: string) => `headers: { authorization: "Bearer ${keys.get(name)}" }`;
    const exporters = [
      ...Object.entries(ways).map(([name, setting]) =>
        `  otlphttp/${name}: { endpoint: "${server.url}", ${setting}, ${retry}, ${headers(name)} }`
      ),
      ...Object.entries(grpcWays).map(([name, setting]) =>
        `  otlp/${name}: { endpoint: "127.0.0.1:${grpc}", tls: { insecure: true }, ${setting}, ${retry}, ${
          headers(name)
        } }`
      ),
    ];
    const names = [
      ...Object.keys(ways).map((name) => `otlphttp/${name}`),
      ...Object.keys(grpcWays).map((name) => `otlp/${name}`),
    ].join(", ");
    const pipeline = (signal: string) =>
      `    ${signal}: { receivers: [otlp], exporters: [${names}] }`;
    writeFileSync(
      join(folder.path, "collector.yaml"),
      [
        `receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:${intake}" } } } }`,
        "exporters:",
        ...exporters,
        "service:",
        "  telemetry: { metrics: { level: none } }",
        "  pipelines:",
        ...["traces", "logs", "metrics"].map(pipeline),
      ].join("\n"),
    );
    running = Bun.spawn(
      [resolve(collector!), "--config", join(folder.path, "collector.yaml")],
      {
        stdin: "ignore",
        stdout: "ignore",
        stderr: Bun.file(join(folder.path, "collector.log")),
      },
    );
  }, 60_000);

  afterAll(async () => {
    running?.kill();
    await running?.exited;
    await server?.kill();
    folder.remove();
  });

  async function api(
    path: string,
    body?: unknown,
  ): Promise<Record<string, unknown>> {
    const response = await fetch(server.url + path, {
      method: body === undefined ? "GET" : "POST",
      headers: { "content-type": "application/json" },
      ...body === undefined ? {} : { body: JSON.stringify(body) },
    });
    if (!response.ok) {
      throw new Error(`${path}: ${response.status} ${await response.text()}`);
    }
    return await response.json() as Record<string, unknown>;
  }

  /** Sends one export to the Collector, which may still be starting. */
  async function send(signal: string, body: unknown): Promise<void> {
    for (const deadline = performance.now() + visibleMsMax;;) {
      const response = await fetch(`http://127.0.0.1:${intake}/v1/${signal}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      }).catch(() => null);
      if (response?.ok) return;
      if (performance.now() > deadline) {
        throw new Error(
          await Bun.file(join(folder.path, "collector.log")).text(),
        );
      }
      await Bun.sleep(100);
    }
  }

  async function until<T>(
    look: () => Promise<T>,
    isThere: (value: T) => boolean,
  ): Promise<T> {
    for (const deadline = performance.now() + visibleMsMax;;) {
      const value = await look();
      if (isThere(value) || performance.now() > deadline) return value;
      await Bun.sleep(100);
    }
  }

  const eventsOf = async (project_id: string, name: string) =>
    (await api(`/api/events?project_id=${project_id}&name=${name}`))
      .events as Record<
        string,
        unknown
      >[];

  test(
    "traces, logs and metrics arrive by every encoding and compression, each once",
    async () => {
      await send("traces", traces("chat"));
      await send("logs", logs);
      await send("metrics", metrics);
      for (const project_id of projects) {
        const [call, ...more] = await until(
          () => eventsOf(project_id, "chat"),
          ({ length }) => length > 0,
        );
        expect([project_id, more]).toEqual([project_id, []]);
        expect(call).toMatchObject({
          event_type: "prompt_call",
          model: "gpt-5",
          tokens_input: 12,
          tokens_output: 5,
          prompt: [{ role: "user", parts: [{ content: "Is it late?" }] }],
        });
        const told = await until(
          () => eventsOf(project_id, "claude_code.api_request"),
          ({ length }) => length > 0,
        );
        expect(told).toMatchObject([{
          event_type: "prompt_call",
          model: "claude-opus-4-7",
        }]);
        const named = await until(
          () => api(`/api/points/names?project_id=${project_id}`),
          ({ names }) => (names as unknown[]).length > 0,
        );
        expect(named.names).toMatchObject([{ name: "queue.length" }]);
      }
    },
    60_000,
  );

  test(
    "what the Collector holds while the server is away arrives when it is back, once",
    async () => {
      const { port } = server;
      await server.kill();
      await send("traces", traces("later"));
      server = await start(port);
      for (const project_id of projects) {
        const found = await until(
          () => eventsOf(project_id, "later"),
          ({ length }) => length > 0,
        );
        expect([project_id, found.length]).toEqual([project_id, 1]);
      }
    },
    60_000,
  );
});

const startNs = () => BigInt(Date.now()) * 1_000_000n;
const text = (key: string, stringValue: string) => ({
  key,
  value: { stringValue },
});
const number = (key: string, intValue: string) => ({
  key,
  value: { intValue },
});

function traces(name: string) {
  const messages = [{
    role: "user",
    parts: [{ type: "text", content: "Is it late?" }],
  }];
  const id = new Bun.CryptoHasher("sha256").update(name).digest("hex");
  const start = startNs();
  return {
    resourceSpans: [{
      scopeSpans: [{
        spans: [{
          traceId: id.slice(0, 32),
          spanId: id.slice(32, 48),
          name,
          startTimeUnixNano: String(start),
          endTimeUnixNano: String(start + 840_000_000n),
          attributes: [
            text("gen_ai.operation.name", "chat"),
            text("gen_ai.request.model", "gpt-5"),
            text("gen_ai.input.messages", JSON.stringify(messages)),
            number("gen_ai.usage.input_tokens", "12"),
            number("gen_ai.usage.output_tokens", "5"),
          ],
        }],
      }],
    }],
  };
}

const logs = {
  resourceLogs: [{
    scopeLogs: [{
      logRecords: [{
        timeUnixNano: String(startNs()),
        body: { stringValue: "claude_code.api_request" },
        attributes: [
          text("event.name", "api_request"),
          text("model", "claude-opus-4-7"),
          number("input_tokens", "100"),
          number("output_tokens", "20"),
          text("session.id", "session-1"),
        ],
      }],
    }],
  }],
};

const metrics = {
  resourceMetrics: [{
    scopeMetrics: [{
      metrics: [{
        name: "queue.length",
        unit: "1",
        gauge: {
          dataPoints: [{ timeUnixNano: String(startNs()), asInt: "7" }],
        },
      }],
    }],
  }],
};
