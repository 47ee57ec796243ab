// Numbers that are written as groups of digits: cards, phones, social security and health numbers,
// bank accounts, IPv4 addresses. Called for each chain of groups in a text.
import { cardGroups } from "./card.ts";
import { Chain, isGlued, isOpenEnded, joins, mayJoin, numberGroupsMax } from "./chain.ts";
import { codeAt, isAlphanumeric, isUpper, isWord } from "./characters.ts";
import {
  abaRouting,
  italianVat,
  nhs,
  pesel,
  spanishForeignerLetter,
  spanishTaxLetter,
} from "./checksums.ts";
import { type Place, speaksOf } from "./context.ts";
import type { Kind, Span } from "./kinds.ts";
import {
  internationalGroups,
  isSpokenBare,
  nationalGroups,
  phoneGroups,
  withExtension,
} from "./phone.ts";

/** One for all texts: reading a chain starts it anew. */
const chain = new Chain();

/** Finds numbers in the chain that starts at `start`; returns where to read on. */
export function findNumbers(
  text: string,
  start: number,
  end: number,
  place: Place,
  out: Span[],
): number {
  if (end - start < digitsMin && !mayJoin(codeAt(text, end))) return end;
  chain.read(text, start, end);
  const dotted = chain.length > 3 && chain.joins[1] === joins.dot;
  if (chain.total < digitsMin && !dotted && chain.length < 3) return chainEnd(chain);
  const sizes = chain.length === 3 ? sizesOf(chain, 0) : 0;
  // A date.
  if (sizes === 422 || sizes === 224) return chainEnd(chain);
  // What stands in the tail of a chain that was cut is looked at in the next turn.
  const last = chain.cut ? chain.length - numberGroupsMax : chain.length;
  let group = 0;
  chain.fresh = false;
  while (group < last) {
    const found = numberAt(chain, group, place);
    chain.fresh = found !== null;
    if (found === null) {
      group++;
      continue;
    }
    let from = chain.starts[group]!;
    const whole = chain.ends[group + found.groups - 1]!;
    const to = found.kind === "PHONE_NUMBER" ? withExtension(text, whole) : whole;
    const opened = codeAt(text, from - 1) === 40;
    const plus = codeAt(text, from - (opened ? 2 : 1)) === 43;
    if (found.kind === "PHONE_NUMBER" && (opened || plus)) from -= Number(opened) + Number(plus);
    out.push({ start: found.start ?? from, end: found.end ?? to, kind: found.kind });
    group += found.groups;
  }
  if (group < chain.length) return chain.starts[group]!;
  const until = chainEnd(chain);
  return out.at(-1)?.end === chain.ends[chain.length - 1] ? chain.ends[chain.length - 1]! : until;
}

/** Where to read on: the last group may open an address of another kind, such as 2001:db8::1. */
function chainEnd({ text, starts, ends, length }: Chain): number {
  const start = starts[length - 1]!, end = ends[length - 1]!;
  return length > 1 && end - start <= 4 && codeAt(text, end) === 58 ? start : end;
}

/** Fewer digits are no number that is looked for, but for NINO (6) and IPv4 (4). */
const digitsMin = 7;

interface Found {
  kind: Kind;
  groups: number;
  /** Where it starts and ends, when that is not with its groups. */
  start?: number;
  end?: number;
}

function numberAt(chain: Chain, group: number, place: Place): Found | null {
  const card = cardGroups(chain, group, place);
  if (card > 0) return { kind: "CREDIT_CARD", groups: card };
  const glued = isGlued(chain, group);
  const international = internationalGroups(chain, group, place);
  if (international > 0) return { kind: "PHONE_NUMBER", groups: international };
  if (!glued && isAddress(chain, group, place)) return { kind: "IP_ADDRESS", groups: 4 };
  if (glued) return foreigner(chain, group);
  return chain.size(group) >= 8 ? longGroup(chain, group, place) : shortGroups(chain, group, place);
}

