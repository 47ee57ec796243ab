// /api/prices: what models cost, a project's own prices, what has no price, and a bill to check.
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { loggerOf } from "../logging.ts";
import { cardsOf, listed } from "../price/list.ts";
import { type CustomPrice, customPriceSchema, customPricesSchema } from "../price/custom.ts";
import { type Call, customPricesSetting, type Prices } from "../price/pricer.ts";
import { unpricedReasons } from "../price/quote.ts";
import { unpricedOf, unpricedRow } from "../query/prices.ts";
import type { State } from "../store/state.ts";
import { timestampOf } from "../receive/timestamp.ts";
import { json, problemResponse, refuseInvalid, smallBody } from "./body.ts";
import { decodeCursor, encodeCursor, filterOf, filterQuery, strictly, timeOf } from "./filter.ts";
import { allowed, type AppEnv } from "./principal.ts";
import type { ReadDeps } from "./reads.ts";

export interface PriceDeps extends ReadDeps {
  prices: Prices;
  state: State;
}

const log = loggerOf("prices");

const project_id = filterQuery.project_id;

const rate = z.number().nullable();
const card = z.object({
  price: z.string().describe("What an event's cost_details.price names."),
  provider: z.string().nullable(),
  match: z.string().describe("Names of models that it is for; * stands for anything."),
  source: z.string().describe("The price list with its version, or project."),
  periods: z.array(z.object({
    valid_from: z.string().nullable().describe("First day, in UTC; null is since ever."),
    daily: z.object({ from: z.string(), until: z.string() }).nullable()
      .describe("Times of day in UTC at which it holds."),
    weekend: z.boolean().describe("It holds on Saturdays and Sundays only, in UTC."),
    prices: z.array(z.object({
      service: z.string().describe("Service tier."),
      context_above: z.int().describe("For requests whose whole input is larger."),
      per_million: z.object({
        input: rate,
        output: rate,
        cache_read: rate,
        cache_write: rate,
        cache_write_1h: rate,
        reasoning: rate,
        audio_input: rate,
        audio_output: rate,
      }).describe("US dollars for a million tokens."),
      per_request: z.number(),
    })),
  })).describe("The last one that holds at a time counts. Empty: it is known to have no price."),
}).openapi("Price");

const customPrice = customPriceSchema.meta({ id: "CustomPrice" });

const listQuery = z.strictObject({
  project_id,
  q: z.string().max(200).default("").openapi({ description: "Part of a name." }),
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z.string().max(200).optional(),
});

const list = createRoute({
  method: "get",
  path: "/api/prices",
  summary: "What models cost",
  description: "The project's own prices first, then those that this build carries.",
  request: { query: listQuery },
  responses: {
    200: json(
      "A page of prices.",
      z.object({
        custom: z.array(customPrice).describe("The project's own, as they were set."),
        prices: z.array(card),
        total: z.int(),
        next_cursor: z.string().nullable(),
      }),
    ),
    400: problemResponse("A parameter is not valid."),
  },
});

const putQuery = z.strictObject({ project_id });

const put = createRoute({
  method: "put",
  path: "/api/prices/custom",
  summary: "Set a project's own prices",
  description: "The whole list; an empty one takes them away. They hold for calls that are sent " +
    "from now on.",
  request: {
    query: putQuery,
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.strictObject({ prices: customPricesSchema }).openapi("CustomPrices"),
        },
      },
    },
  },
  responses: {
    200: json("Set.", z.object({ custom: z.array(customPrice) })),
    400: problemResponse("A price is not valid."),
    403: problemResponse("This key is no admin of the project."),
  },
});

const unpricedQuery = z.strictObject({
  ...filterQuery,
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});

