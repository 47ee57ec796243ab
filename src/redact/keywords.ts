// Finds many keywords in one pass over a text and notes its digits on the way: the cheap look that
// decides which detectors run at all.
//
// The text is read two characters at a time. Of each keyword, four neighbouring characters stand for
// it (one window for when it starts at an even index, one for an odd one): what the first two of them
// may be is told by one table, what the last two may be by another, and a place is worth a look only
// when both tables name the same group of windows. Nine places in ten are not, and cost two reads.

import { isAlphanumeric, isDigit } from "./characters.ts";

export const keywordCharactersMin = 3;

export interface Keyword {
  /** ASCII. */
  text: string;
  /** Upper and lower case differ. */
  exact?: boolean;
  /** No letter or digit stands before it. */
  apart?: boolean;
}

export interface Hits {
  /** Keyword and the index after its last character, in the order of their starts. */
  keywords: number[];
  ends: number[];
  /** Where each run of digits starts. */
  digits: number[];
}

/** Characters that are looked at in one go; even. */
const pieceCharacters = 64 * 1024;
const windowCharacters = 4;
const piece = Buffer.alloc(pieceCharacters + 2 * windowCharacters);
/** The last eight bits of each character; the same two by two, the first of them in the low byte. */
const bytes = new Uint8Array(piece.buffer, piece.byteOffset, piece.length);
const pairs = new Uint16Array(piece.buffer, piece.byteOffset, piece.length / 2);
/** Pairs that are worth a look. */
const spots = new Uint16Array(pieceCharacters / 2 + 1);
/** Shorter texts are copied faster one by one. */
const shortCharacters = 96;

const pairValues = 1 << 16;
/** A bit each in the tables; the two bits left say that a character of the pair is a digit. */
const groups = 30;
const firstIsDigit = 1 << 30, secondIsDigit = 1 << 31;
/** Tells lower case in each of four letters. */
const caseBits = 0x20202020;
/** Of the four characters, the last or the first is not known. */
const leftMask = 0xffffff, rightMask = ~0xff;

const slotBits = 13;
const slotValues = 1 << slotBits;
const slotOf = (characters: number) => Math.imul(characters, 0x9e3779b1) >>> (32 - slotBits);

interface Known extends Keyword {
  number: number;
  /** Lower case, unless case matters. */
  text: string;
  exact: boolean;
  apart: boolean;
}

interface Window {
  keyword: Known;
  /** Of the keyword's characters, the first in the window; -1 when the window begins before it. */
  offset: number;
  /** Its characters as one number, without case, and the bits of those that are known. */
  value: number;
  mask: number;
  /** How often it is met in text, roughly. */
  often: number;
}

export class Keywords {
  /** Windows by a hash of what is known of them: the number of a list, or 0. */
  #slots = new Uint16Array(slotValues);
  #lists: Window[][] = [[]];
  #lengths: number[] = [];
  #first = new Int32Array(pairValues);
  #second = new Int32Array(pairValues).fill(firstIsDigit | secondIsDigit);

  constructor(keywords: readonly (string | Keyword)[]) {
    const windows = keywords.flatMap((given, number) => {
      const keyword = known(given, number);
      this.#lengths.push(keyword.text.length);
      return [windowOf(keyword, 0), windowOf(keyword, 1)];
    });
    this.#group(windows);
    for (let digit = 48; digit < 58; digit++) {
      for (let other = 0; other < 256; other++) {
        this.#first[digit | other << 8]! |= firstIsDigit;
        this.#first[other | digit << 8]! |= secondIsDigit;
      }
    }
  }

  /** `hits` is emptied and filled, so that no text costs an allocation. */
  find(text: string, hits: Hits): void {
    hits.keywords.length = 0;
    hits.ends.length = 0;
    hits.digits.length = 0;
    for (let from = 0; from < text.length; from += pieceCharacters) {
      const whole = text.length <= pieceCharacters;
      const part = whole ? text : text.slice(from, from + pieceCharacters + windowCharacters);
      copy(part);
      const places = this.#places(Math.min(pieceCharacters, part.length + 1) >> 1);
      if (places > 0) this.#look(text, from, places, hits);
    }
    this.#sort(hits);
  }

