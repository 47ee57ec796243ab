// `/api/erasures`: everything of a user, a session, a run or an event erased, on request of an admin;
// and the record of it.
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Erasing } from "../erase.ts";
import { limits } from "../limits.ts";
import type { Erasure, Erasures } from "../store/erasures.ts";
import { columnOf, type SubjectKind, subjectKinds } from "../store/subject.ts";
import { json, problemResponse, refuseInvalid, smallBody } from "./body.ts";
import { Problem } from "./errors.ts";
import { allowed, type AppEnv, type Principal } from "./principal.ts";

export interface ErasureDeps {
  erasing: Erasing;
  erasures: Pick<Erasures, "get" | "list">;
}

const id = (what: string) =>
  z.string().min(1).max(limits.idCharactersMax).nullish().openapi({ description: what });

const order = z.strictObject({
  project_id: z.string().nullish().openapi({
    description: "All projects that the caller knows when left out.",
  }),
  user_id: id("Everything of this user: also rows without a user, of runs that are theirs."),
  session_id: id("Everything of this session."),
  run_id: id("Everything of this run."),
  event_id: id("This event."),
  dry_run: z.boolean().nullish().openapi({ description: "Only count what would go." }),
}).openapi("ErasureOrder");

const counts = z.object({
  events: z.int(),
  points: z.int().describe("Data points of metrics that have the id as an attribute."),
  pieces: z.int().describe("Pieces of events that were not whole yet."),
  alerts: z.int().describe("Alerts, notifications and states of rules that named it."),
  files_rewritten: z.int(),
  files_deleted: z.int().describe("Parquet files that are off the disk."),
  blobs_deleted: z.int().describe("Files that only erased events named."),
  quarantined_files: z.int(),
}).openapi("ErasureCounts");

const erasure = z.object({
  id: z.string(),
  project_id: z.string(),
  kind: z.enum(subjectKinds),
  subject: z.string().describe("The id that was asked for. It is kept sealed."),
  requested_at: z.string().describe("What was received later is not touched."),
  requested_by: z.string().nullable().describe("Key; null is the user of the machine."),
  state: z.enum(["waiting", "erasing", "done"]),
  counts,
  ended_at: z.string().nullable(),
  message: z.string().nullable().describe("Why the last try failed; it is tried again."),
}).openapi("Erasure");

const look = z.object({
  project_id: z.string(),
  events: z.int(),
  points: z.int(),
  pieces: z.int(),
}).openapi("ErasureLook");

const requestRoute = createRoute({
  method: "post",
  path: "/api/erasures",
  summary: "Erase a user, a session, a run or an event",
  description: "The order is on disk when it is answered, and is carried out even when the " +
    "server is killed meanwhile. Every file that has rows of the subject is written anew.",
  request: { body: { required: true, content: { "application/json": { schema: order } } } },
  responses: {
    200: json("What would go; of a dry run.", z.object({ would_erase: z.array(look) })),
    202: json("Ordered, one in each project.", z.object({ erasures: z.array(erasure) })),
    400: problemResponse("Not exactly one id."),
    403: problemResponse("Not an admin of this project."),
  },
});

const listRoute = createRoute({
  method: "get",
  path: "/api/erasures",
  summary: "The record of erasures",
  request: { query: z.object({ project_id: z.string().optional() }) },
  responses: {
    200: json("Newest first.", z.object({ erasures: z.array(erasure) })),
    403: problemResponse("Not an admin of this project."),
  },
});

const getRoute = createRoute({
  method: "get",
  path: "/api/erasures/{id}",
  summary: "How far an erasure is",
  request: { params: z.object({ id: z.string().max(64) }) },
  responses: {
    200: json("Now.", erasure),
    404: problemResponse("There is no such erasure in the projects of the caller."),
  },
});

export function erasureRoutes({ erasing, erasures }: ErasureDeps): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>({ defaultHook: refuseInvalid });
  app.use("/api/erasures", smallBody);

  app.openapi(requestRoute, async (c) => {
    const principal = c.get("principal");
    const { project_id, dry_run, ...ids } = c.req.valid("json");
    const subject = subjectOf(ids);
    const projects = projectsOf(principal, project_id ?? null);
    if (dry_run) {
      const would_erase = [];
      for (const project_id of projects) {
        would_erase.push({ project_id, ...await erasing.look({ project_id, ...subject }) });
      }
      return c.json({ would_erase }, 200);
    }
    const by = principal.key_id;
    const ordered = projects.map((project_id) => erasing.request({ project_id, ...subject, by }));
    return c.json({ erasures: ordered.map(shown) }, 202);
  });

  app.openapi(listRoute, (c) => {
    const asked = c.req.valid("query").project_id ?? null;
    const projects = projectsOf(c.get("principal"), asked);
    const found = projects.flatMap((project_id) => erasures.list(project_id));
    found.sort((a, b) => a.requested_at < b.requested_at ? 1 : -1);
    return c.json({ erasures: found.map(shown) }, 200);
  });

  app.openapi(getRoute, (c) => {
    const principal = c.get("principal");
    const found = erasures.get(c.req.valid("param").id);
    if (found === null || !principal.projects.includes(found.project_id)) {
      throw new Problem(404, "Not found", "There is no such erasure.");
    }
    allowed(principal, "admin", found.project_id);
    return c.json(shown(found), 200);
  });
  return app;
}

/** Projects of the caller, all of them when none is named; an admin's only. */
export function projectsOf(principal: Principal, named: string | null): string[] {
  if (named !== null && named !== "") return [allowed(principal, "admin", named)];
  return principal.projects.map((project_id) => allowed(principal, "admin", project_id));
}

/** The one id that is given. Throws a problem when there are none, or several. */
export function subjectOf(
  ids: { [K in `${SubjectKind}_id`]?: string | null | undefined },
): { kind: SubjectKind; id: string } {
  const given = subjectKinds.flatMap((kind) => {
    const id = ids[columnOf[kind]];
    return id === undefined || id === null ? [] : [{ kind, id }];
  });
  const [subject, ...others] = given;
  if (subject !== undefined && others.length === 0) return subject;
  const names = subjectKinds.map((kind) => columnOf[kind]).join(", ");
  throw new Problem(400, "Invalid request", `Give exactly one of ${names}.`);
}

export function shown({ subject: { kind, ids }, targets: _, ...erasure }: Erasure) {
  return { ...erasure, kind, subject: ids[0]! };
}
