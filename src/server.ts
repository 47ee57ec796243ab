// The parts of the server, put together and taken apart in order.
import type { Config } from "./config.ts";
import { extractFiles } from "./content/extract.ts";
import { build } from "./embedded.ts";
import { Exports } from "./exports.ts";
import { Ingest } from "./ingest.ts";
import { groupBy, issueSetting, settingsOf } from "./issue/settings.ts";
import { Issues } from "./issues.ts";
import { Langfuse } from "./langfuse.ts";
import { Live } from "./live.ts";
import { loggerOf } from "./logging.ts";
import { maintain } from "./maintain.ts";
import { mapLogRecord, mapSpan } from "./map/map.ts";
import { Monitors } from "./monitors.ts";
import { systemResolve } from "./notify/address.ts";
import { customPricesSetting, Prices } from "./price/pricer.ts";
import { noSteps } from "./receive/batch.ts";
import { BodyRoom } from "./receive/body.ts";
import { oneEvent } from "./query/events.ts";
import { Redaction, redactionSetting } from "./redact/redaction.ts";
import { requestMsMax } from "./redact/redactor.ts";
import { createApp } from "./serve/app.ts";
import { openErasing } from "./erase/open.ts";
import { RewriteJobs } from "./serve/rewrite.ts";
import { type GrpcServer, startGrpc } from "./serve/grpc.ts";
import { systemClock } from "./std/clock.ts";
import { RateLimit } from "./std/rate_limit.ts";
import { Pending } from "./store/pending.ts";
import { Sandbox } from "./store/sandbox.ts";
import type { State } from "./store/state.ts";
import { policyOf, retentionSetting } from "./store/retain.ts";
import { folders, Store } from "./store/store.ts";
import { openAlerting } from "./watch/open.ts";
import { join } from "node:path";

export interface RunningServer {
  address: { host: string; port: number };
  /** Of OTLP/gRPC; null when it is off. */
  grpcPort: number | null;
  stop(): Promise<void>;
}

const log = loggerOf("serve");

/** DuckDB has one thread per core; two are what the smallest server has. */
const duckdbThreads = Math.max(2, navigator.hardwareConcurrency);
/** Events whose ids are remembered for certain; up to twice as many are. */
const dedupeEventsMin = 1_000_000;
const dedupePointsMin = 250_000;
/** Conversion may be this far behind before ingestion is told to wait. */
const flushesBehindMax = 4;
const unflushedBytesMin = 64 * 1024 * 1024;
/** Bodies that may be in memory at once, as they arrived. */
const bodiesBytesMax = 256 * 1024 * 1024;
const sqlChildrenMax = 2;
const sqlWaitingMax = 16;
const sqlSpareIdleMs = 60_000;
const quietMarginS = 5;
/** Bun's own limit. */
const quietSMax = 255;
/** Larger than any body that is read; those in between get a problem document. */
const requestBytesMax = 1024 * 1024 * 1024;

