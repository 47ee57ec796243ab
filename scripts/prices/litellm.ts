// What LiteLLM's price map adds: models that the base lacks, service tiers, and prices for kinds of
// tokens that the base leaves out. Only where both agree on the price of input and output.
import { providerCandidates } from "../../src/price/names.ts";
import { Resolver } from "../../src/price/resolve.ts";
import type {
  Ladder,
  ModelRow,
  PeriodRow,
  ProviderRow,
  Step,
  Table,
  Unit,
} from "../../src/price/table.ts";
import { units } from "../../src/price/table.ts";
import { stepOf } from "./genai.ts";

export type PriceMap = Record<string, Record<string, unknown>>;

/** Per token. `_above_<n>k_tokens` and a tier's name may follow. */
const keys: Readonly<Record<Exclude<Unit, "request">, string>> = {
  input: "input_cost_per_token",
  output: "output_cost_per_token",
  cache_read: "cache_read_input_token_cost",
  cache_write: "cache_creation_input_token_cost",
  cache_write_1h: "cache_creation_input_token_cost_above_1hr",
  reasoning: "output_cost_per_reasoning_token",
  audio_input: "input_cost_per_audio_token",
  audio_output: "output_cost_per_audio_token",
};
const tierEndings = {
  batch: "batches",
  flex: "flex",
  priority: "priority",
  ultrafast: "ultrafast",
};
const modes = new Set(["chat", "responses", "completion", "embedding", "realtime", "audio_speech"]);

/** Their prices are somebody else's, or none: resold subscriptions and the user's own machines. */
const leftOut = new Set([
  "chatgpt",
  "github-copilot",
  "microsoft-365-copilot",
  "ollama",
  "lemonade",
]);

interface Entry {
  /** As in the price map. */
  key: string;
  provider: string;
  name: string;
  prices: Ladder;
  tiers: Record<string, Ladder>;
}

export interface Completion {
  /** Prices that the two sources do not agree on; the base stands. */
  differing: string[];
}

/** Changes the rows in place. */
export function complete(
  providers: ProviderRow[],
  sources: Table["sources"],
  map: PriceMap,
): Completion {
  const base = new Resolver({ providers, sources });
  const rows = new Map(
    providers.flatMap((provider) =>
      provider.models.map((model): [string, ModelRow] => [`${provider.id}/${model.id}`, model])
    ),
  );
  const byProvider = new Map(providers.map((row) => [row.id, row]));
  const added = new Map<string, Record<string, PeriodRow>>();
  const differing: string[] = [];
  for (const entry of entriesOf(map, byProvider)) {
    const found = base.resolveSpelled(entry.provider, entry.name);
    if (found !== null) {
      if (completeRow(rows.get(found.id)!, entry)) continue;
      if (isSameModel(entry, found.id)) {
        differing.push(`${entry.key} is not ${found.id}`);
        continue;
      }
    }
    const more = added.get(entry.provider) ?? {};
    added.set(entry.provider, more);
    if (more[entry.name] !== undefined) continue;
    const row: PeriodRow = { prices: entry.prices };
    if (Object.keys(entry.tiers).length > 0) row.tiers = entry.tiers;
    more[entry.name] = row;
  }
  for (const [id, more] of [...added].sort(([a], [b]) => a < b ? -1 : 1)) {
    let provider = byProvider.get(id);
    if (provider === undefined) providers.push(provider = { id, models: [] });
    provider.more = Object.fromEntries(Object.entries(more).sort(([a], [b]) => a < b ? -1 : 1));
  }
  return { differing: differing.sort() };
}

/** Entries that price tokens; the shortest key first, so that a model wins over its variants. */
function entriesOf(map: PriceMap, known: ReadonlyMap<string, ProviderRow>): Entry[] {
  // Google's own list before that of its cloud.
  const rank = (key: string) => key.startsWith("gemini/") ? 0 : key.length;
  return Object.entries(map).sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1))
    .flatMap(([key, row]) => {
      if (!modes.has(String(row.mode)) || /^[a-z]+\/\d+-x-\d+/.test(key)) return [];
      const provider = providerOf(String(row.litellm_provider ?? ""), known);
      if (provider === null || leftOut.has(provider)) return [];
      const prices = ladderOf(row, "");
      const first = prices[0]!;
      // Nothing, or all zero: not a price.
      if (!first.slice(1).some((price) => price !== null && price > 0)) return [];
      const start = String(row.litellm_provider).split("-")[0]!;
      const path = key.split("/");
      const isHouse = path.length > 1 && (path[0] === row.litellm_provider || path[0] === start ||
        providerOf(path[0]!, known) === provider);
      const name = (isHouse ? path.slice(1).join("/") : key).toLowerCase();
      return [{ key, provider, name, prices, tiers: tiersOf(row, first) }];
    });
}

function providerOf(named: string, known: ReadonlyMap<string, ProviderRow>): string | null {
  // vertex_ai-anthropic_models
  const ids = providerCandidates(named.replace(/^vertex_ai-.*/, "vertex_ai"));
  if (ids === "own" || ids.length === 0) return null;
  return ids.find((id) => known.has(id)) ?? ids[0]!;
}

