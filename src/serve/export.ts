// GET /api/export: everything about a user, a session, a run or an event, as newline-delimited JSON.
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { exportLines, type ExportParts } from "../export.ts";
import { limits } from "../limits.ts";
import { loggerOf } from "../logging.ts";
import { Gate } from "../std/gate.ts";
import { problemResponse, refuseInvalid } from "./body.ts";
import { Problem } from "./errors.ts";
import { subjectOf } from "./erasures.ts";
import { allowed, type AppEnv } from "./principal.ts";

export interface ExportRouteDeps {
  exporting: ExportParts;
  /** Lets the connection be quiet for as long as it takes. */
  keepOpen(request: Request): void;
}

const log = loggerOf("export");
const exportsMax = 2;
const waitingMax = 8;
/** A reader that takes nothing for so long is given up: it holds files that may be to be erased. */
const idleMsMax = 60_000;
/** Written at a time. */
const pieceBytesMin = 64 * 1024;

const id = z.string().min(1).max(limits.idCharactersMax).optional();

const route = createRoute({
  method: "get",
  path: "/api/export",
  summary: "Everything about a user, a session, a run or an event",
  description: "Newline-delimited JSON. Each line has one name that says what it is: `export`, " +
    "`event`, `point`, `piece`, `alert`, `notification`, `file`, and `end` with counts, without " +
    "which it was cut off.",
  request: {
    query: z.strictObject({
      project_id: z.string().optional(),
      user_id: id,
      session_id: id,
      run_id: id,
      event_id: id,
      files: z.enum(["true", "false"]).optional().openapi({
        description: "Whether files that were moved out of events follow, in base64.",
      }),
    }),
  },
  responses: {
    200: {
      description: "As it is read.",
      content: { "application/x-ndjson": { schema: z.string() } },
    },
    400: problemResponse("Not exactly one id."),
    403: problemResponse("Not this key's project or scope."),
    503: problemResponse("Too many exports are under way."),
  },
});

export function exportSubjectRoutes(
  { exporting, keepOpen }: ExportRouteDeps,
): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>({ defaultHook: refuseInvalid });
  const gate = new Gate(exportsMax, waitingMax);

  app.openapi(route, async (c) => {
    const principal = c.get("principal");
    const { project_id: named, files, ...ids } = c.req.valid("query");
    const subject = subjectOf(ids);
    const project_id = allowed(principal, "read", named);
    if (!(await gate.enter())) {
      throw new Problem(503, "Busy", "Too many exports are under way.", {}, 10);
    }
    keepOpen(c.req.raw);
    const { kind } = subject;
    log.info("Export of a {kind}", { kind, project_id, by: principal.key_id ?? "local" });
    const lines = exportLines(exporting, { project_id, ...subject, files: files === "true" });
    const response = new Response(streamOf(lines, () => gate.leave()), {
      headers: {
        "content-type": "application/x-ndjson",
        "content-disposition": 'attachment; filename="export.ndjson"',
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
      },
    });
    // Its type takes whatever is called JSON for one value.
    return response as never;
  });
  return app;
}

/** Reads on only as the reader takes it; `end` is called once, whatever becomes of it. */
function streamOf(lines: AsyncGenerator<string>, end: () => void): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let isEnded = false;
  let idle: ReturnType<typeof setTimeout> | undefined;
  const finish = async () => {
    if (isEnded) return;
    isEnded = true;
    clearTimeout(idle);
    await lines.return(undefined).catch((error) => log.error("An export: {error}", { error }));
    end();
  };
  const waitForReader = (controller: ReadableStreamDefaultController<Uint8Array>) => {
    idle = setTimeout(() => {
      controller.error(new Error("Nobody reads the export."));
      void finish();
    }, idleMsMax);
  };
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      clearTimeout(idle);
      try {
        let piece = "";
        while (piece.length < pieceBytesMin) {
          const next = await lines.next();
          if (next.done) break;
          piece += `${next.value}\n`;
        }
        if (piece !== "") {
          controller.enqueue(encoder.encode(piece));
          waitForReader(controller);
          return;
        }
        controller.close();
        await finish();
      } catch (error) {
        log.error("An export failed: {error}", { error });
        controller.error(error);
        await finish();
      }
    },
    cancel: finish,
  });
}
