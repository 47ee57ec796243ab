// POST /v1/events: events in, a receipt out. 202 means that every accepted event is on disk.
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { eventSchema, rejectionReasons } from "../event.ts";
import type { Ingest, IngestRefusal, Receipt } from "../ingest.ts";
import { limits } from "../limits.ts";
import { type BodyRefusal, type BodyRoom, inflate, readBody } from "../receive/body.ts";
import { dropsHeader, parseDrops } from "../receive/drops.ts";
import type { ExportRefusal } from "../receive/otlp/export.ts";
import { parseBatch } from "../receive/sdk.ts";
import { RateLimit } from "../std/rate_limit.ts";
import { Problem } from "./errors.ts";
import { allowed, type AppEnv } from "./principal.ts";

export interface IngestDeps {
  ingest: Ingest;
  /** False refuses events while reading goes on. */
  enabled: boolean;
  rateLimit: RateLimit | null;
  /** Shared by all routes that take events. */
  bodies: BodyRoom;
}

const rejection = z.object({
  index: z.int().describe("Place in the request, from 0."),
  event_id: z.string().nullable(),
  field: z.string().nullable().describe("Field at fault; null when the event as a whole is."),
  reason: z.enum(rejectionReasons),
  message: z.string().describe("What to change."),
}).openapi("Rejection");

const receipt = z.object({
  accepted: z.int().describe("Events that are on disk now."),
  duplicates: z.int().describe("Events whose id was stored before; nothing was stored again."),
  rejected: z.array(rejection),
  sampled_out: z.int().describe("Events that the sample rate left out."),
  event_ids: z.array(z.string().nullable()).describe("Id of each event sent, in order."),
}).openapi("Receipt");

const event = eventSchema.meta({ id: "Event" });
const body = z.union([event, z.array(event), z.object({ events: z.array(event) })]);

const responses = {
  202: { description: "Stored.", content: { "application/json": { schema: receipt } } },
  400: { description: "No event could be taken; the problem says why." },
  401: { description: "No key, or a wrong one." },
  403: { description: "The key may not write to this project." },
  413: { description: "Too large, before or after decompression." },
  415: { description: "Unknown Content-Encoding." },
  429: { description: "Over the project's rate; see Retry-After." },
  503: { description: "Busy; see Retry-After." },
  507: { description: "The disk is full." },
};

const request = {
  body: {
    content: {
      "application/json": { schema: body },
      "application/x-ndjson": { schema: z.string().describe("An event a line.") },
    },
  },
};

const routes = [
  createRoute({
    method: "post",
    path: "/v1/events",
    summary: "Send events",
    request: { ...request, query: z.object({ project_id: z.string().optional() }) },
    responses,
  }),
  createRoute({
    method: "post",
    path: "/v1/projects/{project_id}/events",
    summary: "Send events of a project",
    request: { ...request, params: z.object({ project_id: z.string() }) },
    responses,
  }),
] as const;

export function ingestRoutes(deps: IngestDeps): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>();
  // The documents come from the routes; the bodies are validated event by event, not as a whole.
  for (const route of routes) app.openAPIRegistry.registerPath(route);

  const take = async (c: Context<AppEnv>) => {
    const project_id = allowed(
      c.get("principal"),
      "ingest",
      c.req.param("project_id") ?? c.req.query("project_id"),
    );
    if (!deps.enabled) {
      throw new Problem(503, "Ingestion is off", "WATCHLLM_ENABLED is false.", {}, 60);
    }
    const refusal = deps.ingest.refusal();
    if (refusal !== null) throw problemOf(refusal);
    const hold = deps.bodies.hold();
    try {
      const received = await readBody(c.req.raw, hold);
      const bytes = received instanceof Uint8Array
        ? inflate(received, c.req.header("content-encoding") ?? null)
        : received;
      if (!(bytes instanceof Uint8Array)) throw bodyProblem(bytes);
      limitRate(deps.rateLimit, project_id);
      const contentType = c.req.header("content-type") ?? "application/json";
      const values = parseBatch(bytes, contentType);
      const result = await deps.ingest.take(project_id, values, bytes.length);
      // A request that is refused comes again, with the same report.
      if (!("reason" in result)) deps.ingest.countDrops(parseDrops(c.req.header(dropsHeader)));
      return answer(c, result, deps, project_id);
    } finally {
      hold.release();
    }
  };
  for (const path of ["/v1/events", "/v1/projects/:project_id/events"]) {
    app.post(path, take);
    app.all(path, (c) => {
      c.header("allow", "POST");
      throw new Problem(405, "Method not allowed", `Events are sent with POST; ask /api/events.`);
    });
  }
  return app;
}

export function limitRate(rateLimit: RateLimit | null, project_id: string): void {
  const waitS = rateLimit?.waitS(project_id) ?? 0;
  if (waitS === 0) return;
  throw new Problem(
    429,
    "Too many events",
    `The project sends more events than its rate allows; wait ${waitS} s.`,
    {},
    waitS,
  );
}

function answer(
  c: Context<AppEnv>,
  result: Receipt | IngestRefusal,
  deps: IngestDeps,
  project_id: string,
): Response {
  if ("reason" in result) throw problemOf(result);
  deps.rateLimit?.spend(project_id, result.accepted + result.duplicates);
  const taken = result.accepted + result.duplicates + result.sampled_out;
  if (taken > 0 || result.rejected.length === 0) return c.json(result, 202);
  const [first] = result.rejected;
  throw new Problem(
    400,
    "Every event was rejected",
    `Event ${first!.index}: ${first!.message}`,
    { ...result },
  );
}

export function problemOf({ reason, message }: IngestRefusal | ExportRefusal): Problem {
  switch (reason) {
    case "busy":
      return new Problem(503, "Busy", message, { reason }, 1);
    case "disk_full":
      return new Problem(507, "Disk full", message, { reason }, 30);
    case "disk_failed":
      return new Problem(503, "Disk failed", message, { reason }, 5);
    case "too_many_events":
      return new Problem(413, "Too many events in one request", message, {
        reason,
        events_max: limits.batchEventsMax,
      });
    case "too_many_values":
      return new Problem(413, "Too many values in one request", message, { reason });
    default:
      return new Problem(400, "Unreadable request", message, { reason });
  }
}

export function bodyProblem({ reason, message }: BodyRefusal): Problem {
  switch (reason) {
    case "body_too_large":
    case "inflated_too_large":
      return new Problem(413, "Body too large", message, { reason });
    case "no_room":
      return problemOf({ reason: "busy", message });
    case "unknown_encoding":
      return new Problem(415, "Unknown encoding", message, { reason });
    case "corrupt_encoding":
      return new Problem(400, "Corrupt body", message, { reason });
  }
}
