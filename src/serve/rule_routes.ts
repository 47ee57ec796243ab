// What the routes of rules take and tell.
import { createRoute, z } from "@hono/zod-openapi";
import { checkRule, levels, ruleShape } from "../alert/rule.ts";
import { body, json, problemResponse } from "./body.ts";
import { filterQuery } from "./filter.ts";

export const query = z.strictObject({ project_id: filterQuery.project_id });
const byId = z.object({ id: z.string().max(128) });
const time = z.string().nullable();

export const newRule = z.strictObject({
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

export const list = createRoute({
  method: "get",
  path: "/api/rules",
  summary: "Alert rules",
  request: { query },
  responses: { 200: json("In order of creation.", z.object({ rules: z.array(told) })) },
});

export const create = createRoute({
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

export const read = createRoute({
  method: "get",
  path: "/api/rules/{id}",
  summary: "One rule",
  request: { params: byId },
  responses: { 200: json("The rule.", told), 404: problemResponse("There is no such rule.") },
});

export const listTemplates = createRoute({
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

export const tryOver = createRoute({
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

export const put = createRoute({
  method: "put",
  path: "/api/rules/{id}",
  summary: "Replace a rule",
  description: "When it asks something else than before, what fires is ended.",
  request: { params: byId, body: body(newRule) },
  responses: changed,
});

export const patch = createRoute({
  method: "patch",
  path: "/api/rules/{id}",
  summary: "Change some fields of a rule",
  request: { params: byId, body: body(change) },
  responses: changed,
});

export const remove = createRoute({
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
