// Cards as people read them.
import type { Card, Rates } from "./card.ts";
import type { Prices } from "./pricer.ts";
import type { Rule } from "./table.ts";

export interface ListedCard {
  price: string;
  provider: string | null;
  /** Names it is for; `*` stands for anything. */
  match: string;
  source: string;
  /** Empty for a model that is known to have no price by the token. */
  periods: {
    valid_from: string | null;
    daily: { from: string; until: string } | null;
    weekend: boolean;
    prices: {
      service: string;
      context_above: number;
      per_million: Omit<Rates, "request">;
      per_request: number;
    }[];
  }[];
}

/** The project's own cards, then those of the table, whose id or match contains the text. */
export function cardsOf(prices: Prices, project_id: string, text: string): {
  card: Card;
  match: string;
}[] {
  const wanted = text.trim().toLowerCase();
  const custom = prices.of(project_id).custom;
  const embedded = [...prices.resolver.cards()].map(({ card, match }) => ({
    card,
    match: textOf(match),
  }));
  return [...custom, ...embedded].filter(({ card, match }) =>
    card.id.toLowerCase().includes(wanted) || match.toLowerCase().includes(wanted)
  );
}

export function listed({ card, match }: { card: Card; match: string }): ListedCard {
  return {
    price: card.id,
    provider: card.provider,
    match,
    source: card.source,
    periods: card.periods.map(({ from, daily, weekend, tiers }) => ({
      valid_from: from,
      daily: daily === null ? null : { from: daily[0], until: daily[1] },
      weekend,
      prices: [...tiers].flatMap(([service, rungs]) =>
        rungs.map(({ above, rates: { request, ...per_million } }) => ({
          service,
          context_above: above,
          per_million,
          per_request: request,
        }))
      ),
    })),
  };
}

function textOf(rule: Rule): string {
  if (typeof rule === "string") return rule;
  if (Array.isArray(rule)) return rule.map(textOf).join(", ");
  if ("starts_with" in rule) return `${rule.starts_with}*`;
  if ("ends_with" in rule) return `*${rule.ends_with}`;
  if ("contains" in rule) return `*${rule.contains}*`;
  if ("regex" in rule) return `/${rule.regex}/`;
  return (rule as { all: readonly Rule[] }).all.map(textOf).join(" and ");
}
