// Telephone numbers: what the digits and their grouping say, country by country.
import type { Chain } from "./chain.ts";

/** How two groups are joined. */
export const joins = { space: 1, dash: 2, dot: 4, slash: 8, paren: 16, none: 0 } as const;
const { space, dash, dot, slash, paren } = joins;

interface Form {
  /** Lengths of the groups. */
  groups: readonly number[];
  /** Joins that are in use between them: for each gap, or one for all. */
  joins: readonly number[];
  /** The digits, without separators. */
  digits: RegExp;
  /** Common enough among other numbers that only a telling word decides. */
  weak?: true;
}

const usual = space | dash | dot;
const northAmerican = /^[2-9](?!11)[0-8]\d[2-9](?!11)\d{6}$/;
const northAmericanLong = /^1[2-9](?!11)[0-8]\d[2-9](?!11)\d{6}$/;
const french = /^0[1-9]\d{8}$/;
const british = /^0[1-37]\d{9}$/;
const german = /^0[2-9]\d{6,11}$/;
const germanMobile = /^01[567]\d{8,9}$/;
const spanish = /^[6789]\d{8}$/;
const italianMobile = /^3[2-9]\d{7,8}$/;
const italianFixed = /^0\d{7,10}$/;
const indian = /^[6-9]\d{9}$/;
const brazilian = /^[1-9][1-9](?:9\d{8}|[2-5]\d{7})$/;

// deno-fmt-ignore
const forms: Form[] = [
  { groups: [3, 3, 4], joins: [usual | paren, usual], digits: northAmerican },
  { groups: [1, 3, 3, 4], joins: [usual | paren, usual | paren, usual], digits: northAmericanLong },
  { groups: [2, 2, 2, 2, 2], joins: [usual], digits: french },
  { groups: [3, 4, 4], joins: [space | dash | paren, space | dash], digits: british },
  { groups: [5, 6], joins: [space | dash | paren], digits: british },
  { groups: [5, 3, 3], joins: [space | dash | paren, space | dash], digits: british },
  { groups: [4, 3, 4], joins: [space | dash | paren, space | dash], digits: british },
  { groups: [4, 7], joins: [space | dash | paren], digits: british },
  { groups: [11], joins: [], digits: /^07[4-9]\d{8}$/ },
  ...[3, 4, 5].flatMap((area): Form[] => [
    ...[4, 5, 6, 7, 8].map((rest): Form => ({
      groups: [area, rest], joins: [space | dash | slash | paren], digits: german,
    })),
    ...[[3, 3], [3, 4], [4, 3], [4, 4], [2, 2], [3, 2], [2, 3]].map((rest): Form => ({
      groups: [area, ...rest], joins: [space | dash | slash | paren, space | dash], digits: german,
    })),
    ...[[2, 2, 2], [2, 2, 3], [3, 2, 2], [2, 2, 2, 2]].map((rest): Form => ({
      groups: [area, ...rest], joins: [space | dash | slash | paren, space], digits: german,
    })),
  ]),
  ...[[4, 7], [4, 8], [4, 3, 4], [4, 4, 3], [4, 4, 4], [4, 3, 2, 2], [5, 6], [5, 7]].map((groups): Form => ({
    groups, joins: [space | dash | slash | paren, space | dash], digits: germanMobile,
  })),
  { groups: [3, 3, 3], joins: [space | dash | dot], digits: spanish, weak: true },
  { groups: [3, 2, 2, 2], joins: [usual], digits: spanish },
  { groups: [2, 3, 2, 2], joins: [usual], digits: spanish },
  { groups: [3, 7], joins: [space | dash], digits: italianMobile },
  { groups: [3, 6], joins: [space | dash], digits: italianMobile, weak: true },
  { groups: [3, 3, 4], joins: [space | dash | dot], digits: italianMobile },
  { groups: [2, 8], joins: [space | dash | slash], digits: italianFixed },
  { groups: [2, 7], joins: [space | dash | slash], digits: italianFixed, weak: true },
  { groups: [2, 4, 4], joins: [space | dash, space | dash], digits: italianFixed },
  { groups: [3, 7], joins: [space | dash | slash], digits: italianFixed },
  { groups: [5, 5], joins: [space | dash], digits: indian },
  { groups: [2, 5, 4], joins: [space | paren, dash | space], digits: brazilian },
  { groups: [2, 4, 4], joins: [space | paren, dash | space], digits: brazilian },
  { groups: [2, 1, 4, 4], joins: [space | paren, space, dash | space], digits: brazilian },
];

const groupsMax = Math.max(...forms.map((form) => form.groups.length));
const byGroups = new Map<number, Form[]>();
for (const form of forms) {
  const signature = form.groups.reduce((sum, length) => sum * 16 + length, 0);
  byGroups.set(signature, [...byGroups.get(signature) ?? [], form]);
}

/** Calling codes in use, as prefixes of what follows + or 00. */
const callingCode =
  /^(?:1[2-9]|7[0-9]|20|21[1-8]|22|23|24|25|26|27|29[01789]|3[0-469]|35|37|38|4[013-9]|42[013]|5[1-8]|50|59|6[0-6]|67|68|69|8[1246]|80|85|87|88|9[0-58]|96|97|99)/;
const internationalDigitsMin = 8;
export const phoneDigitsMax = 15;

/** Digits after + or 00 that can be an international number. */
export function isInternational(digits: string): boolean {
  if (digits.length < internationalDigitsMin || digits.length > phoneDigitsMax) return false;
  if (!callingCode.test(digits)) return false;
  return digits[0] !== "1" || /^1[2-9]\d{9}$/.test(digits);
}

/**
 * How many groups from `first` are a national number; 0 when none are. With `spoken`, a word before
 * says that a number follows.
 */
export function nationalGroups(chain: Chain, first: number, spoken: boolean): number {
  let signature = 0, found = 0;
  for (let count = 1; count <= groupsMax && first + count <= chain.length; count++) {
    const length = chain.ends[first + count - 1]! - chain.starts[first + count - 1]!;
    if (length > 15) break;
    signature = signature * 16 + length;
    const fitting = byGroups.get(signature);
    if (fitting === undefined) continue;
    if (fitting.some((form) => (spoken || !form.weak) && fits(form, chain, first))) found = count;
  }
  return found;
}

function fits(form: Form, chain: Chain, first: number): boolean {
  const count = form.groups.length;
  for (let gap = 0; gap < count - 1; gap++) {
    const allowed = form.joins[Math.min(gap, form.joins.length - 1)]!;
    if ((allowed & chain.joins[first + gap + 1]!) === 0) return false;
  }
  return form.digits.test(chain.digits(first, count));
}

/** Without separators and with a telling word before: the lengths of numbers that people write so. */
const spokenBare = /^(?!0{3}|(?:19|20)\d{2}(?:0\d|1[0-2])(?:[0-2]\d|3[01])$)\d{7,13}$/;

export function isSpokenBare(digits: string): boolean {
  return spokenBare.test(digits);
}
