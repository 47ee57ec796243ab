// /api/monitors: what is checked, how it stands and stood. Keys go in, and never come out again.
import { OpenAPIHono, z } from "@hono/zod-openapi";
import { loggerOf } from "../logging.ts";
import { type Attempt, outcomeOf } from "../monitor/check.ts";
import { type Monitor, monitorBounds, type Secrets } from "../monitor/monitor.ts";
import { monitorStatus } from "../monitor/state.ts";
import type { Monitors } from "../monitors.ts";
import type { Clock } from "../std/clock.ts";
import type { Summary } from "../store/alerts/checks.ts";
import type { StoredMonitor } from "../store/alerts/monitors.ts";
import { CannotUnseal } from "../store/alerts/seal.ts";
import { randomSecret } from "../store/state/secret.ts";
import type { Alerting } from "../watch/open.ts";
import { refuseInvalid, smallBody } from "./body.ts";
import { Problem } from "./errors.ts";
import { decodeCursor, encodeCursor, strictly } from "./filter.ts";
import {
  create,
  given,
  list,
  listQuery,
  patch,
  put,
  read,
  remove,
  results,
  resultsQuery,
  run,
  tryOut,
} from "./monitor_routes.ts";
import { allowed, type AppEnv, type Principal } from "./principal.ts";

export interface MonitorDeps {
  alerting: Alerting;
  monitors: Monitors;
  clock: Clock;
  /** False when nothing is recorded, and so nothing is checked. */
  enabled: boolean;
  /** Keeps a connection open that is quiet while an endpoint is waited for. */
  keepOpen(request: Request): void;
}

type Given = z.infer<typeof given>;

const log = loggerOf("monitors");
const place = z.object({ at: z.string(), id: z.string() });
const hourMs = 3_600_000;
const periods = { "24h": 24, "7d": 7 * 24, "30d": 30 * 24 } as const;
const recentShown = 40;
/** Of an answer that is tried out. */
const answerCharactersMax = 50_000;

