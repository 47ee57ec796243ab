// A provider and a model as producers name them → the card whose price it is.
import { describe, expect, test } from "bun:test";
import { modelCandidates, nameCharactersMax } from "../../src/price/names.ts";
import { Resolver } from "../../src/price/resolve.ts";
import { embeddedTable, type Rule } from "../../src/price/table.ts";
import { patternOf } from "../../src/price/match.ts";
import { checks } from "../check.ts";

const resolver = new Resolver(embeddedTable());

const check = checks("card", ([provider, model]: [string | undefined, string]) => {
  const found = resolver.resolve(provider, model);
  if (found === null) return null;
  return found.elsewhere ? `${found.card.id}, elsewhere` : found.card.id;
});

// What each producer calls the same provider.
check("OpenAI", ["openai", "gpt-4o"], "openai/gpt-4o");
check("OpenAI, by its dated name", ["openai", "gpt-4o-2024-08-06"], "openai/gpt-4o");
check(
  "a dated name with its own price",
  ["openai", "gpt-4o-2024-05-13"],
  "openai/gpt-4o-2024-05-13",
);
check("Vercel's name for OpenAI", ["openai.responses", "o3"], "openai/o3");
check("Vercel's name for Gemini", [
  "google.generative-ai",
  "gemini-2.0-flash",
], "google/gemini-2.0-flash");
check("OpenTelemetry's name for Gemini", [
  "gcp.gemini",
  "models/gemini-2.5-pro",
], "google/gemini-2.5-pro");
check("Vertex, with its date", [
  "gcp.vertex_ai",
  "claude-sonnet-4@20250514",
], "google/claude-4-sonnet");
check("xAI", ["x_ai", "grok-4"], "x-ai/grok-4-0709");
check("Mistral", ["mistral_ai", "mistral-large-latest"], "mistral/mistral-large");
check("Azure sells OpenAI's models", ["azure.ai.openai", "gpt-4o"], "openai/gpt-4o");
check("Azure's own price", ["azure_ai", "DeepSeek-R1"], "azure/deepseek-r1");
check("Moonshot", ["moonshot_ai", "kimi-k2.6"], "moonshotai/kimi-k2.6");
check("Alibaba", ["alibaba", "qwen-plus"], "dashscope/qwen-plus");
check("case and space", [" OpenAI ", " GPT-4o "], "openai/gpt-4o");

// Bedrock: a region costs more than the whole world.
check(
  "Bedrock in a region",
  ["aws.bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"],
  "aws/regional.anthropic.claude-sonnet-4-5-20250929-v1:0",
);
check(
  "Bedrock anywhere",
  ["aws.bedrock", "global.anthropic.claude-sonnet-4-5-20250929-v1:0"],
  "aws/global.anthropic.claude-sonnet-4-5-20250929-v1:0",
);
check(
  "Bedrock's ARN",
  [
    "bedrock",
    "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-opus-4-1-20250805-v1:0",
  ],
  "aws/regional.anthropic.claude-opus-4-1-20250805-v1:0",
);
check(
  "Bedrock without a provider",
  [undefined, "us.amazon.nova-micro-v1:0"],
  "aws/amazon.nova-micro-v1:0",
);
check(
  "Bedrock with a plain name",
  ["aws.bedrock", "claude-sonnet-4-5"],
  "anthropic/claude-sonnet-4-5, elsewhere",
);

// Nobody is named.
check("by its name", [undefined, "gpt-5"], "openai/gpt-5");
check("a name that belongs to no rule", [
  undefined,
  "text-embedding-3-small",
], "openai/text-embedding-3-small");
check("the way there", [undefined, "groq/llama-3.3-70b-versatile"], "groq/llama-3.3-70b-versatile");
check(
  "a longer way",
  [undefined, "openrouter/anthropic/claude-sonnet-4.5"],
  "openrouter/anthropic/claude-sonnet-4.5",
);
check("a dot for a dash", ["anthropic", "claude-sonnet-4.5"], "anthropic/claude-sonnet-4-5");
check("an unknown provider", ["langchain", "gpt-4o-mini"], "openai/gpt-4o-mini, elsewhere");
check(
  "a gateway that speaks like OpenAI",
  ["openai", "anthropic/claude-3-5-sonnet-20241022"],
  "anthropic/claude-3-5-sonnet, elsewhere",
);
check("free on OpenRouter", ["openrouter", "qwen/qwen3-coder:free"], "openrouter/:free");

