// The base of the price table: the providers and models of @pydantic/genai-prices, made compact.
import type {
  Ladder,
  ModelRow,
  PeriodRow,
  ProviderRow,
  Rule,
  Step,
  Unit,
} from "../../src/price/table.ts";
import { units } from "../../src/price/table.ts";

type SourceRule =
  | { equals: string }
  | { starts_with: string }
  | { ends_with: string }
  | { contains: string }
  | { regex: string }
  | { or: SourceRule[] }
  | { and: SourceRule[] };

type SourcePrice = number | { base: number; tiers: { start: number; price: number }[] };
type SourcePrices = Record<string, SourcePrice | undefined>;

interface SourcePeriod {
  constraint?: { start_date: string } | { start_time: string; end_time: string };
  /** Of our corrections. */
  weekend?: true;
  prices: SourcePrices;
}

interface SourceModel {
  id: string;
  match: SourceRule;
  price_comments?: string;
  prices: SourcePrices | SourcePeriod[];
}

export interface SourceProvider {
  id: string;
  provider_match?: SourceRule;
  model_match?: SourceRule;
  fallback_model_providers?: string[];
  models: SourceModel[];
}

/** What a call's tokens can be priced by. The source has more: seconds, images, searches. */
const keys: Readonly<Record<Unit, string>> = {
  input: "input_mtok",
  output: "output_mtok",
  cache_read: "cache_read_mtok",
  cache_write: "cache_write_mtok",
  cache_write_1h: "cache_write_1h_mtok",
  reasoning: "output_reasoning_mtok",
  audio_input: "input_audio_mtok",
  audio_output: "output_audio_mtok",
  request: "requests_kcount",
};

export function providersOf(source: readonly SourceProvider[]): ProviderRow[] {
  return source.map((provider) => {
    const row: ProviderRow = { id: provider.id, models: modelsOf(provider) };
    if (provider.provider_match) row.names = ruleOf(provider.provider_match);
    if (provider.model_match) row.owns = ruleOf(provider.model_match);
    if (provider.fallback_model_providers) row.serves = provider.fallback_model_providers;
    return row;
  });
}

function modelsOf({ id, models }: SourceProvider): ModelRow[] {
  const rows = models
    .filter((model) => !(id === "openrouter" && isEmpty(model) && model.id.endsWith(":free")))
    .map((model) => modelOf(id, model));
  // By the name alone: OpenRouter's `:free` models cost nothing.
  return id === "openrouter"
    ? [{ id: ":free", match: { ends_with: ":free" }, periods: [{ prices: [[0, 0, 0]] }] }, ...rows]
    : rows;
}

function isEmpty({ prices }: SourceModel): boolean {
  return !Array.isArray(prices) && Object.keys(prices).length === 0;
}

/** No price means free of charge only where the source says so; else nobody knows. */
function modelOf(provider: string, model: SourceModel): ModelRow {
  const { id, match, price_comments = "" } = model;
  const row = { id, match: ruleOf(match) };
  if (isEmpty(model)) {
    const free = /\bfree of charge\b/i.test(price_comments) || id.endsWith(":free");
    return { ...row, periods: free ? [{ prices: [[0, 0, 0]] }] : [] };
  }
  const periods = Array.isArray(model.prices) ? model.prices : [{ prices: model.prices }];
  return { ...row, periods: periodsOf([...periods, ...corrections[`${provider}/${id}`] ?? []]) };
}

/**
 * Changes that the source has not followed. DeepSeek ended its off-peak hours on 2025-09-05, and
 * halved prices on 2025-09-29: api-docs.deepseek.com/news/news250821 and news250929.
 */
const v31 = { input_mtok: 0.56, cache_read_mtok: 0.07, output_mtok: 1.68 };
const v32 = { input_mtok: 0.28, cache_read_mtok: 0.028, output_mtok: 0.42 };
const sinceSeptember2025: SourcePeriod[] = [
  { constraint: { start_date: "2025-09-05" }, prices: v31 },
  { constraint: { start_date: "2025-09-29" }, prices: v32 },
];
const corrections: Readonly<Record<string, SourcePeriod[]>> = {
  "deepseek/deepseek-chat": sinceSeptember2025,
  "deepseek/deepseek-reasoner": sinceSeptember2025,
  // Off-peak prices hold all weekend since this day; the source's comment says so, its data cannot.
  "deepseek/deepseek-v4-flash": [{
    constraint: { start_date: "2026-08-23" },
    weekend: true,
    prices: { input_mtok: 0.22, cache_read_mtok: 0.007, output_mtok: 0.66 },
  }],
  "deepseek/deepseek-v4-pro": [{
    constraint: { start_date: "2026-08-23" },
    weekend: true,
    prices: { input_mtok: 0.66, cache_read_mtok: 0.022, output_mtok: 1.98 },
  }],
};

function periodsOf(periods: readonly SourcePeriod[]): PeriodRow[] {
  let from: string | undefined;
  return periods.map(({ constraint, weekend, prices }) => {
    const row: PeriodRow = { prices: ladderOf(prices) };
    if (weekend) row.weekend = true;
    if (constraint !== undefined && "start_date" in constraint) {
      row.from = from = constraint.start_date;
    } else if (constraint !== undefined) {
      // The source cannot give a day and a time of day together; hours that follow a dated price
      // came with it.
      if (from !== undefined) row.from = from;
      row.daily = [timeOf(constraint.start_time), timeOf(constraint.end_time)];
    }
    return row;
  }).filter(({ prices }) => prices.some((step) => step.length > 1));
}

function timeOf(time: string): string {
  if (!/^\d\d:\d\d:\d\dZ$/.test(time)) throw new Error(`A time of day that is not UTC: ${time}`);
  return time.slice(0, 8);
}

function ladderOf(prices: SourcePrices): Ladder {
  const bounds = new Set([0]);
  for (const key of Object.values(keys)) {
    const price = prices[key];
    if (typeof price === "object") { for (const { start } of price.tiers) bounds.add(start); }
  }
  return [...bounds].sort((a, b) => a - b).map((above) =>
    stepOf(above, (unit) => {
      const price = priceAt(prices[keys[unit]], above);
      return price === null || unit !== "request" ? price : price / 1000;
    })
  );
}

function priceAt(price: SourcePrice | undefined, above: number): number | null {
  if (price === undefined) return null;
  if (typeof price === "number") return price;
  const tiers = price.tiers.toSorted((a, b) => a.start - b.start);
  return tiers.findLast(({ start }) => start <= above)?.price ?? price.base;
}

/** Without the nulls at its end. */
export function stepOf(above: number, price: (unit: Unit) => number | null): Step {
  const prices = units.map(price);
  const last = prices.findLastIndex((one) => one !== null);
  return [above, ...prices.slice(0, last + 1)];
}

function ruleOf(rule: SourceRule): Rule {
  if ("equals" in rule) return rule.equals.toLowerCase();
  if ("or" in rule) return rule.or.length === 1 ? ruleOf(rule.or[0]!) : rule.or.map(ruleOf);
  if ("and" in rule) return { all: rule.and.map(ruleOf) };
  return rule;
}
