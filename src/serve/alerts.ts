// /api/alerts: what fires, and what fired.
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { levels } from "../alert/rule.ts";
import { resolvedReasons } from "../alert/state.ts";
import { loggerOf } from "../logging.ts";
import type { Monitors } from "../monitors.ts";
import type { Clock } from "../std/clock.ts";
import type { StoredAlert } from "../store/alerts/history.ts";
import type { Alerting } from "../watch/open.ts";
import { act } from "../watch/runbook.ts";
import { json, problemResponse, refuseInvalid } from "./body.ts";
import { Problem } from "./errors.ts";
import { decodeCursor, encodeCursor, filterQuery, strictly } from "./filter.ts";
import { allowed, type AppEnv, type Principal } from "./principal.ts";

export interface AlertDeps {
  alerting: Alerting;
  monitors: Monitors;
  clock: Clock;
}

const log = loggerOf("alerts");

const query = z.strictObject({
  project_id: filterQuery.project_id,
  status: z.enum(["firing", "resolved"]).optional(),
  level: z.enum(levels).optional().describe("The highest that it has reached."),
  rule_id: z.string().max(128).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z.string().max(500).optional(),
});
const byId = z.object({ id: z.string().max(128) });
const place = z.object({ at: z.string(), id: z.string() });
const number = z.number().nullable();

const told = z.object({
  id: z.string(),
  project_id: z.string(),
  rule_id: z.string(),
  rule_name: z.string(),
  status: z.enum(["firing", "resolved"]),
  level: z.enum(levels),
  labels: z.record(z.string(), z.string()),
  value: number.describe("The last value while it fires; the one it ended with."),
  threshold: number,
  expected: number.describe("Usual value, for rules with a baseline."),
  started_at: z.string().describe("When the value first crossed the threshold."),
  fired_at: z.string(),
  resolved_at: z.string().nullable(),
  resolved_reason: z.enum(resolvedReasons).nullable(),
  notified_at: z.string().nullable().describe("When people were last told; null is not yet."),
  notifications: z.int(),
}).openapi("Alert");

const list = createRoute({
  method: "get",
  path: "/api/alerts",
  summary: "What fires and what fired",
  request: { query },
  responses: {
    200: json(
      "Newest first.",
      z.object({ alerts: z.array(told), next_cursor: z.string().nullable() }),
    ),
    400: problemResponse("A parameter is not valid."),
  },
});

const read = createRoute({
  method: "get",
  path: "/api/alerts/{id}",
  summary: "One alert",
  request: { params: byId },
  responses: { 200: json("The alert.", told), 404: problemResponse("There is no such alert.") },
});

const resolve = createRoute({
  method: "post",
  path: "/api/alerts/{id}/resolve",
  summary: "Resolve an alert by hand",
  description: "It fires again only after its value has been well in between.",
  request: { params: byId },
  responses: {
    200: json("Resolved.", told),
    403: problemResponse("This key is no admin of the project."),
    404: problemResponse("There is no such alert."),
    409: problemResponse("It does not fire any more."),
  },
});

const acted = z.object({
  done: z.enum(["muted", "resolved", "told"]),
  until: z.string().optional().describe("Of a mute."),
  delivery_id: z.string().optional().describe("Of what is told; see /api/deliveries."),
}).openapi("Acted");

const doAction = createRoute({
  method: "post",
  path: "/api/alerts/{id}/actions/{index}",
  summary: "Do what the runbook offers",
  description: "One of the rule's `runbook.actions`, by its place from 0: mute the rule, resolve " +
    "the alert, tell a channel once more, or call a webhook.",
  request: {
    params: z.object({
      id: z.string().max(128),
      index: z.string().regex(/^\d{1,2}$/),
    }),
  },
  responses: {
    200: json("Done.", acted),
    403: problemResponse("This key is no admin of the project."),
    404: problemResponse("There is no such alert, rule or action."),
    409: problemResponse("It cannot be done any more."),
  },
});

