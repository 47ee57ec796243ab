// A text in, findings out. One cheap pass over the text says which detectors can find anything in
// it: an @ leads to e-mail addresses, keywords to secrets, digits to numbers. All of them take time
// linear in the text.
import { codeAt, isAlphanumeric, isDigit, isLetter } from "./characters.ts";
import type { Place } from "./context.ts";
import { emailAt, urlCredentialsAt } from "./email.ts";
import { gitleaksAt, gitleaksKeywords } from "./gitleaks.ts";
import { type Hits, Keywords } from "./keywords.ts";
import { precedenceOf, type Span } from "./kinds.ts";
import { findNumbers } from "./numbers.ts";
import { isSecretUnder, secretAt, secretKeywords } from "./secret.ts";
import { findHexAddress, findWord, longHexRun } from "./words.ts";

const keywords = new Keywords(["://", ...secretKeywords, ...gitleaksKeywords]);
const firstSecret = 1, firstGitleaks = firstSecret + secretKeywords.length;
/** Letters and digits in one piece beyond this are no code that is looked for. */
const wordMax = 90;

/** One less than a power of two. */
const tickMask = 255;

const hits: Hits = { keywords: [], ends: [], digits: [] };
const nothing: readonly Span[] = [];

/** What a mask leaves: never looked into again. */
const mask =
  /\[(?:dropped: )?[A-Z][A-Z0-9_]{1,63}(?:, [A-Z][A-Z0-9_]{1,63}){0,63}(?::[0-9a-f]{12})?\]/g;

/**
 * Findings of the built-in detectors: in order, without overlaps. `tick` is called now and then while
 * a long text is looked at, and may throw to end it.
 */
export function scan(
  text: string,
  place: Place,
  wanted: ReadonlySet<string>,
  tick: () => void = () => {},
): readonly Span[] {
  if (text.length < 4) return nothing;
  keywords.find(text, hits);
  const firstAt = text.indexOf("@");
  if (
    firstAt === -1 && hits.keywords.length === 0 && hits.digits.length === 0 && place.key === ""
  ) return nothing;
  const found: Span[] = [];
  const passwords: Span[] = [];
  if (hits.keywords.length > 0) atKeywords(text, wanted, found, passwords, tick);
  if (firstAt !== -1) atSigns(text, firstAt, passwords, found, tick);
  if (hits.digits.length > 0) atDigits(text, place, found, tick);
  if (place.key !== "" && isSecretUnder(place.key, text)) {
    found.push({ start: 0, end: text.length, kind: "SECRET", rule: "assignment" });
  }
  if (found.length === 0) return nothing;
  const asked = found.filter((span) => wanted.has(span.kind));
  return merged(outsideMasks(text, asked));
}

function atKeywords(
  text: string,
  wanted: ReadonlySet<string>,
  found: Span[],
  passwords: Span[],
  tick: () => void,
): void {
  const secrets = wanted.has("SECRET");
  let secretEnd = 0, gitleaksEnd = 0, urlEnd = 0;
  for (let index = 0; index < hits.keywords.length; index++) {
    if ((index & tickMask) === tickMask) tick();
    const keyword = hits.keywords[index]!, end = hits.ends[index]!;
    if (keyword === 0) {
      const span = end < urlEnd ? null : urlCredentialsAt(text, end);
      if (span === null) continue;
      found.push(span);
      passwords.push(span);
      urlEnd = span.end;
    } else if (keyword >= firstGitleaks) {
      // Beside the rules of our own: where both find something it becomes one, as long as the longer.
      if (!secrets || end <= gitleaksEnd) continue;
      const span = gitleaksAt(keyword - firstGitleaks, text, end);
      if (span === null) continue;
      found.push(span);
      gitleaksEnd = span.end;
    } else if (secrets && end > secretEnd) {
      const span = secretAt(keyword - firstSecret, text, end);
      if (span === null) continue;
      found.push(span);
      secretEnd = span.end;
    }
  }
}

