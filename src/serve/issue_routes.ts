// What the routes of issues take and tell.
import { createRoute, z } from "@hono/zod-openapi";
import { issueKinds } from "../issue/kind.ts";
import { issueSettings } from "../issue/settings.ts";
import { issueStates } from "../issue/state.ts";
import { sampleRow, spreadRow } from "../query/issues.ts";
import { body, json, problemResponse } from "./body.ts";
import { filterQuery } from "./filter.ts";

const assigneeCharactersMax = 200;
const noteCharactersMax = 10_000;
/** Merged by one request. */
const mergedMax = 100;

const several = <T extends string>(values: readonly [T, ...T[]]) =>
  z.string().max(1000).transform((text) => text.split(",").filter((one) => one !== ""))
    .pipe(z.array(z.enum(values))).optional()
    .openapi({ type: "string", description: `Any of ${values.join(", ")}, separated by commas.` });

export const issueSorts = ["last_seen", "first_seen", "events", "users", "runs"] as const;

export const listQuery = z.strictObject({
  ...filterQuery,
  state: several(issueStates),
  kind: several(issueKinds),
  assignee: z.string().max(assigneeCharactersMax).optional()
    .openapi({ description: "Empty stands for nobody." }),
  search: z.string().max(1000).optional().openapi({
    description: "Text that the issue's title, place, id or note contains.",
  }),
  sort: z.enum(issueSorts).default("last_seen"),
  order: z.enum(["asc", "desc"]).default("desc"),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(2048).optional(),
});
export const oneQuery = z.strictObject({
  ...filterQuery,
  samples: z.coerce.number().int().min(1).max(100).default(20),
});
export const projectQuery = z.strictObject({ project_id: filterQuery.project_id });
const byId = z.object({ id: z.string().max(128) });
const time = z.string().nullable();

const trend = z.object({
  since: z.string().describe("Start of the first bucket."),
  interval_seconds: z.number(),
  events: z.array(z.int()),
});

export const told = z.object({
  id: z.string(),
  project_id: z.string(),
  kind: z.enum(issueKinds).nullable().describe("Null when no failure of it is in the range."),
  title: z.string().nullable(),
  place: z.string().nullable().describe("A frame, tool, prompt or model."),
  state: z.enum(issueStates),
  events: z.int().describe("Failures in the range; of loops, loops."),
  runs: z.int().describe("Runs that had one."),
  users: z.int().nullable().describe("Different user_ids; null when none of the failures has one."),
  first_seen: time.describe("Ever, also when those events are kept no longer."),
  last_seen: time,
  first_release: z.string().nullable(),
  last_release: z.string().nullable().describe("Of the newest in the range."),
  assignee: z.string().nullable(),
  note: z.string().nullable(),
  resolved_at: time,
  resolved_in: z.string().nullable().describe("Only a later release brings it back."),
  regressed_at: time,
  regressed_in: z.string().nullable(),
  merged: z.array(z.string()).describe("Issues that count for this one."),
  trend: trend.nullable(),
}).openapi("Issue");

export const detail = told.extend({
  samples: z.array(sampleRow).describe("The newest failure of each of the last runs."),
  spread: z.array(spreadRow).describe("The most hit releases, users, environments and models."),
}).openapi("IssueDetail");

export const change = z.strictObject({
  state: z.enum(["open", "resolved", "ignored"]).optional(),
  in_release: z.string().min(1).max(1024).nullable().optional().describe(
    "With `resolved`: only a failure in a later release than this brings it back. Without, any later failure does.",
  ),
  in_next_release: z.literal(true).optional().describe(
    "With `resolved`: the same, for the newest release that the project has sent.",
  ),
  assignee: z.string().min(1).max(assigneeCharactersMax).nullable().optional(),
  note: z.string().min(1).max(noteCharactersMax).nullable().optional(),
}).openapi("IssueChange");

const answers = {
  400: problemResponse("A field is not valid."),
  403: problemResponse("This key is no admin of the project."),
  404: problemResponse("There is no such issue."),
} as const;

export const list = createRoute({
  method: "get",
  path: "/api/issues",
  summary: "Failures, grouped into issues",
  description: "Issues with failures in the range of time and of the filter. Counts are asked of " +
    "the stored events; a state belongs to the issue.",
  request: { query: listQuery },
  responses: {
    200: json(
      "A page of issues.",
      z.object({
        issues: z.array(told),
        total: z.int(),
        states: z.record(z.string(), z.int()).describe("Issues by state, whichever are asked for."),
        truncated: z.boolean().describe("There are more issues than are looked at: narrow it."),
        next_cursor: z.string().nullable(),
      }),
    ),
    400: problemResponse("A parameter is not valid."),
  },
});

export const one = createRoute({
  method: "get",
  path: "/api/issues/{id}",
  summary: "Get an issue",
  description: "Of an issue that was merged, the one that it was merged into.",
  request: { params: byId, query: oneQuery },
  responses: { 200: json("The issue.", detail), 400: answers[400], 404: answers[404] },
});

export const patch = createRoute({
  method: "patch",
  path: "/api/issues/{id}",
  summary: "Resolve, ignore, open, assign or annotate an issue",
  request: { params: byId, query: projectQuery, body: body(change) },
  responses: { 200: json("As changed.", told), ...answers },
});

export const merge = createRoute({
  method: "post",
  path: "/api/issues/{id}/merge",
  summary: "Count other issues for this one",
  description: "Their failures, past and to come. It can be taken back.",
  request: {
    params: byId,
    query: projectQuery,
    body: body(z.strictObject({ issues: z.array(z.string().max(128)).min(1).max(mergedMax) })),
  },
  responses: { 200: json("As changed.", told), ...answers },
});

export const unmerge = createRoute({
  method: "delete",
  path: "/api/issues/{id}/merge",
  summary: "Take an issue out of the one that it was merged into",
  request: { params: byId, query: projectQuery },
  responses: { 200: json("As changed.", told), ...answers },
});

const settings = issueSettings.meta({ id: "IssueSettings" });

export const readSettings = createRoute({
  method: "get",
  path: "/api/issues/settings",
  summary: "How failures are grouped, and who is told",
  request: { query: projectQuery },
  responses: { 200: json("What holds.", settings) },
});

export const putSettings = createRoute({
  method: "put",
  path: "/api/issues/settings",
  summary: "Set how failures are grouped, and who is told",
  request: { query: projectQuery, body: body(settings) },
  responses: { 200: json("It holds from now on.", settings), 400: answers[400], 403: answers[403] },
});
