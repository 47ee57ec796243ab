// GET /api/events and /api/events/{event_id}.
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { eventSchema } from "../event.ts";
import { oneEvent, pageOfEvents, type Place, sorts } from "../query/events.ts";
import { problemResponse } from "./body.ts";
import { Problem } from "./errors.ts";
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

export const limitQuery = z.coerce.number().int().min(1).max(1000).default(50).openapi({
  description: "How many at most.",
});

const listQuery = z.strictObject({
  ...filterQuery,
  sort: z.enum(sorts).default("timestamp"),
  order: z.enum(["desc", "asc"]).default("desc"),
  limit: limitQuery,
  cursor: z.string().max(2048).optional().openapi({ description: "The last page's next_cursor." }),
  view: z.enum(["full", "light"]).default("full").openapi({
    description: "light leaves out heavy text and gives its first words instead.",
  }),
});

const stored = eventSchema.meta({ id: "StoredEvent" });

const listRoute = createRoute({
  method: "get",
  path: "/api/events",
  summary: "List events",
  request: { query: listQuery },
  responses: {
    200: {
      description: "A page of events.",
      content: {
        "application/json": {
          schema: z.object({
            events: z.array(stored),
            total: z.int().describe("Events that match, on all pages."),
            has_more: z.boolean(),
            next_cursor: z.string().nullable(),
          }),
        },
      },
    },
    400: problemResponse("A parameter is not valid."),
    403: problemResponse("Not this key's project."),
  },
});

const oneQuery = z.strictObject({ project_id: filterQuery.project_id });

const oneRoute = createRoute({
  method: "get",
  path: "/api/events/{event_id}",
  summary: "Get an event",
  request: {
    params: z.object({ event_id: z.string() }),
    query: oneQuery,
  },
  responses: {
    200: { description: "The event.", content: { "application/json": { schema: stored } } },
    404: problemResponse("The project has no such event."),
  },
});

export function eventRoutes({ reader, clock }: ReadDeps): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>({ defaultHook: strictly(listQuery, oneQuery) });
  app.openapi(listRoute, async (c) => {
    const { sort, order, limit, cursor, view, ...query } = c.req.valid("query");
    const filter = filterOf(c.get("principal"), query, clock.nowMs());
    const shape = z.object({
      sort: z.literal(sort),
      order: z.literal(order),
      event_id: z.string(),
      timestamp: storedTime,
      rank: z.number().nullable(),
    });
    const after: Place | null = decodeCursor(cursor, shape);
    const page = await pageOfEvents(reader, { filter, sort, order, limit, after, view });
    return c.json({
      events: page.events as z.infer<typeof stored>[],
      total: page.total,
      has_more: page.next !== null,
      next_cursor: page.next === null ? null : encodeCursor({ sort, order, ...page.next }),
    }, 200);
  });

  app.openapi(oneRoute, async (c) => {
    const project_id = allowed(c.get("principal"), "read", c.req.valid("query").project_id);
    const { event_id } = c.req.valid("param");
    const event = await oneEvent(reader, project_id, event_id);
    if (event === null) throw new Problem(404, "Not found", `There is no event "${event_id}".`);
    return c.json(event as z.infer<typeof stored>, 200);
  });
  return app;
}