const unpricedRoute = createRoute({
  method: "get",
  path: "/api/prices/unpriced",
  summary: "Models whose calls have no known cost",
  description: "Calls with tokens, but without an estimated or a reported cost.",
  request: { query: unpricedQuery },
  responses: {
    200: json("Those with the most calls first.", z.object({ models: z.array(unpricedRow) })),
    400: problemResponse("A parameter is not valid."),
  },
});

const tokens = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER).optional();
const name = z.string().max(1024).optional();
const quoteQuery = z.strictObject({
  project_id,
  model: z.string().min(1).max(1024),
  provider: name,
  service_tier: name,
  at: z.string().optional().openapi({ description: "Now when left out." }),
  tokens_input: tokens,
  tokens_output: tokens,
  tokens_cache_read: tokens,
  tokens_cache_write: tokens,
  tokens_cache_write_1h: tokens,
  tokens_reasoning: tokens,
  tokens_audio_input: tokens,
  tokens_audio_output: tokens,
});

const quoteRoute = createRoute({
  method: "get",
  path: "/api/prices/quote",
  summary: "What one call costs",
  description: "With the same arithmetic as for an event that is sent.",
  request: { query: quoteQuery },
  responses: {
    200: json(
      "The cost, or why it is not known.",
      z.object({
        at: z.string(),
        cost_usd: z.number().nullable(),
        cost_details: z.looseObject({}).nullable(),
        reason: z.enum(unpricedReasons).nullable().describe("Why there is no cost."),
      }),
    ),
    400: problemResponse("A parameter is not valid."),
  },
});

const place = z.object({ from: z.int().min(0) });

export function priceRoutes({ reader, clock, prices, state }: PriceDeps): OpenAPIHono<AppEnv> {
  const ofQuery = strictly(listQuery, unpricedQuery, quoteQuery, putQuery);
  const app = new OpenAPIHono<AppEnv>({
    defaultHook: (result, c) => (result.target === "json" ? refuseInvalid : ofQuery)(result, c),
  });
  app.use("/api/prices/custom", smallBody);

  app.openapi(list, (c) => {
    const asked = c.req.valid("query");
    const project_id = allowed(c.get("principal"), "read", asked.project_id);
    const from = decodeCursor(asked.cursor, place)?.from ?? 0;
    const cards = cardsOf(prices, project_id, asked.q);
    const until = from + asked.limit;
    return c.json({
      custom: [...prices.of(project_id).customPrices],
      prices: cards.slice(from, until).map(listed),
      total: cards.length,
      next_cursor: until < cards.length ? encodeCursor({ from: until }) : null,
    }, 200);
  });

  app.openapi(put, async (c) => {
    const principal = c.get("principal");
    const project_id = allowed(principal, "admin", c.req.valid("query").project_id);
    const custom: CustomPrice[] = c.req.valid("json").prices;
    await state.setSetting(project_id, customPricesSetting, custom.length === 0 ? null : custom);
    log.info("Custom prices of {project_id} set", {
      project_id,
      count: custom.length,
      by: principal.key_id ?? "local",
    });
    return c.json({ custom }, 200);
  });

  app.openapi(unpricedRoute, async (c) => {
    const { limit, ...rest } = c.req.valid("query");
    const filter = filterOf(c.get("principal"), rest, clock.nowMs());
    return c.json({ models: await unpricedOf(reader, filter, limit) }, 200);
  });

  app.openapi(quoteRoute, (c) => {
    const { at, project_id: named, ...call } = c.req.valid("query");
    const project_id = allowed(c.get("principal"), "read", named);
    const nowMs = clock.nowMs();
    const timestamp = timeOf("at", at, nowMs) ?? timestampOf(nowMs);
    const quote = prices.of(project_id).quote({ ...call, timestamp } as Call);
    const isKnown = typeof quote !== "string";
    return c.json({
      at: timestamp,
      cost_usd: isKnown ? quote.usd : null,
      cost_details: isKnown ? { ...quote.details } : null,
      reason: isKnown ? null : quote,
    }, 200);
  });
  return app;
}
