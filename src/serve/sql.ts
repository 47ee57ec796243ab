// `POST /api/sql`: a user's own question, of the caller's project only. What may run and what it may
// cost is decided in store/sandbox.ts; this file turns its answers into HTTP.
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { loggerOf } from "../logging.ts";
import type { Column, Failure, Format, Sandbox, Snapshot } from "../store/sandbox.ts";
import { problemResponse, refuseInvalid, smallBody } from "./body.ts";
import { Problem } from "./errors.ts";
import { allowed, type AppEnv } from "./principal.ts";

/** A snapshot that stays readable until it is released. */
export interface PinnedSnapshot extends Snapshot {
  release(): void;
}

export interface SqlDeps {
  sandbox: Pick<Sandbox, "ask">;
  source(project_id: string): Promise<PinnedSnapshot>;
  rowsMax: number;
  timeoutMs: number;
  /** Keeps a connection open that is quiet for as long as a query may run. */
  keepOpen(request: Request): void;
}

/** An answer is held in memory until it is known to be whole. */
const answerBytesMax = 32 * 1024 * 1024;
const busyRetryS = 2;
const log = loggerOf("sql");

const formats = ["json", "csv", "parquet"] as const;

const files: Record<"csv" | "parquet", { type: string; name: string }> = {
  csv: { type: "text/csv; charset=utf-8; header=present", name: "answer.csv" },
  parquet: { type: "application/vnd.apache.parquet", name: "answer.parquet" },
};

const question = z.object({
  sql: z.string().openapi({
    description: "One SELECT statement over the views `events` and `metrics`, in DuckDB's dialect.",
    example: "SELECT model, count(*) FROM events GROUP BY model",
  }),
  project_id: z.string().nullish().openapi({
    description: "May be left out when the key knows one project.",
  }),
  format: z.enum(formats).nullish().openapi({ description: "json when left out." }),
}).openapi("SqlQuestion");

const answer = z.object({
  columns: z.array(z.object({
    name: z.string(),
    type: z.string().openapi({ description: "DuckDB's name of the type." }),
  })),
  rows: z.array(z.array(z.unknown())).openapi({
    description:
      "Integers beyond 2^53 and decimals of more than 15 digits are strings; a timestamp " +
      "with time zone is ISO 8601 in UTC with microseconds; a blob is base64.",
  }),
  row_count: z.int(),
  truncated: z.boolean().openapi({ description: "There are more rows than a query may return." }),
  elapsed_ms: z.number(),
}).openapi("SqlAnswer");

const route = createRoute({
  method: "post",
  path: "/api/sql",
  summary: "Ask in SQL",
  description:
    "Runs one SELECT statement over the project's events and metrics in a process that can only " +
    "read, with bounds on rows, bytes, memory and time. CSV and Parquet say in the header " +
    "`x-watchllm-truncated` whether there is more.",
  request: { body: { required: true, content: { "application/json": { schema: question } } } },
  responses: {
    200: {
      description: "The answer.",
      content: {
        "application/json": { schema: answer },
        "text/csv": { schema: z.string() },
        "application/vnd.apache.parquet": { schema: z.string().openapi({ format: "binary" }) },
      },
    },
    400: problemResponse("Refused, or not valid."),
    403: problemResponse("Not this key's project or scope."),
    408: problemResponse("Stopped at the time limit."),
    503: problemResponse("Too many queries are running."),
  },
});

export function sqlRoutes(deps: SqlDeps): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>({ defaultHook: refuseInvalid });
  app.use(route.path, smallBody);
  app.openapi(route, async (c) => {
    const { sql, format, ...named } = c.req.valid("json");
    const project_id = allowed(c.get("principal"), "read", named.project_id ?? undefined);
    deps.keepOpen(c.req.raw);
    return await respond(deps, project_id, sql, format ?? "json", c.req.raw.signal);
  });
  return app;
}

async function respond(
  deps: SqlDeps,
  project_id: string,
  sql: string,
  format: (typeof formats)[number],
  signal: AbortSignal,
): Promise<Response> {
  const pieces: Uint8Array[] = [];
  const snapshot = await deps.source(project_id);
  try {
    const answer = await deps.sandbox.ask(
      {
        sql,
        project_id,
        files: snapshot.files,
        segments: snapshot.segments,
        format: format === "json" ? "rows" : format satisfies Format,
        rowsMax: deps.rowsMax,
        bytesMax: answerBytesMax,
        deadlineMs: deps.timeoutMs,
      },
      (bytes) => void pieces.push(bytes),
      signal,
    );
    if (!answer.ok) throw problemOf(answer);
    return format === "json" ? json(answer, pieces) : file(format, answer.truncated, pieces);
  } finally {
    snapshot.release();
  }
}

interface Told {
  columns: Column[];
  row_count: number;
  truncated: boolean;
  elapsed_ms: number;
}

/** The rows are JSON already, and are not parsed again. */
function json({ columns, row_count, truncated, elapsed_ms }: Told, rows: Uint8Array[]): Response {
  const head = `{"columns":${JSON.stringify(columns)},"rows":[`;
  const tail = `],${JSON.stringify({ row_count, truncated, elapsed_ms }).slice(1)}`;
  const body = Buffer.concat([Buffer.from(head), ...rows, Buffer.from(tail)]);
  return new Response(body, { headers: { "content-type": "application/json" } });
}

function file(format: "csv" | "parquet", truncated: boolean, pieces: Uint8Array[]): Response {
  const { type, name } = files[format];
  return new Response(Buffer.concat(pieces), {
    headers: {
      "content-type": type,
      "content-disposition": `attachment; filename="${name}"`,
      "x-watchllm-truncated": String(truncated),
    },
  });
}

function problemOf(failure: Failure): Problem {
  const { reason, message, diagnosis } = failure;
  if (diagnosis !== undefined) {
    log[reason === "unavailable" ? "error" : "debug"]("SQL failed", { reason, diagnosis });
  }
  switch (reason) {
    case "refused":
      return new Problem(400, "Query refused", message);
    case "invalid":
      return new Problem(400, "Query not valid", message);
    case "crashed":
      return new Problem(400, "Query failed", message);
    case "out_of_memory":
      return new Problem(400, "Query out of memory", message);
    case "timeout":
      return new Problem(408, "Query timed out", message);
    case "aborted":
      return new Problem(408, "Request aborted", message);
    case "busy":
      return new Problem(503, "Busy", message, {}, busyRetryS);
    case "unavailable":
      return new Problem(503, "SQL unavailable", message, {}, busyRetryS);
  }
}
