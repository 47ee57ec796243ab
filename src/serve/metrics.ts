// GET /api/metrics: numbers over time and by group. Prometheus reads /metrics, see status.ts.
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { groupings, IntervalTooNarrow, measures, metricsOf } from "../query/metrics.ts";
import { problemResponse } from "./body.ts";
import { filterOf, filterQuery, invalid, strictly } from "./filter.ts";
import type { AppEnv } from "./principal.ts";
import type { ReadDeps } from "./reads.ts";

const query = z.strictObject({
  ...filterQuery,
  interval: z.string().max(16).optional().openapi({
    description: "Width of a bucket, as `300`, `5m` or `1h`; by default one that gives at most " +
      "120 buckets.",
  }),
  group_by: z.enum(groupings).optional(),
  groups: z.coerce.number().int().min(1).max(100).default(10).openapi({
    description: "How many groups at most, the largest first.",
  }),
});

const measured = measures.meta({ id: "Measures" });
const group = z.string().nullable();

const route = createRoute({
  method: "get",
  path: "/api/metrics",
  summary: "Requests, errors, tokens, cost and latency",
  description: "Over all matching events; pass event_type=prompt_call for model calls only. What " +
    "is not known is null. A bucket without events is absent.",
  request: { query },
  responses: {
    200: {
      description: "The numbers.",
      content: {
        "application/json": {
          schema: z.object({
            since: z.string().nullable(),
            until: z.string().nullable(),
            interval_seconds: z.int(),
            group_by: z.enum(groupings).nullable(),
            summary: measured,
            groups: z.array(measures.extend({ group })),
            groups_total: z.int().describe("Groups that there are; the largest are shown."),
            series: z.array(
              measures.extend({ bucket: z.string().describe("Start of the bucket."), group }),
            ),
          }),
        },
      },
    },
    400: problemResponse("A parameter is not valid."),
  },
});

export function metricRoutes({ reader, clock }: ReadDeps): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>({ defaultHook: strictly(query) });
  app.openapi(route, async (c) => {
    const { interval, group_by, groups, ...rest } = c.req.valid("query");
    const filter = filterOf(c.get("principal"), rest, clock.nowMs());
    const asked = {
      filter,
      intervalS: intervalOf(interval),
      groupBy: group_by ?? null,
      groupsMax: groups,
    };
    try {
      return c.json(await metricsOf(reader, asked), 200);
    } catch (error) {
      if (error instanceof IntervalTooNarrow) throw invalid("interval", error.message);
      throw error;
    }
  });
  return app;
}

const units: Record<string, number> = { "": 1, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
const intervalSMax = 366 * 86_400;

/** Seconds; null when it is not given. */
export function intervalOf(text: string | undefined): number | null {
  if (text === undefined || text === "") return null;
  const match = /^(\d{1,9})([smhdw]?)$/.exec(text);
  const seconds = match === null ? 0 : Number(match[1]) * units[match[2]!]!;
  if (seconds < 1 || seconds > intervalSMax) throw invalid("interval", "such as 300, 5m, 1h or 1d");
  return seconds;
}
