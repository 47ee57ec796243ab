// A chain of digit groups such as 4111 1111 1111 1111 or (415) 555-2671, as they stand in a text.
import { codeAt, isDigit, isWord } from "./characters.ts";

/** How two groups are joined. */
export const joins = { space: 1, dash: 2, dot: 4, slash: 8, paren: 16, none: 0 } as const;

/** More groups than this are looked at in turns that overlap. */
const groupsMax = 48;
/** Groups that a number can have at most; 19 digits one by one. */
export const numberGroupsMax = 20;
/** No number that is looked for has a longer group. */
const groupDigitsMax = 24;

export class Chain {
  starts: number[] = [];
  ends: number[] = [];
  /** How a group is joined to the one before it, of `joins`. */
  joins: number[] = [];
  /** The group that is looked at follows a finding. */
  fresh = false;
  /** More groups follow than it holds. */
  cut = false;

  text = "";

  get length(): number {
    return this.starts.length;
  }

  size(group: number): number {
    return this.ends[group]! - this.starts[group]!;
  }

  /** Digits of all its groups. */
  get total(): number {
    let total = 0;
    for (let group = 0; group < this.length; group++) total += this.size(group);
    return total;
  }

  /** Digits of some groups, without separators. */
  digits(first: number, count: number): string {
    let digits = "";
    for (let group = first; group < first + count; group++) {
      digits += this.text.slice(this.starts[group]!, this.ends[group]!);
    }
    return digits;
  }

  /** Reads the chain of a text that starts with the group of digits at `start`. */
  read(text: string, start: number, end: number): void {
    this.text = text;
    this.starts.length = this.ends.length = this.joins.length = 0;
    this.cut = false;
    this.#push(start, end, joins.none);
    let at = end;
    while (true) {
      const join = joinAt(text, at);
      if (join === joins.none) return;
      const next = at + joinLength(text, at);
      if (!isDigit(codeAt(text, next))) return;
      let last = next;
      while (isDigit(codeAt(text, last))) last++;
      // Letters follow at once: the group is part of a word.
      if (last - next > groupDigitsMax) return;
      if (isWord(codeAt(text, last)) && !isExtended(text, last)) return;
      if (this.length === groupsMax) {
        this.cut = true;
        return;
      }
      this.#push(next, last, join);
      at = last;
    }
  }

  #push(start: number, end: number, join: number): void {
    this.starts.push(start);
    this.ends.push(end);
    this.joins.push(join);
  }
}

const joinMax = 3;

/** What joins two groups: ` `, `-`, `) `, ` (`, ` - `, `-(0)`; none when nothing does. */
function joinAt(text: string, from: number): number {
  let join: number = joins.none;
  for (let at = from; at < from + joinMax; at++) {
    const code = codeAt(text, at);
    if (isDigit(code) || code < 0) break;
    const sign = code === 40 || code === 41 ? joins.paren : signOf(code);
    // Two spaces part columns of a table.
    if (sign === joins.none || (sign === join && sign !== joins.paren)) return joins.none;
    join = join === joins.paren || sign === joins.paren ? joins.paren : Math.max(join, sign);
  }
  return join;
}

/** Whether a further group of digits may stand after this character. */
export function mayJoin(code: number): boolean {
  return code === 40 || code === 41 || signOf(code) !== joins.none;
}

function joinLength(text: string, from: number): number {
  let at = from;
  while (at < from + joinMax && at < text.length && !isDigit(codeAt(text, at))) at++;
  return at - from;
}

function signOf(code: number): number {
  switch (code) {
    case 32:
    case 0xa0:
    case 0x2009:
    case 0x202f:
      return joins.space;
    case 45:
    case 0x2010:
    case 0x2011:
    case 0x2013:
      return joins.dash;
    case 46:
      return joins.dot;
    case 47:
      return joins.slash;
    default:
      return joins.none;
  }
}

/** Part of a longer thing, such as an id with dashes, a path, a decimal or a version. */
export function isGlued(chain: Chain, group: number): boolean {
  const { text } = chain;
  if (group > 0) return chain.joins[group] !== joins.space && chain.joins[group] !== joins.paren;
  let at = chain.starts[0]! - 1;
  if (codeAt(text, at) === 40) at--;
  const code = codeAt(text, at);
  if (code === 45 || code === 46 || code === 47) return isWord(codeAt(text, at - 1));
  // A sum of money.
  return code === 36 || code === 0x20ac || code === 0xa3 || code === 35;
}

/** The same on its right side. */
export function isOpenEnded(chain: Chain, group: number): boolean {
  const { text } = chain;
  const at = chain.ends[group]!;
  const code = codeAt(text, at);
  if (code === 45 || code === 46 || code === 47 || code === 58) {
    return isWord(codeAt(text, at + 1));
  }
  return code === 37;
}

/** 415-555-2671x12: the group ends before the x. */
function isExtended(text: string, at: number): boolean {
  return (codeAt(text, at) | 32) === 120 && isDigit(codeAt(text, at + 1));
}