export function alertRoutes({ alerting, monitors, clock }: AlertDeps): OpenAPIHono<AppEnv> {
  const { store } = alerting;
  const app = new OpenAPIHono<AppEnv>({
    defaultHook: (result, c) =>
      (result.target === "query" ? strictly(query) : refuseInvalid)(result, c),
  });

  app.openapi(list, (c) => {
    const asked = c.req.valid("query");
    const project_id = allowed(c.get("principal"), "read", asked.project_id);
    const found = store.alerts.list({
      project_id,
      status: asked.status ?? null,
      level: asked.level ?? null,
      rule_id: asked.rule_id ?? null,
      before: decodeCursor(asked.cursor, place),
      limit: asked.limit + 1,
    });
    const alerts = found.slice(0, asked.limit).map((one) => toldOf(alerting, one));
    const last = alerts.at(-1);
    const next_cursor = found.length > asked.limit && last !== undefined
      ? encodeCursor({ at: last.fired_at, id: last.id })
      : null;
    return c.json({ alerts, next_cursor }, 200);
  });

  app.openapi(read, (c) => {
    const stored = alertOf(alerting, c.get("principal"), "read", c.req.valid("param").id);
    return c.json(toldOf(alerting, stored), 200);
  });

  app.openapi(resolve, (c) => {
    const principal = c.get("principal");
    const { id } = c.req.valid("param");
    alertOf(alerting, principal, "admin", id);
    if (alerting.watch.resolve(id) === null && monitors.resolve(id) === null) {
      throw new Problem(409, "Not firing", "The alert has ended already.");
    }
    log.info("Alert {id} resolved", { id, by: principal.key_id ?? "local" });
    return c.json(toldOf(alerting, store.alerts.get(id)!), 200);
  });
  app.openapi(doAction, (c) => {
    const principal = c.get("principal");
    const { id, index } = c.req.valid("param");
    const known = alertOf(alerting, principal, "admin", id);
    const stored = store.rules.get(known.rule_id);
    const action = stored?.rule.runbook?.actions[Number(index)];
    if (stored === null || action === undefined) {
      throw new Problem(404, "Not found", `The rule of this alert has no action ${index}.`);
    }
    const result = act(alerting, stored, known, action, clock.nowMs());
    if ("refused" in result) throw new Problem(409, "Cannot be done", result.refused);
    log.info("Alert {id}: {action} by {by}", { id, action: action.type, by: principal.key_id });
    return c.json(result, 200);
  });
  return app;
}

export function alertOf(
  { store }: Alerting,
  principal: Principal,
  scope: "read" | "admin",
  id: string,
): StoredAlert {
  const stored = store.alerts.get(id);
  if (stored === null || !principal.projects.includes(stored.project_id)) {
    throw new Problem(404, "Not found", `There is no alert "${id}".`);
  }
  allowed(principal, scope, stored.project_id);
  return stored;
}

function toldOf({ store }: Alerting, { project_id, rule_id, rule_name, alert }: StoredAlert) {
  // While it fires, memory is newer than the table, which is written when something happens.
  const open = Object.values(store.rules.state(rule_id).series)
    .find((series) => series.alert?.id === alert.id)?.alert;
  const { id, labels, level, value, threshold, expected, resolved_reason, told } = open ?? alert;
  const iso = (ms: number | null) => ms === null ? null : new Date(ms).toISOString();
  return {
    id,
    project_id,
    rule_id,
    rule_name,
    status: alert.resolved_at === null ? "firing" as const : "resolved" as const,
    level,
    labels,
    value,
    threshold,
    expected,
    started_at: iso(alert.started_at)!,
    fired_at: iso(alert.fired_at)!,
    resolved_at: iso(alert.resolved_at),
    resolved_reason,
    notified_at: iso(told?.at ?? null),
    notifications: told?.count ?? 0,
  };
}
