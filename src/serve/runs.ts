// GET /api/runs and /api/runs/{run_id}.
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { lightRow } from "../query/events.ts";
import { oneRun, pageOfRuns, runRow } from "../query/runs.ts";
import { problemResponse } from "./body.ts";
import { Problem } from "./errors.ts";
import { limitQuery } from "./events.ts";
import {
  decodeCursor,
  encodeCursor,
  filterOf,
  filterQuery,
  storedTime,
  strictly,
} from "./filter.ts";
import { allowed, type AppEnv } from "./principal.ts";
import type { ReadDeps } from "./reads.ts";

const listQuery = z.strictObject({
  ...filterQuery,
  limit: limitQuery,
  cursor: z.string().max(2048).optional(),
});

const run = runRow.meta({ id: "Run" });

const listRoute = createRoute({
  method: "get",
  path: "/api/runs",
  summary: "List runs, the latest first",
  description: "Runs that have matching events; each is summed up over all its events in the " +
    "range of time.",
  request: { query: listQuery },
  responses: {
    200: {
      description: "A page of runs.",
      content: {
        "application/json": {
          schema: z.object({
            runs: z.array(run),
            total: z.int(),
            has_more: z.boolean(),
            next_cursor: z.string().nullable(),
          }),
        },
      },
    },
    400: problemResponse("A parameter is not valid."),
  },
});

/** A run of more events is shown in part. */
const eventsMax = 20_000;

const treeEvent = lightRow.partial().extend({
  depth: z.int(),
  parent_event_id: z.string().nullable(),
  parent_missing: z.boolean().describe("It names a parent that the run does not have."),
}).openapi("TreeEvent");

const oneQuery = z.strictObject({
  project_id: filterQuery.project_id,
  limit: z.coerce.number().int().min(1).max(eventsMax).default(eventsMax),
});

const oneRoute = createRoute({
  method: "get",
  path: "/api/runs/{run_id}",
  summary: "Get a run as a tree",
  description: "Events without their heavy text, a parent before its children; `depth` says how " +
    "deep. Payloads come from /api/events/{event_id}.",
  request: { params: z.object({ run_id: z.string() }), query: oneQuery },
  responses: {
    200: {
      description: "The run.",
      content: {
        "application/json": {
          schema: z.object({ run, events: z.array(treeEvent), truncated: z.boolean() }),
        },
      },
    },
    404: problemResponse("The project has no such run."),
  },
});

const cursorShape = z.object({ run_id: z.string(), started_at: storedTime });

export function runRoutes({ reader, clock }: ReadDeps): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>({ defaultHook: strictly(listQuery, oneQuery) });
  app.openapi(listRoute, async (c) => {
    const { limit, cursor, ...query } = c.req.valid("query");
    const filter = filterOf(c.get("principal"), query, clock.nowMs());
    const after = decodeCursor(cursor, cursorShape);
    const { runs, total, next } = await pageOfRuns(reader, { filter, limit, after });
    return c.json({
      runs,
      total,
      has_more: next !== null,
      next_cursor: next === null ? null : encodeCursor({ ...next }),
    }, 200);
  });

  app.openapi(oneRoute, async (c) => {
    const { project_id, limit } = c.req.valid("query");
    const project = allowed(c.get("principal"), "read", project_id);
    const { run_id } = c.req.valid("param");
    const detail = await oneRun(reader, project, run_id, limit);
    if (detail === null) throw new Problem(404, "Not found", `There is no run "${run_id}".`);
    return c.json(detail as unknown as z.infer<RunDetailSchema>, 200);
  });
  return app;
}

type RunDetailSchema = typeof oneRoute.responses[200]["content"]["application/json"]["schema"];
