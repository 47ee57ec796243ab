// Whose price is it? A provider and a model, as a producer names them → a card of the table.
import { type Card, periodOf } from "./card.ts";
import { Matcher } from "./match.ts";
import { type Candidate, isBedrockId, modelCandidates, providerCandidates } from "./names.ts";
import type { ModelRow, PeriodRow, ProviderRow, Table } from "./table.ts";

/** Providers of models of their own; in this order a model without a provider is looked for. */
// deno-fmt-ignore
const makers = [
  "openai", "anthropic", "google", "mistral", "cohere", "deepseek", "x-ai", "moonshotai",
  "zhipuai", "zai", "minimax", "voyageai", "perplexity", "ai21",
];
/** Providers that sell the models of others at those others' price. */
const resellers = ["aws", "azure", "google", "openrouter", "vercel-ai-gateway"];
/**
 * Here a model that is not on the list is looked for elsewhere: many programs name the maker of the
 * client library as the provider. Whoever runs open models does so at a price of their own.
 */
const outward = new Set([...makers, ...resellers]);

export interface Found {
  card: Card;
  /** The provider that was named is not the one whose price this is. */
  elsewhere: boolean;
}

class Provider {
  #row: ProviderRow;
  #models: Matcher | null = null;
  #names: Matcher;
  #owns: Matcher;
  #more: ReadonlyMap<string, Omit<PeriodRow, "added">>;
  #source: Table["sources"];
  #cards = new Map<string, Card>();

  constructor(row: ProviderRow, source: Table["sources"]) {
    this.#row = row;
    this.#source = source;
    this.#more = new Map(Object.entries(row.more ?? {}));
    this.#names = new Matcher(row.names === undefined ? [] : [row.names]);
    this.#owns = new Matcher(row.owns === undefined ? [] : [row.owns]);
  }

  get row(): ProviderRow {
    return this.#row;
  }

  isNamed(name: string): boolean {
    return this.#names.find(name) !== -1;
  }

  owns(model: string, anywhere: boolean): boolean {
    return this.#owns.find(model, anywhere) !== -1;
  }

  base(name: string, anywhere: boolean): Card | null {
    return this.#at(this.#matcher().find(name, anywhere));
  }

  spelled(name: string): Card | null {
    return this.more(name) ?? this.#at(this.#matcher().findSpelled(name));
  }

  #matcher(): Matcher {
    return this.#models ??= new Matcher(this.#row.models.map(({ match }) => match));
  }

  #at(index: number): Card | null {
    return index === -1 ? null : this.card(this.#row.models[index]!);
  }

  more(name: string): Card | null {
    const row = this.#more.get(name);
    return row === undefined ? null : this.#made(name, [row], this.#source.completion);
  }

  card({ id, periods }: ModelRow): Card {
    const completed = periods.some(({ added, tiers }) => added ?? tiers);
    const { base, completion } = this.#source;
    return this.#made(id, periods, completed ? `${base}, ${completion}` : base);
  }

  #made(id: string, periods: readonly PeriodRow[], source: string): Card {
    let card = this.#cards.get(id);
    if (card === undefined) {
      const provider = this.#row.id;
      card = { id: `${provider}/${id}`, provider, source, periods: periods.map(periodOf) };
      this.#cards.set(id, card);
    }
    return card;
  }
}

/** Finds cards in a table. Keeps one object per card, and nothing per question. */
export class Resolver {
  #providers: Map<string, Provider>;

  constructor(table: Table) {
    this.#providers = new Map(
      table.providers.map((row) => [row.id, new Provider(row, table.sources)]),
    );
  }

  /** Null when the table does not know it. */
  resolve(provider: string | undefined, model: string): Found | null {
    const names = modelCandidates(model);
    if (names.length === 0) return null;
    if (provider === undefined || provider.trim() === "") return found(this.#unnamed(names), false);
    const ids = providerCandidates(provider);
    if (ids === "own") return null;
    const id = this.#idOf(ids);
    if (id !== null) {
      const card = this.#within(id, names);
      if (card !== null) return found(card, false);
      if (!outward.has(id)) return null;
    }
    return found(this.#unnamed(names), true);
  }

  /** The card whose rules tell this very name; for making the table. */
  resolveSpelled(provider: string, name: string): Card | null {
    return this.#providers.has(provider) ? this.#within(provider, [{ name, whole: true }]) : null;
  }

  /** Every card, of every provider. */
  *cards(): Generator<{ card: Card; match: ModelRow["match"] }> {
    for (const provider of this.#providers.values()) {
      for (const model of provider.row.models) {
        yield { card: provider.card(model), match: model.match };
      }
      for (const name of Object.keys(provider.row.more ?? {})) {
        yield { card: provider.more(name)!, match: name };
      }
    }
  }

  #idOf(ids: readonly string[]): string | null {
    const spelled = ids.find((id) => this.#providers.has(id));
    if (spelled !== undefined) return spelled;
    for (const [id, provider] of this.#providers) {
      if (ids.some((name) => provider.isNamed(name))) return id;
    }
    return null;
  }

  #within(id: string, names: readonly Candidate[]): Card | null {
    const own = this.#providers.get(id)!;
    const served = (own.row.serves ?? []).flatMap((one) => this.#providers.get(one) ?? []);
    const tried = [own, ...served];
    for (const { name, whole } of names) {
      for (const provider of tried) {
        // A name that is spelled out there was found to be the better answer when the table was made.
        const card = provider.more(name) ?? provider.base(name, whole);
        if (card !== null) return card;
      }
    }
    return null;
  }

  #unnamed(names: readonly Candidate[]): Card | null {
    const { name } = names[0]!;
    // `openrouter/anthropic/claude-…`: the way there names the provider.
    const slash = name.indexOf("/");
    if (slash > 0) {
      const ids = providerCandidates(name.slice(0, slash));
      if (ids === "own") return null;
      const id = ids.find((one) => this.#providers.has(one));
      if (id !== undefined) {
        const card = this.#within(id, modelCandidates(name.slice(slash + 1)));
        if (card !== null) return card;
        if (!outward.has(id)) return null;
      }
    }
    if (isBedrockId(name) && this.#providers.has("aws")) {
      const card = this.#within("aws", names);
      if (card !== null) return card;
    }
    for (const one of names) {
      for (const [id, provider] of this.#providers) {
        if (!provider.owns(one.name, one.whole)) continue;
        const card = this.#within(id, [one]);
        if (card !== null) return card;
      }
    }
    for (const one of names) {
      for (const id of makers) {
        const card = this.#providers.get(id)?.spelled(one.name) ?? null;
        if (card !== null) return card;
      }
    }
    return null;
  }
}

function found(card: Card | null, elsewhere: boolean): Found | null {
  return card === null ? null : { card, elsewhere };
}
