// GET /api/blobs/{sha256}: a file that was moved out of an event. Its bytes are a stranger's: they
// are shown as what they are, never run, and only pictures, sound, film, PDF and plain text are
// shown at all.
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { join } from "node:path";
import { headBytes, mediaTypeOf, unknownType } from "../content/media_type.ts";
import { blobPath } from "../store/blobs.ts";
import { problemResponse } from "./body.ts";
import { Problem } from "./errors.ts";
import { filterQuery, strictly } from "./filter.ts";
import { allowed, type AppEnv } from "./principal.ts";

export interface BlobDeps {
  dataDir: string;
}

/** None of these can run a script; SVG and HTML are plain text here. */
const shown = /^(image|audio|video)\/[a-z0-9-]+$|^application\/pdf$|^text\/plain$/;
/** The name is the content, so it never changes; but it may be erased, and a copy with it. */
const cachedS = 24 * 60 * 60;

const params = z.object({
  sha256: z.string().regex(/^[0-9a-f]{64}$/).openapi({
    description: "As it stands in the event: `blob:sha256-<sha256>?type=…&bytes=…`.",
  }),
});
const query = z.strictObject({ project_id: filterQuery.project_id });

const bytes = { schema: z.string().openapi({ format: "binary" }) };

const route = createRoute({
  method: "get",
  path: "/api/blobs/{sha256}",
  summary: "A file that was moved out of an event",
  description:
    "Its type is told by its bytes. What is no picture, sound, film, PDF or plain text " +
    "is a download. One range of bytes may be asked for.",
  request: { params, query },
  responses: {
    200: { description: "The file.", content: { [unknownType]: bytes } },
    206: { description: "A range of it.", content: { [unknownType]: bytes } },
    304: { description: "Known to the caller." },
    403: problemResponse("Not this key's project or scope."),
    404: problemResponse("The project has no such file."),
    416: problemResponse("The range lies outside of the file."),
  },
});

export function blobRoutes({ dataDir }: BlobDeps): OpenAPIHono<AppEnv> {
  const ofQuery = strictly(query);
  const app = new OpenAPIHono<AppEnv>({
    defaultHook: (result, c) => {
      if (!result.success && result.target === "param") throw missing();
      return ofQuery(result, c);
    },
  });
  app.openapi(route, async (c) => {
    const project_id = allowed(c.get("principal"), "read", c.req.valid("query").project_id);
    const { sha256 } = c.req.valid("param");
    const file = Bun.file(join(dataDir, blobPath(project_id, sha256)));
    if (!(await file.exists())) throw missing();
    const type = mediaTypeOf(new Uint8Array(await file.slice(0, headBytes).arrayBuffer()));
    const headers = headersOf(type, sha256);
    if (c.req.header("if-none-match") === headers.etag) {
      return new Response(null, { status: 304, headers });
    }
    const range = rangeOf(c.req.header("range"), file.size);
    if (range === null) {
      return new Response(file.stream(), {
        headers: { ...headers, "content-length": String(file.size) },
      });
    }
    if (range === "outside") {
      throw new Problem(416, "Range not satisfiable", `The file has ${file.size} bytes.`);
    }
    const { start, end } = range;
    return new Response(file.slice(start, end).stream(), {
      status: 206,
      headers: {
        ...headers,
        "content-range": `bytes ${start}-${end - 1}/${file.size}`,
        "content-length": String(end - start),
      },
    });
  });
  return app;
}

function missing(): Problem {
  return new Problem(404, "Not found", "The project has no such file.");
}

function headersOf(type: string, sha256: string): Record<string, string> {
  const isShown = shown.test(type);
  return {
    "content-type": !isShown
      ? unknownType
      : type === "text/plain"
      ? `${type}; charset=utf-8`
      : type,
    "content-disposition": isShown ? "inline" : `attachment; filename="${sha256}"`,
    "x-content-type-options": "nosniff",
    "content-security-policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": `private, max-age=${cachedS}, immutable`,
    "accept-ranges": "bytes",
    etag: `"${sha256}"`,
  };
}

/** The one range that is asked for, end exclusive; null for the whole file. */
function rangeOf(
  header: string | undefined,
  size: number,
): { start: number; end: number } | "outside" | null {
  // Several ranges, and what is no range of bytes, may be answered with the whole.
  const [, first = "", last = ""] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "") ?? [];
  if (first === "" && last === "") return null;
  if (first === "") {
    const length = Math.min(Number(last), size);
    return length === 0 ? "outside" : { start: size - length, end: size };
  }
  const start = Number(first);
  const end = last === "" ? size : Math.min(Number(last) + 1, size);
  if (start >= size) return "outside";
  return end <= start ? null : { start, end };
}
