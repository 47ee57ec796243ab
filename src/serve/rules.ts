// /api/rules: what is watched, and how it stands.
import { OpenAPIHono } from "@hono/zod-openapi";
import { asksTheSame, type Rule, ruleSchema } from "../alert/rule.ts";
import { templates } from "../alert/templates.ts";
import { isMuted } from "../alert/mute.ts";
import { loggerOf } from "../logging.ts";
import type { Clock } from "../std/clock.ts";
import type { StoredRule } from "../store/alerts/rules.ts";
import { randomSecret } from "../store/state/secret.ts";
import { type Backtest, backtest, CannotBacktest } from "../watch/backtest.ts";
import type { Alerting } from "../watch/open.ts";
import { problemOfSql, SqlRuleError } from "../watch/sql_rule.ts";
import { refuseInvalid, smallBody } from "./body.ts";
import { Problem } from "./errors.ts";
import { invalid, strictly, timeOf } from "./filter.ts";
import { allowed, type AppEnv, type Principal } from "./principal.ts";
import {
  create,
  list,
  listTemplates,
  patch,
  put,
  query,
  read,
  remove,
  tryOver,
} from "./rule_routes.ts";

export interface RuleDeps {
  alerting: Alerting;
  clock: Clock;
  /** Keeps a connection open that is quiet while history is read. */
  keepOpen(request: Request): void;
}

const log = loggerOf("rules");
const rulesPerProjectMax = 5000;

export function ruleRoutes({ alerting, clock, keepOpen }: RuleDeps): OpenAPIHono<AppEnv> {
  const { store } = alerting;
  const app = new OpenAPIHono<AppEnv>({
    defaultHook: (result, c) =>
      (result.target === "query" ? strictly(query) : refuseInvalid)(result, c),
  });
  for (const path of ["/api/rules", "/api/rules/*"]) app.use(path, smallBody);
  const tell = (stored: StoredRule) => toldOf(alerting, stored, clock.nowMs());

  app.openapi(list, (c) => {
    const project_id = allowed(c.get("principal"), "read", c.req.valid("query").project_id);
    const rules = store.rules.all().filter((one) => one.project_id === project_id).map(tell);
    return c.json({ rules }, 200);
  });

  app.openapi(create, async (c) => {
    const principal = c.get("principal");
    const { project_id: named, ...rule } = c.req.valid("json");
    const project_id = allowed(principal, "admin", named);
    const count = store.rules.all().filter((one) => one.project_id === project_id).length;
    if (count >= rulesPerProjectMax) {
      throw new Problem(409, "Too many rules", `The project has ${count} rules already.`);
    }
    checkChannels(alerting, project_id, rule);
    await checkSql(alerting, project_id, rule, clock.nowMs());
    const now = new Date(clock.nowMs()).toISOString();
    const stored: StoredRule = {
      id: `rule_${randomSecret().slice(-12)}`,
      project_id,
      rule,
      version: 1,
      created_at: now,
      updated_at: now,
    };
    store.commit(() => store.rules.put(stored));
    log.info("Rule {id} created", { id: stored.id, by: principal.key_id ?? "local" });
    return c.json(tell(stored), 201);
  });

  app.openapi(listTemplates, (c) => c.json({ templates: [...templates] }, 200));

  app.openapi(tryOver, async (c) => {
    const { project_id: named, since, until, ...rule } = c.req.valid("json");
    const project_id = allowed(c.get("principal"), "read", named);
    const nowMs = clock.nowMs();
    const untilMs = Math.min(nowMs, Date.parse(timeOf("until", until, nowMs) ?? ""));
    const sinceMs = Date.parse(timeOf("since", since, nowMs) ?? "");
    if (Number.isNaN(untilMs) || Number.isNaN(sinceMs)) throw invalid("since", "a time");
    keepOpen(c.req.raw);
    try {
      const result = await backtest(alerting.questions, project_id, rule, { sinceMs, untilMs });
      return c.json(toldBacktest(result, sinceMs, untilMs), 200);
    } catch (error) {
      if (error instanceof CannotBacktest) {
        throw new Problem(400, "Cannot be tried", error.message);
      }
      if (error instanceof SqlRuleError) {
        throw error.isBusy
          ? new Problem(503, "Busy", error.message, {}, 2)
          : new Problem(400, "Query not valid", error.message);
      }
      throw error;
    }
  });

  app.openapi(read, (c) => {
    const stored = ruleOf(alerting, c.get("principal"), "read", c.req.valid("param").id);
    return c.json(tell(stored), 200);
  });

  app.openapi(put, async (c) => {
    const stored = ruleOf(alerting, c.get("principal"), "admin", c.req.valid("param").id);
    const { project_id, ...rule } = c.req.valid("json");
    if (project_id !== undefined && project_id !== stored.project_id) {
      throw new Problem(400, "Invalid request", "project_id: a rule stays in its project.");
    }
    return c.json(tell(await checkAndSave(alerting, stored, rule, clock.nowMs())), 200);
  });

  app.openapi(patch, async (c) => {
    const stored = ruleOf(alerting, c.get("principal"), "admin", c.req.valid("param").id);
    const merged = { ...stored.rule, ...c.req.valid("json") } as Record<string, unknown>;
    for (const [name, value] of Object.entries(merged)) if (value === null) delete merged[name];
    const saved = await checkAndSave(alerting, stored, parsed(merged), clock.nowMs());
    return c.json(tell(saved), 200);
  });

  app.openapi(remove, (c) => {
    const principal = c.get("principal");
    const stored = ruleOf(alerting, principal, "admin", c.req.valid("param").id);
    store.commit(() => {
      alerting.watch.endRule(stored, "rule_deleted");
      store.rules.delete(stored.id);
    });
    alerting.deliverer.wake();
    log.info("Rule {id} deleted", { id: stored.id, by: principal.key_id ?? "local" });
    return c.json({ id: stored.id }, 200);
  });
  return app;
}

