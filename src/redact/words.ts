// Codes of letters and digits: IBANs, national numbers with letters, Bitcoin and device addresses.
// Called for each word of a text that holds a digit.
import { codeAt, isAlphanumeric, isDigit, isHex, isLetter, isUpper, isWord } from "./characters.ts";
import {
  base58Check,
  bech32Address,
  dea,
  iban,
  ibanLength,
  italianFiscalLetter,
  spanishForeignerLetter,
  spanishTaxLetter,
} from "./checksums.ts";
import { type Place, speaksOf } from "./context.ts";
import type { Span } from "./kinds.ts";
import { isInsurancePrefix } from "./numbers.ts";

const fiscalCode =
  /^[A-Z]{6}[0-9LMNPQRSTUV]{2}[ABCDEHLMPRST][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z]$/;
const ipv6Max = 45;

/**
 * The finding in the word from `start` to `end`, letters and digits, which may reach beyond it; null
 * when there is none.
 */
export function findWord(text: string, start: number, end: number, place: Place): Span | null {
  const length = end - start;
  if (length < 4 || isWord(codeAt(text, end)) || isWord(codeAt(text, start - 1))) return null;
  const account = ibanAt(text, start);
  if (account > 0) return { start, end: account, kind: "IBAN_CODE" };
  if (length < 7 || (length <= 14 && isMixed(text, start, end))) return null;
  if (length === 8 || length === 9) return shortCode(text, start, end, place);
  if (length <= 14) return licence(text, start, end, place);
  const word = text.slice(start, end);
  if (length === 16) {
    const upper = word.toUpperCase();
    const uniform = upper === word || word.toLowerCase() === word;
    return uniform && fiscalCode.test(upper) && italianFiscalLetter(upper)
      ? { start, end, kind: "IT_FISCAL_CODE" }
      : null;
  }
  if (length >= 26 && length <= 90 && isBitcoin(word)) return { start, end, kind: "CRYPTO" };
  return null;
}

/** Of the short codes, none changes more than twice between letters and digits. */
const changesMax = 2;

function isMixed(text: string, start: number, end: number): boolean {
  let changes = 0, digits = isDigit(text.charCodeAt(start));
  for (let at = start + 1; at < end; at++) {
    if (isDigit(text.charCodeAt(at)) === digits) continue;
    digits = !digits;
    if (++changes > changesMax) return true;
  }
  return false;
}

function isBitcoin(word: string): boolean {
  if (/^(?:bc1|BC1)/.test(word)) return bech32Address(word);
  return word.length <= 35 && (word[0] === "1" || word[0] === "3") && base58Check(word);
}

/** Index after the IBAN that starts here; 0 when none does. */
function ibanAt(text: string, start: number): number {
  const first = text.charCodeAt(start), second = text.charCodeAt(start + 1);
  if (!isLetter(first) || !isLetter(second)) return 0;
  if (!isDigit(codeAt(text, start + 2)) || !isDigit(codeAt(text, start + 3))) return 0;
  const length = ibanLength(first, second);
  if (length === 0) return 0;
  let at = start, code = "";
  while (code.length < length) {
    const next = codeAt(text, at);
    if (isAlphanumeric(next)) code += text[at];
    else if (code.length < 4 || (next !== 32 && next !== 45 && next !== 0xa0)) return 0;
    else if (!isAlphanumeric(codeAt(text, at + 1))) return 0;
    at++;
  }
  return !isWord(codeAt(text, at)) && iban(code.toUpperCase()) ? at : 0;
}

