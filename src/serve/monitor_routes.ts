// What the routes of monitors take and tell.
import { createRoute, z } from "@hono/zod-openapi";
import { checkMonitor, monitorShape, secretShape } from "../monitor/monitor.ts";
import { monitorStatuses } from "../monitor/state.ts";
import { body, json, problemResponse } from "./body.ts";
import { filterQuery } from "./filter.ts";

export const listQuery = z.strictObject({ project_id: filterQuery.project_id });
export const resultsQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z.string().max(500).optional(),
});
const byId = z.object({ id: z.string().max(128) });
const time = z.string().nullable();

export const given = z.strictObject({ ...monitorShape, ...secretShape }).superRefine(checkMonitor);
const newMonitor = z.strictObject({
  project_id: z.string().optional().describe("May be left out when the key knows one project."),
  ...monitorShape,
  ...secretShape,
}).superRefine(checkMonitor).openapi("NewMonitor");
const tried = z.strictObject({
  project_id: z.string().optional(),
  id: z.string().max(128).optional().describe("A monitor whose secrets are used."),
  ...monitorShape,
  ...secretShape,
  name: monitorShape.name.default("Try"),
}).superRefine(checkMonitor).openapi("MonitorTry");
const change = z.looseObject({}).describe("Fields of the monitor; null takes one away.");

const holds = z.boolean().nullable().describe("Null when it cannot be told.");

const result = z.object({
  id: z.string().describe("Of its run too."),
  at: z.string(),
  outcome: z.enum(["ok", "failing", "erroring", "interrupted"]).describe(
    "`failing` answered, but not as it should; `erroring` gave no answer; `interrupted` is not known.",
  ),
  by: z.enum(["schedule", "hand"]),
  problem: z.string().nullable(),
  message: z.string().nullable(),
  latency_ms: z.number().nullable().describe("Of the last attempt."),
  first_token_ms: z.number().nullable().describe("Its time to the first token, of a stream."),
  cost_usd: z.number().nullable().describe("Of all attempts, as far as it is known."),
  status: z.int().nullable().describe("HTTP status."),
  attempts: z.int(),
  assertions: z.array(z.object({ text: z.string(), holds })),
  stored: z.enum(["stored", "sampled_out", "refused"]).nullable()
    .describe("What became of its events."),
}).openapi("MonitorResult");

const period = z.object({
  checks: z.int(),
  ok: z.int(),
  failing: z.int(),
  erroring: z.int(),
  uptime: z.number().nullable().describe("Share of the checks that were right; null without any."),
  latency_ms: z.number().nullable().describe("Mean of what was answered."),
  cost_usd: z.number().nullable().describe("Sum of what is known."),
});

const told = z.object({
  id: z.string(),
  project_id: z.string(),
  ...monitorShape,
  secrets: z.array(z.string()).describe("Secrets that are set; they are not shown."),
  created_at: z.string(),
  updated_at: z.string(),
  state: z.object({
    status: z.enum(monitorStatuses),
    running: z.boolean(),
    next_at: time.describe("When it is checked next; null while it is paused."),
    failures: z.int().describe("Checks in a row that were not right."),
    since: time.describe("Since when it is right, or is not."),
    firing: z.boolean(),
    last: result.nullable(),
  }),
  uptime: z.object({ "24h": period, "7d": period, "30d": period })
    .describe("By whole hours, the one that has begun included."),
  recent: z.array(z.object({
    id: z.string(),
    at: z.string(),
    outcome: z.string(),
    latency_ms: z.number().nullable(),
  })).describe("The newest checks, oldest first."),
}).openapi("Monitor");

export const list = createRoute({
  method: "get",
  path: "/api/monitors",
  summary: "Synthetic monitors",
  request: { query: listQuery },
  responses: { 200: json("In order of creation.", z.object({ monitors: z.array(told) })) },
});

