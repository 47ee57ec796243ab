// POST /v1/traces, /v1/logs, /v1/metrics: exports of any OpenTelemetry producer, by OTLP/HTTP. 200
// means that everything accepted is on disk; what was rejected is counted and named in the answer.
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { ExportReceipt, Exports } from "../exports.ts";
import { limits } from "../limits.ts";
import { inflate, readBody } from "../receive/body.ts";
import { type Encoding, type Signal, signals } from "../receive/otlp/export.ts";
import { codeOfHttp, encodeResponse, encodeStatus } from "../receive/otlp/response.ts";
import { Problem } from "./errors.ts";
import { bodyProblem, type IngestDeps, limitRate, problemOf } from "./ingest.ts";
import { allowed, type AppEnv } from "./principal.ts";

export interface ExportDeps extends IngestDeps {
  exports: Exports;
}

/** Names the project when the caller knows several, as exporters can set headers. */
export const projectHeader = "x-watchllm-project";

/** Content types that are read, and how; the answer has the same. */
const encodings = new Map<string, Encoding>([
  ["application/x-protobuf", "protobuf"],
  ["application/protobuf", "protobuf"],
  ["application/json", "json"],
]);

/** Below a project, as OTEL_EXPORTER_OTLP_TRACES_ENDPOINT and OTEL_EXPORTER_OTLP_ENDPOINT want it. */
const prefixes = ["/v1", "/v1/projects/{project_id}", "/v1/projects/{project_id}/v1"];
const exportPath = new RegExp(`/v1/(?:projects/[^/]+/)?(?:${signals.join("|")})/?$`);

/** Whether errors of this path are told as OTLP wants it. */
export function isExportPath(path: string): boolean {
  return exportPath.test(path);
}

export function exportRoutes(deps: ExportDeps): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>();
  for (const signal of signals) {
    for (const prefix of prefixes) {
      app.openAPIRegistry.registerPath(documented(`${prefix}/${signal}`, signal));
      const path = `${prefix.replace("{project_id}", ":project_id")}/${signal}`;
      app.post(path, exportHandler(deps, signal));
      app.all(path, (c) => {
        c.header("allow", "POST");
        throw new Problem(405, "Method not allowed", "Exports are sent with POST.");
      });
      app.all(`${path}/v1/:signal`, () => {
        throw new Problem(
          404,
          "Not found",
          "Exporters append the signal's path to OTEL_EXPORTER_OTLP_ENDPOINT: " +
            `leave /v1/${signal} off it.`,
        );
      });
    }
  }
  return app;
}

/** Takes exports of the signal on a path that another file chooses. */
export function exportHandler(deps: ExportDeps, signal: Signal) {
  return async (c: Context<AppEnv>): Promise<Response> => {
    try {
      return await takeExport(c, deps, signal);
    } catch (error) {
      if (error instanceof Problem) deps.exports.countRefused(signal, reasonOf(error));
      throw error;
    }
  };
}

async function takeExport(
  c: Context<AppEnv>,
  deps: ExportDeps,
  signal: Signal,
): Promise<Response> {
  const encoding = encodings.get(typeOf(c));
  if (encoding === undefined) {
    throw new Problem(
      415,
      "Unknown content type",
      "Send Content-Type: application/x-protobuf or application/json.",
    );
  }
  const project_id = projectOf(c);
  if (!deps.enabled) {
    throw new Problem(503, "Ingestion is off", "WATCHLLM_ENABLED is false.", {}, 60);
  }
  const refusal = deps.ingest.refusal();
  if (refusal !== null) throw problemOf(refusal);
  const hold = deps.bodies.hold();
  try {
    const received = await readBody(c.req.raw, hold, limits.exportBytesMax);
    const body = received instanceof Uint8Array
      ? inflate(received, c.req.header("content-encoding") ?? null)
      : received;
    if (!(body instanceof Uint8Array)) throw bodyProblem(body);
    // What was decompressed takes room of its own.
    if (body !== received && !hold.take(body.length)) {
      throw problemOf({ reason: "busy", message: "Too many exports are read; send again later." });
    }
    limitRate(deps.rateLimit, project_id);
    const receipt = await deps.exports.take(project_id, signal, encoding, body);
    if ("reason" in receipt) throw problemOf(receipt);
    deps.rateLimit?.spend(project_id, receipt.accepted + receipt.duplicates);
    return answer(c, signal, encoding, receipt);
  } finally {
    hold.release();
  }
}

