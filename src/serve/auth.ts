// Who is asking: a key, a session of the page, or the user of this machine. Every route but the
// public ones finds a `principal`, or is not reached.
import type { Context, MiddlewareHandler } from "hono";
import { getCookie } from "hono/cookie";
import { isLoopback } from "../std/loopback.ts";
import type { Key, State } from "../store/state.ts";
import { Problem } from "./errors.ts";
import { foreignReason, isOwnPage } from "./origin.ts";
import type { AppEnv, Principal } from "./principal.ts";

export interface AuthOptions {
  /** Where the server listens; the local user exists on a loopback address only. */
  host: string;
  /** Origins whose pages may act for the local user; `*` is not one of them. */
  corsOrigins: readonly string[];
}

export const sessionCookie = "watchllm_session";

const publicPaths = new Set([
  "/healthz",
  "/readyz",
  "/openapi.json",
  "/api/session",
  "/api/public/health",
]);
/** A file of Langfuse's SDKs: the URL carries a ticket of its own. */
const ticketPath = /^\/api\/public\/media\/[\w-]{1,64}\/upload$/;
/** Everything else that is read is the page, which holds no secret. */
const protectedPaths = /^\/(api|v1|mcp|metrics)(\/|$)/;

export class Authenticator {
  #state: State;
  #listensLocally: boolean;
  #origins: ReadonlySet<string>;
  #principals = new WeakMap<Key | State["projects"], Principal>();

  constructor(state: State, { host, corsOrigins }: AuthOptions) {
    this.#state = state;
    this.#listensLocally = isLoopback(host);
    this.#origins = new Set(corsOrigins.filter((origin) => origin !== "*"));
  }

  /** Who it is, or the refusal: 401 for a wrong key or none, 403 for a page that is not ours. */
  identify(c: Context): Principal | Problem {
    const authorization = c.req.header("authorization");
    if (authorization !== undefined) {
      const key = this.#keyOf(authorization);
      return key instanceof Problem ? key : this.#principalOf(key);
    }
    const token = getCookie(c, sessionCookie);
    const key = token === undefined ? null : this.#state.keyOfSession(token);
    if (key !== null) {
      if (c.req.method === "GET" || c.req.method === "HEAD" || isOwnPage(c)) {
        return this.#principalOf(key);
      }
      return new Problem(
        403,
        "Forbidden",
        "A session may change things from the page of this server only. Use a key.",
      );
    }
    // A cookie that opens nothing says nothing: every port of localhost shares its cookies.
    if (!this.#listensLocally) return unauthenticated("Send a key: Authorization: Bearer <key>.");
    const reason = foreignReason(c, this.#origins);
    if (reason === null) return this.#localUser();
    return unauthenticated(
      `This request is not the local user's, because ${reason}. Send a key: ` +
        "Authorization: Bearer <key>.",
    );
  }

  #keyOf(authorization: string): Key | Problem {
    const text = /^Bearer +(\S.*)$/i.exec(authorization)?.[1] ?? passwordOf(authorization);
    if (text === undefined) {
      return unauthenticated("The Authorization header must be: Bearer <key>.");
    }
    // A header arrives as Latin-1; a key in another script was sent as UTF-8.
    const key = this.#state.keyOf(text) ??
      this.#state.keyOf(Buffer.from(text, "latin1").toString("utf8"));
    return key ?? unauthenticated("This key is unknown or was revoked.");
  }

  #principalOf(key: Key): Principal {
    return this.#cached(key, () => ({
      local: false,
      scopes: new Set(key.scopes),
      projects: [key.project_id],
      key_id: key.key_id,
    }));
  }

  #localUser(): Principal {
    const { projects } = this.#state;
    return this.#cached(projects, () => ({
      local: true,
      scopes: new Set(["ingest", "read", "admin"] as const),
      projects: projects.map(({ project_id }) => project_id),
      key_id: null,
    }));
  }

  /** The state makes new objects whenever something changes, so an old answer is never found. */
  #cached(source: Key | State["projects"], make: () => Principal): Principal {
    let principal = this.#principals.get(source);
    if (principal === undefined) this.#principals.set(source, principal = make());
    return principal;
  }
}

/** Of HTTP Basic, as Langfuse's SDKs send it: the key is the password, the user name is free. */
function passwordOf(authorization: string): string | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/=_-]+)$/i.exec(authorization)?.[1];
  if (encoded === undefined) return undefined;
  const pair = Buffer.from(encoded, "base64").toString("utf8");
  const colon = pair.indexOf(":");
  return colon === -1 ? undefined : pair.slice(colon + 1);
}

function unauthenticated(detail: string): Problem {
  return new Problem(401, "Unauthenticated", detail);
}

export function isPublic(method: string, path: string): boolean {
  if (publicPaths.has(path) || (method === "PUT" && ticketPath.test(path))) return true;
  return (method === "GET" || method === "HEAD") && !protectedPaths.test(path);
}

export function authenticate(state: State, options: AuthOptions): MiddlewareHandler<AppEnv> {
  const authenticator = new Authenticator(state, options);
  return async (c, next) => {
    // Without one, the request's URL has no beginning, and its path is not what it seems.
    if (!c.req.header("host")) {
      throw new Problem(400, "Host required", "The request has no Host header.");
    }
    if (!isPublic(c.req.method, c.req.path)) {
      const principal = authenticator.identify(c);
      if (principal instanceof Problem) throw principal;
      c.set("principal", principal);
    }
    await next();
  };
}
