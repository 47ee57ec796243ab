// Every error that leaves the server is an RFC 9457 problem document; this file makes them all.
import type { Context } from "hono";

/** Members beside `type`, `title`, `status` and `detail` that help a client go on. */
export type Extra = Record<string, unknown>;

/**
 * A refusal with a reason for the caller. Thrown by routes, turned into
 * `application/problem+json` at the edge.
 */
export class Problem extends Error {
  constructor(
    readonly status:
      | 400
      | 401
      | 403
      | 404
      | 405
      | 408
      | 409
      | 413
      | 415
      | 416
      | 429
      | 500
      | 503
      | 507,
    /** The kind of problem in a few words; one `type` has one title. */
    readonly title: string,
    /** What is wrong with this request, and what to do about it. */
    readonly detail: string,
    readonly extra: Extra = {},
    /** Seconds, for 429 and 503. */
    readonly retryAfterS?: number,
  ) {
    super(detail);
  }

  body() {
    const kind = this.title.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
    return {
      type: `urn:watchllm:problem:${kind}`,
      title: this.title,
      status: this.status,
      detail: this.detail,
      ...this.extra,
    };
  }
}

export function respond(c: Context, problem: Problem): Response {
  const headers: Record<string, string> = { "content-type": "application/problem+json" };
  if (problem.retryAfterS !== undefined) headers["retry-after"] = String(problem.retryAfterS);
  if (problem.status === 401) headers["www-authenticate"] = 'Bearer realm="watchllm"';
  return c.body(JSON.stringify(problem.body()), problem.status, headers);
}
