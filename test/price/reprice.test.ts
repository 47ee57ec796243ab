// Pricing history anew keeps the first estimate, and touches none that a producer sent.
import { expect, test } from "bun:test";
import type { Event } from "../../src/event.ts";
import type { CustomPrice } from "../../src/price/custom.ts";
import { Prices } from "../../src/price/pricer.ts";
import { reprice } from "../../src/price/reprice.ts";
import { checks } from "../check.ts";
import { call, plain } from "./fixture.ts";

const tokens = { tokens_input: 1_000_000, tokens_output: 0 };
const pricerOf = (input: number) => {
  const custom: CustomPrice[] = [{ match: "mine", per_million: { input, output: 1 } }];
  return new Prices(() => custom).of("shop");
};

const check = checks("priced anew", (event: Event) => {
  const changed = reprice(event, pricerOf(5));
  return [changed, event.cost_estimate_usd, event.cost_original_usd];
});

const details = { price: "custom/mine" };
check(
  "another price",
  call({
    model: "mine",
    ...tokens,
    cost_estimate_usd: 2,
    cost_details: details,
  }),
  [true, 5, 2],
);
check(
  "a third price: the first is kept",
  call({
    model: "mine",
    ...tokens,
    cost_estimate_usd: 3,
    cost_details: details,
    cost_original_usd: 2,
  }),
  [true, 5, 2],
);
check(
  "the same price",
  call({
    model: "mine",
    ...tokens,
    cost_estimate_usd: 5,
    cost_details: details,
  }),
  [false, 5, undefined],
);
check("it had none", call({ model: "mine", ...tokens }), [true, 5, undefined]);
check("the producer's estimate", call({ model: "mine", ...tokens, cost_estimate_usd: 2 }), [
  false,
  2,
  undefined,
]);
check(
  "its model has no price any more",
  call({
    model: "yours",
    ...tokens,
    cost_estimate_usd: 2,
    cost_details: details,
  }),
  [false, 2, undefined],
);
check("no model call", call({ event_type: "span", model: "mine", ...tokens }), [
  false,
  undefined,
  undefined,
]);
check(
  "from nothing to a price, and back",
  call({
    model: "mine",
    ...tokens,
    cost_estimate_usd: 0,
    cost_details: details,
  }),
  [true, 5, 0],
);

test("what was priced on the way in is not changed by the same prices", () => {
  const event = call({ model: "gpt-4o", tokens_input: 123, tokens_output: 45 });
  plain.price(event);
  const before = structuredClone(event);
  expect(reprice(event, plain)).toBe(false);
  expect(event).toEqual(before);
});

test("the new details say which price it was", () => {
  const event = call({ model: "mine", ...tokens, cost_estimate_usd: 2, cost_details: details });
  reprice(event, pricerOf(5));
  expect(event.cost_details).toMatchObject({ source: "project", parts: { input: 5 } });
});
