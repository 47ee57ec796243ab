// `/api/session`: the page logs in with a key and from then on has a cookie that scripts cannot read.
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import type { Clock } from "../std/clock.ts";
import { Throttle } from "../std/throttle.ts";
import { sessionMs, type State } from "../store/state.ts";
import { Authenticator, type AuthOptions, sessionCookie } from "./auth.ts";
import { problemResponse, refuseInvalid, smallBody } from "./body.ts";
import { Problem } from "./errors.ts";
import { isHttps, isOwnPage, peerOf } from "./origin.ts";
import type { AppEnv, Principal } from "./principal.ts";

export interface SessionDeps {
  state: State;
  auth: AuthOptions;
  clock: Clock;
}

const failuresMax = 10;
const failureWindowMs = 60_000;

const session = z.object({
  authenticated: z.boolean(),
  local: z.boolean().describe("The user of this machine, who needs no key."),
  projects: z.array(z.object({ project_id: z.string(), name: z.string() })),
  scopes: z.array(z.enum(["ingest", "read", "admin"])),
}).openapi("Session");

const login = z.object({ key: z.string().min(1).max(1024) }).openapi("Login");

const told = {
  description: "Who is asking.",
  content: { "application/json": { schema: session } },
};

const getRoute = createRoute({
  method: "get",
  path: "/api/session",
  summary: "Who is asking",
  responses: { 200: told, 401: problemResponse("The key that was sent is wrong.") },
});

const postRoute = createRoute({
  method: "post",
  path: "/api/session",
  summary: "Log in with a key",
  request: { body: { required: true, content: { "application/json": { schema: login } } } },
  responses: {
    200: told,
    400: problemResponse("No key was given."),
    401: problemResponse("Unknown key."),
    403: problemResponse("The request comes from another site."),
    429: problemResponse("Too many wrong keys."),
  },
});

const deleteRoute = createRoute({
  method: "delete",
  path: "/api/session",
  summary: "Log out",
  responses: {
    204: { description: "Logged out." },
    403: problemResponse("The request comes from another site."),
  },
});

export function sessionRoutes(deps: SessionDeps): OpenAPIHono<AppEnv> {
  const { state, auth, clock } = deps;
  const authenticator = new Authenticator(state, auth);
  const throttle = new Throttle(failuresMax, failureWindowMs, clock);
  const app = new OpenAPIHono<AppEnv>({ defaultHook: refuseInvalid });
  app.use("/api/session", smallBody);

  app.openapi(getRoute, (c) => {
    const principal = authenticator.identify(c);
    if (!(principal instanceof Problem)) return c.json(describe(state, principal), 200);
    // Without a key nothing is wrong: the page asks in order to show its login.
    if (c.req.header("authorization") !== undefined) throw principal;
    return c.json({ authenticated: false, local: false, projects: [], scopes: [] }, 200);
  });

  app.openapi(postRoute, async (c) => {
    refuseOtherSites(c);
    const peer = peerOf(c) ?? "unknown";
    const waitS = throttle.waitS(peer);
    if (waitS > 0) {
      throw new Problem(429, "Too many wrong keys", "Wait before the next try.", {}, waitS);
    }
    const key = state.keyOf(c.req.valid("json").key.trim());
    if (key === null) {
      throttle.fail(peer);
      throw new Problem(401, "Unauthenticated", "This key is unknown or was revoked.");
    }
    const made = await state.createSession(key.key_id);
    if ("refused" in made) throw new Problem(503, "Too many sessions", made.message, {}, 60);
    setCookie(c, sessionCookie, made.token, {
      httpOnly: true,
      sameSite: "Strict",
      secure: isHttps(c),
      path: "/",
      maxAge: sessionMs / 1000,
    });
    const projects = [key.project_id];
    const scopes = new Set(key.scopes);
    return c.json(describe(state, { local: false, scopes, projects, key_id: key.key_id }), 200);
  });

  app.openapi(deleteRoute, async (c) => {
    refuseOtherSites(c);
    const token = getCookie(c, sessionCookie);
    if (token !== undefined) await state.endSession(token);
    deleteCookie(c, sessionCookie, { path: "/", secure: isHttps(c) });
    return c.body(null, 204);
  });
  return app;
}

/** A program may log in too; it sends neither header. */
function refuseOtherSites(c: Context): void {
  const fromPage = (c.req.header("origin") ?? c.req.header("sec-fetch-site")) !== undefined;
  if (fromPage && !isOwnPage(c)) {
    throw new Problem(403, "Forbidden", "Only the page of this server may log in or out.");
  }
}

function describe(state: State, { local, projects, scopes }: Principal) {
  return {
    authenticated: true,
    local,
    projects: projects.flatMap((project_id) => {
      const project = state.project(project_id);
      return project === null ? [] : [{ project_id, name: project.name }];
    }),
    scopes: [...scopes],
  };
}