export const create = createRoute({
  method: "post",
  path: "/api/monitors",
  summary: "Create a monitor",
  description: "Its first check begins at once. `api_key` and the values of `headers` are sealed " +
    "and never shown again.",
  request: { body: body(newMonitor) },
  responses: {
    201: json("Created.", told),
    400: problemResponse("A field is not valid."),
    403: problemResponse("This key is no admin of the project."),
    409: problemResponse("There are too many monitors."),
  },
});

export const read = createRoute({
  method: "get",
  path: "/api/monitors/{id}",
  summary: "One monitor",
  request: { params: byId },
  responses: { 200: json("The monitor.", told), 404: problemResponse("There is no such monitor.") },
});

const changed = {
  200: json("Changed.", told),
  400: problemResponse("A field is not valid."),
  403: problemResponse("This key is no admin of the project."),
  404: problemResponse("There is no such monitor."),
};

export const put = createRoute({
  method: "put",
  path: "/api/monitors/{id}",
  summary: "Replace a monitor",
  description: "Secrets that are left out stay as they are, unless `url` names another server.",
  request: { params: byId, body: body(newMonitor) },
  responses: changed,
});

export const patch = createRoute({
  method: "patch",
  path: "/api/monitors/{id}",
  summary: "Change some fields of a monitor",
  request: { params: byId, body: body(change) },
  responses: changed,
});

export const remove = createRoute({
  method: "delete",
  path: "/api/monitors/{id}",
  summary: "Delete a monitor",
  description: "What fires is ended, and people are told. Its runs stay.",
  request: { params: byId },
  responses: {
    200: json("Deleted.", z.object({ id: z.string() })),
    403: problemResponse("This key is no admin of the project."),
    404: problemResponse("There is no such monitor."),
  },
});

export const run = createRoute({
  method: "post",
  path: "/api/monitors/{id}/run",
  summary: "Check now",
  description:
    "A check like any other, at once, even while the monitor is paused. The answer says " +
    "how it went.",
  request: { params: byId },
  responses: {
    200: json("It was checked.", result),
    403: problemResponse("This key is no admin of the project."),
    404: problemResponse("There is no such monitor."),
    409: problemResponse("A check is under way, or the monitor was changed meanwhile."),
    503: problemResponse("Too many checks are under way."),
  },
});

export const tryOut = createRoute({
  method: "post",
  path: "/api/monitors/try",
  summary: "Try a monitor",
  description: "One attempt, which is stored nowhere and told to nobody.",
  request: { body: body(tried) },
  responses: {
    200: json(
      "What came of it.",
      z.object({
        outcome: z.enum(["ok", "failing", "erroring"]),
        problem: z.string().nullable(),
        message: z.string().nullable(),
        status: z.int().nullable(),
        latency_ms: z.number(),
        first_token_ms: z.number().nullable(),
        cost_usd: z.number().nullable(),
        model: z.string().nullable(),
        tokens_input: z.int().nullable(),
        tokens_output: z.int().nullable(),
        answer: z.string().nullable(),
        answer_truncated: z.boolean(),
        assertions: z.array(z.object({
          text: z.string(),
          holds,
          actual: z.string().nullable().describe("What was found instead."),
        })),
      }).openapi("MonitorTried"),
    ),
    400: problemResponse("A field is not valid."),
    403: problemResponse("This key is no admin of the project."),
    503: problemResponse("Too many checks are under way."),
  },
});

export const results = createRoute({
  method: "get",
  path: "/api/monitors/{id}/results",
  summary: "Recent results of a monitor",
  description: "The newest 2,000 are kept. Each is a run: GET /api/runs/{id}.",
  request: { params: byId, query: resultsQuery },
  responses: {
    200: json(
      "Newest first.",
      z.object({ results: z.array(result), next_cursor: z.string().nullable() }),
    ),
    400: problemResponse("A parameter is not valid."),
    404: problemResponse("There is no such monitor."),
  },
});
