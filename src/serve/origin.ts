// Where a request comes from: which peer, by which name, and from which web page.
import type { Context } from "hono";
import { getConnInfo } from "hono/bun";
import { isLoopback } from "../std/loopback.ts";

/** The other end of the connection; null when it is not known, and then it is nobody's own. */
export function peerOf(c: Context): string | null {
  try {
    return getConnInfo(c).remote.address ?? null;
  } catch {
    return null;
  }
}

/** Why this request is not the local user's own; null when it is. The listener is a loopback one. */
export function foreignReason(c: Context, origins: ReadonlySet<string>): string | null {
  const peer = peerOf(c);
  if (peer === null || !isLoopback(peer)) return "it does not come from this machine";
  // A proxy on this machine speaks for others; it would make the whole world the local user.
  const proxied = proxyHeaders.find((name) => c.req.header(name) !== undefined);
  if (proxied !== undefined) return `it came through a proxy (${proxied})`;
  // A page elsewhere may have its name resolve to this machine (DNS rebinding); the browser still
  // sends that name.
  const host = c.req.header("host") ?? "";
  if (!isLoopback(host.replace(/:\d+$/, ""))) return `it asks for the host "${host}"`;
  const origin = c.req.header("origin");
  if (origin !== undefined && origin !== `http://${host}` && !origins.has(origin)) {
    return `it comes from a page of ${origin}`;
  }
  return c.req.header("sec-fetch-site") === "cross-site" && origin === undefined
    ? "it comes from a page of another site"
    : null;
}

const proxyHeaders = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];

/**
 * Whether our own page sent the request, so that a cookie means consent. Browsers do not let pages
 * set these headers. Behind a proxy that changes the host, its own name for us counts too.
 */
export function isOwnPage(c: Context): boolean {
  const site = c.req.header("sec-fetch-site");
  if (site !== undefined) return site === "same-origin";
  const origin = c.req.header("origin");
  if (origin === undefined || !URL.canParse(origin)) return false;
  const { host } = new URL(origin);
  return host !== "" &&
    (host === c.req.header("host") || host === c.req.header("x-forwarded-host"));
}

export function isHttps(c: Context): boolean {
  return c.req.header("x-forwarded-proto") === "https" || new URL(c.req.url).protocol === "https:";
}
