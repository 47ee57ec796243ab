// Serves the page: the files that the build embedded, or web/dist when run from source. Mounted
// last, because it answers every path a browser may open.
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type Context, Hono } from "hono";
import { pageFiles } from "../embedded.ts";
import { Problem } from "./errors.ts";
import type { AppEnv } from "./principal.ts";

/** One content coding of a file. */
interface Variant {
  /** Null for the file as it is. */
  encoding: string | null;
  bytes: Uint8Array<ArrayBuffer>;
  etag: string;
}

/** Every file by its URL path, with its variants. */
type Page = ReadonlyMap<string, Variant[]>;

const sourceFolder = join(import.meta.dir, "../../web/dist");
const indexPath = "/index.html";

/** In order of preference: of two that a client likes equally, the smaller comes first. */
const encodings: Readonly<Record<string, string>> = { br: ".br", zstd: ".zst", gzip: ".gz" };

const types: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  ico: "image/x-icon",
  js: "text/javascript; charset=utf-8",
  json: "application/json",
  map: "application/json",
  png: "image/png",
  svg: "image/svg+xml",
  txt: "text/plain; charset=utf-8",
  webmanifest: "application/manifest+json",
  woff2: "font/woff2",
};

/** Nothing from elsewhere and nothing inline: what an event contains can never run. */
const guards: Readonly<Record<string, string>> = {
  "content-security-policy": [
    "default-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "media-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; "),
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** These belong to programs: an unknown one is an error, never the page. */
const reserved = /^\/(api|v1|mcp|healthz|readyz|metrics|openapi\.json)(\/|$)/;

export interface PageOptions {
  /** Where the files are when none are embedded. */
  folder?: string;
}

export function pageRoutes({ folder = sourceFolder }: PageOptions = {}): Hono<AppEnv> {
  let embedded: Promise<Page> | null = null;
  // From source the folder is read each time: it may be built anew under a running server.
  const load = () => pageFiles === null ? readFolder(folder) : embedded ??= readEmbedded();
  return new Hono<AppEnv>().get("*", async (c) => {
    const path = decoded(c.req.path);
    if (path === null || reserved.test(path)) return c.notFound();
    const page = await load();
    const file = path === "/" ? undefined : page.get(path);
    if (file !== undefined) return answer(c, path, file);
    if (path !== "/" && !(c.req.header("accept") ?? "").includes("text/html")) return c.notFound();
    const index = page.get(indexPath);
    if (index !== undefined) return answer(c, indexPath, index);
    throw new Problem(
      404,
      "Page not built",
      "This server was started without its page. Build it with: deno task web",
    );
  });
}

function decoded(path: string): string | null {
  try {
    return decodeURIComponent(path);
  } catch {
    return null;
  }
}

function answer(c: Context<AppEnv>, path: string, variants: Variant[]): Response {
  const variant = negotiate(c.req.header("accept-encoding") ?? "", variants);
  const headers: Record<string, string> = {
    ...guards,
    "content-type": types[path.slice(path.lastIndexOf(".") + 1)] ?? "application/octet-stream",
    "cache-control": isHashed(path) ? "public, max-age=31536000, immutable" : "no-cache",
    "etag": variant.etag,
    "vary": "Accept-Encoding",
  };
  if (holds(c.req.header("if-none-match"), variant.etag)) return c.body(null, 304, headers);
  if (variant.encoding !== null) headers["content-encoding"] = variant.encoding;
  // Of the body that a HEAD request would have had, too.
  headers["content-length"] = String(variant.bytes.length);
  return c.body(variant.bytes, 200, headers);
}

/** The name carries a content hash (`app-k3x90fbz.js`): its bytes never change. */
export function isHashed(path: string): boolean {
  const hash = /-([0-9a-z]{8,})\.[a-z0-9.]+$/i.exec(path)?.[1];
  // A word can look like a hash; without a digit it is taken for one, and revalidated.
  return hash !== undefined && /\d/.test(hash);
}

/** The variant that the client weighs highest; the plain file when it names no other. */
export function negotiate<V extends { encoding: string | null }>(
  acceptEncoding: string,
  variants: readonly V[],
): V {
  const weights = new Map(
    acceptEncoding.toLowerCase().split(",").map((item) => {
      const [name = "", ...parameters] = item.split(";").map((part) => part.trim());
      const q = parameters.find((parameter) => parameter.startsWith("q="));
      return [name, q === undefined ? 1 : Number(q.slice(2)) || 0] as const;
    }),
  );
  const weigh = ({ encoding }: V) =>
    encoding === null
      // Always acceptable, but the last choice unless the client says more.
      ? weights.get("identity") ?? Number.MIN_VALUE
      : weights.get(encoding) ?? weights.get("*") ?? 0;
  return variants.reduce((best, variant) => weigh(variant) > weigh(best) ? variant : best);
}

function holds(ifNoneMatch: string | undefined, etag: string): boolean {
  return ifNoneMatch !== undefined && ifNoneMatch.split(",").some((given) => {
    const tag = given.trim().replace(/^W\//, "");
    return tag === etag || tag === "*";
  });
}

async function readEmbedded(): Promise<Page> {
  const contents = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const { name, path } of pageFiles ?? []) {
    contents.set(`/${name}`, await Bun.file(path).bytes());
  }
  return assemble(contents);
}

async function readFolder(folder: string): Promise<Page> {
  const contents = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const name of namesIn(folder)) {
    contents.set(`/${name}`, await Bun.file(join(folder, name)).bytes());
  }
  return assemble(contents);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
      .map((name) => name.replaceAll("\\", "/"));
  } catch {
    return [];
  }
}

function assemble(contents: ReadonlyMap<string, Uint8Array<ArrayBuffer>>): Page {
  const suffixes = Object.values(encodings);
  const page = new Map<string, Variant[]>();
  for (const [path, bytes] of contents) {
    if (suffixes.some((suffix) => path.endsWith(suffix))) continue;
    const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 24);
    const variants: Variant[] = [];
    for (const [encoding, suffix] of Object.entries(encodings)) {
      const smaller = contents.get(path + suffix);
      if (smaller === undefined) continue;
      variants.push({ encoding, bytes: smaller, etag: `"${hash}-${encoding}"` });
    }
    variants.push({ encoding: null, bytes, etag: `"${hash}"` });
    page.set(path, variants);
  }
  return page;
}
