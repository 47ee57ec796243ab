// Pages of other origins may call the API when the settings name them. They send a key: cookies are
// never accepted from there.
import type { MiddlewareHandler } from "hono";
import { Problem } from "./errors.ts";
import type { AppEnv } from "./principal.ts";

const methods = "GET, POST, DELETE";
const headers =
  "authorization, content-type, content-encoding, x-watchllm-project, last-event-id, x-aisentry-drops";
const exposed = "retry-after";
const cacheS = 600;

/** `*` among the origins is any. */
export function cors(origins: readonly string[]): MiddlewareHandler<AppEnv> {
  const known = new Set(origins);
  return async (c, next) => {
    const origin = c.req.header("origin");
    const asksFirst = c.req.method === "OPTIONS" &&
      c.req.header("access-control-request-method") !== undefined;
    if (origin === undefined || !known.has(origin) && !known.has("*")) {
      if (!asksFirst) return await next();
      throw new Problem(
        403,
        "Origin not allowed",
        `Pages of ${
          origin ?? "that origin"
        } may not call this server. WATCHLLM_CORS_ORIGINS names ` +
          "those that may.",
      );
    }
    if (!asksFirst) {
      await next();
      c.header("access-control-allow-origin", origin);
      c.header("access-control-expose-headers", exposed);
      c.header("vary", "Origin", { append: true });
      return;
    }
    c.header("access-control-allow-origin", origin);
    c.header("access-control-allow-methods", methods);
    c.header("access-control-allow-headers", headers);
    c.header("access-control-max-age", String(cacheS));
    c.header("vary", "Origin", { append: true });
    // A page of the public web that calls a server in a private network asks for this too.
    if (c.req.header("access-control-request-private-network") === "true") {
      c.header("access-control-allow-private-network", "true");
    }
    return c.body(null, 204);
  };
}
