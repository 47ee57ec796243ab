// What Langfuse's usage and cost details count, however an SDK names their parts → tokens, USD. Pure.
//   {input: 10, input_cached_tokens: 30, output: 5}                              parts beside each other
//   {prompt_tokens: 40, prompt_tokens_details: {cached_tokens: 30}, …}           parts of a whole

type Fields = Record<string, unknown>;

export type TokenField =
  | "tokens_input"
  | "tokens_output"
  | "tokens_cache_read"
  | "tokens_cache_write"
  | "tokens_cache_write_1h"
  | "tokens_reasoning"
  | "tokens_audio_input"
  | "tokens_audio_output";

export type Tokens = Partial<Record<TokenField, number>>;

/** How one direction is named. */
interface Direction {
  whole: "tokens_input" | "tokens_output";
  /** The part that has no name of its own, where parts stand beside each other. */
  rest: string;
  /** The whole of a provider; the first includes its parts, whatever stands beside it. */
  wholes: readonly [string, string];
  /** Objects with parts of the whole. */
  details: readonly string[];
  part: RegExp;
  kinds: readonly [RegExp, TokenField][];
}

const input: Direction = {
  whole: "tokens_input",
  rest: "input",
  wholes: ["prompt_tokens", "input_tokens"],
  details: ["prompt_tokens_details", "input_tokens_details", "input_token_details"],
  part: /^input_(?!tokens$)|^cache_.*input|^cached_modality_/,
  kinds: [
    [/cache_?creation|cache_?write|ephemeral/, "tokens_cache_write"],
    [/cache/, "tokens_cache_read"],
    [/audio/, "tokens_audio_input"],
  ],
};

const output: Direction = {
  whole: "tokens_output",
  rest: "output",
  wholes: ["completion_tokens", "output_tokens"],
  details: ["completion_tokens_details", "output_tokens_details", "output_token_details"],
  part: /^output_(?!tokens$)/,
  kinds: [[/reason|thought/, "tokens_reasoning"], [/audio/, "tokens_audio_output"]],
};

/** Counts of a tier, not of a part: the tokens are among the others too. */
const tier = /^(input|output)_priority(_|$)/;
const hour = /(^|_)1h(_|$)/;

/** Nothing is made up: what is not told is absent. */
export function tokensOf(details: unknown): Tokens {
  if (!isFields(details)) return {};
  return { ...directionOf(details, input), ...directionOf(details, output) };
}

function directionOf(details: Fields, direction: Direction): Tokens {
  const rest = countOf(details[direction.rest]);
  const whole = direction.wholes.map((name) => countOf(details[name]))
    .find((count) => count !== undefined);
  const nested = direction.details.map((name) => details[name]).find(isFields);
  const parts = partsOf(details, nested, direction);
  const tokens: Tokens = {};
  for (const [name, count] of parts) {
    const [, field] = direction.kinds.find(([pattern]) => pattern.test(name)) ?? [];
    if (field === undefined) continue;
    tokens[field] = (tokens[field] ?? 0) + count;
    if (field === "tokens_cache_write" && hour.test(name)) {
      tokens.tokens_cache_write_1h = (tokens.tokens_cache_write_1h ?? 0) + count;
    }
  }
  // Beside a whole without a prefix it is a remark: nothing is added up.
  const remark = countOf(details.reasoning_tokens) ?? countOf(details.thoughts_tokens);
  if (direction === output && remark !== undefined) tokens.tokens_reasoning ??= remark;
  const sum = parts.reduce((total, [, count]) => total + count, 0);
  const includes = nested !== undefined || countOf(details[direction.wholes[0]]) !== undefined;
  if (rest !== undefined) tokens[direction.whole] = rest + sum;
  else if (whole !== undefined) tokens[direction.whole] = includes ? whole : whole + sum;
  else if (parts.length > 0) tokens[direction.whole] = sum;
  return tokens;
}

/** Each token once: the whole of a cache's lifetimes stands beside them under a name of its own. */
function partsOf(details: Fields, nested: Fields | undefined, direction: Direction) {
  const named = (fields: Fields, chosen: (name: string) => boolean) =>
    Object.entries(fields).map(([name, count]) => [name, countOf(count)] as const)
      .filter((part): part is [string, number] => part[1] !== undefined && chosen(part[0]));
  const hasWhole = countOf(details.cache_creation_input_tokens) !== undefined;
  const flat = named(
    details,
    (name) => direction.part.test(name) && !tier.test(name),
  );
  const lifetimes = flat.filter(([name]) => name.startsWith("cache_creation_ephemeral_"));
  if (!hasWhole || lifetimes.length === 0) {
    return [...flat, ...nested === undefined ? [] : named(nested, () => true)];
  }
  const known = lifetimes.reduce((total, [, count]) => total + count, 0);
  const all = countOf(details.cache_creation_input_tokens)!;
  return flat.filter(([name]) => name !== "cache_creation_input_tokens")
    .concat(all > known ? [["cache_creation_input_tokens", all - known]] : []);
}

/** The total, or the sum of the parts; absent when nothing is told. */
export function costOf(details: unknown): number | undefined {
  if (!isFields(details)) return undefined;
  const total = priceOf(details.total);
  if (total !== undefined) return total;
  const parts = Object.values(details).map(priceOf).filter((usd) => usd !== undefined);
  return parts.length === 0 ? undefined : parts.reduce((sum, usd) => sum + usd, 0);
}

/** `usage` of SDKs before `usageDetails`: it may count characters or seconds. */
export function tokensOfUsage(usage: unknown): Tokens {
  if (!isFields(usage)) return {};
  const { unit } = usage;
  if (typeof unit === "string" && unit !== "TOKENS") return {};
  const { promptTokens, completionTokens, inputTokens, outputTokens, ...others } = usage;
  return tokensOf({
    ...others,
    input: others.input ?? promptTokens ?? inputTokens,
    output: others.output ?? completionTokens ?? outputTokens,
  });
}

export function costOfUsage(usage: unknown): number | undefined {
  if (!isFields(usage)) return undefined;
  return costOf({ total: usage.totalCost, input: usage.inputCost, output: usage.outputCost });
}

function countOf(value: unknown): number | undefined {
  const count = typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof count === "number" && Number.isSafeInteger(count) && count >= 0 ? count : undefined;
}

function priceOf(value: unknown): number | undefined {
  const usd = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof usd === "number" && Number.isFinite(usd) && usd >= 0 ? usd : undefined;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