/** The rule, if the caller may know it. */
export function ruleOf(
  { store }: Alerting,
  principal: Principal,
  scope: "read" | "admin",
  id: string,
): StoredRule {
  const stored = store.rules.get(id);
  if (stored === null || !principal.projects.includes(stored.project_id)) {
    throw new Problem(404, "Not found", `There is no rule "${id}".`);
  }
  allowed(principal, scope, stored.project_id);
  return stored;
}

function parsed(value: unknown): Rule {
  const result = ruleSchema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = issue?.path.join(".") || "body";
  throw new Problem(400, "Invalid request", `${field}: ${issue?.message ?? "not valid"}.`, {
    field,
  });
}

/** Throws 400 for a channel that the project has not. */
export function checkChannels({ store }: Alerting, project_id: string, rule: Rule): void {
  const actions = rule.runbook?.actions ?? [];
  const named = [
    ...rule.channels,
    ...actions.flatMap((action) => "channel" in action ? [action.channel] : []),
  ];
  for (const id of named) {
    if (store.channels.get(id)?.project_id === project_id) continue;
    throw new Problem(400, "Invalid request", `channels: there is no channel "${id}".`, {
      field: "channels",
    });
  }
}

/** Throws 400 for SQL that cannot be answered; slow SQL is taken, and cut off when it is looked at. */
async function checkSql(
  { questions }: Alerting,
  project_id: string,
  rule: Rule,
  nowMs: number,
): Promise<void> {
  if (rule.sql === undefined || !rule.enabled) return;
  const problem = await problemOfSql(questions, project_id, rule, nowMs);
  if (problem === null) return;
  throw new Problem(400, "Query not valid", `sql: ${problem}`, { field: "sql" });
}

async function checkAndSave(
  alerting: Alerting,
  { id, project_id, rule: before }: StoredRule,
  rule: Rule,
  nowMs: number,
): Promise<StoredRule> {
  if (!before.enabled || !asksTheSame(before, rule)) {
    await checkSql(alerting, project_id, rule, nowMs);
  }
  // It may have been changed or deleted while the query was tried.
  const stored = alerting.store.rules.get(id);
  if (stored === null) throw new Problem(404, "Not found", `There is no rule "${id}".`);
  return saveRule(alerting, stored, rule, nowMs);
}

/** Stores a changed rule; what fired by another question, or is disabled now, is ended. */
export function saveRule(
  alerting: Alerting,
  before: StoredRule,
  rule: Rule,
  nowMs: number,
): StoredRule {
  const { store, watch, deliverer } = alerting;
  checkChannels(alerting, before.project_id, rule);
  const stored: StoredRule = {
    ...before,
    rule,
    version: before.version + 1,
    updated_at: new Date(nowMs).toISOString(),
  };
  const isSame = asksTheSame(before.rule, rule);
  store.commit(() => {
    if (!isSame || !rule.enabled) {
      const state = watch.endRule(before, isSame ? "rule_disabled" : "rule_changed");
      // What it asked before says nothing of what it asks now, nor of the time it was disabled.
      state.evaluated_until = null;
      store.rules.putState(before.id, state);
      store.rules.remember(before.id, state);
    }
    store.rules.put(stored);
  });
  deliverer.wake();
  return stored;
}

function toldBacktest(result: Backtest, sinceMs: number, untilMs: number) {
  const iso = (ms: number) => new Date(ms).toISOString();
  return {
    since: iso(sinceMs),
    until: iso(untilMs),
    step_seconds: result.stepMs / 1000,
    windows: result.windows,
    alerts_total: result.alerts_total,
    notifications: result.notifications,
    firing_minutes: result.firingMs / 60_000,
    alerts: result.alerts.map((alert) => ({
      labels: alert.labels,
      level: alert.level,
      value: alert.value,
      threshold: alert.threshold,
      expected: alert.expected,
      fired_at: iso(alert.fired_at),
      resolved_at: alert.resolved_at === null ? null : iso(alert.resolved_at),
    })),
    values: result.values.map(({ at, value }) => ({ at: iso(at), value })),
  };
}

function toldOf({ store }: Alerting, stored: StoredRule, nowMs: number) {
  const { id, project_id, rule, created_at, updated_at } = stored;
  const state = store.rules.state(id);
  const series = Object.values(state.series);
  const iso = (ms: number | null) => ms === null ? null : new Date(ms).toISOString();
  const firing = series.filter(({ phase }) => phase === "firing");
  const pending = series.filter(({ phase }) => phase === "pending");
  const [shown] = [...firing, ...pending, ...series];
  const status = !rule.enabled
    ? "disabled" as const
    : firing.length > 0
    ? "firing" as const
    : pending.length > 0
    ? "pending" as const
    : state.evaluated_until === null
    ? "unknown" as const
    : shown !== undefined && shown.value === null
    ? "no_data" as const
    : "ok" as const;
  return {
    id,
    project_id,
    ...rule,
    created_at,
    updated_at,
    state: {
      status,
      value: shown?.value ?? null,
      firing: firing.length,
      pending: pending.length,
      muted: isMuted(rule, nowMs),
      evaluated_until: iso(state.evaluated_until),
      health: state.health,
      last_error: state.last_error,
      last_error_at: iso(state.last_error_at),
      failures: state.failures,
      truncated: state.truncated,
    },
  };
}