function answer(
  c: Context<AppEnv>,
  signal: Signal,
  encoding: Encoding,
  { accepted, duplicates, sampled_out, rejected, message }: ExportReceipt,
): Response {
  // Louder than a partial success, of which most exporters say nothing.
  if (rejected > 0 && accepted + duplicates + sampled_out === 0) {
    throw new Problem(400, "Everything was rejected", message, { reason: "all_rejected" });
  }
  const body = encodeResponse(encoding, signal, rejected, message);
  return c.body(body as string, 200, { "content-type": typeOf(c) });
}

/** An error as OTLP wants it: a google.rpc.Status in the encoding of the request. */
export function respondStatus(c: Context, problem: Problem): Response {
  // Exporters send again after 503, but never after 507.
  const status = problem.status === 507 ? 503 : problem.status;
  const body = encodeStatus(encodings.get(typeOf(c)) ?? "json", {
    code: codeOfHttp(status),
    message: problem.detail,
    retryAfterS: problem.retryAfterS ?? null,
  });
  const type = encodings.has(typeOf(c)) ? typeOf(c) : "application/json";
  const headers: Record<string, string> = { "content-type": type };
  if (problem.retryAfterS !== undefined) headers["retry-after"] = String(problem.retryAfterS);
  if (problem.status === 401) headers["www-authenticate"] = 'Bearer realm="watchllm"';
  return c.body(body as string, status, headers);
}

/** Content type without its parameters. */
function typeOf(c: Context): string {
  return (c.req.header("content-type") ?? "").split(";", 1)[0]!.trim().toLowerCase();
}

function projectOf(c: Context<AppEnv>): string {
  const named = c.req.param("project_id") ?? c.req.query("project_id") ??
    c.req.header(projectHeader);
  const principal = c.get("principal");
  if (!named && principal.projects.length > 1) {
    throw new Problem(
      400,
      "Project required",
      "Several projects are known: send the key of one, or name it, with the header " +
        `${projectHeader} (OTEL_EXPORTER_OTLP_HEADERS=${projectHeader}=<id>), or by ` +
        "OTEL_EXPORTER_OTLP_ENDPOINT=<server>/v1/projects/<id>.",
    );
  }
  return allowed(principal, "ingest", named);
}

function reasonOf({ title, extra }: Problem): string {
  return typeof extra.reason === "string" ? extra.reason : title.toLowerCase().replaceAll(" ", "_");
}

const requests = {
  traces: "ExportTraceServiceRequest",
  logs: "ExportLogsServiceRequest",
  metrics: "ExportMetricsServiceRequest",
};

const status = z.object({
  code: z.int(),
  message: z.string(),
  details: z.array(z.record(z.string(), z.unknown())),
}).openapi("RpcStatus");

function documented(path: string, signal: Signal) {
  const refused = (description: string) => ({
    description,
    content: { "application/json": { schema: status } },
  });
  const message = z.record(z.string(), z.unknown()).describe(`${requests[signal]} of OTLP.`);
  return createRoute({
    method: "post",
    path,
    summary: `Send ${signal} by OTLP/HTTP`,
    description: "Protobuf or JSON, plain, gzip, zstd or deflate; the answer has the encoding of " +
      "the request. A project that the key does not tell is named by the path, the parameter " +
      `project_id or the header ${projectHeader}.`,
    request: {
      params: path.includes("{project_id}") ? z.object({ project_id: z.string() }) : undefined,
      query: z.object({ project_id: z.string().optional() }),
      body: {
        content: {
          "application/json": { schema: message },
          "application/x-protobuf": { schema: z.string().describe(`${requests[signal]}.`) },
        },
      },
    },
    responses: {
      200: {
        description: "Stored. partialSuccess counts what was rejected, and says why.",
        content: {
          "application/json": {
            schema: z.object({ partialSuccess: z.record(z.string(), z.string()).optional() }),
          },
        },
      },
      400: refused("Nothing of it could be taken; the message says why. Do not send it again."),
      401: refused("No key, or a wrong one."),
      403: refused("The key may not write to this project."),
      413: refused("Too large, before or after decompression."),
      415: refused("Unknown Content-Type or Content-Encoding."),
      429: refused("Over the project's rate; see Retry-After."),
      503: refused("Busy, or the disk is full or fails; see Retry-After."),
    },
  });
}
