// How the server is doing: /healthz, /readyz, /metrics for machines, /api/status for the page.
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { Counter, Gauge, Registry } from "prom-client";
import type { ExportCounters, Exports } from "../exports.ts";
import type { Ingest } from "../ingest.ts";
import type { Live } from "../live.ts";
import type { Store } from "../store/store.ts";
import { Problem, respond } from "./errors.ts";
import { allowed, type AppEnv } from "./principal.ts";

export interface StatusDeps {
  version: string;
  dataDir: string;
  store: Pick<Store, "status" | "recovery" | "reader" | "backlog" | "blobs">;
  ingest: Ingest;
  exports: Exports;
  live: Live;
  /** True from SIGTERM on. */
  draining(): boolean;
}

const status = z.object({
  version: z.string(),
  data_dir: z.string().nullable().describe("Shown to the local user and to admins."),
  pending_events: z.int().describe("Acknowledged events that queries do not see yet."),
  pending_flush_events: z.int().describe("Events that are visible, but not in Parquet yet."),
  events_total: z.int(),
  points_total: z.int().describe("Data points of metrics."),
  files: z.int(),
  lake_bytes: z.int(),
  damaged_files: z.int().describe(
    "Parquet files that are not what was written, and were set aside under quarantine/.",
  ),
  damaged_rows: z.int().describe("Events and data points in them, which no answer counts."),
  log_bytes: z.int(),
  manifest_version: z.int(),
  client_drops: z.record(z.string(), z.int()).describe(
    "Events that SDKs say they dropped before sending, by reason, since the start.",
  ),
  quarantined: z.int().describe("Damaged pieces of the log that were set aside at start."),
}).openapi("Status");

const statusRoute = createRoute({
  method: "get",
  path: "/api/status",
  summary: "How far the server is",
  request: { query: z.object({ project_id: z.string().optional() }) },
  responses: {
    200: { description: "Now.", content: { "application/json": { schema: status } } },
  },
});

export function statusRoutes(deps: StatusDeps): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>();
  const metrics = registry(deps);

  app.openapi(statusRoute, (c) => {
    const principal = c.get("principal");
    // The numbers are of the whole server; any reader may know them.
    if (!principal.local) allowed(principal, "read", principal.projects[0]);
    const admin = principal.local || principal.scopes.has("admin");
    return c.json({
      version: deps.version,
      data_dir: admin ? deps.dataDir : null,
      ...deps.store.status(),
      client_drops: Object.fromEntries(deps.ingest.counters.clientDrops),
      quarantined: deps.store.recovery.damage.length,
    }, 200);
  });

  app.get("/healthz", (c) => c.json({ status: "ok" }));
  app.get("/readyz", async (c) => {
    const reason = await notReady(deps);
    return reason === null
      ? c.json({ status: "ready" })
      : respond(c, new Problem(503, "Not ready", reason, {}, 1));
  });
  app.get("/metrics", async (c) =>
    c.text(await metrics.metrics(), 200, {
      "content-type": metrics.contentType,
    }));
  return app;
}

/** Why events cannot be taken or questions not be answered; null when both work. */
async function notReady(deps: StatusDeps): Promise<string | null> {
  if (deps.draining()) return "The server is shutting down.";
  const refusal = deps.ingest.refusal();
  if (refusal !== null) return refusal.message;
  try {
    await deps.store.reader.snapshot({ project_id: "" }, (ask) => ask("SELECT 1 AS one", {}));
    return null;
  } catch (error) {
    return `Queries fail: ${(error as Error).message}`;
  }
}