function atSigns(
  text: string,
  first: number,
  passwords: readonly Span[],
  found: Span[],
  tick: () => void,
): void {
  let next = 0, signs = 0;
  for (let at = first; at !== -1; at = text.indexOf("@", at + 1)) {
    if ((++signs & tickMask) === tickMask) tick();
    while (next < passwords.length && passwords[next]!.end < at) next++;
    // The @ after a password in an address is no e-mail's.
    if (passwords[next]?.end === at) continue;
    const span = emailAt(text, at);
    if (span !== null) found.push(span);
  }
}

function atDigits(text: string, place: Place, found: Span[], tick: () => void): void {
  let next = 0, floor = 0, words = 0, plainUntil = 0;
  for (const at of hits.digits) {
    // Part of what was looked at already.
    if (at < next) continue;
    if ((++words & tickMask) === tickMask) tick();
    let start = at, end = at + 1, digits = true;
    while (start > floor && isAlphanumeric(text.charCodeAt(start - 1))) start--;
    for (; end < text.length; end++) {
      const code = text.charCodeAt(end);
      if (isDigit(code)) continue;
      if (!isLetter(code)) break;
      digits = false;
    }
    if (end - start > wordMax) {
      next = floor = end;
      continue;
    }
    if (codeAt(text, end) === 58 && end > plainUntil) plainUntil = longHexRun(text, start);
    const address = end < plainUntil ? null : findHexAddress(text, start, end, floor);
    if (address !== null) {
      found.push(address);
      next = floor = address.end;
      continue;
    }
    const pure = digits && start === at && codeAt(text, end) !== 95 &&
      codeAt(text, start - 1) !== 95;
    if (pure) {
      next = floor = Math.max(end, findNumbers(text, start, end, place, found));
      continue;
    }
    const word = findWord(text, start, end, place);
    if (word !== null) found.push(word);
    next = floor = Math.max(end, word?.end ?? 0);
  }
}

/** Without what lies in the masks of an earlier scan. */
export function outsideMasks(text: string, spans: Span[]): Span[] {
  if (!text.includes("[")) return spans;
  const masks = [...text.matchAll(mask)].map((
    found,
  ) => [found.index, found.index + found[0].length]);
  if (masks.length === 0) return spans;
  spans.sort((a, b) => a.start - b.start);
  const kept: Span[] = [];
  let next = 0;
  for (const span of spans) {
    while (next < masks.length && masks[next]![1]! <= span.start) next++;
    const [start, end] = masks[next] ?? [Infinity, Infinity];
    if (start! >= span.end) kept.push(span);
    // What is around a mask within a finding is still part of it.
    else if (start! > span.start || end! < span.end) keepAround(span, masks, next, kept);
  }
  return kept;
}

function keepAround(span: Span, masks: number[][], from: number, kept: Span[]): void {
  let start = span.start;
  for (let at = from; at < masks.length && masks[at]![0]! < span.end; at++) {
    if (masks[at]![0]! > start) kept.push({ ...span, start, end: masks[at]![0]! });
    start = masks[at]![1]!;
  }
  if (start < span.end) kept.push({ ...span, start });
}

/** Findings that overlap become one, which has the kind that goes first. */
export function merged(spans: Span[]): readonly Span[] {
  if (spans.length < 2) return spans;
  spans.sort((a, b) => a.start - b.start || b.end - a.end);
  const kept: Span[] = [{ ...spans[0]! }];
  for (const span of spans) {
    const last = kept[kept.length - 1]!;
    if (span.start >= last.end) {
      kept.push({ ...span });
      continue;
    }
    last.end = Math.max(last.end, span.end);
    if (precedenceOf(span.kind) < precedenceOf(last.kind)) {
      last.kind = span.kind;
      last.rule = span.rule;
    }
  }
  return kept;
}
