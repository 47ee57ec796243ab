// Prices that a project sets itself: they come before the table's.
import { z } from "zod";
import { type Card, type Period, periodOf } from "./card.ts";
import { patternOf } from "./match.ts";
import { modelCandidates, providerCandidates } from "./names.ts";
import type { Ladder, Step, Unit } from "./table.ts";
import { units } from "./table.ts";

export const customPricesMax = 200;
const stepsMax = 10;
const namesMax = 200;
const starsMax = 8;
/** US dollars per million tokens; a typing error rather than a price. */
const priceMax = 1_000_000;

const price = z.number().min(0).max(priceMax).nullish();

const perMillion = z.strictObject({
  input: price,
  output: price,
  cache_read: price.describe("As input when left out, like every other kind of input."),
  cache_write: price.describe("Kept for five minutes, or as long as the provider does."),
  cache_write_1h: price,
  reasoning: price.describe("As output when left out."),
  audio_input: price,
  audio_output: price,
}).describe("US dollars for a million tokens.");

export const customPriceSchema = z.strictObject({
  match: z.string().trim().min(1).max(namesMax)
    .refine((text) => text.split("*").length - 1 <= starsMax, `at most ${starsMax} *`)
    .describe(
      "Name of a model; `*` stands for anything. Letters count alike in upper and lower case.",
    ),
  provider: z.string().trim().min(1).max(namesMax).nullish()
    .describe("Only for calls with this provider."),
  valid_from: z.iso.date().nullish().describe("First day, in UTC; since ever when left out."),
  per_million: perMillion.refine(
    (prices) => typeof prices.input === "number" || typeof prices.output === "number",
    "input or output must have a price",
  ),
  per_request: z.number().min(0).max(priceMax).nullish().describe("US dollars for each call."),
  tiers: z.array(z.strictObject({
    context_above: z.int().min(1).nullish()
      .describe("For requests whose whole input is larger than so many tokens."),
    service_tier: z.string().trim().min(1).max(namesMax).nullish()
      .describe("For calls of this service tier, such as batch."),
    per_million: perMillion,
  })).max(stepsMax).nullish().describe("Other prices for long contexts and service tiers."),
});
export type CustomPrice = z.infer<typeof customPriceSchema>;

export const customPricesSchema = z.array(customPriceSchema).max(customPricesMax);

interface CustomCard {
  card: Card;
  match: string;
  isNamed(model: string): boolean;
  /** Ids that the provider may stand for. */
  providers: readonly string[] | null;
}

/** The custom prices of one project. */
export class CustomPrices {
  readonly cards: readonly CustomCard[];

  constructor(prices: readonly CustomPrice[]) {
    const groups = Map.groupBy(
      prices,
      ({ match, provider }) => `${provider?.toLowerCase() ?? ""}\n${match.toLowerCase()}`,
    );
    this.cards = [...groups.values()].map(cardOf).sort((one, other) => rank(one) - rank(other));
  }

  /** A name that is spelled out comes before a pattern, a named provider before any. */
  find(provider: string | undefined, model: string): Card | null {
    if (this.cards.length === 0) return null;
    const names = modelCandidates(model);
    if (names.length === 0) return null;
    const named = provider === undefined ? [] : providerCandidates(provider);
    const ids = named === "own" ? [provider!.trim().toLowerCase()] : named;
    // By the name as it was sent before any shorter form of it.
    for (const { name } of names) {
      for (const { card, isNamed, providers } of this.cards) {
        if (providers !== null && !ids.some((id) => providers.includes(id))) continue;
        if (isNamed(name)) return card;
      }
    }
    return null;
  }
}

function rank({ match, providers }: CustomCard): number {
  return (match.includes("*") ? 2 : 0) + (providers === null ? 1 : 0);
}

function cardOf(prices: readonly CustomPrice[]): CustomCard {
  const { match, provider = null } = prices[0]!;
  const ids = provider === null ? null : providerCandidates(provider);
  const periods = prices.toSorted((a, b) => (a.valid_from ?? "") < (b.valid_from ?? "") ? -1 : 1)
    .map(periodOfCustom);
  return {
    match: match.toLowerCase(),
    isNamed: patternOf(match),
    providers: ids === "own" ? [provider!.toLowerCase()] : ids,
    card: { id: `custom/${match}`, provider, source: "project", periods },
  };
}

function periodOfCustom(price: CustomPrice): Period {
  const request = price.per_request ?? null;
  const ladders = new Map<string, Step[]>([["", [stepOf(0, price.per_million, request)]]]);
  for (const { context_above, service_tier, per_million } of price.tiers ?? []) {
    const tier = service_tier?.toLowerCase() ?? "";
    const ladder = ladders.get(tier) ?? [];
    ladders.set(tier, ladder);
    // What a tier does not name stays as it is.
    const base = ladder.find((step) => step[0] === 0) ?? ladders.get("")![0]!;
    const step = stepOf(context_above ?? 0, per_million, request);
    ladder.push(
      tier === "" ? step.map((one, at) => at === 0 ? one : one ?? base[at] ?? null) : step,
    );
  }
  const sorted = (ladder: Step[]): Ladder => ladder.toSorted((a, b) => a[0]! - b[0]!);
  const { "": prices, ...tiers } = Object.fromEntries(
    [...ladders].map(([tier, ladder]) => [tier, sorted(ladder)]),
  );
  return periodOf({
    ...(price.valid_from ? { from: price.valid_from } : {}),
    prices: prices!,
    tiers,
  });
}

function stepOf(
  above: number,
  prices: CustomPrice["per_million"],
  request: number | null,
): Step {
  const of = (unit: Unit) => unit === "request" ? request : prices[unit] ?? null;
  return [above, ...units.map(of)];
}
