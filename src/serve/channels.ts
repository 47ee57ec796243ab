// /api/channels: where people are told. What is secret goes in, and never comes out again.
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { loggerOf } from "../logging.ts";
import type { Notification, Outcome, Settings } from "../notify/channel.ts";
import { channelSchema, kindOf } from "../notify/channels.ts";
import type { Clock } from "../std/clock.ts";
import type { StoredChannel } from "../store/alerts/channels.ts";
import { CannotUnseal } from "../store/alerts/seal.ts";
import { randomSecret } from "../store/state/secret.ts";
import type { Alerting } from "../watch/open.ts";
import { body, json, problemResponse, refuseInvalid, smallBody } from "./body.ts";
import { Problem } from "./errors.ts";
import { filterQuery, strictly } from "./filter.ts";
import { allowed, type AppEnv, type Principal } from "./principal.ts";

export interface ChannelDeps {
  alerting: Alerting;
  clock: Clock;
}

const log = loggerOf("channels");
const channelsPerProjectMax = 200;

const query = z.strictObject({ project_id: filterQuery.project_id });
const byId = z.object({ id: z.string().max(128) });
const given = z.looseObject({
  type: z.string(),
  name: z.string(),
  project_id: z.string().optional(),
})
  .describe("A type, a name, and what the type needs.").openapi("NewChannel");
const change = z.looseObject({}).describe("Fields of the channel; null takes one away.");

const told = z.looseObject({
  id: z.string(),
  project_id: z.string(),
  type: z.string(),
  name: z.string(),
  secrets: z.array(z.string()).describe("Secrets that are set; they are not shown."),
  created_at: z.string(),
  updated_at: z.string(),
}).openapi("Channel");

const tested = z.object({
  delivered: z.boolean(),
  delivery_id: z.string(),
  status: z.int().nullable().describe("HTTP status of the answer."),
  error: z.string().nullable(),
}).openapi("ChannelTest");

const list = createRoute({
  method: "get",
  path: "/api/channels",
  summary: "Channels",
  request: { query },
  responses: { 200: json("In order of creation.", z.object({ channels: z.array(told) })) },
});

const create = createRoute({
  method: "post",
  path: "/api/channels",
  summary: "Create a channel",
  description: "Such as a `webhook` with `url` and `secret`. The schema of each type is in " +
    "`components.schemas.ChannelSettings`.",
  request: { body: body(given) },
  responses: {
    201: json("Created.", told),
    400: problemResponse("A field is not valid."),
    403: problemResponse("This key is no admin of the project."),
    409: problemResponse("There are too many channels."),
  },
});

const read = createRoute({
  method: "get",
  path: "/api/channels/{id}",
  summary: "One channel",
  request: { params: byId },
  responses: { 200: json("The channel.", told), 404: problemResponse("There is no such channel.") },
});

const changed = {
  200: json("Changed.", told),
  400: problemResponse("A field is not valid."),
  403: problemResponse("This key is no admin of the project."),
  404: problemResponse("There is no such channel."),
};

const put = createRoute({
  method: "put",
  path: "/api/channels/{id}",
  summary: "Replace a channel",
  description: "Secrets that are left out stay as they are; null takes one away.",
  request: { params: byId, body: body(given) },
  responses: changed,
});

const patch = createRoute({
  method: "patch",
  path: "/api/channels/{id}",
  summary: "Change some fields of a channel",
  request: { params: byId, body: body(change) },
  responses: changed,
});

const remove = createRoute({
  method: "delete",
  path: "/api/channels/{id}",
  summary: "Delete a channel",
  description: "What waits for it is cancelled.",
  request: { params: byId },
  responses: {
    200: json("Deleted.", z.object({ id: z.string() })),
    403: problemResponse("This key is no admin of the project."),
    404: problemResponse("There is no such channel."),
    409: problemResponse("Rules or monitors use it."),
  },
});

const test = createRoute({
  method: "post",
  path: "/api/channels/{id}/test",
  summary: "Send a test",
  description: "One attempt, now; the answer says how it went.",
  request: { params: byId },
  responses: {
    200: json("It was tried.", tested),
    403: problemResponse("This key is no admin of the project."),
    404: problemResponse("There is no such channel."),
  },
});

