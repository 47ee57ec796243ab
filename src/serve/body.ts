// What routes of JSON share: a bound on the body, words for one that is not right, and how bodies and
// answers stand in the OpenAPI document.
import { type Hook, z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";

import { Problem } from "./errors.ts";
import type { AppEnv } from "./principal.ts";

const bytesMax = 64 * 1024;

/** For routes without events: 64 KiB. */
export const smallBody: MiddlewareHandler<AppEnv> = bodyLimit({
  maxSize: bytesMax,
  onError: () => {
    throw new Problem(413, "Body too large", `The body may have ${bytesMax} bytes at most.`);
  },
});

/** A JSON body in the OpenAPI document. */
export function body<S extends z.ZodType>(schema: S) {
  return { required: true, content: { "application/json": { schema } } };
}

/** A JSON answer in the OpenAPI document. */
export function json<S extends z.ZodType>(description: string, schema: S) {
  return { description, content: { "application/json": { schema } } };
}

/** What a schema refuses, as a problem that names the field. */
export const refuseInvalid: Hook<unknown, AppEnv, string, unknown> = (result) => {
  if (result.success) return;
  const [issue] = result.error.issues;
  const field = issue?.path.join(".") || "body";
  throw new Problem(400, "Invalid request", `${field}: ${issue?.message ?? "not valid"}.`, {
    field,
  });
};

export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
}).openapi("Problem");

/** An error in the OpenAPI document. */
export function problemResponse(description: string) {
  return { description, content: { "application/problem+json": { schema: problemSchema } } };
}
