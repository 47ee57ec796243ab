// `/api/rewrite`: history mapped or priced again, on request of an admin. One job at a time; jobs live
// as long as the process, and are safe to run again.
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { loggerOf } from "../logging.ts";
import type { Prices } from "../price/pricer.ts";
import {
  noCounts,
  rewriteHistory,
  rewriteKinds,
  type RewriteOrder,
  type RewriteRun,
  type RewrittenStore,
} from "../rewrite.ts";
import type { Clock } from "../std/clock.ts";
import { problemResponse, refuseInvalid, smallBody } from "./body.ts";
import { Problem } from "./errors.ts";
import { timeOf } from "./filter.ts";
import { allowed, type AppEnv, type Principal } from "./principal.ts";

/** Finished jobs that are remembered. */
const jobsMax = 32;
const log = loggerOf("rewrite");

interface Job extends RewriteRun {
  id: string;
  state: "running" | "done" | "failed" | "cancelled";
  /** Why it failed. */
  message: string | null;
  started_at: string;
  ended_at: string | null;
  cancel: AbortController;
  ended: Promise<void>;
}

/** The jobs of this process. */
export class RewriteJobs {
  /** Oldest first. */
  #jobs = new Map<string, Job>();
  #closed = false;

  constructor(
    readonly store: RewrittenStore,
    readonly prices: Pick<Prices, "of">,
    readonly clock: Clock,
  ) {}