/** Four octets; not a version, a section or an object identifier. */
function isAddress(chain: Chain, group: number, place: Place): boolean {
  const { text } = chain;
  if (group + 4 > chain.length) return false;
  let longest = 0;
  for (let at = group; at < group + 4; at++) {
    const size = chain.size(at);
    if (size > 3 || (at > group && chain.joins[at] !== joins.dot)) return false;
    if (size > 1 && codeAt(text, chain.starts[at]!) === 48) return false;
    if (Number(text.slice(chain.starts[at]!, chain.ends[at]!)) > 255) return false;
    longest = Math.max(longest, size);
  }
  const end = chain.ends[group + 3]!;
  const after = codeAt(text, end);
  if (after === 46 && isWord(codeAt(text, end + 1))) return false;
  if (after === 45 && isAlphanumeric(codeAt(text, end + 1))) return false;
  const start = chain.starts[group]!;
  const octets = text.slice(start, end);
  // They name no one.
  if (/^(?:127\.|0\.0\.0\.0$|255\.255\.255\.255$)/.test(octets)) return false;
  if (/version|release|build/i.test(place.key)) return false;
  const before = text.slice(Math.max(0, start - 16), start);
  if (versionBefore.test(before)) return false;
  return longest > 1 || octets === "1.1.1.1" || octets === "8.8.8.8" || octets === "8.8.4.4" ||
    octets === "9.9.9.9" || speaksOf("address", text, start, place);
}