function registry(deps: StatusDeps): Registry {
  const registry = new Registry();
  const { counters } = deps.ingest;
  const registers = [registry];
  const counter = (name: string, help: string, value: () => number) =>
    new Counter({
      name: `watchllm_${name}`,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(value());
      },
    });
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name: `watchllm_${name}`,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  const byReason = (name: string, help: string, values: Map<string, number>) =>
    new Counter({
      name: `watchllm_${name}`,
      help,
      labelNames: ["reason"],
      registers,
      collect() {
        this.reset();
        for (const [reason, value] of values) this.inc({ reason }, value);
      },
    });
  counter("events_accepted_total", "Events stored.", () => counters.accepted);
  counter(
    "events_duplicate_total",
    "Events whose id was stored before.",
    () => counters.duplicates,
  );
  counter("events_sampled_out_total", "Events left out by sampling.", () => counters.sampledOut);
  counter("points_accepted_total", "Data points of metrics stored.", () => counters.points);
  counter(
    "points_duplicate_total",
    "Data points that were stored before.",
    () => counters.pointDuplicates,
  );
  counter("ingest_bytes_total", "Bytes of bodies, decompressed.", () => counters.bytes);
  const { counters: blobs } = deps.store.blobs;
  counter("blobs_stored_total", "Files moved out of events.", () => blobs.kept);
  counter("blobs_stored_bytes_total", "Their bytes.", () => blobs.keptBytes);
  counter("blobs_known_total", "Files that were stored before.", () => blobs.known);
  counter("blobs_deleted_total", "Files that no event refers to any more.", () => blobs.deleted);
  counter("blobs_deleted_bytes_total", "Their bytes.", () => blobs.deletedBytes);
  byReason("events_rejected_total", "Events refused, by reason.", counters.rejected);
  byReason("client_drops_total", "Events that SDKs dropped, by reason.", counters.clientDrops);
  byReason("requests_refused_total", "Ingest requests refused, by reason.", counters.refused);
  exportCounters(registry, deps.exports.counters);
  gauge(
    "events_pending",
    "Acknowledged, not yet visible.",
    () => deps.store.status().pending_events,
  );
  gauge(
    "events_stored",
    "Events in the lake and the tail.",
    () => deps.store.status().events_total,
  );
  gauge("lake_files", "Parquet files.", () => deps.store.status().files);
  gauge("lake_bytes", "Bytes of Parquet.", () => deps.store.status().lake_bytes);
  gauge("damaged_files", "Parquet files set aside.", () => deps.store.status().damaged_files);
  gauge("log_bytes", "Bytes of the log not in Parquet.", () => deps.store.status().log_bytes);
  gauge("log_backlog_bytes", "Bytes that wait for the disk.", () => deps.store.backlog);
  gauge("live_readers", "Readers of /api/live.", () => deps.live.subscribers);
  gauge("quarantined", "Damaged pieces of the log.", () => deps.store.recovery.damage.length);
  gauge("process_resident_memory_bytes", "Resident memory.", () => process.memoryUsage.rss());
  gauge("process_cpu_seconds", "CPU time used.", () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  return registry;
}

function exportCounters(registry: Registry, counters: Exports["counters"]): void {
  const counter = (
    name: string,
    help: string,
    labels: string[],
    each: (of: ExportCounters) => Iterable<[Record<string, string>, number]>,
  ) =>
    new Counter({
      name: `watchllm_otlp_${name}_total`,
      help,
      labelNames: ["signal", ...labels],
      registers: [registry],
      collect() {
        this.reset();
        for (const [signal, of] of Object.entries(counters)) {
          for (const [given, value] of each(of)) this.inc({ signal, ...given }, value);
        }
      },
    });
  const byReason = (values: Map<string, number>): [Record<string, string>, number][] =>
    [...values].map(([reason, value]) => [{ reason }, value]);
  counter("accepted", "OTLP items stored.", [], (of) => [[{}, of.accepted]]);
  counter("duplicate", "OTLP items stored before.", [], (of) => [[{}, of.duplicates]]);
  counter("rejected", "OTLP items refused.", ["reason"], (of) => byReason(of.rejected));
  counter("refused", "OTLP exports refused whole.", ["reason"], (of) => byReason(of.refused));
}
