// GET /api/live: stored events as server-sent events. A heartbeat keeps proxies from closing it;
// Last-Event-ID resumes; a reader that does not keep up is told what it missed and closed.
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Live, LiveItem } from "../live.ts";
import type { Filter } from "../query/filter.ts";
import { problemResponse } from "./body.ts";
import { filterOf, filterQuery, strictly } from "./filter.ts";
import type { AppEnv } from "./principal.ts";

export interface LiveDeps {
  live: Live;
  /** Bun closes a quiet connection after ten seconds unless told not to. */
  keepOpen(request: Request): void;
}

const heartbeatMs = 5000;
/** What waits for a reader before it is dropped: more than the largest batch of ordinary events. */
const waitingBytesMax = 16 * 1024 * 1024;

const { project_id, since: _since, until: _until, q: _q, ...values } = filterQuery;
/** Of what a light event shows: nothing is searched here, and nothing is old. */
const query = z.strictObject({ project_id, ...values });

const route = createRoute({
  method: "get",
  path: "/api/live",
  summary: "Watch events as they are stored",
  description: "Server-sent events: `event` (a light event), `gap` (some events are no longer " +
    "kept: ask /api/events), `dropped` (this reader was too slow).",
  request: {
    query,
    headers: z.object({ "last-event-id": z.string().optional() }),
  },
  responses: {
    200: { description: "A stream.", content: { "text/event-stream": { schema: z.string() } } },
    400: problemResponse("A parameter is not valid."),
  },
});

export function liveRoutes({ live, keepOpen }: LiveDeps): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>({ defaultHook: strictly(query) });
  app.openapi(route, (c) => {
    const filter = filterOf(c.get("principal"), c.req.valid("query"), 0);
    keepOpen(c.req.raw);
    const stream = openStream(live, {
      project_id: filter.project_id,
      matches: matcher(filter),
      lastEventId: c.req.header("last-event-id") ?? null,
    });
    return new Response(stream, {
      headers: {
        "content-type": "text/event-stream",
        "cache-control": "no-cache, no-transform",
        "x-accel-buffering": "no",
      },
    });
  });
  return app;
}

type Matches = (item: LiveItem) => boolean;

/** Any of several values of one filter; as queries/schema/matching.sql has it. */
function matcher({ values }: Filter): Matches {
  const { tag: tags, ...others } = values;
  const wanted = Object.entries(others).map(([name, any]) => ({
    name,
    any: new Set<unknown>(any),
  }));
  return ({ event }) =>
    wanted.every(({ name, any }) => any.has(event[name])) &&
    (tags === undefined ||
      tags.some((tag) => (event.tags as string[] | undefined)?.includes(tag)));
}

export function openStream(
  live: Live,
  reader: { project_id: string; matches: Matches; lastEventId: string | null },
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let end = () => {};
  return new ReadableStream<Uint8Array>({
    start(controller) {
      let open = true;
      let missed = 0;
      const send = (text: string) => controller.enqueue(encoder.encode(text));
      const push = (item: LiveItem) => {
        if (!open || !reader.matches(item)) return;
        // desiredSize falls by the bytes of each chunk that the socket has not taken.
        if ((controller.desiredSize ?? 0) > 0) send(message(live.boot, item));
        else drop(++missed);
      };
      const drop = (count: number) => {
        send(`event: dropped\ndata: ${JSON.stringify({ missed: count })}\n\n`);
        end();
        controller.close();
      };
      const unsubscribe = live.subscribe({
        project_id: reader.project_id,
        push,
        end: () => {
          end();
          controller.close();
        },
      });
      const heartbeat = setInterval(() => send(": heartbeat\n\n"), heartbeatMs);
      end = () => {
        open = false;
        unsubscribe();
        clearInterval(heartbeat);
      };
      send("retry: 1000\n: connected\n\n");
      if (reader.lastEventId === null) return;
      const items = resume(live, reader.project_id, reader.lastEventId);
      if (items === null) {
        send('event: gap\ndata: {"reason":"those events are no longer kept in memory"}\n\n');
      } else items.forEach(push);
    },
    cancel: () => end(),
  }, new ByteLengthQueuingStrategy({ highWaterMark: waitingBytesMax }));
}

function message(boot: string, { number, event }: LiveItem): string {
  return `event: event\nid: ${boot}-${number}\ndata: ${JSON.stringify(event)}\n\n`;
}

function resume(live: Live, project_id: string, lastEventId: string): LiveItem[] | null {
  const dash = lastEventId.lastIndexOf("-");
  if (lastEventId.slice(0, dash) !== live.boot) return null;
  const number = lastEventId.slice(dash + 1);
  return /^\d{1,15}$/.test(number) ? live.since(project_id, Number(number)) : null;
}
