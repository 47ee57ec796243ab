// /api/rules: what is watched, and how it stands.
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { asksTheSame, checkRule, levels, type Rule, ruleSchema, ruleShape } from "../alert/rule.ts";
import { templates } from "../alert/templates.ts";
import { isMuted } from "../alert/mute.ts";
import { loggerOf } from "../logging.ts";
import type { Clock } from "../std/clock.ts";
import type { StoredRule } from "../store/alerts/rules.ts";
import { randomSecret } from "../store/state/secret.ts";
import { type Backtest, backtest, CannotBacktest } from "../watch/backtest.ts";
import type { Alerting } from "../watch/open.ts";
import { problemOfSql, SqlRuleError } from "../watch/sql_rule.ts";
import { problemResponse, refuseInvalid, smallBody } from "./body.ts";
import { Problem } from "./errors.ts";
import { filterQuery, invalid, strictly, timeOf } from "./filter.ts";
import { allowed, type AppEnv, type Principal } from "./principal.ts";

export interface RuleDeps {
  alerting: Alerting;
  clock: Clock;
  /** Keeps a connection open that is quiet while history is read. */
  keepOpen(request: Request): void;
}

const log = loggerOf("rules");
const rulesPerProjectMax = 5000;

const json = <S extends z.ZodType>(description: string, schema: S) => ({
  description,
  content: { "application/json": { schema } },
});
const body = <S extends z.ZodType>(schema: S) => ({
  required: true,
  content: { "application/json": { schema } },
});

const query = z.strictObject({ project_id: filterQuery.project_id });
const byId = z.object({ id: z.string().max(128) });
const time = z.string().nullable();

const newRule = z.strictObject({
  project_id: z.string().optional().describe("May be left out when the key knows one project."),
  ...ruleShape,
}).superRefine(checkRule).openapi("NewRule");

const change = z.looseObject({}).describe("Fields of the rule; null takes one away.");

const told = z.object({
  id: z.string(),
  project_id: z.string(),
  ...ruleShape,
  created_at: z.string(),
  updated_at: z.string(),
  state: z.object({
    status: z.enum(["disabled", "unknown", "no_data", "ok", "pending", "firing"])
      .describe("`unknown` was not looked at yet."),
    value: z.number().nullable().describe("The last value; of the worst series that is followed."),
    firing: z.int().describe("Series that fire."),
    pending: z.int(),
    muted: z.boolean(),
    evaluated_until: time.describe("End of the last window that was looked at."),
    health: z.enum(["unknown", "ok", "failing"]),
    last_error: z.string().nullable(),
    last_error_at: time,
    failures: z.int().describe("Looks that failed since the last one that did not."),
    truncated: z.boolean().describe("There are more groups than are followed."),
  }),
}).openapi("Rule");

const backtested = z.object({
  since: z.string(),
  until: z.string(),
  step_seconds: z.number(),
  windows: z.int().describe("Windows that were looked at."),
  alerts_total: z.int().describe("How often it would have fired."),
  notifications: z.int().describe("How often people would have been told."),
  firing_minutes: z.number(),
  alerts: z.array(z.object({
    labels: z.record(z.string(), z.string()),
    level: z.enum(levels),
    value: z.number().nullable(),
    threshold: z.number().nullable(),
    expected: z.number().nullable(),
    fired_at: z.string(),
    resolved_at: time,
  })).describe("The first 200."),
  values: z.array(z.object({ at: z.string(), value: z.number().nullable() }))
    .describe("The worst value of each window, for a chart."),
}).openapi("BacktestResult");

const list = createRoute({
  method: "get",
  path: "/api/rules",
  summary: "Alert rules",
  request: { query },
  responses: { 200: json("In order of creation.", z.object({ rules: z.array(told) })) },
});

const create = createRoute({
  method: "post",
  path: "/api/rules",
  summary: "Create a rule",
  description:
    "It is looked at from the next tick on. The smallest has a name, a metric, a threshold " +
    "and channels; a query in SQL is tried before it is saved.",
  request: { body: body(newRule) },
  responses: {
    201: json("Created.", told),
    400: problemResponse("A field is not valid."),
    403: problemResponse("This key is no admin of the project."),
    409: problemResponse("There are too many rules."),
  },
});

const read = createRoute({
  method: "get",
  path: "/api/rules/{id}",
  summary: "One rule",
  request: { params: byId },
  responses: { 200: json("The rule.", told), 404: problemResponse("There is no such rule.") },
});

const listTemplates = createRoute({
  method: "get",
  path: "/api/rules/templates",
  summary: "Rules to begin with",
  responses: {
    200: json(
      "To be named, narrowed and given channels.",
      z.object({
        templates: z.array(z.object({
          id: z.string(),
          name: z.string(),
          description: z.string(),
          rule: z.object(ruleShape),
        })),
      }),
    ),
  },
});

const tryOver = createRoute({
  method: "post",
  path: "/api/rules/backtest",
  summary: "What a rule would have done",
  description: "The rule as it would be created, over stored history; nobody is told anything. " +
    "Windows are looked at every `step_seconds`, at most as far apart as they are wide.",
  request: {
    body: body(
      z.strictObject({
        project_id: z.string().optional(),
        since: z.string().default("-7d").describe("ISO 8601, or -24h, -7d."),
        until: z.string().default("now"),
        ...ruleShape,
        name: ruleShape.name.default("Backtest"),
      }).superRefine(checkRule).openapi("Backtest"),
    ),
  },
  responses: {
    200: json("What would have happened.", backtested),
    400: problemResponse("A field is not valid, or there is too much to try."),
  },
});

const changed = {
  200: json("Changed.", told),
  400: problemResponse("A field is not valid."),
  403: problemResponse("This key is no admin of the project."),
  404: problemResponse("There is no such rule."),
};

const put = createRoute({
  method: "put",
  path: "/api/rules/{id}",
  summary: "Replace a rule",
  description: "When it asks something else than before, what fires is ended.",
  request: { params: byId, body: body(newRule) },
  responses: changed,
});

const patch = createRoute({
  method: "patch",
  path: "/api/rules/{id}",
  summary: "Change some fields of a rule",
  request: { params: byId, body: body(change) },
  responses: changed,
});

const remove = createRoute({
  method: "delete",
  path: "/api/rules/{id}",
  summary: "Delete a rule",
  description: "What fires is ended, and people are told. Its alerts stay in the history.",
  request: { params: byId },
  responses: {
    200: json("Deleted.", z.object({ id: z.string() })),
    403: problemResponse("This key is no admin of the project."),
    404: problemResponse("There is no such rule."),
  },
});

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
