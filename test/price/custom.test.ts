// A project's own prices come before the table's.
import { describe, expect, test } from "bun:test";
import { z } from "zod";
import type { Event } from "../../src/event.ts";
import { type CustomPrice, customPricesSchema } from "../../src/price/custom.ts";
import { Prices } from "../../src/price/pricer.ts";
import { checks } from "../check.ts";
import { call } from "./fixture.ts";

type Asked = [CustomPrice[], Partial<Event>];

const check = checks("custom price", ([custom, fields]: Asked) => {
  const prices = customPricesSchema.parse(custom);
  const quote = new Prices(() => prices).of("shop").quote(call(fields));
  return typeof quote === "string" ? quote : [quote.details.price, Number(quote.usd.toFixed(9))];
});

const million = { tokens_input: 1_000_000, tokens_output: 0 };
const of = (match: string, input: number, more: Partial<CustomPrice> = {}): CustomPrice => ({
  match,
  per_million: { input, output: 1 },
  ...more,
});

check("a model nobody else knows", [[of("mine", 3)], { model: "mine", ...million }], [
  "custom/mine",
  3,
]);
check("before the table's", [[of("gpt-4o", 1)], { model: "gpt-4o", ...million }], [
  "custom/gpt-4o",
  1,
]);
check("a model on one's own machine", [
  [of("llama3*", 0.1, { provider: "ollama" })],
  { provider: "ollama", model: "llama3.1:8b", ...million },
], ["custom/llama3*", 0.1]);
check("a pattern", [[of("*-internal", 2)], { model: "a-internal", ...million }], [
  "custom/*-internal",
  2,
]);
check("a spelled name before a pattern", [
  [of("m*", 2), of("mine", 3)],
  { model: "mine", ...million },
], ["custom/mine", 3]);
check("a provider before any", [
  [of("mine", 2), of("mine", 3, { provider: "azure.ai.openai" })],
  { provider: "azure", model: "mine", ...million },
], ["custom/mine", 3]);
check("another provider's", [
  [of("mine", 3, { provider: "azure" })],
  { provider: "aws", model: "mine", ...million },
], "unknown_model");
check("case does not count", [[of("Mine", 3)], { model: "MINE", ...million }], ["custom/Mine", 3]);
check("since a day: before it the table's", [
  [of("gpt-4o", 1, { valid_from: "2026-09-02" })],
  { model: "gpt-4o", ...million },
], ["openai/gpt-4o", 2.5]);
check("since a day: on it", [
  [of("gpt-4o", 1, { valid_from: "2026-09-01" })],
  { model: "gpt-4o", ...million },
], ["custom/gpt-4o", 1]);
check("the later of two days", [
  [of("gpt-4o", 1, { valid_from: "2026-08-01" }), of("gpt-4o", 9, { valid_from: "2026-07-01" })],
  { model: "gpt-4o", ...million },
], ["custom/gpt-4o", 1]);
check("before its first day, and nobody else knows it", [
  [of("mine", 1, { valid_from: "2026-10-01" })],
  { model: "mine", ...million },
], "not_yet_priced");
check("free of charge", [[of("mine", 0)], { model: "mine", ...million }], ["custom/mine", 0]);
check("a price for each call", [[of("mine", 0, { per_request: 0.05 })], {
  model: "mine",
  ...million,
}], ["custom/mine", 0.05]);

const tiered = of("mine", 2, {
  tiers: [
    { context_above: 200_000, per_million: { input: 4 } },
    { service_tier: "batch", per_million: { input: 1, output: 0.5 } },
  ],
});
check("a long context", [[tiered], { model: "mine", ...million }], ["custom/mine", 4]);
check("a long context keeps the output's price", [
  [tiered],
  { model: "mine", tokens_input: 300_000, tokens_output: 1_000_000 },
], ["custom/mine", 2.2]);
check("a service tier", [
  [tiered],
  { model: "mine", service_tier: "batch", tokens_input: 100_000, tokens_output: 1_000_000 },
], ["custom/mine", 0.6]);

test("another setting counts at once, other projects keep theirs", () => {
  const settings = new Map<string, CustomPrice[]>([["shop", [of("mine", 1)]]]);
  const prices = new Prices((project_id) => settings.get(project_id) ?? null);
  const cost = (project_id: string) => {
    const quote = prices.of(project_id).quote(call({ model: "mine", ...million }));
    return typeof quote === "string" ? null : quote.usd;
  };
  expect([cost("shop"), cost("bank")]).toEqual([1, null]);
  expect(prices.of("shop")).toBe(prices.of("shop"));
  settings.set("shop", [of("mine", 5)]);
  expect([cost("shop"), cost("bank")]).toEqual([5, null]);
  settings.delete("shop");
  expect(cost("shop")).toBeNull();
});

describe("refused", () => {
  const rows: [string, unknown, string][] = [
    ["no name", { match: " ", per_million: { input: 1 } }, "match"],
    ["too many *", { match: "*a*a*a*a*a*a*a*a*", per_million: { input: 1 } }, "match"],
    ["no price", { match: "m", per_million: {} }, "per_million"],
    ["a negative price", { match: "m", per_million: { input: -1 } }, "per_million.input"],
    ["no number", { match: "m", per_million: { input: "1" } }, "per_million.input"],
    ["not a day", { match: "m", per_million: { input: 1 }, valid_from: "today" }, "valid_from"],
    ["a kind nobody has", { match: "m", per_million: { input: 1, inptu: 1 } }, "per_million"],
    ["a field nobody has", { match: "m", per_million: { input: 1 }, per_billion: {} }, ""],
  ];
  test.each(rows)("%s", (_, price, path) => {
    const { error } = customPricesSchema.safeParse([price]);
    expect(error).toBeInstanceOf(z.ZodError);
    expect(error!.issues[0]!.path.join(".")).toBe(path === "" ? "0" : `0.${path}`);
  });
});
