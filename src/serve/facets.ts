// GET /api/facets: the values that one may filter by.
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { facetNames, facetsOf } from "../query/facets.ts";
import { filterOf, filterQuery, strictly } from "./filter.ts";
import type { AppEnv } from "./principal.ts";
import type { ReadDeps } from "./reads.ts";

const query = z.strictObject({
  ...filterQuery,
  limit: z.coerce.number().int().min(1).max(100).default(20).openapi({
    description: "How many values of each field.",
  }),
});

const facet = z.array(z.object({ value: z.string(), count: z.int() }));

const route = createRoute({
  method: "get",
  path: "/api/facets",
  summary: "The commonest values of each field",
  request: { query },
  responses: {
    200: {
      description: "Values, the commonest first.",
      content: {
        "application/json": {
          schema: z.object(Object.fromEntries(facetNames.map((name) => [name, facet]))),
        },
      },
    },
  },
});

export function facetRoutes({ reader, clock }: ReadDeps): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>({ defaultHook: strictly(query) });
  app.openapi(route, async (c) => {
    const { limit, ...rest } = c.req.valid("query");
    const filter = filterOf(c.get("principal"), rest, clock.nowMs());
    return c.json(await facetsOf(reader, filter, limit), 200);
  });
  return app;
}
