// The bodies of Langfuse's public API: JSON within bounds, of a caller who may write.
import type { Context } from "hono";
import type { Langfuse } from "../langfuse.ts";
import { limits } from "../limits.ts";
import { inflate, readBody } from "../receive/body.ts";
import { parseJson } from "../receive/sdk.ts";
import type { State } from "../store/state.ts";
import { Problem } from "./errors.ts";
import { bodyProblem, limitRate, problemOf } from "./ingest.ts";
import type { ExportDeps } from "./otlp.ts";
import { allowed, type AppEnv } from "./principal.ts";

export interface LangfuseDeps extends ExportDeps {
  langfuse: Langfuse;
  state: State;
  version: string;
}

/** Throws a Problem. */
export async function received(
  c: Context<AppEnv>,
  deps: LangfuseDeps,
): Promise<{ project_id: string; body: object; bytes: number }> {
  const project_id = allowed(c.get("principal"), "ingest", c.req.query("project_id"));
  if (!deps.enabled) {
    throw new Problem(503, "Ingestion is off", "WATCHLLM_ENABLED is false.", {}, 60);
  }
  const refusal = deps.ingest.refusal();
  if (refusal !== null) throw problemOf(refusal);
  const hold = deps.bodies.hold();
  try {
    const raw = await readBody(c.req.raw, hold, limits.bodyBytesMax);
    const bytes = raw instanceof Uint8Array
      ? inflate(raw, c.req.header("content-encoding") ?? null)
      : raw;
    if (!(bytes instanceof Uint8Array)) throw bodyProblem(bytes);
    limitRate(deps.rateLimit, project_id);
    const body = parsed(new TextDecoder().decode(bytes));
    if (typeof body !== "object" || body === null) {
      throw new Problem(400, "Invalid request", "The body must be a JSON object.");
    }
    return { project_id, body, bytes: bytes.length };
  } finally {
    hold.release();
  }
}

function parsed(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    throw new Problem(400, "Invalid request", `The body is not JSON: ${(error as Error).message}`);
  }
}