  /** Fills `spots`. Without a branch: one that is taken at random costs more than the rest. */
  #places(count: number): number {
    const first = this.#first, second = this.#second;
    let places = 0, pair = pairs[0]!;
    for (let at = 0; at < count; at++) {
      const next = pairs[at + 1]!;
      const groups = first[pair]! & second[next]!;
      spots[places] = at;
      places += (groups | -groups) >>> 31;
      pair = next;
    }
    return places;
  }

  #look(text: string, from: number, places: number, hits: Hits): void {
    const first = this.#first, second = this.#second, slots = this.#slots;
    let lastDigit = from > 0 && isDigit(text.charCodeAt(from - 1)) ? from - 1 : -2;
    for (let place = 0; place < places; place++) {
      const spot = spots[place]!, at = from + 2 * spot;
      const pair = pairs[spot]!, next = pairs[spot + 1]!;
      const groups = first[pair]! & second[next]!;
      // A letter of another script may end with the byte of a digit.
      if ((groups & firstIsDigit) !== 0 && isDigit(text.charCodeAt(at))) {
        if (lastDigit !== at - 1) hits.digits.push(at);
        lastDigit = at;
      }
      if ((groups & secondIsDigit) !== 0 && isDigit(text.charCodeAt(at + 1))) {
        if (lastDigit !== at) hits.digits.push(at + 1);
        lastDigit = at + 1;
      }
      if ((groups & ~(firstIsDigit | secondIsDigit)) === 0) continue;
      const characters = pair | next << 16 | caseBits;
      const whole = slots[slotOf(characters)]!;
      const left = slots[slotOf(characters & leftMask)]!;
      const right = slots[slotOf(characters & rightMask)]!;
      if (whole !== 0) this.#meet(whole, characters, text, at, hits);
      if (left !== 0) this.#meet(left, characters, text, at, hits);
      if (right !== 0) this.#meet(right, characters, text, at, hits);
    }
  }

  #meet(list: number, characters: number, text: string, at: number, hits: Hits): void {
    const windows = this.#lists[list]!;
    for (let index = 0; index < windows.length; index++) {
      const { keyword, offset, value, mask } = windows[index]!;
      if ((characters & mask) !== value) continue;
      const start = at - offset;
      if (start < 0 || !isAt(keyword, text, start)) continue;
      if (keyword.apart && start > 0 && isAlphanumeric(text.charCodeAt(start - 1))) continue;
      hits.keywords.push(keyword.number);
      hits.ends.push(start + keyword.text.length);
    }
  }

  /** By start, then by keyword. They are in order but for those that overlap. */
  #sort({ keywords, ends }: Hits): void {
    for (let from = 1; from < ends.length; from++) {
      const keyword = keywords[from]!, end = ends[from]!;
      const start = end - this.#lengths[keyword]!;
      let at = from;
      for (; at > 0; at--) {
        const before = keywords[at - 1]!;
        const order = ends[at - 1]! - this.#lengths[before]! - start;
        if (order < 0 || (order === 0 && before < keyword)) break;
        ends[at] = ends[at - 1]!;
        keywords[at] = before;
      }
      ends[at] = end;
      keywords[at] = keyword;
    }
  }

  /** Windows that are alike share a bit; so do the fewer, the oftener they are met. */
  #group(windows: Window[]): void {
    const weigh = (window: Window) => Math.sqrt(window.often) + 0.001;
    const total = windows.reduce((sum, window) => sum + weigh(window), 0);
    const alike = windows.toSorted((a, b) => a.mask - b.mask || nameOf(a).localeCompare(nameOf(b)));
    let weight = 0;
    for (const window of alike) {
      const group = Math.min(groups - 1, Math.floor(weight / total * groups));
      weight += weigh(window);
      const slot = slotOf(window.value);
      if (this.#slots[slot] === 0) this.#slots[slot] = this.#lists.push([]) - 1;
      this.#lists[this.#slots[slot]!]!.push(window);
      const [a, b, c, d] = [0, 1, 2, 3].map((at) => codesAt(window, at));
      for (const low of a!) for (const high of b!) this.#first[low | high << 8]! |= 1 << group;
      for (const low of c!) for (const high of d!) this.#second[low | high << 8]! |= 1 << group;
    }
  }
}

function known(given: string | Keyword, number: number): Known {
  const { text, exact = false, apart = false } = typeof given === "string"
    ? { text: given }
    : given;
  if (text.length < keywordCharactersMin || /\P{ASCII}/u.test(text)) {
    throw new Error(`A keyword has three ASCII characters at least; "${text}" has not.`);
  }
  return { number, text: exact ? text : text.toLowerCase(), exact, apart };
}

/** The four characters that are met least, of those that begin at an even index of the text. */
function windowOf(keyword: Known, start: 0 | 1): Window {
  let best: Window | null = null;
  for (let offset = -start; offset + 3 <= keyword.text.length; offset += 2) {
    const window: Window = { keyword, offset, value: 0, mask: 0, often: 1 };
    for (let at = 0; at < windowCharacters; at++) {
      const code = keyword.text.charCodeAt(offset + at);
      if (Number.isNaN(code)) continue;
      window.value |= (code | 32) << 8 * at;
      window.mask |= 0xff << 8 * at;
      window.often *= oftenness(code);
    }
    if (best === null || window.often < best.often) best = window;
  }
  return best!;
}

/** Lower case letters from a to z in a thousand characters. */
// deno-fmt-ignore
const letters = [
  65, 12, 24, 34, 100, 18, 16, 45, 57, 2, 7, 33, 20, 57, 61, 16, 1, 50, 52, 74, 23, 8, 18, 2, 16, 1,
];

/** Share of a character in text, roughly. */
function oftenness(code: number): number {
  const letter = letters[(code | 32) - 97];
  if (letter !== undefined) return letter / (code < 97 ? 20_000 : 1000);
  if (isDigit(code)) return 0.01;
  return code === 45 || code === 46 || code === 95 ? 0.015 : 0.002;
}

function nameOf({ keyword, offset }: Window): string {
  return keyword.text.slice(Math.max(0, offset), offset + windowCharacters);
}

const anyCode = Array.from({ length: 256 }, (_, code) => code);

/** What may stand at a place of a window. */
function codesAt({ keyword, offset }: Window, at: number): number[] {
  const code = keyword.text.charCodeAt(offset + at);
  if (Number.isNaN(code)) return anyCode;
  return keyword.exact || code < 97 || code > 122 ? [code] : [code, code - 32];
}

function copy(part: string): void {
  const { length } = part;
  if (length <= shortCharacters) {
    for (let at = 0; at < length; at++) bytes[at] = part.charCodeAt(at);
  } else piece.write(part, 0, length, "latin1");
  // What an earlier text left would be read as the end of this one.
  for (let at = length; at < length + windowCharacters; at++) bytes[at] = 0;
}

function isAt({ text: keyword, exact }: Known, text: string, start: number): boolean {
  if (start + keyword.length > text.length) return false;
  for (let at = 0; at < keyword.length; at++) {
    let code = text.charCodeAt(start + at);
    if (!exact && code >= 65 && code <= 90) code += 32;
    if (code !== keyword.charCodeAt(at)) return false;
  }
  return true;
}