export function monitorRoutes(deps: MonitorDeps): OpenAPIHono<AppEnv> {
  const { alerting: { store, seal }, monitors, clock, keepOpen } = deps;
  const app = new OpenAPIHono<AppEnv>({
    defaultHook: (result, c) =>
      (result.target === "query" ? strictly(listQuery, resultsQuery) : refuseInvalid)(result, c),
  });
  for (const path of ["/api/monitors", "/api/monitors/*"]) app.use(path, smallBody);

  app.openapi(list, (c) => {
    const project_id = allowed(c.get("principal"), "read", c.req.valid("query").project_id);
    const all = store.monitors.all().filter((one) => one.project_id === project_id);
    return c.json({ monitors: tellAll(deps, project_id, all) }, 200);
  });

  app.openapi(create, (c) => {
    const principal = c.get("principal");
    const { project_id: named, ...fields } = c.req.valid("json");
    const project_id = allowed(principal, "admin", named);
    const count = store.monitors.all().filter((one) => one.project_id === project_id).length;
    if (count >= monitorBounds.perProjectMax) {
      throw new Problem(409, "Too many monitors", `The project has ${count} monitors already.`);
    }
    const id = `mon_${randomSecret().slice(-12)}`;
    const { monitor, secrets } = parted(fields, {});
    checkChannels(deps, project_id, monitor);
    const now = new Date(clock.nowMs()).toISOString();
    const sealed = sealedOf(seal, secrets, id);
    const stored = {
      id,
      project_id,
      monitor,
      sealed,
      version: 1,
      created_at: now,
      updated_at: now,
    };
    monitors.save(stored, null);
    monitors.wake();
    log.info("Monitor {id} created", { id, by: principal.key_id ?? "local" });
    return c.json(tell(deps, stored), 201);
  });

  app.openapi(read, (c) => {
    const stored = monitorOf(deps, c.get("principal"), "read", c.req.valid("param").id);
    return c.json(tell(deps, stored), 200);
  });

  const save = (before: StoredMonitor, fields: Given) => {
    const { monitor, secrets } = parted(fields, secretsOf(deps, before), before.monitor.url);
    checkChannels(deps, before.project_id, monitor);
    const stored: StoredMonitor = {
      ...before,
      monitor,
      sealed: sealedOf(seal, secrets, before.id),
      version: before.version + 1,
      updated_at: new Date(clock.nowMs()).toISOString(),
    };
    monitors.save(stored, before);
    monitors.wake();
    return tell(deps, stored);
  };

  app.openapi(put, (c) => {
    const before = monitorOf(deps, c.get("principal"), "admin", c.req.valid("param").id);
    const { project_id, ...fields } = c.req.valid("json");
    if (project_id !== undefined && project_id !== before.project_id) {
      throw new Problem(400, "Invalid request", "project_id: a monitor stays in its project.");
    }
    return c.json(save(before, fields), 200);
  });

  app.openapi(patch, (c) => {
    const before = monitorOf(deps, c.get("principal"), "admin", c.req.valid("param").id);
    const { api_key, headers, ...changes } = c.req.valid("json") as Record<string, unknown>;
    const merged: Record<string, unknown> = { ...before.monitor, ...changes };
    for (const [name, value] of Object.entries(merged)) if (value === null) delete merged[name];
    return c.json(save(before, parsed({ ...merged, api_key, headers })), 200);
  });

  app.openapi(remove, (c) => {
    const principal = c.get("principal");
    const stored = monitorOf(deps, principal, "admin", c.req.valid("param").id);
    monitors.remove(stored);
    log.info("Monitor {id} deleted", { id: stored.id, by: principal.key_id ?? "local" });
    return c.json({ id: stored.id }, 200);
  });

  app.openapi(run, async (c) => {
    if (!deps.enabled) {
      throw new Problem(503, "Ingestion is off", "WATCHLLM_ENABLED is false.", {}, 60);
    }
    const stored = monitorOf(deps, c.get("principal"), "admin", c.req.valid("param").id);
    keepOpen(c.req.raw);
    const result = await monitors.runNow(stored);
    if (result === "busy") throw busy();
    if (result === "under_way") {
      throw new Problem(409, "Under way", "A check of this monitor is under way.");
    }
    if (result === null) {
      throw new Problem(409, "Changed", "The monitor was changed or deleted, or the server stops.");
    }
    return c.json(result, 200);
  });

  app.openapi(tryOut, async (c) => {
    const principal = c.get("principal");
    const { project_id: named, id, ...fields } = c.req.valid("json");
    const before = id === undefined ? null : monitorOf(deps, principal, "admin", id);
    const project_id = allowed(principal, "admin", named ?? before?.project_id);
    if (before !== null && before.project_id !== project_id) {
      throw new Problem(400, "Invalid request", "id: that monitor is in another project.");
    }
    const kept = before === null ? {} : secretsOf(deps, before);
    const { monitor, secrets } = parted(fields, kept, before?.monitor.url);
    keepOpen(c.req.raw);
    const attempt = await monitors.try(project_id, monitor, secrets, c.req.raw.signal);
    if (typeof attempt === "string") throw busy();
    return c.json(toldAttempt(attempt), 200);
  });

  app.openapi(results, (c) => {
    const { id } = monitorOf(deps, c.get("principal"), "read", c.req.valid("param").id);
    const { limit, cursor } = c.req.valid("query");
    const found = store.checks.list(id, decodeCursor(cursor, place), limit + 1);
    const shown = found.slice(0, limit);
    const last = shown.at(-1);
    const next_cursor = found.length > limit && last !== undefined
      ? encodeCursor({ at: last.at, id: last.id })
      : null;
    return c.json({ results: shown, next_cursor }, 200);
  });
  return app;
}

function busy(): Problem {
  return new Problem(503, "Busy", "Too many checks are under way.", {}, 2);
}

function monitorOf(
  { alerting: { store } }: MonitorDeps,
  principal: Principal,
  scope: "read" | "admin",
  id: string,
): StoredMonitor {
  const stored = store.monitors.get(id);
  if (stored === null || !principal.projects.includes(stored.project_id)) {
    throw new Problem(404, "Not found", `There is no monitor "${id}".`);
  }
  allowed(principal, scope, stored.project_id);
  return stored;
}

function parsed(value: unknown): Given {
  const result = given.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw wrong(issue?.path.join(".") || "body", issue?.message ?? "not valid");
}

function wrong(field: string, message: string): Problem {
  return new Problem(400, "Invalid request", `${field}: ${message}.`, { field });
}

/**
 * The monitor, and its secrets: those that are given, and those that it had. Throws 400 when the
 * address names another server: whoever may change an address must not be able to have a key sent there.
 */
