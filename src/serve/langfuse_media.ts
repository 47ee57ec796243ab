// Files that Langfuse's SDKs take out of what they send: announced with a key, then sent to a URL that
// needs none, because it carries a ticket. Each becomes an event beside its observation, and its bytes
// one of the project's files.
import { createHmac, timingSafeEqual } from "node:crypto";
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { limits } from "../limits.ts";
import { readBody } from "../receive/body.ts";
import { Problem } from "./errors.ts";
import { bodyProblem, problemOf } from "./ingest.ts";
import { type LangfuseDeps, received } from "./langfuse_request.ts";
import { allowed, type AppEnv } from "./principal.ts";

const ticketMsMax = 60 * 60 * 1000;
const ticketCharactersMax = 4096;
/** Characters of Langfuse's id of a file: the beginning of its hash. */
const mediaIdCharacters = 22;

const id = z.string().min(1).max(limits.idCharactersMax);

const announcement = z.object({
  traceId: id,
  observationId: id.nullish(),
  contentType: z.string().regex(/^[\w.+-]+\/[\w.+-]+$/).max(127),
  contentLength: z.int().min(1),
  /** Base64. */
  sha256Hash: z.string().regex(/^[A-Za-z0-9+/]{43}=$/),
  field: z.string().max(limits.labelCharactersMax),
});

/** What the holder of a ticket may send. */
const promise = announcement.extend({ project_id: z.string(), until_ms: z.number() });
type Promised = z.infer<typeof promise>;

const announce = createRoute({
  method: "post",
  path: "/api/public/media",
  summary: "Announce a file of Langfuse's SDKs",
  request: {
    body: { content: { "application/json": { schema: announcement.openapi("LangfuseMedia") } } },
  },
  responses: {
    201: {
      description: "Where to send it, within an hour.",
      content: {
        "application/json": { schema: z.object({ mediaId: z.string(), uploadUrl: z.url() }) },
      },
    },
    400: { description: "No announcement." },
    413: { description: "Too large." },
  },
});

const mediaParams = z.object({ id: z.string() });

const upload = createRoute({
  method: "put",
  path: "/api/public/media/{id}/upload",
  summary: "Take a file that was announced",
  security: [],
  request: {
    params: mediaParams,
    query: z.object({ ticket: z.string() }),
    body: { content: { "application/octet-stream": { schema: z.string() } } },
  },
  responses: {
    200: { description: "It is on disk." },
    400: { description: "These are not the bytes that were announced." },
    403: { description: "The ticket is not ours, or its hour is over." },
  },
});

const uploaded = createRoute({
  method: "patch",
  path: "/api/public/media/{id}",
  summary: "Hear from Langfuse's SDKs how an upload went",
  request: { params: mediaParams },
  responses: { 200: { description: "Known already." } },
});

export function mediaRoutes(deps: LangfuseDeps): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>();
  for (const route of [announce, upload, uploaded]) app.openAPIRegistry.registerPath(route);

  app.post("/api/public/media", async (c) => {
    const { project_id, body } = await received(c, deps);
    const { data, error } = announcement.safeParse(body);
    if (data === undefined) {
      const [issue] = error.issues;
      const detail = `${issue!.path.join(".") || "The body"}: ${issue!.message}`;
      throw new Problem(400, "Invalid request", detail);
    }
    if (data.contentLength > limits.bodyBytesMax) {
      throw new Problem(413, "Too large", `A file has at most ${limits.bodyBytesMax} bytes.`);
    }
    const until_ms = deps.langfuse.parts.clock.nowMs() + ticketMsMax;
    const ticket = await sign(deps, { ...data, project_id, until_ms });
    const mediaId = mediaIdOf(data.sha256Hash);
    const uploadUrl = `${originOf(c)}/api/public/media/${mediaId}/upload?ticket=${ticket}`;
    return c.json({ mediaId, uploadUrl }, 201);
  });

  app.put("/api/public/media/:id/upload", async (c) => {
    const promised = await verify(deps, c.req.query("ticket") ?? "");
    if (promised === null) {
      throw new Problem(403, "Forbidden", "This URL is not ours, or its hour is over.");
    }
    const bytes = await bytesOf(c, deps, promised);
    const receipt = await deps.ingest.take(promised.project_id, [mediaEvent(promised, bytes)], 0);
    if ("reason" in receipt) throw problemOf(receipt);
    if (receipt.rejected.length > 0) {
      throw new Problem(400, "Invalid file", receipt.rejected[0]!.message);
    }
    return c.body(null, 200);
  });

  // How the upload went, as the SDK tells it: it is known here already.
  app.patch("/api/public/media/:id", (c) => {
    allowed(c.get("principal"), "ingest", c.req.query("project_id"));
    return c.json({}, 200);
  });
  return app;
}