// Nothing is guessed.
check("unknown", [undefined, "my-fine-model"], null);
check("the user's own machine", ["ollama", "deepseek-r1"], null);
check("the user's own machine, on the way", [undefined, "ollama/deepseek-r1"], null);
check("a host of open models that lacks this one", ["groq", "deepseek-chat"], null);
check("a tuned model", [
  "openai",
  "ft:gpt-4.1-2025-04-14:acme::a1b2",
], "openai/ft:gpt-4.1-2025-04-14");
check("OpenRouter's choice of a host", [
  "openrouter",
  "anthropic/claude-sonnet-4.5:nitro",
], "openrouter/anthropic/claude-sonnet-4.5");
check("Hugging Face, which may be a local pipeline", [
  "huggingface",
  "deepseek-ai/DeepSeek-R1",
], null);
check("Hugging Face's router names the host", [
  "huggingface_together",
  "deepseek-ai/DeepSeek-R1",
], "huggingface_together/deepseek-ai/DeepSeek-R1");
check("no name", ["openai", ""], null);
check("too long a name", ["openai", "gpt-4o".padEnd(nameCharactersMax + 1, "x")], null);
check("a name of an object", ["__proto__", "constructor"], null);

describe("a name with *", () => {
  test.each([
    ["gpt-4o", "gpt-4o", true],
    ["gpt-4o", "gpt-4o-mini", false],
    ["gpt-4o*", "gpt-4o-mini", true],
    ["*-mini", "gpt-4o-mini", true],
    ["*4o*", "gpt-4o-mini", true],
    ["a*a", "a", false],
    ["a*b*c", "a-b-b-c", true],
    ["a*b*c", "a-c-b", false],
    ["*", "anything", true],
    ["GPT*", "gpt-5", true],
  ])("%s and %s: %p", (pattern, name, expected) => {
    expect(patternOf(pattern)(name.toLowerCase())).toBe(expected);
  });
});

test("the table's expressions take linear time, and so does a hostile name", () => {
  const expressions: string[] = [];
  const collect = (rule: Rule): void => {
    if (typeof rule === "string") return;
    if (Array.isArray(rule)) return rule.forEach(collect);
    if ("regex" in rule) expressions.push(rule.regex);
    if ("all" in rule) rule.all.forEach(collect);
  };
  for (const { names, owns, models } of embeddedTable().providers) {
    for (const rule of [names, owns, ...models.map(({ match }) => match)]) {
      if (rule !== undefined) collect(rule);
    }
  }
  expect(expressions.length).toBeGreaterThan(10);
  // No repetition of a repetition: what is left is linear, or as long as its look-ahead.
  expect(expressions.filter((one) => /[*+}]\)?[*+{]/.test(one))).toEqual([]);
  const hostile = ["a".repeat(128), "-tts".repeat(32), "a-/1.".repeat(25), "1-1.1".repeat(25)];
  const started = performance.now();
  for (let at = 0; at < 100; at++) {
    for (const name of hostile) {
      resolver.resolve("aws", name + at);
      resolver.resolve(undefined, name.slice(3) + at);
    }
  }
  // Generous, as other programs run beside this one: a fraction of a millisecond is usual.
  expect((performance.now() - started) / 800).toBeLessThan(10);
});

test("candidates are few, and none repeats", () => {
  const names = modelCandidates("a/b/c/us.anthropic.claude-sonnet-4.5-20250929-v1:0@x-latest")
    .map(({ name }) => name);
  expect(names.length).toBeLessThanOrEqual(16);
  expect(new Set(names).size).toBe(names.length);
});
