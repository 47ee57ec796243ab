// GET /api/events/{event_id}/mapping: where each field of an OpenTelemetry event came from.
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { explain } from "../map/explain.ts";
import { oneEvent } from "../query/events.ts";
import { problemResponse } from "./body.ts";
import { Problem } from "./errors.ts";
import { filterQuery, strictly } from "./filter.ts";
import { allowed, type AppEnv } from "./principal.ts";
import type { ReadDeps } from "./reads.ts";

const query = z.strictObject({ project_id: filterQuery.project_id });

const origin = {
  from: z.string().describe("Attribute, event or other part of the record."),
  convention: z.string().describe("Id of the convention."),
  value: z.string().describe("As text, shortened."),
};

const mapping = z.object({
  event_id: z.string(),
  received_as: z.enum(["span", "log"]),
  conventions: z.array(z.object({ id: z.string(), title: z.string(), source: z.string() }))
    .describe("Conventions that the record follows."),
  kind: z.string().describe("What the record was taken for."),
  kind_by: z.string().nullable().describe("The convention that says so; null when inferred."),
  fields: z.array(z.object({
    field: z.string(),
    ...origin,
    others: z.array(z.object(origin)).describe("Places that had a value too, and were not used."),
  })),
  rules: z.array(z.string()).describe("What was done to token counts."),
  not_counted: z.array(z.string()).describe(
    "Attributes with counts and costs that repeat those of the calls below; also in left_over.",
  ),
  left_over: z.array(z.string()).describe("Attributes that no field was made of; they are kept."),
}).openapi("Mapping");

const route = createRoute({
  method: "get",
  path: "/api/events/{event_id}/mapping",
  summary: "Explain how a span or log record became an event",
  request: { params: z.object({ event_id: z.string() }), query },
  responses: {
    200: { description: "By today's rules.", content: { "application/json": { schema: mapping } } },
    404: problemResponse("No such event, or it did not come from OpenTelemetry."),
  },
});

export function mappingRoutes({ reader }: ReadDeps): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>({ defaultHook: strictly(query) });
  app.openapi(route, async (c) => {
    const project_id = allowed(c.get("principal"), "read", c.req.valid("query").project_id);
    const { event_id } = c.req.valid("param");
    const event = await oneEvent(reader, project_id, event_id);
    if (event === null) throw new Problem(404, "Not found", `There is no event "${event_id}".`);
    const explanation = explain(event);
    if (explanation === null) {
      throw new Problem(
        404,
        "Not mapped",
        `The event "${event_id}" was sent as it is; only spans and log records are mapped.`,
      );
    }
    return c.json({ event_id, ...explanation }, 200);
  });
  return app;
}
