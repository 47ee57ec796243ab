// Langfuse's usage details, as its SDKs and their integrations send them, counted once.
import { expect, test } from "bun:test";
import { costOf, costOfUsage, tokensOf, tokensOfUsage } from "../../src/receive/langfuse_usage.ts";

type Case = [name: string, details: unknown, expected: object];

const cases: Case[] = [
  ["input and output", { input: 100, output: 20, total: 120 }, {
    tokens_input: 100,
    tokens_output: 20,
  }],
  [
    "parts beside each other",
    {
      input: 10,
      input_cached_tokens: 30,
      input_audio_tokens: 2,
      output: 5,
      output_reasoning_tokens: 7,
    },
    {
      tokens_input: 42,
      tokens_cache_read: 30,
      tokens_audio_input: 2,
      tokens_output: 12,
      tokens_reasoning: 7,
    },
  ],
  [
    "chat completions of OpenAI, as they came",
    {
      prompt_tokens: 40,
      completion_tokens: 12,
      total_tokens: 52,
      prompt_tokens_details: { cached_tokens: 30, audio_tokens: 2 },
      completion_tokens_details: { reasoning_tokens: 7, audio_tokens: 1 },
    },
    {
      tokens_input: 40,
      tokens_cache_read: 30,
      tokens_audio_input: 2,
      tokens_output: 12,
      tokens_reasoning: 7,
      tokens_audio_output: 1,
    },
  ],
  [
    "responses of OpenAI, as they came",
    {
      input_tokens: 40,
      input_tokens_details: { cached_tokens: 30 },
      output_tokens: 12,
      output_tokens_details: { reasoning_tokens: 7 },
      total_tokens: 52,
    },
    { tokens_input: 40, tokens_cache_read: 30, tokens_output: 12, tokens_reasoning: 7 },
  ],
  [
    "messages of Anthropic, whose input excludes the cache",
    {
      input_tokens: 10,
      cache_read_input_tokens: 30,
      cache_creation_input_tokens: 5,
      output_tokens: 12,
    },
    { tokens_input: 45, tokens_cache_read: 30, tokens_cache_write: 5, tokens_output: 12 },
  ],
  [
    "lifetimes of a cache beside their whole",
    {
      input: 10,
      cache_creation_input_tokens: 100,
      cache_creation_ephemeral_5m_input_tokens: 60,
      cache_creation_ephemeral_1h_input_tokens: 40,
      output: 1,
    },
    {
      tokens_input: 110,
      tokens_cache_write: 100,
      tokens_cache_write_1h: 40,
      tokens_output: 1,
    },
  ],
  [
    "LangChain's names, with a tier that counts them again",
    {
      input: 10,
      input_cache_read: 30,
      input_priority: 40,
      input_ephemeral_1h_input_tokens: 4,
      output: 5,
      output_reasoning: 2,
      total: 51,
    },
    {
      tokens_input: 44,
      tokens_cache_read: 30,
      tokens_cache_write: 4,
      tokens_cache_write_1h: 4,
      tokens_output: 7,
      tokens_reasoning: 2,
    },
  ],
  ["text", { input: "12", output: "x" }, { tokens_input: 12 }],
  ["a total alone is neither", { total: 9 }, {}],
  ["reasoning beside the whole", { input_tokens: 1, output_tokens: 9, reasoning_tokens: 4 }, {
    tokens_input: 1,
    tokens_output: 9,
    tokens_reasoning: 4,
  }],
  ["numbers that are none", { input: -1, output: 1.5, input_cached_tokens: null }, {}],
  ["a list", [1], {}],
  ["nothing", null, {}],
];
for (const [name, details, expected] of cases) {
  test(`langfuse usage: ${name}`, () => expect(tokensOf(details)).toEqual(expected));
}

const older: Case[] = [
  ["as OpenAI's", { promptTokens: 3, completionTokens: 2, totalTokens: 5 }, {
    tokens_input: 3,
    tokens_output: 2,
  }],
  ["in tokens", { input: 3, output: 2, unit: "TOKENS" }, { tokens_input: 3, tokens_output: 2 }],
  ["in characters, which are no tokens", { input: 300, unit: "CHARACTERS" }, {}],
];
for (const [name, usage, expected] of older) {
  test(`langfuse usage: older, ${name}`, () => expect(tokensOfUsage(usage)).toEqual(expected));
}

test("langfuse usage: a cost is the total, or the sum of its parts", () => {
  expect(costOf({ total: 0.5, input: 0.1 })).toBe(0.5);
  expect(costOf({ input: 0.25, output: 0.5 })).toBe(0.75);
  expect(costOf({ input: -1 })).toBeUndefined();
  expect(costOf({})).toBeUndefined();
  expect(costOfUsage({ totalCost: 0.5 })).toBe(0.5);
  expect(costOfUsage({ inputCost: 0.25, outputCost: 0.5 })).toBe(0.75);
});
