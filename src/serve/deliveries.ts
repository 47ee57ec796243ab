// /api/deliveries: who was told what, and how it went.
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Clock } from "../std/clock.ts";
import { type Delivery, deliveryStatuses } from "../store/alerts/outbox.ts";
import type { Alerting } from "../watch/open.ts";
import { json, problemResponse, refuseInvalid } from "./body.ts";
import { Problem } from "./errors.ts";
import { decodeCursor, encodeCursor, filterQuery, strictly } from "./filter.ts";
import { allowed, type AppEnv } from "./principal.ts";

export interface DeliveryDeps {
  alerting: Alerting;
  clock: Clock;
}

const query = z.strictObject({
  project_id: filterQuery.project_id,
  status: z.enum(deliveryStatuses).optional(),
  channel_id: z.string().max(128).optional(),
  rule_id: z.string().max(128).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z.string().max(500).optional(),
});
const place = z.object({ at: z.string(), id: z.string() });
const time = z.string().nullable();

const told = z.object({
  id: z.string().describe("Also sent to the receiver, which may deduplicate by it."),
  project_id: z.string(),
  channel_id: z.string().nullable().describe("Null for the event in the project itself."),
  channel_name: z.string(),
  channel_type: z.string(),
  rule_id: z.string(),
  kind: z.string(),
  title: z.string().nullable(),
  status: z.enum(deliveryStatuses),
  attempts: z.int(),
  next_attempt_at: time,
  last_error: z.string().nullable(),
  last_status: z.int().nullable().describe("HTTP status of the last answer."),
  created_at: z.string(),
  finished_at: time,
}).openapi("Delivery");

const list = createRoute({
  method: "get",
  path: "/api/deliveries",
  summary: "The delivery log",
  request: { query },
  responses: {
    200: json(
      "Newest first.",
      z.object({ deliveries: z.array(told), next_cursor: z.string().nullable() }),
    ),
    400: problemResponse("A parameter is not valid."),
  },
});

const retry = createRoute({
  method: "post",
  path: "/api/deliveries/{id}/retry",
  summary: "Deliver once more",
  description: "For one that failed, was cancelled, or waits for its next attempt.",
  request: { params: z.object({ id: z.string().max(128) }) },
  responses: {
    200: json("It is tried now.", told),
    403: problemResponse("This key is no admin of the project."),
    404: problemResponse("There is no such delivery."),
    409: problemResponse("It was delivered."),
  },
});

export function deliveryRoutes({ alerting, clock }: DeliveryDeps): OpenAPIHono<AppEnv> {
  const { store, deliverer } = alerting;
  const app = new OpenAPIHono<AppEnv>({
    defaultHook: (result, c) =>
      (result.target === "query" ? strictly(query) : refuseInvalid)(result, c),
  });

  app.openapi(list, (c) => {
    const asked = c.req.valid("query");
    const project_id = allowed(c.get("principal"), "read", asked.project_id);
    const found = store.outbox.list({
      project_id,
      status: asked.status ?? null,
      channel_id: asked.channel_id ?? null,
      rule_id: asked.rule_id ?? null,
      before: decodeCursor(asked.cursor, place),
      limit: asked.limit + 1,
    });
    const deliveries = found.slice(0, asked.limit).map(toldOf);
    const last = deliveries.at(-1);
    const next_cursor = found.length > asked.limit && last !== undefined
      ? encodeCursor({ at: last.created_at, id: last.id })
      : null;
    return c.json({ deliveries, next_cursor }, 200);
  });

  app.openapi(retry, (c) => {
    const principal = c.get("principal");
    const { id } = c.req.valid("param");
    const delivery = store.outbox.get(id);
    if (delivery === null || !principal.projects.includes(delivery.project_id)) {
      throw new Problem(404, "Not found", `There is no delivery "${id}".`);
    }
    allowed(principal, "admin", delivery.project_id);
    if (delivery.status === "delivered") {
      throw new Problem(409, "Delivered", "It was delivered; it is not sent twice.");
    }
    const again: Delivery = {
      ...delivery,
      status: "waiting",
      next_attempt_at: new Date(clock.nowMs()).toISOString(),
      finished_at: null,
    };
    store.commit(() => store.outbox.put(again));
    deliverer.wake();
    return c.json(toldOf(again), 200);
  });
  return app;
}

function toldOf({ body, thread: _, ...delivery }: Delivery) {
  const { title, name } = body as { title?: string; name?: string };
  return { ...delivery, title: title ?? name ?? null };
}
