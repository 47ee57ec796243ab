// GET /api/points: a metric of OpenTelemetry over time; GET /api/points/names: which there are.
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { IntervalTooNarrow } from "../query/metrics.ts";
import {
  attributesOf,
  measurement,
  metricName,
  namesOf,
  pointAttribute,
  pointsOf,
} from "../query/points.ts";
import { problemResponse } from "./body.ts";
import { filterQuery, invalid, strictly, timeOf } from "./filter.ts";
import { intervalOf } from "./metrics.ts";
import { allowed, type AppEnv, type Principal } from "./principal.ts";
import type { ReadDeps } from "./reads.ts";

const range = {
  project_id: filterQuery.project_id,
  since: filterQuery.since,
  until: filterQuery.until,
};

const query = z.strictObject({
  ...range,
  name: z.string().min(1).max(1024).openapi({
    description: "Name of the metric.",
    example: "gen_ai.client.token.usage",
  }),
  interval: z.string().max(16).optional().openapi({
    description: "Width of a bucket, as `300`, `5m` or `1h`; by default one that gives at most " +
      "120 buckets.",
  }),
  group_by: z.string().min(1).max(256).optional().openapi({
    description: "An attribute of the data points, or else of their resource.",
    example: "gen_ai.token.type",
  }),
  groups: z.coerce.number().int().min(1).max(100).default(10).openapi({
    description: "How many groups at most, the largest first.",
  }),
});

const measured = measurement.meta({ id: "PointMeasurement" });
const group = z.string().nullable();

const route = createRoute({
  method: "get",
  path: "/api/points",
  summary: "A metric over time",
  description:
    "Cumulative sums and histograms are shown by their growth, restarts of the program " +
    "considered. What is not known is null. A bucket without data points is absent.",
  request: { query },
  responses: {
    200: {
      description: "The numbers.",
      content: {
        "application/json": {
          schema: z.object({
            metric: metricName.meta({ id: "Metric" }).nullable().describe(
              "Null when there is no such metric in the range of time.",
            ),
            since: z.string().nullable(),
            until: z.string().nullable(),
            interval_seconds: z.int(),
            groups: z.array(measurement.extend({ group })),
            groups_total: z.int().describe("Groups that there are; the largest are shown."),
            series: z.array(measured.extend({
              bucket: z.string().describe("Start of the bucket."),
              group,
            })),
            quantiles_known: z.boolean().describe(
              "False when there are too many histograms to estimate them from, or one cannot be read.",
            ),
          }),
        },
      },
    },
    400: problemResponse("A parameter is not valid."),
  },
});

const namesQuery = z.strictObject({
  ...range,
  limit: z.coerce.number().int().min(1).max(10_000).default(1000).openapi({
    description: "How many at most.",
  }),
});

const namesRoute = createRoute({
  method: "get",
  path: "/api/points/names",
  summary: "Metrics that there are",
  request: { query: namesQuery },
  responses: {
    200: {
      description: "By name.",
      content: { "application/json": { schema: z.object({ names: z.array(metricName) }) } },
    },
    400: problemResponse("A parameter is not valid."),
  },
});

const attributesQuery = z.strictObject({ ...range, name: query.shape.name });

const attributesRoute = createRoute({
  method: "get",
  path: "/api/points/attributes",
  summary: "Attributes that a metric can be grouped by",
  request: { query: attributesQuery },
  responses: {
    200: {
      description: "Those of the points, then those of their resource.",
      content: {
        "application/json": {
          schema: z.object({
            attributes: z.array(pointAttribute.meta({ id: "PointAttribute" })),
          }),
        },
      },
    },
    400: problemResponse("A parameter is not valid."),
  },
});

export function pointRoutes({ reader, clock }: ReadDeps): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>({
    defaultHook: strictly(query, namesQuery, attributesQuery),
  });

  app.openapi(route, async (c) => {
    const { name, interval, group_by, groups, ...rest } = c.req.valid("query");
    const scope = scopeOf(c.get("principal"), rest, clock.nowMs());
    try {
      const asked = {
        scope,
        name,
        intervalS: intervalOf(interval),
        groupBy: group_by ?? null,
        groupsMax: groups,
      };
      return c.json(await pointsOf(reader, asked), 200);
    } catch (error) {
      if (error instanceof IntervalTooNarrow) throw invalid("interval", error.message);
      throw error;
    }
  });

  app.openapi(namesRoute, async (c) => {
    const { limit, ...rest } = c.req.valid("query");
    const scope = scopeOf(c.get("principal"), rest, clock.nowMs());
    return c.json({ names: await namesOf(reader, scope, limit) }, 200);
  });

  app.openapi(attributesRoute, async (c) => {
    const { name, ...rest } = c.req.valid("query");
    const scope = scopeOf(c.get("principal"), rest, clock.nowMs());
    return c.json({ attributes: await attributesOf(reader, scope, name) }, 200);
  });
  return app;
}

function scopeOf(
  principal: Principal,
  given: { project_id?: string; since?: string; until?: string },
  nowMs: number,
) {
  const project_id = allowed(principal, "read", given.project_id);
  const since = timeOf("since", given.since, nowMs) ?? undefined;
  const until = timeOf("until", given.until, nowMs) ?? undefined;
  return { project_id, ...since && { since }, ...until && { until } };
}
