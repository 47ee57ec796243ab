// `/api/projects` and `/api/keys`: what the command line does with them, for the page and programs.
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { loggerOf } from "../logging.ts";
import type { Key, NewKey, Project, Refusal, State } from "../store/state.ts";
import { body, json, problemResponse, refuseInvalid, smallBody } from "./body.ts";
import { Problem } from "./errors.ts";
import { allowed, type AppEnv } from "./principal.ts";

export interface ProjectDeps {
  state: State;
}

const log = loggerOf("projects");

const scopes = z.array(z.enum(["ingest", "read", "admin"])).min(1)
  .describe("What the key may do; admin may do everything.");

const key = z.object({
  key_id: z.string(),
  project_id: z.string(),
  name: z.string(),
  prefix: z.string().describe("First characters of the key, to recognise it."),
  scopes,
  created_at: z.string(),
  revoked_at: z.string().nullable(),
}).openapi("Key");

const newKey = key.extend({
  key: z.string().describe("The key itself. It is not kept: this is the only time it is told."),
}).openapi("NewKey");

const project = z.object({
  project_id: z.string(),
  name: z.string(),
  created_at: z.string(),
}).openapi("Project");

const listProjects = createRoute({
  method: "get",
  path: "/api/projects",
  summary: "Projects that the caller knows",
  responses: { 200: json("In order of creation.", z.object({ projects: z.array(project) })) },
});

const createProject = createRoute({
  method: "post",
  path: "/api/projects",
  summary: "Create a project",
  description: "For admins and the local user. A key opens one project: with `key_scopes` the " +
    "answer holds a key for the new one.",
  request: {
    body: body(
      z.object({
        project_id: z.string(),
        name: z.string().max(200).nullish(),
        key_scopes: scopes.nullish(),
      }).openapi("NewProject"),
    ),
  },
  responses: {
    201: json("Created.", project.extend({ key: newKey.nullable() })),
    400: problemResponse("Not an id that a project can have."),
    403: problemResponse("This key is no admin."),
    409: problemResponse("There is such a project already."),
  },
});

const listKeys = createRoute({
  method: "get",
  path: "/api/keys",
  summary: "Keys of a project",
  request: { query: z.object({ project_id: z.string().optional() }) },
  responses: {
    200: json("Revoked ones included.", z.object({ keys: z.array(key) })),
    403: problemResponse("This key is no admin of the project."),
  },
});

const createKey = createRoute({
  method: "post",
  path: "/api/keys",
  summary: "Create a key",
  request: {
    body: body(
      z.object({ project_id: z.string().nullish(), name: z.string().max(200).nullish(), scopes })
        .openapi("KeyOrder"),
    ),
  },
  responses: {
    201: json("Created.", newKey),
    403: problemResponse("This key is no admin of the project."),
  },
});

const revokeKey = createRoute({
  method: "delete",
  path: "/api/keys/{key_id}",
  summary: "Revoke a key, for ever",
  request: { params: z.object({ key_id: z.string() }) },
  responses: {
    200: json("Revoked.", key),
    403: problemResponse("This key is no admin of the project."),
    404: problemResponse("There is no such key in the projects of the caller."),
  },
});

export function projectRoutes({ state }: ProjectDeps): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>({ defaultHook: refuseInvalid });
  for (const path of ["/api/projects", "/api/keys", "/api/keys/*"]) app.use(path, smallBody);

  app.openapi(listProjects, (c) => {
    const known = new Set(c.get("principal").projects);
    const projects = state.projects.filter(({ project_id }) => known.has(project_id));
    return c.json({ projects: [...projects] }, 200);
  });

  app.openapi(createProject, async (c) => {
    const principal = c.get("principal");
    const { project_id, name, key_scopes } = c.req.valid("json");
    if (!principal.scopes.has("admin")) {
      throw new Problem(403, "Forbidden", "Only an admin's key may create projects.");
    }
    const made = accepted(await state.createProject(project_id, name ?? undefined));
    const key = key_scopes
      ? accepted(await state.createKey({ project_id, scopes: key_scopes }))
      : null;
    log.info("Project {project_id} created", { project_id, by: principal.key_id ?? "local" });
    return c.json({ ...made, key: key === null ? null : toldOnce(key) }, 201);
  });

  app.openapi(listKeys, (c) => {
    const asked = c.req.valid("query").project_id;
    const project_id = allowed(c.get("principal"), "admin", asked);
    const keys = state.keys.filter((key) => key.project_id === project_id).map(told);
    return c.json({ keys }, 200);
  });

  app.openapi(createKey, async (c) => {
    const principal = c.get("principal");
    const { name, scopes, ...asked } = c.req.valid("json");
    const project_id = allowed(principal, "admin", asked.project_id ?? undefined);
    const made = accepted(await state.createKey({ project_id, scopes, name: name ?? "" }));
    log.info("Key {key_id} created", { key_id: made.key_id, by: principal.key_id ?? "local" });
    return c.json(toldOnce(made), 201);
  });

  app.openapi(revokeKey, async (c) => {
    const principal = c.get("principal");
    const { key_id } = c.req.valid("param");
    const key = state.keys.find((key) => key.key_id === key_id);
    if (key === undefined || !principal.projects.includes(key.project_id)) {
      throw new Problem(404, "Not found", `There is no key "${key_id}".`);
    }
    allowed(principal, "admin", key.project_id);
    const revoked = await state.revokeKey(key_id);
    log.info("Key {key_id} revoked", { key_id, by: principal.key_id ?? "local" });
    return c.json(told(revoked ?? key), 200);
  });
  return app;
}

function told({ key_id, project_id, name, prefix, scopes, created_at, revoked_at }: Key) {
  return { key_id, project_id, name, prefix, scopes: [...scopes], created_at, revoked_at };
}

function toldOnce(key: NewKey) {
  return { ...told(key), key: key.secret };
}

function accepted<T extends Project | NewKey>(made: T | Refusal): T {
  if (!("refused" in made)) return made;
  const status = made.refused === "invalid_project_id" ? 400 : 409;
  throw new Problem(status, status === 400 ? "Invalid project" : "Conflict", made.message);
}
