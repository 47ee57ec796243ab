// /api/redaction: what a project masks in its events, and what that would do to a text.
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { loggerOf } from "../logging.ts";
import { kinds, kindTable } from "../redact/kinds.ts";
import { type Redaction, redactionSetting } from "../redact/redaction.ts";
import { Redactor } from "../redact/redactor.ts";
import {
  type Compiled,
  compileSettings,
  defaultSettings,
  type RedactionSettings,
  settingsSchema,
} from "../redact/settings.ts";
import type { State } from "../store/state.ts";
import { body, json, problemResponse, refuseInvalid, smallBody } from "./body.ts";
import { Problem } from "./errors.ts";
import { filterQuery, strictly } from "./filter.ts";
import { allowed, type AppEnv } from "./principal.ts";

export interface RedactionDeps {
  redaction: Redaction;
  state: State;
}

const log = loggerOf("redaction");

const query = z.strictObject({ project_id: filterQuery.project_id });
const settings = settingsSchema.meta({ id: "RedactionSettings" });

const told = z.object({
  settings,
  inherited: z.boolean().describe("The project has none of its own; the server's default holds."),
  switched_off: z.array(z.string())
    .describe(
      "Patterns of the project that took too long, and do not run until they are set anew.",
    ),
}).openapi("Redaction");

const read = createRoute({
  method: "get",
  path: "/api/redaction",
  summary: "What a project masks in its events",
  request: { query },
  responses: { 200: json("The settings that hold.", told) },
});

const put = createRoute({
  method: "put",
  path: "/api/redaction",
  summary: "Set what a project masks",
  description: "Holds for events that arrive from now on. Null returns to the server's default.",
  request: { query, body: body(settings.nullable()) },
  responses: {
    200: json("Set.", told),
    400: problemResponse("A setting is not valid."),
    403: problemResponse("This key is no admin of the project."),
  },
});

const attempt = z.strictObject({
  text: z.string().optional(),
  event: z.looseObject({}).optional(),
  settings: settings.optional().describe("Those of the project when left out."),
}).openapi("RedactionAttempt");

const tryRoute = createRoute({
  method: "post",
  path: "/api/redaction/try",
  summary: "What would be stored of a text or an event",
  description: "Nothing is stored. Give `text` or `event`.",
  request: { query, body: body(attempt) },
  responses: {
    200: json(
      "What is left of it.",
      z.object({
        text: z.string().nullable(),
        event: z.looseObject({}).nullable(),
        counts: z.record(z.string(), z.int()).describe("Findings by kind."),
        findings: z.array(z.object({
          kind: z.string(),
          rule: z.string().nullable().describe("Of a secret: whose it seems to be."),
          start: z.int(),
          end: z.int(),
        })).describe("Places in the text; empty for an event."),
        policy: z.array(z.looseObject({})).describe("Events that the policy scan would add."),
      }),
    ),
    400: problemResponse("Neither a text nor an event, both, or a setting that is not valid."),
  },
});

const kindsRoute = createRoute({
  method: "get",
  path: "/api/redaction/kinds",
  summary: "Kinds of personal data and secrets that are known",
  responses: {
    200: json(
      "In order of precedence.",
      z.object({
        kinds: z.array(z.object({
          kind: z.string(),
          by: z.enum(["checksum", "form", "context"])
            .describe("What decides: a checksum, the form, or a word before it."),
          help: z.string(),
        })),
      }),
    ),
  },
});

export function redactionRoutes({ redaction, state }: RedactionDeps): OpenAPIHono<AppEnv> {
  const ofQuery = strictly(query);
  const app = new OpenAPIHono<AppEnv>({
    defaultHook: (result, c) => (result.target === "json" ? refuseInvalid : ofQuery)(result, c),
  });
  app.use("/api/redaction", smallBody);
  app.use("/api/redaction/*", smallBody);

  const tell = (project_id: string) => {
    const own = state.setting(project_id, redactionSetting);
    return {
      settings: own === null ? defaultSettings(redaction.options.mode) : own as RedactionSettings,
      inherited: own === null,
      switched_off: [...redaction.of(project_id)?.switchedOff ?? []],
    };
  };

  app.openapi(read, (c) => {
    const asked = c.req.valid("query").project_id;
    return c.json(tell(allowed(c.get("principal"), "read", asked)), 200);
  });

  app.openapi(put, async (c) => {
    const principal = c.get("principal");
    const project_id = allowed(principal, "admin", c.req.valid("query").project_id);
    const set = c.req.valid("json");
    if (set !== null) compiled(set);
    await state.setSetting(project_id, redactionSetting, set);
    log.info("Redaction of {project_id} set", {
      project_id,
      mode: set?.mode ?? "default",
      by: principal.key_id ?? "local",
    });
    return c.json(tell(project_id), 200);
  });

  app.openapi(tryRoute, (c) => {
    const project_id = allowed(c.get("principal"), "read", c.req.valid("query").project_id);
    const { text, event, settings } = c.req.valid("json");
    if ((text === undefined) === (event === undefined)) {
      throw new Problem(400, "Invalid request", "Give either a text or an event.", {
        field: "text",
      });
    }
    const redactor = settings === undefined
      ? redaction.of(project_id)
      : new Redactor(compiled(settings), redaction.options);
    const value: Record<string, unknown> = event ?? { prompt: text };
    const findings = text === undefined || redactor === null ? [] : redactor.findings(text);
    const found = redactor?.redact(value) ?? null;
    return c.json({
      text: text === undefined ? null : String(value.prompt),
      event: event === undefined ? null : value,
      counts: found?.counts ?? {},
      findings: findings.map(({ kind, rule = null, start, end }) => ({ kind, rule, start, end })),
      policy: found?.events ?? [],
    }, 200);
  });

  app.openapi(
    kindsRoute,
    (c) => c.json({ kinds: kinds.map((kind) => ({ kind, ...kindTable[kind] })) }, 200),
  );
  return app;
}

function compiled(settings: RedactionSettings): Compiled {
  const made = compileSettings(settings);
  if (!("refused" in made)) return made;
  const { field, message } = made.refused;
  throw new Problem(400, "Invalid request", `${field}: ${message}.`, { field });
}