  get(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  /** Null when another is running. */
  start(order: RewriteOrder): Job | null {
    const running = [...this.#jobs.values()].some(({ state }) => state === "running");
    if (running || this.#closed) return null;
    const job: Job = {
      id: Bun.randomUUIDv7(),
      order,
      counts: noCounts(),
      state: "running",
      message: null,
      started_at: this.#now(),
      ended_at: null,
      cancel: new AbortController(),
      ended: Promise.resolve(),
    };
    job.ended = this.#run(job);
    this.#jobs.set(job.id, job);
    for (const id of this.#jobs.keys()) {
      if (this.#jobs.size <= jobsMax) break;
      this.#jobs.delete(id);
    }
    return job;
  }

  async #run(job: Job): Promise<void> {
    try {
      await rewriteHistory(this.store, this.prices, job, job.cancel.signal);
      job.state = "done";
    } catch (error) {
      job.state = job.cancel.signal.aborted ? "cancelled" : "failed";
      job.message = error instanceof Error ? error.message : String(error);
      if (job.state === "failed") log.error("Rewrite {id} failed: {error}", { id: job.id, error });
    }
    job.ended_at = this.#now();
    const { kind, dry_run } = job.order;
    const { looked_at, changed } = job.counts;
    log.info("Rewrite {id} ({kind}) is {state}", {
      id: job.id,
      kind,
      dry_run,
      state: job.state,
      looked_at,
      changed,
    });
  }

  /** Stops what runs, and takes no more. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const job of this.#jobs.values()) job.cancel.abort(new Error("The server is stopping."));
    await Promise.all([...this.#jobs.values()].map(({ ended }) => ended));
  }

  #now(): string {
    return new Date(this.clock.nowMs()).toISOString();
  }
}

export interface RewriteDeps {
  rewrites: RewriteJobs;
  clock: Clock;
}

const order = z.object({
  kind: z.enum(rewriteKinds).openapi({
    description: "remap: map OpenTelemetry events again from the attributes that were sent. " +
      "reprice: estimate the cost of model calls again; the first estimate is kept beside.",
  }),
  project_id: z.string().nullish().openapi({
    description: "All projects that the caller knows when left out.",
  }),
  since: z.string().nullish().openapi({ description: "ISO 8601, or as long ago as `-7d`." }),
  until: z.string().nullish().openapi({ description: "Before this time." }),
  dry_run: z.boolean().nullish().openapi({ description: "Only count what would change." }),
}).openapi("RewriteOrder");

const job = z.object({
  id: z.string(),
  kind: z.enum(rewriteKinds),
  project_ids: z.array(z.string()),
  since: z.string().nullable(),
  until: z.string().nullable(),
  dry_run: z.boolean(),
  state: z.enum(["running", "done", "failed", "cancelled"]),
  message: z.string().nullable().describe("Why it failed."),
  started_at: z.string(),
  ended_at: z.string().nullable(),
  looked_at: z.int().describe("Events of the range of time, so far."),
  changed: z.int().describe("Events that are other now, or would be."),
  fields: z.record(z.string(), z.int()).describe("Changed events, by each field that is another."),
  refused: z.int().describe("Events left as they are: what they would become cannot be stored."),
  files_looked_at: z.int(),
  files_total: z.int(),
  files_written: z.int(),
}).openapi("RewriteJob");

const startRoute = createRoute({
  method: "post",
  path: "/api/rewrite",
  summary: "Map or price stored events again",
  request: { body: { required: true, content: { "application/json": { schema: order } } } },
  responses: {
    202: { description: "It runs.", content: { "application/json": { schema: job } } },
    400: problemResponse("Not valid."),
    403: problemResponse("Not an admin of this project."),
    409: problemResponse("Another one is running."),
  },
});

const params = z.object({ id: z.string().max(64) });
const ofJob = {
  200: { description: "Now.", content: { "application/json": { schema: job } } },
  404: problemResponse("There is no such job; they are forgotten at a restart."),
};
const getRoute = createRoute({
  method: "get",
  path: "/api/rewrite/{id}",
  summary: "How far a rewrite is",
  request: { params },
  responses: ofJob,
});
const cancelRoute = createRoute({
  method: "delete",
  path: "/api/rewrite/{id}",
  summary: "Stop a rewrite",
  description: "Events that were changed stay so; run it again to change the others.",
  request: { params },
  responses: ofJob,
});

export function rewriteRoutes({ rewrites, clock }: RewriteDeps): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>({ defaultHook: refuseInvalid });
  app.use(startRoute.path, smallBody);

  app.openapi(startRoute, (c) => {
    const asked = c.req.valid("json");
    const nowMs = clock.nowMs();
    const started = rewrites.start({
      kind: asked.kind,
      project_ids: projectsOf(c.get("principal"), asked.project_id ?? null),
      since: timeOf("since", asked.since ?? undefined, nowMs),
      until: timeOf("until", asked.until ?? undefined, nowMs),
      dry_run: asked.dry_run ?? false,
    });
    if (started === null) {
      throw new Problem(409, "Rewrite under way", "Another rewrite is running; they take turns.");
    }
    return c.json(shown(started), 202);
  });

  app.openapi(getRoute, (c) => {
    return c.json(shown(jobOf(rewrites, c.get("principal"), c.req.valid("param").id)), 200);
  });

  app.openapi(cancelRoute, async (c) => {
    const found = jobOf(rewrites, c.get("principal"), c.req.valid("param").id);
    found.cancel.abort(new Error("Cancelled on request."));
    await found.ended;
    return c.json(shown(found), 200);
  });
  return app;
}

function projectsOf(principal: Principal, named: string | null): string[] {
  if (named !== null && named !== "") return [allowed(principal, "admin", named)];
  return principal.projects.map((project_id) => allowed(principal, "admin", project_id));
}

function jobOf(rewrites: RewriteJobs, principal: Principal, id: string): Job {
  const found = rewrites.get(id);
  const isTheirs = found?.order.project_ids.every((one) => principal.projects.includes(one));
  if (found === undefined || !isTheirs) {
    throw new Problem(404, "Not found", "There is no such rewrite; they end with the server.");
  }
  for (const project_id of found.order.project_ids) allowed(principal, "admin", project_id);
  return found;
}

function shown({ id, order, counts, state, message, started_at, ended_at }: Job) {
  const { project_ids, ...asked } = order;
  return {
    id,
    ...asked,
    project_ids: [...project_ids],
    state,
    message,
    started_at,
    ended_at,
    ...counts,
  };
}
