// Thousands of calls priced by us and by @pydantic/genai-prices, whose data the table is made from.
// Where the two differ, the reason is one of a list.
import { calcPrice, type MatchLogic, type Provider, waitForUpdate } from "@pydantic/genai-prices";
import { expect, test } from "bun:test";
import type { Event } from "../../src/event.ts";
import type { UnpricedReason } from "../../src/price/quote.ts";
import { embeddedTable, type ModelRow } from "../../src/price/table.ts";
import { random } from "../../scripts/bench/events.ts";
import { call, plain } from "./fixture.ts";

const rows = new Map<string, ModelRow>(
  embeddedTable().providers.flatMap((provider) =>
    provider.models.map((model) => [`${provider.id}/${model.id}`, model] as const)
  ),
);

/** A name that the rule matches; null when it takes more than one condition. */
function nameOf(rule: MatchLogic): string | null {
  if ("equals" in rule) return rule.equals;
  if ("starts_with" in rule) return rule.starts_with;
  if ("ends_with" in rule) return rule.ends_with;
  if ("contains" in rule) return rule.contains;
  if ("or" in rule) return rule.or.map(nameOf).find((name) => name !== null) ?? null;
  if ("and" in rule) return rule.and.map(nameOf).find((name) => name !== null) ?? null;
  return null;
}

const timestamps = [
  "2025-01-15T03:30:00.000000Z",
  "2025-08-01T20:15:00.000000Z",
  "2026-03-12T23:59:59.999999Z",
  "2026-03-13T00:00:00.000000Z",
  "2026-08-30T07:00:00.000000Z",
  "2026-11-01T16:30:00.000000Z",
];

/** Counts as a well-behaved producer sends them; above a long context one time in four. */
function countsOf(next: () => number): Partial<Event> {
  const upTo = (most: number) => Math.floor(next() * (most + 1));
  const tokens_input = next() < 0.25 ? 128_000 + upTo(300_000) : upTo(20_000);
  const tokens_output = upTo(5000);
  const tokens_cache_read = next() < 0.5 ? upTo(tokens_input) : 0;
  const tokens_cache_write = next() < 0.3 ? upTo(tokens_input - tokens_cache_read) : 0;
  return {
    tokens_input,
    tokens_output,
    tokens_cache_read,
    tokens_cache_write,
    tokens_cache_write_1h: next() < 0.5 ? upTo(tokens_cache_write) : 0,
    tokens_reasoning: next() < 0.3 ? upTo(tokens_output) : 0,
    // Counts of audio exclude what was cached, as the library asks for both.
    tokens_audio_input: next() < 0.2
      ? upTo(tokens_input - tokens_cache_read - tokens_cache_write)
      : 0,
  };
}

function theirs(model: string, provider: Provider, event: Event): number | null | "refused" {
  const usage = {
    input_tokens: event.tokens_input,
    output_tokens: event.tokens_output,
    cache_read_tokens: event.tokens_cache_read,
    cache_write_tokens: event.tokens_cache_write,
    cache_write_1h_tokens: event.tokens_cache_write_1h,
    output_reasoning_tokens: event.tokens_reasoning,
    input_audio_tokens: event.tokens_audio_input,
    output_audio_tokens: 0,
    cache_audio_read_tokens: 0,
    cache_audio_write_tokens: 0,
    output_image_tokens: 0,
    input_image_tokens: 0,
    cache_image_read_tokens: 0,
    input_video_tokens: 0,
    output_video_tokens: 0,
  };
  try {
    const options = { providerId: provider.id, timestamp: new Date(event.timestamp) };
    return calcPrice(usage, model, options)?.total_price ?? null;
  } catch {
    return "refused";
  }
}

/** Why the two may differ; null when they may not. */
function explain(
  event: Event,
  card: string | UnpricedReason,
  found: ReturnType<typeof theirs>,
): string | null {
  if (found === "refused") return "the library refuses these counts";
  if (found === 0 && card === "unknown_model") return "no price is not free of charge";
  if (found === 0 && card === "openrouter/:free") return null;
  if (card === "unpriced_unit") return "the library takes a kind without price for free";
  if (card === "not_yet_priced") return "the library takes the first price for older calls";
  const row = rows.get(card);
  if (row === undefined) return "the second source has this very name";
  if (/^deepseek\/deepseek-(chat|reasoner)$/.test(card) && event.timestamp >= "2025-09-05") {
    return "DeepSeek's prices since September 2025";
  }
  if (/^deepseek\/deepseek-v4/.test(card) && event.timestamp < "2026-08-17") {
    return "DeepSeek's hours began on a day";
  }
  if (/^deepseek\/deepseek-v4/.test(card) && /^2026-08-30/.test(event.timestamp)) {
    return "DeepSeek has no busy hours at weekends";
  }
  if (row.periods.some(({ added }) => added !== undefined)) return "completed by the second source";
  return null;
}

test("we agree with the library, or say why not", async () => {
  const providers = (await waitForUpdate())!;
  const next = random(20260131);
  const reasons = new Map<string, number>();
  const unexplained: unknown[] = [];
  let compared = 0;
  for (const provider of providers) {
    for (const { match } of provider.models) {
      const model = nameOf(match);
      if (model === null) continue;
      for (const timestamp of timestamps) {
        const event = call({ provider: provider.id, model, timestamp, ...countsOf(next) });
        const found = theirs(model, provider, event);
        const quote = plain.quote(event);
        compared++;
        const ours = typeof quote === "string" ? null : quote.usd;
        if (typeof found !== "string" && isClose(ours, found)) continue;
        const reason = explain(
          event,
          typeof quote === "string" ? quote : quote.details.price,
          found,
        );
        if (reason === null) unexplained.push({ event, quote, found });
        else reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      }
    }
  }
  expect(unexplained.slice(0, 5)).toEqual([]);
  expect(compared).toBeGreaterThan(9000);
  expect([...reasons.keys()].sort()).toEqual([
    "DeepSeek has no busy hours at weekends",
    "DeepSeek's hours began on a day",
    "DeepSeek's prices since September 2025",
    "completed by the second source",
    "no price is not free of charge",
    "the library takes a kind without price for free",
    "the second source has this very name",
  ]);
  // A few of every hundred, and no more of them than there are today.
  const explained = [...reasons.values()].reduce((sum, count) => sum + count);
  expect(explained / compared).toBeLessThan(0.07);
});

function isClose(one: number | null, other: number | null): boolean {
  if (one === null || other === null) return one === other;
  return Math.abs(one - other) <= 1e-9 * Math.max(one, other);
}