/** Codes of nine characters, which may be written in two parts. */
function shortCode(text: string, start: number, end: number, place: Place): Span | null {
  const word = text.slice(start, end);
  if (word.length === 9) {
    if (/^[XYZ]\d{7}[A-Z]$/.test(word) && spanishForeignerLetter(word)) {
      return { start, end, kind: "ES_NIE" };
    }
    if (/^\d{8}[A-Z]$/.test(word) && spanishTaxLetter(word.slice(0, 8), word[8]!)) {
      return { start, end, kind: "ES_NIF" };
    }
    if (/^[A-Z]{2}\d{6}[A-D]$/i.test(word) && isInsurancePrefix(word.slice(0, 2).toUpperCase())) {
      if (
        word === word.toUpperCase() ||
        /insurance|\bnino?\b/i.test(place.key + text.slice(Math.max(0, start - 40), start))
      ) {
        return { start, end, kind: "UK_NINO" };
      }
    }
  }
  if (word.length === 8) {
    // X-1234567L, met at its digits
    const first = text[start - 2] ?? "";
    if (/^\d{7}[A-Z]$/.test(word) && text[start - 1] === "-" && /[XYZ]/.test(first)) {
      if (spanishForeignerLetter(first + word)) return { start: start - 2, end, kind: "ES_NIE" };
    }
    if (/^\d{7}[A-Z]$/.test(word) && spanishTaxLetter(word.slice(0, 7), word[7]!)) {
      return { start, end, kind: "ES_NIF" };
    }
    if (/^[A-Z]{2}\d{6}$/.test(word) && isInsurancePrefix(word.slice(0, 2))) {
      const tail = /^ ([A-D])(?![A-Za-z0-9])/.exec(text.slice(end, end + 3));
      if (tail !== null) return { start, end: end + 2, kind: "UK_NINO" };
    }
    // X1234567-L
    const letter = codeAt(text, end) === 45 ? codeAt(text, end + 1) : -1;
    if (/^[XYZ]\d{7}$/.test(word) && isUpper(letter) && !isWord(codeAt(text, end + 2))) {
      if (spanishForeignerLetter(word + text[end + 1])) {
        return { start, end: end + 2, kind: "ES_NIE" };
      }
    }
  }
  return word.length < 8 ? null : licence(text, start, end, place);
}

/** Documents that only a word before them tells from article numbers. */
function licence(text: string, start: number, end: number, place: Place): Span | null {
  const word = text.slice(start, end);
  const says = (context: Parameters<typeof speaksOf>[0]) => speaksOf(context, text, start, place);
  if (/^[A-Z][A-Z9]\d{7}$/i.test(word) && dea(word.slice(2)) && says("medical")) {
    return { start, end, kind: "MEDICAL_LICENSE" };
  }
  if (/^[A-Z]{2}\d{7}$/i.test(word) && says("passport")) {
    return { start, end, kind: "IT_PASSPORT" };
  }
  if (/^[A-Z]\d{8}$/i.test(word) && says("passport")) return { start, end, kind: "US_PASSPORT" };
  if (
    /^(?:[A-Z]{2}\d{5}[A-Z]{2}|[A-Z]{2}\d{7}|\d{7}[A-Z]{2})$/i.test(word) && says("identityCard")
  ) {
    return { start, end, kind: "IT_IDENTITY_CARD" };
  }
  if (/^[A-Z]{2}\d{7}[A-Z]$/i.test(word) && says("driver")) {
    return { start, end, kind: "IT_DRIVER_LICENSE" };
  }
  const usual =
    /^(?:[A-Z]{1,3}\d{5,13}|[A-Z]\d{3,9}[A-Z]?|\d{3}[A-Z]{2}\d{4}|\d{7}[A-Z]|[A-Z]\d{6}R)$/i;
  return usual.test(word) && says("driver") ? { start, end, kind: "US_DRIVER_LICENSE" } : null;
}

const pairsWithColons = /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/i;
const pairsWithDashes = /(?:[0-9a-f]{2}-){5}[0-9a-f]{2}(?![\w-])/iy;
const triples = /(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}(?![\w.])/iy;

/** Index after a run of hexadecimal digits and colons that is too long for any address; else 0. */
export function longHexRun(text: string, start: number): number {
  let at = start;
  while (isHex(codeAt(text, at)) || codeAt(text, at) === 58) at++;
  return at - start > 2 * ipv6Max ? at : 0;
}