function parted(
  { api_key, headers, ...monitor }: Given,
  before: Secrets,
  urlBefore?: string,
): { monitor: Monitor; secrets: Secrets } {
  const secrets: Secrets = {};
  const named = Object.fromEntries(
    Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const kept = headers === null ? {} : before.headers ?? {};
  const stay = Object.entries(kept).filter(([name]) => !Object.hasOwn(named, name));
  const isElsewhere = urlBefore !== undefined &&
    new URL(urlBefore).origin !== new URL(monitor.url).origin;
  if (isElsewhere && before.api_key !== undefined && api_key === undefined) {
    throw wrong("api_key", "the address names another server now: set it again, or null");
  }
  if (isElsewhere && stay.length > 0) {
    const [[name]] = stay as [[string, string]];
    throw wrong("headers", `the address names another server now: set ${name} again, or null`);
  }
  const key = api_key === undefined ? before.api_key : api_key ?? undefined;
  if (key !== undefined) secrets.api_key = key;
  const set = Object.entries(named).filter((entry): entry is [string, string] => entry[1] !== null);
  const all = Object.fromEntries([...stay, ...set]);
  if (Object.keys(all).length > monitorBounds.headersMax) {
    throw wrong("headers", `${monitorBounds.headersMax} headers at most`);
  }
  if (Object.keys(all).length > 0) secrets.headers = all;
  return { monitor, secrets };
}

function sealedOf(seal: Alerting["seal"], secrets: Secrets, id: string): string | null {
  return Object.keys(secrets).length === 0 ? null : seal.seal({ ...secrets }, id);
}

/** None when they cannot be read any more: they are to be set anew. */
function secretsOf({ alerting: { seal } }: MonitorDeps, { id, sealed }: StoredMonitor): Secrets {
  if (sealed === null) return {};
  try {
    return seal.open(sealed, id) as Secrets;
  } catch (error) {
    if (error instanceof CannotUnseal) return {};
    throw error;
  }
}

function checkChannels(
  { alerting: { store } }: MonitorDeps,
  project_id: string,
  { channels }: Monitor,
): void {
  for (const id of channels) {
    if (store.channels.get(id)?.project_id === project_id) continue;
    throw wrong("channels", `there is no channel "${id}"`);
  }
}

function tell(deps: MonitorDeps, stored: StoredMonitor) {
  return tellAll(deps, stored.project_id, [stored])[0]!;
}

function tellAll(deps: MonitorDeps, project_id: string, all: readonly StoredMonitor[]) {
  const { alerting: { store }, monitors, clock } = deps;
  const nowMs = clock.nowMs();
  const sums = Object.entries(periods).map(([name, hours]) =>
    [name, store.checks.summaries(project_id, nowMs - hours * hourMs)] as const
  );
  const iso = (ms: number | null) => ms === null ? null : new Date(ms).toISOString();
  return all.map((stored) => {
    const { id, monitor, created_at, updated_at } = stored;
    const state = store.monitors.state(id);
    const secrets = secretsOf(deps, stored);
    const uptime = sums.map(([name, byId]) => [name, toldPeriod(byId.get(id))] as const);
    return {
      id,
      project_id,
      ...monitor,
      secrets: [
        ...(secrets.api_key === undefined ? [] : ["api_key"]),
        ...Object.keys(secrets.headers ?? {}).map((name) => `headers.${name}`),
      ],
      created_at,
      updated_at,
      state: {
        status: monitorStatus(monitor, state),
        running: monitors.isRunning(id),
        next_at: monitor.enabled ? iso(state.next_at) : null,
        failures: state.failures,
        since: iso(state.since),
        firing: Object.values(state.alarm.series).some(({ phase }) => phase === "firing"),
        last: state.last,
      },
      uptime: Object.fromEntries(uptime) as Record<keyof typeof periods, Period>,
      recent: store.checks.list(id, null, recentShown).toReversed()
        .map(({ id, at, outcome, latency_ms }) => ({ id, at, outcome, latency_ms })),
    };
  });
}

type Period = ReturnType<typeof toldPeriod>;

function toldPeriod(sum: Summary | undefined) {
  const { ok = 0, failing = 0, erroring = 0, latency_ms = null, cost_usd = null } = sum ?? {};
  const checks = ok + failing + erroring;
  return {
    checks,
    ok,
    failing,
    erroring,
    uptime: checks === 0 ? null : ok / checks,
    latency_ms,
    cost_usd,
  };
}

function toldAttempt(attempt: Attempt) {
  const { problem, message, status, latency_ms, first_token_ms, cost_usd, answer } = attempt;
  const { read, verdicts } = attempt;
  return {
    outcome: outcomeOf(attempt),
    problem,
    message,
    status,
    latency_ms,
    first_token_ms,
    cost_usd,
    model: read?.model ?? null,
    tokens_input: read?.tokens_input ?? null,
    tokens_output: read?.tokens_output ?? null,
    answer: answer?.slice(0, answerCharactersMax) ?? null,
    answer_truncated: (answer?.length ?? 0) > answerCharactersMax,
    assertions: verdicts.map(({ text, holds, actual }) => ({ text, holds, actual })),
  };
}
