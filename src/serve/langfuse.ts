// Langfuse's public API, as far as its SDKs need it to send: a set-up switches by its URL and keys.
//   LANGFUSE_BASE_URL=<this server>  LANGFUSE_PUBLIC_KEY=<project>  LANGFUSE_SECRET_KEY=<a key>
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { limits } from "../limits.ts";
import { Problem } from "./errors.ts";
import { problemOf } from "./ingest.ts";
import { mediaRoutes } from "./langfuse_media.ts";
import { type LangfuseDeps, received } from "./langfuse_request.ts";
import { exportHandler } from "./otlp.ts";
import type { AppEnv } from "./principal.ts";

const batchMax = limits.batchEventsMax;

const item = z.object({ id: z.string(), status: z.int() });

const ingestion = createRoute({
  method: "post",
  path: "/api/public/ingestion",
  summary: "Take a batch of Langfuse's SDKs",
  description: "Traces, observations and scores, created and updated. What comes in pieces is " +
    "stored as one event once it has ended; each piece is on disk before the answer. Also with " +
    "HTTP Basic: any user name, and a key as the password.",
  request: {
    body: {
      content: {
        "application/json": {
          schema: z.object({ batch: z.array(z.record(z.string(), z.unknown())) })
            .openapi("LangfuseBatch"),
        },
      },
    },
  },
  responses: {
    207: {
      description: "What was taken, and what was not.",
      content: {
        "application/json": {
          schema: z.object({
            successes: z.array(item),
            errors: z.array(item.extend({ message: z.string() })),
          }).openapi("LangfuseAnswer"),
        },
      },
    },
    400: { description: "No batch." },
    401: { description: "No key, or a wrong one." },
  },
});

const score = z.record(z.string(), z.unknown());

const scores = createRoute({
  method: "post",
  path: "/api/public/scores",
  summary: "Take scores of Langfuse's SDKs",
  request: {
    body: { content: { "application/json": { schema: z.union([score, z.array(score)]) } } },
  },
  responses: {
    200: {
      description: "One score is stored.",
      content: { "application/json": { schema: z.object({ id: z.string() }) } },
    },
    202: {
      description: "All scores of the list are stored.",
      content: { "application/json": { schema: z.object({ message: z.string() }) } },
    },
    207: { description: "Some are; the others are named." },
    400: { description: "No score." },
  },
});

const traces = createRoute({
  method: "post",
  path: "/api/public/otel/v1/traces",
  summary: "Take traces of Langfuse's SDKs by OTLP/HTTP",
  request: {
    body: {
      content: {
        "application/json": { schema: z.record(z.string(), z.unknown()) },
        "application/x-protobuf": { schema: z.string() },
      },
    },
  },
  responses: { 200: { description: "Taken, perhaps in part." } },
});

const projects = createRoute({
  method: "get",
  path: "/api/public/projects",
  summary: "Name the project of a key, as Langfuse's SDKs ask it",
  responses: {
    200: {
      description: "The project.",
      content: {
        "application/json": {
          schema: z.object({
            data: z.array(z.object({
              id: z.string(),
              name: z.string(),
              organization: z.object({ id: z.string(), name: z.string() }),
              metadata: z.record(z.string(), z.unknown()),
            })),
          }),
        },
      },
    },
  },
});

const health = createRoute({
  method: "get",
  path: "/api/public/health",
  summary: "Whether the server runs, as Langfuse's SDKs ask it",
  security: [],
  responses: {
    200: {
      description: "It runs.",
      content: {
        "application/json": { schema: z.object({ status: z.string(), version: z.string() }) },
      },
    },
  },
});

export function langfuseRoutes(deps: LangfuseDeps): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>();
  for (const route of [ingestion, scores, traces]) app.openAPIRegistry.registerPath(route);

  app.openapi(health, (c) => c.json({ status: "OK", version: deps.version }, 200));
  app.openapi(projects, (c) => {
    const principal = c.get("principal");
    const known = principal.projects.slice(0, projectsMax);
    return c.json({
      data: known.map((id) => ({
        id,
        name: deps.state.project(id)?.name ?? id,
        organization: { id: "watchllm", name: "WatchLLM" },
        metadata: {},
      })),
    }, 200);
  });

  app.post("/api/public/otel/v1/traces", exportHandler(deps, "traces"));

  app.post("/api/public/ingestion", async (c) => {
    const { project_id, body, bytes } = await received(c, deps);
    const { batch } = body as { batch?: unknown };
    if (!Array.isArray(batch)) {
      throw new Problem(400, "Invalid request", "The body must be {batch: […]}.");
    }
    if (batch.length > batchMax) {
      throw new Problem(413, "Too many events in one request", `At most ${batchMax} are taken.`);
    }
    const answer = await deps.langfuse.take(project_id, batch, bytes);
    if ("reason" in answer) throw problemOf(answer);
    deps.rateLimit?.spend(project_id, answer.successes.length);
    return c.json(answer, 207);
  });

  app.post("/api/public/scores", async (c) => {
    const { project_id, body, bytes } = await received(c, deps);
    const list: unknown[] = Array.isArray(body) ? body : [body];
    const ids = list.map((score) => {
      const id = (score as { id?: unknown } | null)?.id;
      return typeof id === "string" && id !== "" ? id : Bun.randomUUIDv7();
    });
    const timestamp = new Date(deps.langfuse.parts.clock.nowMs()).toISOString();
    const envelopes = list.map((score, at) => ({
      id: ids[at],
      type: "score-create",
      timestamp,
      body: score,
    }));
    const answer = await deps.langfuse.take(project_id, envelopes, bytes);
    if ("reason" in answer) throw problemOf(answer);
    const { errors } = answer;
    if (!Array.isArray(body)) {
      if (errors.length > 0) throw new Problem(400, "Invalid score", errors[0]!.message);
      return c.json({ id: ids[0] }, 200);
    }
    if (errors.length === 0) return c.json({ message: "Accepted" }, 202);
    return c.json({ accepted: list.length - errors.length, rejected: errors.length, errors }, 207);
  });

  app.route("/", mediaRoutes(deps));

  // Prompts, datasets and what else their SDK may ask for: it shows the message.
  app.use("/api/public/*", (c) => {
    throw new Problem(
      404,
      "Not found",
      `WatchLLM takes traces, observations, scores and media of Langfuse's SDKs; it has no ` +
        `${c.req.path}. Prompts and datasets stay where they are; an SDK's fallback is used.`,
      { error: "NotFoundError", message: `WatchLLM has no ${c.req.path}.` },
    );
  });
  return app;
}

const projectsMax = 100;
