// Finds many keywords in one pass over a text, without regard to case, and notes its digits on the
// way: the cheap look that decides which detectors run at all. Each keyword is met by the rarest
// three characters in it; no step waits for a look-up of the step before, as an automaton's would.

import { isDigit } from "./characters.ts";

export const keywordCharactersMin = 3;

const classBits = 5;
const trigrams = 1 << (3 * classBits);
/** Letters have a class each; what is left shares the rest. */
const otherClass = 0, digitClass = 27, dashClass = 28, pointClass = 29, signClass = 30;

/** Class of a byte: the last eight bits of a character. */
const classes = new Uint8Array(256);
for (let code = 97; code <= 122; code++) classes[code] = classes[code - 32] = code - 96;
for (let code = 48; code <= 57; code++) classes[code] = digitClass;
for (const sign of "-_") classes[sign.charCodeAt(0)] = dashClass;
for (const sign of ".:/") classes[sign.charCodeAt(0)] = pointClass;
for (const sign of "=$~![]<>|#+@") classes[sign.charCodeAt(0)] = signClass;

/** How often a class stands in text, roughly, per thousand characters. */
// deno-fmt-ignore
const frequencies = [
  160, 65, 12, 24, 34, 100, 18, 16, 45, 57, 2, 7, 33, 20, 57, 61, 16, 1, 50, 52, 74, 23, 8, 18, 2, 16, 1,
  90, 40, 25, 12,
];

const listsMax = 256;
/** Characters that are looked at in one go. */
const pieceCharacters = 64 * 1024;
const piece = Buffer.alloc(pieceCharacters);
/** The same bytes, which read faster. */
const bytes = new Uint8Array(piece.buffer, piece.byteOffset, pieceCharacters);
const shortCharacters = 64;
const anyDigit = /\d/;
const beyondLatin = /[\u0100-\uffff]/;

export interface Hits {
  /** Keyword and the index after its last character. */
  keywords: number[];
  ends: number[];
  /** Where each run of digits starts. */
  digits: number[];
}

interface Anchor {
  keyword: number;
  /** Lower case. */
  text: string;
  /** Code of its first character, with the bit that tells lower case. */
  first: number;
  /** Characters of it up to the end of the three that lead to it. */
  reach: number;
}

export class Keywords {
  /** Number of a list of anchors, or 0, by three classes. */
  #lists = new Uint8Array(trigrams);
  #anchors: Anchor[][] = [[]];
  #shared = 0;

  constructor(keywords: readonly string[]) {
    keywords.forEach((keyword, index) => {
      const text = keyword.toLowerCase();
      if (text.length < keywordCharactersMin || /\P{ASCII}/u.test(text)) {
        throw new Error(`A keyword has three ASCII characters at least; "${keyword}" has not.`);
      }
      const reach = rarestAt(text) + 3;
      const trigram = trigramOf(text.slice(reach - 3, reach));
      if (this.#lists[trigram] === 0) this.#lists[trigram] = this.#newList();
      this.#anchors[this.#lists[trigram]!]!.push({
        keyword: index,
        text,
        first: text.charCodeAt(0) | 32,
        reach,
      });
    });
  }

  /** `hits` is emptied and filled, so that no text costs an allocation. */
  find(text: string, hits: Hits): void {
    hits.keywords.length = 0;
    hits.ends.length = 0;
    hits.digits.length = 0;
    if (text.length <= shortCharacters) return this.#findInShort(text, hits);
    const digits = anyDigit.test(text);
    let trigram = 0;
    for (let from = 0; from < text.length; from += pieceCharacters) {
      const part = text.length <= pieceCharacters ? text : text.slice(from, from + pieceCharacters);
      piece.write(part, 0, part.length, "latin1");
      trigram = digits
        ? this.#findWithDigits(text, from, part.length, trigram, hits)
        : this.#find(text, from, part.length, trigram, hits);
    }
  }

  /** Without a copy, which costs more than it saves here. */
  #findInShort(text: string, hits: Hits): void {
    const lists = this.#lists;
    let trigram = 0, inside = false;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      const digit = code >= 48 && code <= 57;
      if (digit && !inside) hits.digits.push(at);
      inside = digit;
      trigram = (trigram << classBits | classes[code & 0xff]!) & (trigrams - 1);
      if (lists[trigram] !== 0) this.#compare(lists[trigram]!, text, at + 1, hits);
    }
  }

  #find(text: string, from: number, count: number, before: number, hits: Hits): number {
    const lists = this.#lists;
    let trigram = before;
    for (let at = 0; at < count; at++) {
      trigram = (trigram << classBits | classes[bytes[at]!]!) & (trigrams - 1);
      if (lists[trigram] !== 0) this.#compare(lists[trigram]!, text, from + at + 1, hits);
    }
    return trigram;
  }

  /** The same, for a text that has digits. */
  #findWithDigits(text: string, from: number, count: number, before: number, hits: Hits): number {
    const lists = this.#lists, wide = beyondLatin.test(text);
    let trigram = before;
    let inside = from > 0 && isDigit(text.charCodeAt(from - 1));
    for (let at = 0; at < count; at++) {
      const kind = classes[bytes[at]!]!;
      if (kind === digitClass) {
        // A letter of another script may end with the byte of a digit.
        const digit = !wide || isDigit(text.charCodeAt(from + at));
        if (digit && !inside) hits.digits.push(from + at);
        inside = digit;
      } else inside = false;
      trigram = (trigram << classBits | kind) & (trigrams - 1);
      if (lists[trigram] !== 0) this.#compare(lists[trigram]!, text, from + at + 1, hits);
    }
    return trigram;
  }

  #compare(list: number, text: string, at: number, hits: Hits): void {
    const anchors = this.#anchors[list]!;
    for (let index = 0; index < anchors.length; index++) {
      const anchor = anchors[index]!;
      const start = at - anchor.reach;
      // Most are told apart by their first letter.
      if (start < 0 || (text.charCodeAt(start) | 32) !== anchor.first) continue;
      if (!isAt(anchor.text, text, start)) continue;
      hits.keywords.push(anchor.keyword);
      hits.ends.push(start + anchor.text.length);
    }
  }

  /** Beyond what a byte can number, lists are shared; the comparison tells their keywords apart. */
  #newList(): number {
    if (this.#anchors.length < listsMax) return this.#anchors.push([]) - 1;
    this.#shared = this.#shared % (listsMax - 1) + 1;
    return this.#shared;
  }
}

function isAt(keyword: string, text: string, start: number): boolean {
  for (let at = 0; at < keyword.length; at++) {
    let code = text.charCodeAt(start + at);
    if (code >= 65 && code <= 90) code += 32;
    if (code !== keyword.charCodeAt(at)) return false;
  }
  return true;
}

function trigramOf(text: string): number {
  let trigram = 0;
  for (let at = 0; at < 3; at++) trigram = trigram << classBits | classes[text.charCodeAt(at)]!;
  return trigram;
}

/** Where the three characters start that are met least. */
function rarestAt(text: string): number {
  let least = Infinity, rarest = 0;
  for (let at = 0; at + 3 <= text.length; at++) {
    const often = [0, 1, 2].reduce(
      (product, next) => product * frequencies[classes[text.charCodeAt(at + next)]! || otherClass]!,
      1,
    );
    if (often < least) [least, rarest] = [often, at];
  }
  return rarest;
}
