// Payment cards among groups of digits.
import { type Chain, isGlued, joins } from "./chain.ts";
import { luhn } from "./checksums.ts";
import type { Place } from "./context.ts";

/** Lengths and first digits that card schemes issue. */
const cardIssuers: [RegExp, (length: number) => boolean][] = [
  [/^4/, (length) => length === 13 || length === 16 || length === 19],
  [/^(?:5[1-5]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720))/, (length) => length === 16],
  [/^3[47]/, (length) => length === 15],
  [/^(?:6011|64[4-9]|65)/, (length) => length >= 16 && length <= 19],
  [/^(?:30[0-5]|309|36|3[89])/, (length) => length >= 14 && length <= 19],
  [/^35(?:2[89]|[3-8])/, (length) => length >= 16 && length <= 19],
  [/^(?:62|81)/, (length) => length >= 16 && length <= 19],
  [/^(?:50|5[6-8]|6304|67|6390)/, (length) => length >= 15 && length <= 19],
  [/^220[0-4]/, (length) => length >= 16 && length <= 19],
];
/** First digits of any of them. */
const issuing = "234568";
const cardDigitsMin = 13;
const cardDigitsMax = 19;
const cardSpoken = /card|visa|master|amex|\bpan\b|cc[_ -]?(?:no|num)|karte|tarjeta|carta|carte/i;

/** How many groups from this one are a card's; 0 when none are. */
export function cardGroups(chain: Chain, group: number, place: Place): number {
  const first = chain.size(group);
  if (first >= cardDigitsMin && first <= cardDigitsMax) {
    const digits = chain.digits(group, 1);
    // Bare numbers of the lengths that few cards have are mostly something else.
    const usual = first === 14 || first === 15 || first === 16 || first === 19 ||
      cardSpoken.test(
        place.key + chain.text.slice(Math.max(0, chain.starts[group]! - 40), chain.starts[group]),
      );
    return usual && !isGlued(chain, group) && isCard(digits) ? 1 : 0;
  }
  if (first !== 4 && first !== 6 && first !== 8) return 0;
  const join = chain.joins[group + 1];
  if (join !== joins.space && join !== joins.dash && join !== joins.dot) return 0;
  let sizes = first, found = 0;
  for (let at = group + 1; at < chain.length && at < group + 5; at++) {
    if (chain.joins[at] !== join || chain.size(at) > 13) break;
    sizes = sizes * 16 + chain.size(at);
    if (cardGroupings.has(sizes) && isCard(chain.digits(group, at - group + 1))) {
      found = at - group + 1;
    }
  }
  return found;
}

/** How people write the digits of a card: sizes of the groups. */
const cardGroupings = new Set(
  [
    [4, 4, 4, 4],
    [4, 6, 5],
    [4, 6, 4],
    [4, 4, 4, 4, 3],
    [4, 4, 4, 3],
    [4, 4, 4, 2],
    [4, 4, 4, 1],
    [4, 12],
    [6, 13],
    [6, 10],
    [8, 8],
  ].map((sizes) => sizes.reduce((sum, size) => sum * 16 + size, 0)),
);

function isCard(digits: string): boolean {
  return issuing.includes(digits[0]!) &&
    cardIssuers.some(([prefix, fits]) => fits(digits.length) && prefix.test(digits)) &&
    luhn(digits);
}
