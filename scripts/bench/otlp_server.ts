// The way in of OTLP/HTTP with chosen steps, for scripts/bench/otlp.ts: decode → map → the steps →
// log, over HTTP, without keys. Prints its port.
//   otlp_server.ts <folder> [--price] [--redact]
import { Hono } from "hono";
import { Exports } from "../../src/exports.ts";
import { Ingest } from "../../src/ingest.ts";
import { Live } from "../../src/live.ts";
import { mapLogRecord, mapSpan } from "../../src/map/map.ts";
import { Prices } from "../../src/price/pricer.ts";
import { noSteps, type Steps } from "../../src/receive/batch.ts";
import { BodyRoom } from "../../src/receive/body.ts";
import { Redaction } from "../../src/redact/redaction.ts";
import { exportRoutes } from "../../src/serve/otlp.ts";
import type { AppEnv, Principal } from "../../src/serve/principal.ts";
import { systemClock } from "../../src/std/clock.ts";
import { Store } from "../../src/store/store.ts";

const [folder, ...flags] = process.argv.slice(2);
const MiB = 1024 * 1024;
const project_id = "bench";

const onError = (what: string, error: unknown) => console.error(what, error);
const store = await Store.open({
  dataDir: folder!,
  cacheDir: `${folder}/cache`,
  memoryLimit: "1GB",
  threads: 2,
  queryConcurrency: 2,
  queryTimeoutMs: 30_000,
  dedupeEventsMin: 1_000_000,
  dedupePointsMin: 1_000_000,
  clock: systemClock,
  onError,
});

const steps: Steps = { ...noSteps };
if (flags.includes("--price")) {
  const pricer = new Prices(() => null).of(project_id);
  steps.price = (event) => pricer.price(event);
}
if (flags.includes("--redact")) {
  const redactor = new Redaction({
    mode: "mask",
    settingOf: () => null,
    key: "key-of-the-benchmark",
    nowMs: () => performance.now(),
    newId: Bun.randomUUIDv7,
    onSlowPattern: (_, name) => onError("slow pattern", name),
    onUnreadable: (_, reason) => onError("settings", reason),
  }).of(project_id);
  if (redactor !== null) steps.redact = (value) => redactor.redact(value);
}

const ingest = new Ingest(store, new Live(), systemClock, {
  queueBytesMax: 256 * MiB,
  // Conversion is not what is measured: it runs on a clock that this server does not have.
  unflushedBytesMax: Infinity,
  sampleRate: 1,
  steps: () => steps,
});
const exports = new Exports(ingest, {
  traces: mapSpan,
  logs: mapLogRecord,
  metrics: (project_id, points, bytes) => ingest.takePoints(project_id, points, bytes),
});

const principal: Principal = {
  local: true,
  scopes: new Set(["ingest"]),
  projects: [project_id],
  key_id: null,
};
const app = new Hono<AppEnv>();
app.use(async (c, next) => {
  c.set("principal", principal);
  await next();
});
app.route(
  "/",
  exportRoutes({
    ingest,
    exports,
    enabled: true,
    rateLimit: null,
    bodies: new BodyRoom(256 * MiB),
  }),
);
const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: app.fetch });
console.log(server.port);