// Made anew here: a schema knows of OpenAPI only when it is made after OpenAPI's library was loaded.
const channelSettings = channelSchema.describe(
  "A channel: its type, its name, what its type needs.",
);

export function channelRoutes({ alerting, clock }: ChannelDeps): OpenAPIHono<AppEnv> {
  const { store, seal } = alerting;
  const app = new OpenAPIHono<AppEnv>({
    defaultHook: (result, c) =>
      (result.target === "query" ? strictly(query) : refuseInvalid)(result, c),
  });
  app.openAPIRegistry.register("ChannelSettings", channelSettings);
  for (const path of ["/api/channels", "/api/channels/*"]) app.use(path, smallBody);

  app.openapi(list, (c) => {
    const project_id = allowed(c.get("principal"), "read", c.req.valid("query").project_id);
    const channels = store.channels.all().filter((one) => one.project_id === project_id);
    return c.json({ channels: channels.map((one) => toldOf(alerting, one)) }, 200);
  });

  app.openapi(create, (c) => {
    const principal = c.get("principal");
    const { project_id: named, ...settings } = c.req.valid("json");
    const project_id = allowed(principal, "admin", named);
    const count = store.channels.all().filter((one) => one.project_id === project_id).length;
    if (count >= channelsPerProjectMax) {
      throw new Problem(409, "Too many channels", `The project has ${count} channels already.`);
    }
    const id = `ch_${randomSecret().slice(-12)}`;
    const now = new Date(clock.nowMs()).toISOString();
    const channel = {
      id,
      project_id,
      ...sealed(seal, id, parsed(settings)),
      created_at: now,
      updated_at: now,
    };
    store.commit(() => store.channels.put(channel));
    log.info("Channel {id} created", { id, by: principal.key_id ?? "local" });
    return c.json(toldOf(alerting, channel), 201);
  });

  app.openapi(read, (c) => {
    const channel = channelOf(alerting, c.get("principal"), "read", c.req.valid("param").id);
    return c.json(toldOf(alerting, channel), 200);
  });

  const save = (before: StoredChannel, settings: Settings) => {
    for (const [name, value] of Object.entries(settings)) if (value === null) delete settings[name];
    if (settings.type !== before.type) {
      throw new Problem(400, "Invalid request", `type: this channel is a ${before.type}.`);
    }
    const channel = {
      ...before,
      ...sealed(seal, before.id, parsed(settings)),
      updated_at: new Date(clock.nowMs()).toISOString(),
    };
    store.commit(() => store.channels.put(channel));
    return toldOf(alerting, channel);
  };

  app.openapi(put, (c) => {
    const before = channelOf(alerting, c.get("principal"), "admin", c.req.valid("param").id);
    const { project_id: _, ...settings } = c.req.valid("json");
    return c.json(save(before, { ...secretsOf(alerting, before), ...settings }), 200);
  });

  app.openapi(patch, (c) => {
    const before = channelOf(alerting, c.get("principal"), "admin", c.req.valid("param").id);
    const { type, name, config } = before;
    const secrets = secretsOf(alerting, before);
    return c.json(save(before, { type, name, ...config, ...secrets, ...c.req.valid("json") }), 200);
  });

  app.openapi(remove, (c) => {
    const principal = c.get("principal");
    const { id, project_id } = channelOf(alerting, principal, "admin", c.req.valid("param").id);
    const users = [
      ...store.rules.all().map(({ project_id, rule }) => ({ project_id, user: rule })),
      ...store.monitors.all().map(({ project_id, monitor }) => ({ project_id, user: monitor })),
    ].filter((one) =>
      one.project_id === project_id && JSON.stringify(one.user).includes(`"${id}"`)
    );
    if (users.length > 0) {
      const names = users.slice(0, 5).map(({ user }) => `"${user.name}"`).join(", ");
      throw new Problem(409, "Channel in use", `These rules and monitors use it: ${names}.`);
    }
    store.commit(() => {
      const now = new Date(clock.nowMs()).toISOString();
      store.outbox.cancel(id, now, "The channel was deleted.");
      store.channels.delete(id);
    });
    log.info("Channel {id} deleted", { id, by: principal.key_id ?? "local" });
    return c.json({ id }, 200);
  });

  app.openapi(test, async (c) => {
    const channel = channelOf(alerting, c.get("principal"), "admin", c.req.valid("param").id);
    const nowMs = clock.nowMs();
    const notification = testOf(channel, nowMs);
    const outcome = await alerting.deliverer.tell(channel.id, notification);
    logTest(alerting, channel, notification, outcome, nowMs);
    return c.json({
      delivered: outcome.ok,
      delivery_id: notification.id,
      status: outcome.status,
      error: outcome.ok ? null : outcome.message,
    }, 200);
  });
  return app;
}