export async function startServer(config: Config, state: State): Promise<RunningServer> {
  const clock = systemClock;
  const onError = (what: string, error: unknown) =>
    log.error(`Failed: ${what}: {error}`, { error });
  const store = await Store.open({
    dataDir: config.data_dir,
    cacheDir: config.cache_dir,
    memoryLimit: config.memory_limit,
    threads: duckdbThreads,
    queryConcurrency: config.query_concurrency,
    queryTimeoutMs: config.query_timeout_s * 1000,
    dedupeEventsMin,
    dedupePointsMin,
    clock,
    onError,
  });
  reportRecovery(store);
  const live = new Live();
  const prices = new Prices((project_id) => state.setting(project_id, customPricesSetting));
  const redaction = await redactionOf(config, state);
  const ingest = new Ingest(store, live, clock, {
    queueBytesMax: config.queue_bytes_max,
    unflushedBytesMax: Math.max(config.flush_bytes * flushesBehindMax, unflushedBytesMin),
    sampleRate: config.sample_rate,
    steps: (project_id) => {
      const pricer = prices.of(project_id);
      const redactor = redaction.of(project_id);
      const grouping = settingsOf(state.setting(project_id, issueSetting)).rules;
      const untilMs = clock.nowMs() + requestMsMax;
      return {
        ...noSteps,
        extract: config.blobs ? extractFiles : null,
        redact: redactor === null ? null : (value) => redactor.redact(value, untilMs),
        price: (event) => pricer.price(event),
        group: grouping.length === 0 ? null : (event) => groupBy(grouping, event),
      };
    },
    noted: (events) => issues.note(events),
  });
  const exports = new Exports(ingest, {
    traces: mapSpan,
    logs: mapLogRecord,
    metrics: (project_id, points, bytes) => ingest.takePoints(project_id, points, bytes),
  });
  const pending = new Pending(join(config.data_dir, folders.pending));
  const langfuse = new Langfuse({
    pending,
    ingest,
    stored: (project_id, event_id) => oneEvent(store.reader, project_id, event_id),
    hold: (project_id, hashes) => store.blobs.hold(project_id, hashes),
    clock,
  });
  const bodies = new BodyRoom(bodiesBytesMax);
  const sandbox = new Sandbox({
    cacheDir: config.cache_dir,
    temporaryDir: join(config.data_dir, folders.temporary),
    memoryLimit: config.sql_memory_limit,
    threads: duckdbThreads,
    childrenMax: sqlChildrenMax,
    waitingMax: sqlWaitingMax,
    waitMsMax: config.sql_timeout_s * 1000,
    spareIdleMs: sqlSpareIdleMs,
  });
  const rewrites = new RewriteJobs(store, prices, clock);
  const alerting = await openAlerting(config, state, {
    reader: store.reader,
    sandbox,
    source: (project_id) => store.source(project_id),
    ingest,
    clock,
    onError,
  });
  const issues = new Issues({
    store: alerting.store,
    reader: store.reader,
    projects: () => state.projects,
    setting: (project_id, name) => state.setting(project_id, name),
    clock,
    wake: () => alerting.deliverer.wake(),
    onError,
  });
  const monitors = new Monitors({
    store: alerting.store,
    seal: alerting.seal,
    ingest,
    prices,
    hasProject: (project_id) => state.project(project_id) !== null,
    clock,
    monotonicMs: () => performance.now(),
    random: Math.random,
    newId: Bun.randomUUIDv7,
    allowInside: config.allow_private_webhooks,
    resolve: systemResolve,
    wake: () => alerting.deliverer.wake(),
    onError,
  });
  const erase = await openErasing({
    dataDir: config.data_dir,
    store,
    pending,
    langfuse,
    alerts: alerting.store,
    redaction,
    clock,
  });
  let draining = false;
  const app = createApp({
    version: build.version,
    dataDir: config.data_dir,
    auth: { host: config.listen.host, corsOrigins: config.cors_origins },
    reader: store.reader,
    store,
    state,
    clock,
    ingest,
    live,
    sandbox,
    prices,
    rewrites,
    lake: store,
    retentionDays: config.retention_days,
    erasing: erase.erasing,
    erasures: erase.erasures,
    exporting: erase.exporting,
    redaction,
    alerting,
    monitors,
    issues,
    enabled: config.enabled,
    rateLimit: config.rate_limit_events_per_s > 0
      ? new RateLimit(config.rate_limit_events_per_s, clock)
      : null,
    bodies,
    exports,
    langfuse,
    source: (project_id) => store.source(project_id),
    rowsMax: config.sql_rows_max,
    timeoutMs: config.sql_timeout_s * 1000,
    // Bun closes a connection that is quiet for ten seconds unless it is told not to.
    keepOpen: (request) => http.timeout(request, 0),
    draining: () => draining,
    off: switchedOff(config),
  });
  let http: Bun.Server<undefined>;
  try {
    http = Bun.serve({
      hostname: config.listen.host,
      port: config.listen.port,
      maxRequestBodySize: requestBytesMax,
      // A connection is quiet while its query runs.
      idleTimeout: Math.min(config.query_timeout_s + quietMarginS, quietSMax),
      fetch: (request, server) => app.fetch(request, server),
    });
  } catch (error) {
    await erase.close();
    await alerting.stop();
    await store.close();
    throw error;
  }
  let grpc: GrpcServer | null = null;
  try {
    grpc = config.grpc_listen === null ? null : await startGrpc({
      ...config.grpc_listen,
      bodies,
      onError,
      // Routes ask the server of a request for its peer.
      fetch: async (request, peer) => await app.fetch(request, { requestIP: () => peer }),
    });
  } catch (error) {
    await http.stop(true);
    await erase.close();
    await alerting.stop();
    await store.close();
    throw error;
  }
  alerting.start();
  issues.start();
  // What is switched off records nothing: not even what it does itself.
  if (config.enabled) monitors.start();
  const stopMaintenance = maintain(store, ingest, {
    flushIntervalMs: config.flush_interval_s * 1000,
    flushBytes: config.flush_bytes,
    retentionOf: (project_id) =>
      policyOf(state.setting(project_id, retentionSetting), config.retention_days),
    diskBytesMax: config.disk_bytes_max,
    onDropped: (dropped) =>
      log.warning("Dropped {rows} rows of {project_id} of {date}: {why}", {
        ...dropped,
        why: dropped.reason === "retain" ? "older than is kept" : "the data took too much room",
      }),
    onDiskOver: ({ bytes, bytesMax }) =>
      log.error("The data takes {bytes} bytes, {bytesMax} are allowed, and only today's is left", {
        bytes,
        bytesMax,
      }),
    diskFreeBytesMin: config.disk_free_bytes_min,
    settle: () => langfuse.settle(),
    clock,
    onError,
  });
  return {
    address: { host: http.hostname ?? config.listen.host, port: http.port ?? config.listen.port },
    grpcPort: grpc?.port ?? null,
    stop: async () => {
      draining = true;
      live.close();
      // Before requests are waited for: some of them wait for a check.
      await monitors.stop();
      await Promise.all([http.stop(), grpc?.stop()]);
      await rewrites.close();
      await erase.close();
      await issues.stop();
      await alerting.stop();
      await stopMaintenance();
      await sandbox.close();
      pending.close();
      await store.close();
    },
  };
}

