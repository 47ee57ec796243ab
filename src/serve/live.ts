// GET /api/live: stored events as server-sent events. A heartbeat keeps proxies from closing it;
// Last-Event-ID resumes; a reader that does not keep up is told what it missed and closed.
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Live, LiveItem } from "../live.ts";
import { allowed, type AppEnv } from "./principal.ts";

export interface LiveDeps {
  live: Live;
  /** Bun closes a quiet connection after ten seconds unless told not to. */
  keepOpen(request: Request): void;
}

const heartbeatMs = 5000;
/** Events that wait for a reader before it is dropped. */
const waitingMax = 1000;

const filterNames = [
  "event_type",
  "status",
  "model",
  "provider",
  "user_id",
  "run_id",
  "session_id",
  "release",
  "env",
  "name",
  "tool_name",
] as const;

const route = createRoute({
  method: "get",
  path: "/api/live",
  summary: "Watch events as they are stored",
  description: "Server-sent events: `event` (a light event), `gap` (some events are no longer " +
    "kept: ask /api/events), `dropped` (this reader was too slow).",
  request: {
    query: z.object({
      project_id: z.string().optional(),
      tag: z.string().optional(),
      ...Object.fromEntries(filterNames.map((name) => [name, z.string().optional()])),
    }),
    headers: z.object({ "last-event-id": z.string().optional() }),
  },
  responses: {
    200: { description: "A stream.", content: { "text/event-stream": { schema: z.string() } } },
  },
});

export function liveRoutes({ live, keepOpen }: LiveDeps): OpenAPIHono<AppEnv> {
  const app = new OpenAPIHono<AppEnv>();
  app.openapi(route, (c) => {
    const query = c.req.query();
    const project_id = allowed(c.get("principal"), "read", query.project_id);
    keepOpen(c.req.raw);
    const stream = openStream(live, {
      project_id,
      matches: matcher(query),
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

/** Several values of one filter are separated by commas; any of them matches. */
function matcher(query: Record<string, string>): Matches {
  const wanted = filterNames.flatMap((name) =>
    query[name] === undefined || query[name] === ""
      ? []
      : [{ name, values: new Set(query[name].split(",")) }]
  );
  const tags = query.tag ? query.tag.split(",") : null;
  return ({ event }) =>
    wanted.every(({ name, values }) => values.has(String(event[name]))) &&
    (tags === null || tags.some((tag) => (event.tags as string[] | undefined)?.includes(tag)));
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
        // desiredSize falls by one for each chunk that the socket has not taken.
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
  }, { highWaterMark: waitingMax });
}

function message(boot: string, { number, event }: LiveItem): string {
  return `event: event\nid: ${boot}-${number}\ndata: ${JSON.stringify(event)}\n\n`;
}

function resume(live: Live, project_id: string, lastEventId: string): LiveItem[] | null {
  const dash = lastEventId.lastIndexOf("-");
  if (lastEventId.slice(0, dash) !== live.boot) return null;
  return live.since(project_id, Number(lastEventId.slice(dash + 1)));
}
