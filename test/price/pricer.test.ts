// What a call costs: by date, context, service tier and kind of token, and when it stays unknown.
import { describe, expect, test } from "bun:test";
import type { Event } from "../../src/event.ts";
import { Prices } from "../../src/price/pricer.ts";
import type { CostDetails } from "../../src/price/quote.ts";
import { checks } from "../check.ts";
import { call, plain } from "./fixture.ts";
import usage from "./usage.json" with { type: "json" };

function priced(fields: Partial<Event>): Event {
  const event = call(fields);
  plain.price(event);
  return event;
}

const details = (event: Event) => event.cost_details as unknown as CostDetails;

/** US dollars: tokens times the price of a million, added up. */
const bill = (...lines: [number, number][]) =>
  lines.reduce((sum, [tokens, price]) => sum + tokens * price / 1e6, 0);

function isClose(one: number | undefined, other: number): void {
  expect(one).toBeDefined();
  expect(Math.abs(one! - other)).toBeLessThanOrEqual(1e-9 * other);
}

describe("bills worked out by hand", () => {
  const rows: [string, Partial<Event>, number][] = [
    [
      "input and output",
      { model: "gpt-4o", tokens_input: 1000, tokens_output: 100 },
      bill([
        1000,
        2.5,
      ], [100, 10]),
    ],
    [
      "cached input is cheaper",
      { model: "gpt-4o", tokens_input: 1000, tokens_cache_read: 800, tokens_output: 100 },
      bill([200, 2.5], [800, 1.25], [100, 10]),
    ],
    [
      "writes to a cache, for minutes and for an hour",
      {
        model: "claude-opus-4-7",
        tokens_input: 1000,
        tokens_cache_read: 100,
        tokens_cache_write: 700,
        tokens_cache_write_1h: 300,
        tokens_output: 10,
      },
      bill([200, 5], [100, 0.5], [400, 6.25], [300, 10], [10, 25]),
    ],
    [
      "before a price changed",
      {
        model: "o3",
        timestamp: "2025-06-09T23:59:59.999999Z",
        tokens_input: 1000,
        tokens_output: 9,
      },
      bill([1000, 10], [9, 40]),
    ],
    [
      "after it changed",
      {
        model: "o3",
        timestamp: "2025-06-10T00:00:00.000000Z",
        tokens_input: 1000,
        tokens_output: 9,
      },
      bill([1000, 2], [9, 8]),
    ],
    [
      "a short context",
      { model: "gemini-2.5-pro", tokens_input: 200_000, tokens_output: 1000 },
      bill([200_000, 1.25], [1000, 10]),
    ],
    [
      "one token longer, and all of it costs more",
      { model: "gemini-2.5-pro", tokens_input: 200_001, tokens_output: 1000 },
      bill([200_001, 2.5], [1000, 15]),
    ],
    [
      "a long context that ended on a day: the last day of it",
      {
        model: "claude-opus-4-6",
        timestamp: "2026-03-12T12:00:00.000000Z",
        tokens_input: 300_000,
        tokens_output: 1000,
      },
      bill([300_000, 10], [1000, 37.5]),
    ],
    [
      "and the day after",
      {
        model: "claude-opus-4-6",
        timestamp: "2026-03-13T00:00:00.000000Z",
        tokens_input: 300_000,
        tokens_output: 1000,
      },
      bill([300_000, 5], [1000, 25]),
    ],
    [
      "a long context of mostly cached input counts whole",
      {
        model: "gemini-2.5-pro",
        tokens_input: 250_000,
        tokens_cache_read: 240_000,
        tokens_output: 1,
      },
      bill([10_000, 2.5], [240_000, 0.25], [1, 15]),
    ],
    [
      "batch",
      {
        model: "claude-opus-4-7",
        service_tier: "batch",
        tokens_input: 1000,
        tokens_cache_read: 500,
        tokens_output: 100,
      },
      bill([500, 2.5], [500, 0.25], [100, 12.5]),
    ],
    [
      "flex",
      { model: "o3", service_tier: "flex", tokens_input: 1000, tokens_output: 100 },
      bill([1000, 1], [100, 4]),
    ],
    [
      "priority",
      { model: "gpt-4o", service_tier: "priority", tokens_input: 1000, tokens_output: 100 },
      bill([1000, 4.25], [100, 17]),
    ],
    [
      "fast is twice the price",
      { model: "claude-opus-5", service_tier: "fast", tokens_input: 1000, tokens_output: 100 },
      bill([1000, 10], [100, 50]),
    ],
    [
      "cached input in a batch, where only the input has a price of its own",
      {
        model: "gpt-4o",
        service_tier: "batch",
        tokens_input: 1000,
        tokens_cache_read: 1000,
        tokens_output: 1,
      },
      bill([1000, 0.625], [1, 5]),
    ],
    [
      "audio",
      {
        model: "gpt-4o-audio-preview",
        tokens_input: 1000,
        tokens_audio_input: 900,
        tokens_output: 200,
        tokens_audio_output: 150,
      },
      bill([100, 2.5], [900, 40], [50, 10], [150, 80]),
    ],
    [
      "reasoning with a price of its own",
      {
        provider: "perplexity",
        model: "sonar-deep-research",
        tokens_input: 1000,
        tokens_output: 1000,
        tokens_reasoning: 600,
      },
      bill([1000, 2], [400, 8], [600, 3]),
    ],
    [
      "hours of the day",
      {
        model: "deepseek-chat",
        timestamp: "2025-05-01T17:00:00.000000Z",
        tokens_input: 1000,
        tokens_output: 100,
      },
      bill([1000, 0.135], [100, 0.55]),
    ],
    [
      "a busy hour of a working day",
      {
        model: "deepseek-v4-pro",
        timestamp: "2026-09-04T07:00:00.000000Z",
        tokens_input: 1000,
        tokens_output: 100,
      },
      bill([1000, 1.32], [100, 3.96]),
    ],
    [
      "the same hour on a Saturday",
      {
        model: "deepseek-v4-pro",
        timestamp: "2026-09-05T07:00:00.000000Z",
        tokens_input: 1000,
        tokens_output: 100,
      },
      bill([1000, 0.66], [100, 1.98]),
    ],
    [
      "an embedding has no output",
      { model: "text-embedding-3-small", tokens_input: 8000 },
      bill([8000, 0.02]),
    ],
    [
      "one region costs more than the whole world",
      {
        provider: "aws.bedrock",
        model: "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
        tokens_input: 1000,
        tokens_output: 100,
      },
      bill([1000, 3.3], [100, 16.5]),
    ],
    ["no tokens cost nothing", { model: "gpt-4o", tokens_input: 0, tokens_output: 0 }, 0],
  ];
  test.each(rows)("%s", (_, fields, usd) => {
    const event = priced(fields);
    isClose(event.cost_estimate_usd, usd);
    const { parts } = details(event);
    expect(Object.values(parts).reduce((sum, part) => sum + part, 0)).toBe(
      event.cost_estimate_usd!,
    );
  });
});