/** MAC and IPv6 addresses around the word from `start` to `end`. */
export function findHexAddress(
  text: string,
  start: number,
  end: number,
  floor: number,
): Span | null {
  const before = codeAt(text, start - 1), after = codeAt(text, end);
  if (before === 58 || after === 58) {
    return manyColons(text, start, end) ? withColons(text, start, end, floor) : null;
  }
  if (end - start === 2 && after === 45) return deviceAt(pairsWithDashes, text, start);
  if (end - start === 4 && after === 46) return deviceAt(triples, text, start);
  return null;
}

function deviceAt(pattern: RegExp, text: string, from: number): Span | null {
  let start = from;
  // Pairs without a digit stand before the first word that has one.
  while (codeAt(text, start - 1) === 45 && start > from - 12) {
    if (!isHex(codeAt(text, start - 2)) || !isHex(codeAt(text, start - 3))) break;
    if (isWord(codeAt(text, start - 4))) break;
    start -= 3;
  }
  pattern.lastIndex = start;
  const [found] = pattern.exec(text) ?? [];
  if (found === undefined || !/[a-f]/i.test(found) || isWord(codeAt(text, start - 1))) {
    return null;
  }
  return { start, end: start + found.length, kind: "MAC_ADDRESS" };
}

function withColons(text: string, start: number, end: number, floor: number): Span | null {
  let from = start, to = end;
  const isPart = (code: number) => isHex(code) || code === 58;
  while (from > Math.max(floor, end - ipv6Max - 1) && isPart(codeAt(text, from - 1))) from--;
  while (to < from + ipv6Max + 1 && (isPart(codeAt(text, to)) || codeAt(text, to) === 46)) {
    to++;
  }
  // The colon or the full stop of the sentence around it.
  while (
    to > end &&
    (codeAt(text, to - 1) === 46 ||
      (codeAt(text, to - 1) === 58 && codeAt(text, to - 2) !== 58))
  ) to--;
  if (codeAt(text, from) === 58 && codeAt(text, from + 1) !== 58) from++;
  if (isWord(codeAt(text, from - 1)) || isWord(codeAt(text, to))) return null;
  const found = text.slice(from, to);
  if (pairsWithColons.test(found)) return { start: from, end: to, kind: "MAC_ADDRESS" };
  return isIpv6(found) ? { start: from, end: to, kind: "IP_ADDRESS" } : null;
}

/** Enough of them for an address: five, or two in a row. The time of day and JSON have fewer. */
function manyColons(text: string, start: number, end: number): boolean {
  const from = Math.max(0, start - ipv6Max), to = Math.min(text.length, end + ipv6Max);
  let colons = 0;
  for (let at = end; at < to; at++) {
    const code = codeAt(text, at);
    if (code === 58 && (++colons === 5 || codeAt(text, at + 1) === 58)) return true;
    if (code !== 58 && !isHex(code)) break;
  }
  for (let at = start - 1; at >= from; at--) {
    const code = codeAt(text, at);
    if (code === 58 && (++colons === 5 || codeAt(text, at - 1) === 58)) return true;
    if (code !== 58 && !isHex(code)) break;
  }
  return false;
}

/** An address that names a host; not the time of day, a scope of code, or `::1`. */
function isIpv6(text: string): boolean {
  const parts = text.split("::");
  if (parts.length > 2) return false;
  const groups = parts.flatMap((part) => part === "" ? [] : part.split(":"));
  const last = groups.at(-1) ?? "";
  const embedded = last.includes(".");
  if (embedded && !/^(?:\d{1,3}\.){3}\d{1,3}$/.test(last)) return false;
  const hextets = embedded ? groups.slice(0, -1) : groups;
  if (!hextets.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return false;
  const count = hextets.length + (embedded ? 2 : 0);
  if (parts.length === 1) return count === 8;
  if (count > 7) return false;
  return embedded || /^(?:[23][0-9a-f]{3}|f[cdef][0-9a-f]{2}|64):/i.test(text) ||
    (count >= 3 && /\d/.test(groups[0] ?? ""));
}