function tiersOf(row: Record<string, unknown>, standard: Step): Record<string, Ladder> {
  const tiers: Record<string, Ladder> = {};
  for (const [tier, ending] of Object.entries(tierEndings)) {
    const ladder = ladderOf(row, `_${ending}`);
    if (typeof ladder[0]?.[1] === "number") tiers[tier] = ladder;
  }
  const fast = (row.provider_specific_entry as { fast?: unknown } | undefined)?.fast;
  if (typeof fast === "number") {
    tiers.fast = [stepOf(0, (unit) => {
      const price = standard[units.indexOf(unit) + 1] ?? null;
      return price === null ? null : rounded(price * fast);
    })];
  }
  return tiers;
}

function ladderOf(row: Record<string, unknown>, ending: string): Ladder {
  const bounds = new Set([0]);
  for (const key of Object.keys(row)) {
    const bound = /^input_cost_per_token_above_(\d+)k_tokens(_\w+)?$/.exec(key);
    if (bound !== null && (bound[2] ?? "") === ending) bounds.add(Number(bound[1]) * 1000);
  }
  return [...bounds].sort((a, b) => a - b).map((above) =>
    stepOf(above, (unit) => {
      if (unit === "request" || (unit === "output" && row.mode === "embedding")) return null;
      const at = above === 0 ? "" : `_above_${above / 1000}k_tokens`;
      // A price that does not change above the bound is not repeated there.
      const price = row[`${keys[unit]}${at}${ending}`] ?? row[`${keys[unit]}${ending}`];
      // A cache that costs nothing to write to is no price, but the lack of one.
      if (typeof price !== "number" || (unit.startsWith("cache_write") && price === 0)) return null;
      return rounded(price * 1_000_000);
    })
  );
}

function rounded(price: number): number {
  return Number(price.toPrecision(10));
}

/** Whether the entry agrees with a period of the row, which then has what it lacked. */
function completeRow(row: ModelRow, entry: Entry): boolean {
  const at = row.periods.findLastIndex(({ prices, daily }) =>
    daily === undefined && same(prices[0]?.[1], entry.prices[0]![1]) &&
    same(prices[0]?.[2], entry.prices[0]![2])
  );
  const period = row.periods[at];
  if (period === undefined) return row.periods.length === 0;
  const lacking = entry.prices.map((step) =>
    stepOf(step[0]!, (unit) => {
      if (unit === "input" || unit === "output" || unit === "request") return null;
      const column = units.indexOf(unit) + 1;
      if (period.prices.some((own) => typeof own[column] === "number")) return null;
      if (typeof entry.prices[0]![column] !== "number") return null;
      const price = step[column] ?? null;
      // What a kind of token costs anyway needs no price of its own.
      const plain = step[unit === "reasoning" || unit === "audio_output" ? 2 : 1] ?? null;
      return price === plain ? null : price;
    })
  ).filter((step, index) => step.length > 1 && (index === 0 || bounded(period, step)));
  if (period.added === undefined && lacking.length > 0) period.added = lacking;
  if (period.tiers === undefined && Object.keys(entry.tiers).length > 0) {
    period.tiers = Object.fromEntries(
      Object.entries(entry.tiers).map(([tier, ladder]) => [tier, onBoundsOf(period, ladder)]),
    );
  }
  return true;
}

/**
 * Whether a card that a rule found is about the very model of the entry. It is not when the entry names a
 * region or a variant that the card does not, or another provider sells it.
 */
function isSameModel({ provider, name }: Entry, card: string): boolean {
  if (!card.startsWith(`${provider}/`)) return false;
  const model = card.slice(provider.length + 1).toLowerCase();
  const everywhere = model.replace(/^(regional|global)\./, "");
  const bare = everywhere === model ? name : name.replace(/^(us|eu|apac|au|jp|global)\./, "");
  return revisionless(bare) === revisionless(everywhere) || name === model;
}

function revisionless(name: string): string {
  const rest = name.replace(/(-\d{8}|-\d{4}-\d{2}-\d{2}|-v\d+(:\d+)?|:\d+|-latest|@\w+)$/, "");
  return rest === name ? name : revisionless(rest);
}

/** The sources differ by one token on where a long context begins. */
function onBoundsOf({ prices }: PeriodRow, ladder: Ladder): Ladder {
  return ladder.map(([above, ...rest]) => {
    const own = prices.find((step) => Math.abs(step[0]! - above!) === 1);
    return [own?.[0] ?? above!, ...rest];
  });
}

/** Only at bounds that the base knows: a bound of one source alone would raise no other price. */
function bounded(period: PeriodRow, step: Step): boolean {
  return period.prices.some((own) => own[0] === step[0]);
}

function same(one: number | null | undefined, other: number | null | undefined): boolean {
  return (one ?? null) === (other ?? null) ||
    Math.abs((one ?? 0) - (other ?? 0)) <= 1e-6 * Math.abs(one ?? 0);
}