describe("what an event keeps", () => {
  const check = checks("details", (fields: Partial<Event>) => {
    const event = priced(fields);
    const { parts: _, ...rest } = details(event);
    return rest;
  });
  const source = "genai-prices 0.1.8, litellm 1.109.1";
  check("the card, its day and its tier", {
    provider: "openai",
    model: "gpt-5.6-sol",
    tokens_input: 300_000,
    tokens_output: 1,
    service_tier: "batch",
  }, {
    price: "openai/gpt-5.6-sol",
    source,
    valid_from: "2026-08-21",
    tier: { service: "batch", context_above: 271_999 },
    notes: [],
  });
  check("what had to be mended", {
    provider: "langchain",
    model: "deployment-7",
    model_requested: "gpt-4o",
    tokens_input: 10,
    tokens_cache_read: 100,
    service_tier: "scale",
  }, {
    price: "openai/gpt-4o",
    source,
    valid_from: null,
    tier: { service: "standard", context_above: 0 },
    notes: [
      "priced_by_model_requested",
      "provider_ignored",
      "tokens_output_unknown",
      "cache_added_to_input",
      "service_tier_without_price",
    ],
  });
});

describe("unknown stays unknown", () => {
  const check = checks("estimate", (fields: Partial<Event>) => {
    const event = priced(fields);
    return [event.cost_estimate_usd, event.cost_details];
  });
  const nothing = [undefined, undefined];
  check("no tokens counted", { model: "gpt-4o" }, nothing);
  check("no model", { tokens_input: 1, tokens_output: 1 }, nothing);
  check("unknown model", { model: "my-model", tokens_input: 1, tokens_output: 1 }, nothing);
  check("included in a subscription", {
    provider: "github-copilot",
    model: "gpt-4o",
    tokens_input: 1,
    tokens_output: 1,
  }, nothing);
  check("a kind of token without a price", {
    model: "text-embedding-3-small",
    tokens_input: 1,
    tokens_output: 1,
  }, nothing);
  check("not a model call", {
    event_type: "agent_step",
    model: "gpt-4o",
    tokens_input: 1,
    tokens_output: 1,
  }, nothing);
  check("the producer's own estimate stands", {
    model: "gpt-4o",
    tokens_input: 1,
    tokens_output: 1,
    cost_estimate_usd: 7,
  }, [7, undefined]);
});

test("the producer's report is kept beside", () => {
  const event = priced({ model: "gpt-4o", tokens_input: 1e6, cost_reported_usd: 9 });
  expect([event.cost_estimate_usd, event.cost_reported_usd]).toEqual([2.5, 9]);
});

describe("recorded usage costs what the vendor's price list says", () => {
  const rows = [...usage.exchanges, ...usage.traces].map((row) => [row.source, row] as const);
  test.each(rows)("%s", (_, { source: _source, bill: lines, ...fields }) => {
    isClose(
      priced(fields as Partial<Event>).cost_estimate_usd,
      bill(...lines as [number, number][]),
    );
  });

  test("another product says the same, but where its price for a model was set by hand", () => {
    const differing = usage.traces.filter(({ told_usd, source: _, bill: _bill, ...fields }) => {
      const usd = priced(fields).cost_estimate_usd!;
      return Math.abs(usd - told_usd) > 1e-5 * told_usd;
    });
    expect(differing.map(({ source }) => source)).toEqual([
      "langgraph-python-2025-08-22.trace.json#4f6535aa",
      "langgraph-python-2025-08-22.trace.json#5ba09605",
    ]);
  });
});

test("names that nobody has take no memory for good", () => {
  const pricer = new Prices(() => null).of("shop");
  const before = process.memoryUsage().heapUsed;
  for (let at = 0; at < 20_000; at++) {
    pricer.price(call({ model: `hostile-${at}`.padEnd(120, "x"), tokens_input: 1 }));
  }
  Bun.gc(true);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(16 * 1024 * 1024);
  const event = call({ model: "gpt-4o", tokens_input: 1e6 });
  pricer.price(event);
  expect(event.cost_estimate_usd).toBe(2.5);
});
