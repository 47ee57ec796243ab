// `watchllm price <model> --input 1000`: what a call costs, to check a bill without a server. A
// project's own prices count when it is named.
import { type Call as Counts, customPricesSetting, Prices } from "../price/pricer.ts";
import type { Quote, UnpricedReason } from "../price/quote.ts";
import { parseTimestamp, timestampOf } from "../receive/timestamp.ts";
import { systemClock } from "../std/clock.ts";
import { type Call, exitCodes, Failure } from "./command.ts";
import { chooseProject, withState } from "./open_state.ts";
import { print, tableText } from "./output.ts";

/** Flag → field of the event. */
const counts = {
  "input": "tokens_input",
  "output": "tokens_output",
  "cache-read": "tokens_cache_read",
  "cache-write": "tokens_cache_write",
  "cache-write-1h": "tokens_cache_write_1h",
  "reasoning": "tokens_reasoning",
  "audio-input": "tokens_audio_input",
  "audio-output": "tokens_audio_output",
} as const;

const reasons: Readonly<Record<UnpricedReason, string>> = {
  no_tokens: "Say how many tokens: --input 1000 --output 200.",
  no_model: "Name a model.",
  unknown_model: "No price is known for this model.",
  not_yet_priced: "This model had no price yet at that time.",
  unpriced_unit: "One kind of these tokens has no price for this model.",
};

export async function run(call: Call): Promise<number> {
  const { options } = call;
  const asked: Counts = { model: call.arguments[0]!, timestamp: timeOf(options.get("at")) };
  const provider = options.get("provider");
  const tier = options.get("tier");
  if (provider !== undefined) asked.provider = provider;
  if (tier !== undefined) asked.service_tier = tier;
  for (const [flag, field] of Object.entries(counts)) {
    const text = options.get(flag);
    if (text !== undefined) asked[field] = countOf(flag, text);
  }
  const custom = await customOf(call);
  const quote = new Prices(() => custom).of("").quote(asked);
  if (typeof quote === "string") throw new Failure(reasons[quote]);
  await print(options.get("format") === "json" ? jsonOf(asked, quote) : textOf(quote));
  return exitCodes.done;
}

async function customOf({ config, options }: Call): Promise<unknown> {
  const named = options.get("project");
  if (named === undefined) return null;
  return await withState(
    config,
    (state) => Promise.resolve(state.setting(chooseProject(state, named), customPricesSetting)),
  );
}

function timeOf(text: string | undefined): string {
  if (text === undefined) return timestampOf(systemClock.nowMs());
  const time = parseTimestamp(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text);
  if (time !== null) return time.text;
  throw new Failure(
    "--at takes a time such as 2026-01-31 or 2026-01-31T12:00:00Z.",
    exitCodes.usage,
  );
}

function countOf(flag: string, text: string): number {
  const count = Number(text.replaceAll("_", ""));
  if (text !== "" && Number.isSafeInteger(count) && count >= 0) return count;
  throw new Failure(`--${flag} takes a number of tokens, not "${text}".`, exitCodes.usage);
}

function jsonOf({ timestamp }: Counts, { usd, details }: Quote): string {
  return JSON.stringify({ at: timestamp, cost_usd: usd, cost_details: details }, null, 2);
}

function textOf({ usd, details }: Quote): string {
  const { price, source, valid_from, tier, parts, notes } = details;
  const rows = Object.entries(parts).map(([kind, part]) => [kind, dollars(part)]);
  const context = tier.context_above > 0 ? `, context above ${tier.context_above} tokens` : "";
  return [
    tableText(["part", "USD"], [...rows, ["total", dollars(usd)]]),
    "",
    `${price} by ${source}${valid_from === null ? "" : `, since ${valid_from}`}`,
    `${tier.service} tier${context}`,
    ...notes.map((note) => note.replaceAll("_", " ")),
  ].join("\n");
}

/** Enough digits for a single token, without an exponent. */
function dollars(usd: number): string {
  return usd.toFixed(10).replace(/0{1,6}$/, "");
}