function channelOf(
  { store }: Alerting,
  principal: Principal,
  scope: "read" | "admin",
  id: string,
): StoredChannel {
  const channel = store.channels.get(id);
  if (channel === null || !principal.projects.includes(channel.project_id)) {
    throw new Problem(404, "Not found", `There is no channel "${id}".`);
  }
  allowed(principal, scope, channel.project_id);
  return channel;
}

/** Throws 400 for settings that no kind of channel has. */
function parsed(settings: Settings): Settings {
  const result = channelSchema.safeParse(settings);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = issue?.path.join(".") || "body";
  throw new Problem(400, "Invalid request", `${field}: ${issue?.message ?? "not valid"}.`, {
    field,
  });
}

function sealed(seal: Alerting["seal"], id: string, settings: Settings) {
  const { type, name, ...rest } = settings as Settings & { type: string; name: string };
  const hidden = new Set<string>(kindOf(type)!.secrets);
  const entries = Object.entries(rest);
  const secrets = entries.filter(([field]) => hidden.has(field));
  return {
    type,
    name,
    config: Object.fromEntries(entries.filter(([field]) => !hidden.has(field))),
    sealed: secrets.length === 0 ? null : seal.seal(Object.fromEntries(secrets), id),
  };
}

/** None when they cannot be read any more: they are to be set anew. */
function secretsOf({ seal }: Alerting, { id, sealed }: StoredChannel): Settings {
  if (sealed === null) return {};
  try {
    return seal.open(sealed, id);
  } catch (error) {
    if (error instanceof CannotUnseal) return {};
    throw error;
  }
}

function toldOf(alerting: Alerting, channel: StoredChannel) {
  const { id, project_id, type, name, config, created_at, updated_at } = channel;
  const secrets = Object.keys(secretsOf(alerting, channel));
  return { id, project_id, type, name, ...config, secrets, created_at, updated_at };
}

function testOf(channel: StoredChannel, nowMs: number): Notification {
  const id = `dl_${randomSecret().slice(-24)}`;
  const at = new Date(nowMs).toISOString();
  return {
    id,
    kind: "test",
    at,
    project_id: channel.project_id,
    rule: {
      id: "test",
      name: "Test",
      description: null,
      metric: null,
      window_minutes: 5,
      labels: {},
      runbook: { url: null, steps: [], actions: [] },
    },
    level: "warning",
    title: "Test: WatchLLM reaches this channel",
    text: `Sent from project ${channel.project_id} to ${channel.name}. Nothing is wrong.`,
    alerts: [],
    alerts_total: 0,
  };
}

function logTest(
  { store }: Alerting,
  channel: StoredChannel,
  notification: Notification,
  outcome: Outcome,
  nowMs: number,
): void {
  const now = new Date(nowMs).toISOString();
  store.commit(() => {
    store.outbox.add({
      id: notification.id,
      project_id: channel.project_id,
      channel_id: channel.id,
      channel_name: channel.name,
      channel_type: channel.type,
      rule_id: "test",
      kind: "test",
      thread: notification.id,
      body: notification,
    }, now);
    const delivery = store.outbox.get(notification.id);
    if (delivery === null) return;
    store.outbox.put({
      ...delivery,
      status: outcome.ok ? "delivered" : "failed",
      attempts: 1,
      next_attempt_at: null,
      last_error: outcome.ok ? null : outcome.message,
      last_status: outcome.status,
      finished_at: now,
    });
  });
}