const versionBefore =
  /(?:\bv|\brv:|\bver\.?|\bversions?:?|\brelease[ds]?:?|\bbuild:?|\bfirmware:?|\btag:?|\bsection|\bchapter|\boid:?|version["']?\s*[:=]\s*["']?|[=~><^]=|[~^§])\s*$/i;

/** A group of eight digits or more that stands alone, or starts a number. */
function longGroup(chain: Chain, group: number, place: Place): Found | null {
  const { text } = chain;
  const start = chain.starts[group]!, end = chain.ends[group]!;
  const size = end - start;
  if (size === 8) {
    const letter = spanishLetter(text, end, chain.digits(group, 1));
    if (letter > 0) return { kind: "ES_NIF", groups: 1, end: letter };
  }
  const maybe = place.identifier ? 0 : nationalGroups(chain, group, true);
  const national = maybe > 0 && !speaksOf("phone", text, start, place)
    ? nationalGroups(chain, group, false)
    : maybe;
  if (national > 1) return { kind: "PHONE_NUMBER", groups: national };
  if (isOpenEnded(chain, group)) return null;
  const digits = chain.digits(group, 1);
  const kind = bareKind(digits, text, start, place) ??
    (national === 1 && !speaksOf("order", text, start, place) ? "PHONE_NUMBER" : null);
  return kind === null ? null : { kind, groups: 1 };
}

/** What digits without separators are; mostly the words before them tell. */
function bareKind(digits: string, text: string, start: number, place: Place): Kind | null {
  const says = (context: Parameters<typeof speaksOf>[0]) => speaksOf(context, text, start, place);
  const size = digits.length;
  if (size === 9) {
    if (isSsn(digits) && says("ssn")) return "US_SSN";
    if (isItin(digits) && says("itin")) return "US_ITIN";
    if (abaRouting(digits) && says("routing")) return "ABA_ROUTING_NUMBER";
    if (says("passport")) return "US_PASSPORT";
  }
  if (size === 10 && nhs(digits) && says("nhs")) return "UK_NHS";
  if (size === 11) {
    if (italianVat(digits) && says("vat")) return "IT_VAT_CODE";
    const phone = /^07[4-9]/.test(digits) && !says("pesel");
    if (!phone && !place.identifier && pesel(digits) && !says("phone")) return "PL_PESEL";
  }
  if (!place.identifier && isSpokenBare(digits) && says("phone")) return "PHONE_NUMBER";
  if (size >= 8 && size <= 17 && says("bank")) return "US_BANK_NUMBER";
  if (size <= 14 && says("driver")) return "US_DRIVER_LICENSE";
  return null;
}

/** Groups of fewer than eight digits. */
function shortGroups(chain: Chain, group: number, place: Place): Found | null {
  const { text } = chain;
  const start = chain.starts[group]!;
  if (group + 3 <= chain.length && sameJoin(chain, group, 3)) {
    const three = sizesOf(chain, group);
    if (three === 324 && !isOpenEnded(chain, group + 2)) {
      const digits = chain.digits(group, 3);
      if (isSsn(digits)) return { kind: "US_SSN", groups: 3 };
      if (isItin(digits)) return { kind: "US_ITIN", groups: 3 };
    }
    if (three === 334 && nhs(chain.digits(group, 3)) && speaksOf("nhs", text, start, place)) {
      return { kind: "UK_NHS", groups: 3 };
    }
    if (three === 222) {
      const insurance = insuranceNumber(chain, group);
      if (insurance !== null) return insurance;
    }
  }
  if (place.identifier) return null;
  const phone = phoneGroups(chain, group, place);
  if (phone > 0) return { kind: "PHONE_NUMBER", groups: phone };
  if (sizesOf(chain, group) === 334 && chain.joins[group + 1] !== joins.dot) {
    const whole = sameJoin(chain, group, 3) && !isOpenEnded(chain, group + 2);
    if (whole && nhs(chain.digits(group, 3))) return { kind: "UK_NHS", groups: 3 };
  }
  if (chain.size(group) === 7) {
    const end = spanishLetter(text, chain.ends[group]!, chain.digits(group, 1));
    if (end > 0) return { kind: "ES_NIF", groups: 1, end };
    if (speaksOf("driver", text, start, place) && !isOpenEnded(chain, group)) {
      return { kind: "US_DRIVER_LICENSE", groups: 1 };
    }
  }
  return null;
}

/** Sizes of three groups as the digits of a number; 0 when there are fewer or longer ones. */
function sizesOf(chain: Chain, group: number): number {
  if (group + 3 > chain.length) return 0;
  const a = chain.size(group), b = chain.size(group + 1), c = chain.size(group + 2);
  return a > 9 || b > 9 || c > 9 ? 0 : a * 100 + b * 10 + c;
}

function sameJoin(chain: Chain, group: number, count: number): boolean {
  const join = chain.joins[group + 1];
  if (join !== joins.space && join !== joins.dash && join !== joins.dot) return false;
  for (let at = group + 2; at < group + count; at++) if (chain.joins[at] !== join) return false;
  return true;
}

function isSsn(digits: string): boolean {
  return /^(?!000|666|9)\d{3}(?!00)\d{2}(?!0000)\d{4}$/.test(digits);
}

function isItin(digits: string): boolean {
  return /^9\d{2}(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])\d{4}$/.test(digits);
}

/** X-1234567-L; the letters stand around the digits. */
function foreigner(chain: Chain, group: number): Found | null {
  const { text } = chain;
  const start = chain.starts[group]! - 2, end = chain.ends[group]!;
  if (chain.size(group) !== 7 || start < 0 || isWord(codeAt(text, start - 1))) return null;
  const whole = /^([XYZ])-(\d{7})-([A-Z])(?![A-Za-z0-9])/.exec(text.slice(start, end + 3));
  if (whole === null || !spanishForeignerLetter(whole.slice(1).join(""))) return null;
  return { kind: "ES_NIE", groups: 1, start, end: end + 2 };
}

/** AB 12 34 56 C; the letters stand around the chain. */
function insuranceNumber(chain: Chain, group: number): Found | null {
  const { text } = chain;
  const start = chain.starts[group]!, end = chain.ends[group + 2]!;
  if (group > 0 || start < 3 || !isUpper(codeAt(text, start - 2))) return null;
  const letters = text.slice(start - 3, start - 1);
  const after = /^ ?([A-D])(?![A-Za-z0-9])/.exec(text.slice(end, end + 3));
  if (after === null || isAlphanumeric(codeAt(text, start - 4))) return null;
  if (!isInsurancePrefix(letters)) return null;
  return { kind: "UK_NINO", groups: 3, start: start - 3, end: end + after[0].length };
}

export function isInsurancePrefix(letters: string): boolean {
  return /^(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]$/.test(letters);
}

/** Where a tax number ends whose letter follows these digits after a dash; 0 when there is none. */
function spanishLetter(text: string, end: number, digits: string): number {
  const dashed = codeAt(text, end) === 45 ? end + 1 : end;
  const code = codeAt(text, dashed);
  if (dashed === end || !isUpper(code) || isWord(codeAt(text, dashed + 1))) return 0;
  return spanishTaxLetter(digits, text[dashed]!) ? dashed + 1 : 0;
}
