// `/api/retention`: how long a project keeps its events, by environment; and what went.
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { loggerOf } from "../logging.ts";
import type { State } from "../store/state.ts";
import type { Store } from "../store/store.ts";
import { policyOf, retentionSchema, retentionSetting } from "../store/retain.ts";
import { json, problemResponse, refuseInvalid, smallBody } from "./body.ts";
import { allowed, type AppEnv } from "./principal.ts";

export interface RetentionDeps {
  state: State;
  lake: Pick<Store, "retention" | "dropped">;
  /** For projects that set nothing else; 0 is for ever. */
  retentionDays: number;
}

const log = loggerOf("retention");

const dropped = z.object({
  dropped_at: z.string(),
  reason: z.enum(["retain", "disk"]).describe("Too old, or the data took too much room."),
  date: z.string(),
  rows: z.int().describe("Events and data points."),
  bytes: z.int(),
}).openapi("DroppedDay");

const shown = z.object({
  project_id: z.string(),
  days: z.int().nullable().describe("Null is the server's own; 0 is for ever."),
  environments: z.record(z.string(), z.int()),
  default_days: z.int().describe("The server's own."),
  disk: z.object({
    bytes: z.int(),
    bytes_max: z.int().describe("0 is no bound."),
    is_over: z.boolean().describe("Above the bound, and only today's data is left."),
  }).nullable().describe("Of the whole server; null until it was looked at, or without a bound."),
  dropped: z.array(dropped).describe("The newest hundred, newest first."),
}).openapi("Retention");

const order = retentionSchema.extend({
  dry_run: z.boolean().optional().describe("Only count what would go."),
}).openapi("RetentionOrder");

const query = z.object({ project_id: z.string().optional() });

const getRoute = createRoute({
  method: "get",
  path: "/api/retention",
  summary: "How long a project keeps its events, and what went",
  request: { query },
  responses: {
    200: json("Now.", shown),
    403: problemResponse("Not a reader of this project."),
  },
});

const putRoute = createRoute({
  method: "put",
  path: "/api/retention",
  summary: "Set how long a project keeps its events",
  description:
    "Whole days of UTC. What is older is deleted within seconds, and does not come back.",
  request: {
    query,
    body: { required: true, content: { "application/json": { schema: order } } },
  },
  responses: {
    200: json("Set; of a dry run, not.", z.object({ would_drop_events: z.int() })),
    400: problemResponse("Not valid."),
    403: problemResponse("Not an admin of this project."),
  },
});

export function retentionRoutes(
  { state, lake, retentionDays }: RetentionDeps,
): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>({ defaultHook: refuseInvalid });
  app.use(getRoute.path, smallBody);

  app.openapi(getRoute, (c) => {
    const project_id = allowed(c.get("principal"), "read", c.req.valid("query").project_id);
    const setting = retentionSchema.safeParse(state.setting(project_id, retentionSetting));
    const { disk } = lake.retention;
    return c.json({
      project_id,
      ...setting.success ? setting.data : { days: null, environments: {} },
      default_days: retentionDays,
      disk: disk === null
        ? null
        : { bytes: disk.bytes, bytes_max: disk.bytesMax, is_over: disk.isOver },
      dropped: lake.dropped(project_id).map(({ dropped_at_ms, reason, date, rows, bytes }) => ({
        dropped_at: new Date(dropped_at_ms).toISOString(),
        reason,
        date,
        rows,
        bytes,
      })),
    }, 200);
  });

  app.openapi(putRoute, async (c) => {
    const principal = c.get("principal");
    const project_id = allowed(principal, "admin", c.req.valid("query").project_id);
    const { dry_run, ...setting } = c.req.valid("json");
    const would_drop_events = await lake.retention.look(
      project_id,
      policyOf(setting, retentionDays),
    );
    if (!dry_run) {
      await state.setSetting(project_id, retentionSetting, setting);
      log.info("Retention of {project_id} is set", {
        project_id,
        ...setting,
        would_drop_events,
        by: principal.key_id ?? "local",
      });
    }
    return c.json({ would_drop_events }, 200);
  });
  return app;
}