function mediaIdOf(sha256: string): string {
  return sha256.replaceAll("+", "-").replaceAll("/", "_").slice(0, mediaIdCharacters);
}

/** The file as a data: URL, which is moved out of the event like any other. */
function mediaEvent(promised: Promised, bytes: Uint8Array) {
  const { traceId, observationId, contentType, field, sha256Hash } = promised;
  const url = `data:${contentType};base64,${Buffer.from(bytes).toString("base64")}`;
  const place = [traceId, observationId ?? "", field, sha256Hash].join("\0");
  const hash = new Bun.CryptoHasher("sha256").update(place).digest("hex");
  return {
    // The same when it is sent again.
    event_id: `media_${hash.slice(0, 32)}`,
    event_type: "span",
    name: "media",
    run_id: traceId,
    parent_span_id: observationId ?? undefined,
    [field === "output" ? "output" : "input"]: url,
    attributes: { langfuse: { mediaId: mediaIdOf(sha256Hash), field, contentType } },
  };
}

async function bytesOf(
  c: Context<AppEnv>,
  deps: LangfuseDeps,
  { contentLength, sha256Hash }: Promised,
): Promise<Uint8Array> {
  if (!deps.enabled) {
    throw new Problem(503, "Ingestion is off", "WATCHLLM_ENABLED is false.", {}, 60);
  }
  const refusal = deps.ingest.refusal();
  if (refusal !== null) throw problemOf(refusal);
  const hold = deps.bodies.hold();
  try {
    const bytes = await readBody(c.req.raw, hold, limits.bodyBytesMax);
    if (!(bytes instanceof Uint8Array)) throw bodyProblem(bytes);
    const hash = new Bun.CryptoHasher("sha256").update(bytes).digest("base64");
    if (bytes.length !== contentLength || hash !== sha256Hash) {
      throw new Problem(400, "Invalid file", "These are not the bytes that were announced.");
    }
    return bytes;
  } finally {
    hold.release();
  }
}

async function sign(deps: LangfuseDeps, promised: Promised): Promise<string> {
  const text = Buffer.from(JSON.stringify(promised)).toString("base64url");
  return `${text}.${await sealOf(deps, text)}`;
}

/** Null when it was not signed here, or is too old. */
async function verify(deps: LangfuseDeps, ticket: string): Promise<Promised | null> {
  const [text = "", seal = ""] = ticket.slice(0, ticketCharactersMax).split(".");
  const [given, wanted] = [Buffer.from(seal), Buffer.from(await sealOf(deps, text))];
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return null;
  const promised = promise.parse(JSON.parse(Buffer.from(text, "base64url").toString()));
  const isOpen = deps.langfuse.parts.clock.nowMs() <= promised.until_ms &&
    deps.state.project(promised.project_id) !== null;
  return isOpen ? promised : null;
}

async function sealOf(deps: LangfuseDeps, text: string): Promise<string> {
  const key = await deps.state.secret("media");
  return createHmac("sha256", key).update(text).digest("base64url");
}

/** Where the caller found this server; a proxy in front may speak TLS. */
function originOf(c: Context): string {
  const url = new URL(c.req.url);
  if (c.req.header("x-forwarded-proto") === "https") url.protocol = "https:";
  return url.origin;
}
