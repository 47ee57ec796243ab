// Telephone numbers: what the digits and their grouping say, country by country.
import { type Chain, isGlued, isOpenEnded, joins } from "./chain.ts";
import { codeAt, isWord } from "./characters.ts";
import { type Place, speaksOf } from "./context.ts";

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
const brazilian = /^[1-9][1-9](?:9\d{8}|(?!(?:19|20)\d\d(?:19|20))[2-9]\d{7})$/;
/** With dashes or parentheses, numbers that nobody can have are written too: 555-123-4567. */
const americanForm = /^[1-9]\d{9}$/;

// deno-fmt-ignore
const forms: Form[] = [
  { groups: [3, 3, 4], joins: [usual | paren, usual], digits: northAmerican },
  { groups: [3, 3, 4], joins: [dash | dot | paren, dash | dot], digits: americanForm },
  { groups: [1, 3, 3, 4], joins: [dash | dot | paren | space, dash | dot | paren, dash | dot], digits: /^1[1-9]\d{9}$/ },
  { groups: [1, 3, 3, 4], joins: [usual | paren, usual | paren, usual], digits: northAmericanLong },
  { groups: [2, 2, 2, 2, 2], joins: [usual], digits: french },
  { groups: [3, 4, 4], joins: [space | dash | paren, space | dash], digits: british },
  { groups: [5, 6], joins: [space | dash | paren], digits: british },
  { groups: [5, 3, 3], joins: [space | dash | paren, space | dash], digits: british },
  { groups: [4, 3, 4], joins: [space | dash | paren, space | dash], digits: british },
  { groups: [4, 7], joins: [space | dash | paren], digits: british },
  { groups: [11], joins: [], digits: /^07[4-9]\d{8}$/ },
  ...[3, 4, 5].flatMap((area): Form[] => [
    { groups: [area, 4], joins: [space | dash | slash | paren], digits: german, weak: true },
    ...[5, 6, 7, 8].map((rest): Form => ({
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
const phoneDigitsMax = 15;

/** Digits after + or 00 that can be an international number. */
function isInternational(digits: string): boolean {
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

/** 00, a calling code and perhaps the start of an area, before the first separator. */
const dialledMax = 6;

/** +49 30 …, and 0049 30 … with separators or a telling word. */
export function internationalGroups(chain: Chain, group: number, place: Place): number {
  const { text } = chain;
  const start = chain.starts[group]!;
  const opened = group === 0 && codeAt(text, start - 1) === 40;
  const plusAt = start - (opened ? 2 : 1);
  let prefix = 0;
  if (group > 0 || codeAt(text, plusAt) !== 43) {
    if (group > 0 && chain.joins[group] !== joins.space) return 0;
    if (!text.startsWith("00", start) || place.identifier) return 0;
    const several = chain.length > group + 1;
    if (isGlued(chain, group)) return 0;
    const size = chain.size(group);
    const american = size === 3 && chain.joins[group + 1] === joins.dash;
    const apart = several && (american || size !== 3) && size <= dialledMax;
    if (!apart && !speaksOf("phone", text, start, place)) return 0;
    prefix = 2;
  } else if (isWord(codeAt(text, plusAt - 1)) || codeAt(text, plusAt - 1) === 43) {
    return 0;
  }
  let digits = 0, found = 0, all = "";
  for (let at = group; at < chain.length && at < group + 8; at++) {
    if (at > group && chain.size(at) > 12) break;
    digits += chain.size(at);
    if (digits > phoneDigitsMax + prefix + 1) break;
    // +44 (0)20 …: the zero is not dialled.
    const trunk = at > group && chain.size(at) === 1 && chain.joins[at] === joins.paren &&
      codeAt(text, chain.starts[at]!) === 48;
    if (!trunk) all += text.slice(chain.starts[at]!, chain.ends[at]!);
    if (isInternational(all.slice(prefix))) {
      // After a whole number, a further group of another kind is not of it.
      if (found > 0 && all.length - prefix > 13) break;
      found = at - group + 1;
    }
  }
  return found;
}

/** How many groups from this one are a national number; 0 when none are. */
export function phoneGroups(chain: Chain, group: number, place: Place): number {
  const { text, joins: joined } = chain;
  // Amid a list of numbers.
  if (joined[group] === joins.space && joined[group + 1] === joins.space && !chain.fresh) return 0;
  const start = chain.starts[group]!;
  const maybe = nationalGroups(chain, group, true);
  const grouped = group === 0 ? spokenGroups(chain) : 0;
  if (maybe === 0 && grouped === 0) return 0;
  const sure = nationalGroups(chain, group, false);
  const listed = sure === 2 && joined[group + 1] === joins.space &&
    joined[group + 2] === joins.space;
  if (sure > 0 && !listed && !isOpenEnded(chain, group + sure - 1)) {
    if (codeAt(text, start - 1) === 40) return sure;
    if (!speaksOf("order", text, start, place) || speaksOf("phone", text, start, place)) {
      return sure;
    }
  }
  return speaksOf("phone", text, start, place) ? Math.max(maybe, grouped) : 0;
}

/** After a telling word: groups of any sizes, 7 to 15 digits, unless they are a date. */
function spokenGroups(chain: Chain): number {
  const sizes: number[] = [];
  let total = 0, found = 0;
  for (let at = 0; at < chain.length; at++) {
    if (at > 0 && chain.joins[at] === joins.dot && chain.size(at) < 2) break;
    total += chain.size(at);
    if (total > phoneDigitsMax) break;
    sizes.push(chain.size(at));
    if (total >= 7 && sizes.length > 1 && !isDate(sizes)) found = sizes.length;
  }
  return isDate(sizes.slice(0, 3)) ? 0 : found;
}

function isDate(sizes: number[]): boolean {
  const [a = 0, b = 0, c = 0] = sizes;
  return b <= 2 && ((a === 4 && c <= 2) || (a <= 2 && c === 4));
}

const extension = /,?[ \t]?(?:x|ext\.?|extension|#)[ \t]?\d{1,6}(?![A-Za-z0-9_])/iy;

/** Index after the extension that follows a number, or where the number ends. */
export function withExtension(text: string, end: number): number {
  extension.lastIndex = end;
  return extension.test(text) ? extension.lastIndex : end;
}
