// Every route of the server, in one screen, and what surrounds them all.
import { OpenAPIHono } from "@hono/zod-openapi";
import { loggerOf } from "../logging.ts";
import { QueryBusy, QueryTimeout } from "../store/reader.ts";
import { type AlertDeps, alertRoutes } from "./alerts.ts";
import { authenticate, type AuthOptions } from "./auth.ts";
import { type BlobDeps, blobRoutes } from "./blobs.ts";
import { type ChannelDeps, channelRoutes } from "./channels.ts";
import { cors } from "./cors.ts";
import { type DeliveryDeps, deliveryRoutes } from "./deliveries.ts";
import { type ErasureDeps, erasureRoutes } from "./erasures.ts";
import { Problem, respond } from "./errors.ts";
import { eventRoutes } from "./events.ts";
import { type ExportRouteDeps, exportSubjectRoutes } from "./export.ts";
import { facetRoutes } from "./facets.ts";
import { type IngestDeps, ingestRoutes } from "./ingest.ts";
import { langfuseRoutes } from "./langfuse.ts";
import type { LangfuseDeps } from "./langfuse_request.ts";
import { type IssueDeps, issueRoutes } from "./issues.ts";
import { type LiveDeps, liveRoutes } from "./live.ts";
import { mappingRoutes } from "./mapping.ts";
import { metricRoutes } from "./metrics.ts";
import { type MonitorDeps, monitorRoutes } from "./monitors.ts";
import { type ExportDeps, exportRoutes, isExportPath, respondStatus } from "./otlp.ts";
import { pageRoutes } from "./page.ts";
import { type PriceDeps, priceRoutes } from "./prices.ts";
import { pointRoutes } from "./points.ts";
import type { AppEnv } from "./principal.ts";
import { type ProjectDeps, projectRoutes } from "./projects.ts";
import type { ReadDeps } from "./reads.ts";
import { type RedactionDeps, redactionRoutes } from "./redaction.ts";
import { type RetentionDeps, retentionRoutes } from "./retention.ts";
import { type RewriteDeps, rewriteRoutes } from "./rewrite.ts";
import { type RuleDeps, ruleRoutes } from "./rules.ts";
import { runRoutes } from "./runs.ts";
import { type SessionDeps, sessionRoutes } from "./session.ts";
import { type SqlDeps, sqlRoutes } from "./sql.ts";
import { type StatusDeps, statusRoutes } from "./status.ts";

export interface AppDeps
  extends
    ReadDeps,
    LangfuseDeps,
    PriceDeps,
    RedactionDeps,
    IngestDeps,
    ExportDeps,
    LiveDeps,
    SqlDeps,
    StatusDeps,
    ProjectDeps,
    SessionDeps,
    RuleDeps,
    ChannelDeps,
    AlertDeps,
    DeliveryDeps,
    MonitorDeps,
    IssueDeps,
    BlobDeps,
    RewriteDeps,
    ErasureDeps,
    ExportRouteDeps,
    RetentionDeps {
  auth: AuthOptions;
  /** Paths that a setting has switched off, and which. */
  off: ReadonlyMap<string, string>;
}

const log = loggerOf("serve");

export function createApp(deps: AppDeps): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>();
  app.onError((error, c) => {
    const problem = problemOf(error);
    return isExportPath(c.req.path) ? respondStatus(c, problem) : respond(c, problem);
  });
  app.notFound((c) => respond(c, new Problem(404, "Not found", `There is no ${c.req.path} here.`)));

  app.use(cors(deps.auth.corsOrigins));
  app.use(authenticate(deps.state, deps.auth));

  for (const [path, setting] of deps.off) {
    app.use(path, () => {
      throw new Problem(403, "Switched off", `${path} is switched off: ${setting} is false.`);
    });
  }

  app.route("/", ingestRoutes(deps)); //   POST /v1/events, /v1/projects/{project_id}/events
  app.route("/", exportRoutes(deps)); //   POST /v1/traces, /v1/logs, /v1/metrics, of a project too
  app.route("/", langfuseRoutes(deps)); // /api/public/…
  app.route("/", eventRoutes(deps)); //    GET /api/events, /api/events/{event_id}
  app.route("/", mappingRoutes(deps)); //  GET /api/events/{event_id}/mapping
  app.route("/", blobRoutes(deps)); //     GET /api/blobs/{sha256}
  app.route("/", runRoutes(deps)); //      GET /api/runs, /api/runs/{run_id}
  app.route("/", metricRoutes(deps)); //   GET /api/metrics
  app.route("/", pointRoutes(deps)); //    GET /api/points, /api/points/names
  app.route("/", facetRoutes(deps)); //    GET /api/facets
  app.route("/", priceRoutes(deps)); //    /api/prices, …/custom, …/unpriced, …/quote
  app.route("/", redactionRoutes(deps)); // /api/redaction, …/try, …/kinds
  app.route("/", rewriteRoutes(deps)); //  /api/rewrite, /api/rewrite/{id}
  app.route("/", erasureRoutes(deps)); //  /api/erasures, /api/erasures/{id}
  app.route("/", exportSubjectRoutes(deps)); // GET /api/export
  app.route("/", retentionRoutes(deps)); // /api/retention
  app.route("/", liveRoutes(deps)); //     GET /api/live
  app.route("/", sqlRoutes(deps)); //      POST /api/sql
  app.route("/", ruleRoutes(deps)); //     /api/rules
  app.route("/", channelRoutes(deps)); //  /api/channels, …/{id}/test
  app.route("/", alertRoutes(deps)); //    /api/alerts, …/{id}/resolve
  app.route("/", deliveryRoutes(deps)); // /api/deliveries, …/{id}/retry
  app.route("/", monitorRoutes(deps)); //  /api/monitors, …/try, …/{id}/run, …/{id}/results
  app.route("/", issueRoutes(deps)); //    /api/issues, …/settings, …/{id}, …/{id}/merge
  app.route("/", projectRoutes(deps)); //  /api/projects, /api/keys
  app.route("/", sessionRoutes(deps)); //  /api/session
  app.route("/", statusRoutes(deps)); //   GET /api/status, /healthz, /readyz, /metrics

  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    description: "An API key. The user of this machine needs none on a loopback address.",
  });
  app.doc31("/openapi.json", {
    openapi: "3.1.0",
    info: {
      title: "WatchLLM",
      version: deps.version,
      description: "Records what AI programs do, and answers what broke, what it cost, and why.",
    },
    security: [{ bearer: [] }],
  });
  app.route("/", pageRoutes()); //         everything else that a browser opens
  return app;
}

function problemOf(error: Error): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof QueryBusy) return new Problem(503, "Busy", error.message, {}, 1);
  if (error instanceof QueryTimeout) {
    return new Problem(408, "Query timed out", `${error.message} Narrow the range of time.`);
  }
  // The client went away before its body was whole: nobody reads this, and nothing is wrong here.
  if (error.name === "AbortError") return new Problem(400, "Connection closed", error.message);
  // Hono's own refusals, of a body that is no JSON for one.
  const status = (error as { status?: unknown }).status;
  if (status === 400) return new Problem(400, "Invalid request", error.message);
  const id = Bun.randomUUIDv7();
  log.error("A request failed: {error}", { id, error });
  return new Problem(
    500,
    "Internal error",
    `Something is wrong here; the log has it under ${id}.`,
    {
      id,
    },
  );
}