export async function redactionOf(config: Config, state: State): Promise<Redaction> {
  return new Redaction({
    mode: config.redaction,
    settingOf: (project_id) => state.setting(project_id, redactionSetting),
    key: await state.secret("redaction"),
    // A change of the time of day must not end a scan.
    nowMs: () => performance.now(),
    newId: Bun.randomUUIDv7,
    onSlowPattern: (project_id, name) =>
      log.error("Pattern {name} of {project_id} takes too long and is switched off", {
        name,
        project_id,
      }),
    onUnreadable: (project_id, reason) =>
      log.error("The redaction settings of {project_id} cannot be read; all is masked: {reason}", {
        project_id,
        reason,
      }),
  });
}

function switchedOff(config: Config): Map<string, string> {
  const off = new Map<string, string>();
  if (!config.feature_real_time_dashboard) off.set("/api/live", "feature_real_time_dashboard");
  if (!config.feature_advanced_analytics) off.set("/api/sql", "feature_advanced_analytics");
  return off;
}

function reportRecovery({ recovery }: Store): void {
  const events = recovery.segments.reduce((sum, segment) => sum + segment.events, 0);
  if (events > 0) log.info("Recovered {events} events from the log", { events });
  if (recovery.tornBytes > 0) {
    log.info("Cut off {bytes} bytes that were never acknowledged", { bytes: recovery.tornBytes });
  }
  for (const { segment, bytes, quarantined } of recovery.damage) {
    log.error(
      "Segment {segment} is damaged: {bytes} bytes are lost, the file is kept as {quarantined}",
      {
        segment,
        bytes,
        quarantined,
      },
    );
  }
}
