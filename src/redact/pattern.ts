// Patterns that users write. They run on every event, so none may take more than time linear in the
// text: RE2 decides what is a pattern at all, and runs it, unless it is so simple that the engine of
// the language, which is many times faster, cannot be led astray by it.
import { RE2JS } from "re2js";

export interface Pattern {
  /** Calls with the start and end of each match that is not empty. */
  each(text: string, found: (start: number, end: number) => void): void;
  /** Longest text that it is given at once; characters. */
  sliceMax: number;
}

export const patternCharactersMax = 1000;
const simpleSliceMax = 64 * 1024;
const slowSliceMax = 4 * 1024;

/** Flags are i, m and s. */
export function compilePattern(source: string, flags = ""): Pattern | { refused: string } {
  if (source === "") return { refused: "is empty" };
  if (source.length > patternCharactersMax) {
    return { refused: `has more than ${patternCharactersMax} characters` };
  }
  if (!/^[ims]*$/.test(flags)) return { refused: `has flags other than i, m and s: "${flags}"` };
  let linear: RE2JS;
  try {
    linear = RE2JS.compile(source, flagsOf(flags));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { refused: `is no pattern of RE2 (without look-around and back-references): ${reason}` };
  }
  const work = workOf(source);
  if (work === null || work.degree > 1 || work.ways > (work.degree === 0 ? 64 : 4)) {
    return { each: (text, found) => eachLinear(linear, text, found), sliceMax: slowSliceMax };
  }
  const native = new RegExp(source, flags + "g");
  const sliceMax = work.degree === 0 ? simpleSliceMax : slowSliceMax;
  return { each: (text, found) => eachNative(native, text, found), sliceMax };
}

function flagsOf(flags: string): number {
  return (flags.includes("i") ? RE2JS.CASE_INSENSITIVE : 0) |
    (flags.includes("m") ? RE2JS.MULTILINE : 0) | (flags.includes("s") ? RE2JS.DOTALL : 0);
}

function eachLinear(pattern: RE2JS, text: string, found: (start: number, end: number) => void) {
  const matcher = pattern.matcher(text);
  while (matcher.find()) {
    if (matcher.end() > matcher.start()) found(matcher.start(), matcher.end());
  }
}

function eachNative(pattern: RegExp, text: string, found: (start: number, end: number) => void) {
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    if (match[0] === "") pattern.lastIndex++;
    else found(match.index, match.index + match[0].length);
  }
}

/** What backtracking may cost at one place of a text. */
interface Work {
  /** Ways that a bounded part can match. */
  ways: number;
  /** Repetitions without a bound, one after another; Infinity when one is in another. */
  degree: number;
}

/** Null when the pattern uses more than what is common to both engines. */
export function workOf(source: string): Work | null {
  const parser = new Parser(source);
  const work = parser.alternatives();
  return work !== null && parser.at === source.length ? work : null;
}

class Parser {
  at = 0;

  constructor(readonly source: string) {}

  alternatives(): Work | null {
    let ways = 0, degree = 0;
    while (true) {
      const work = this.#sequence();
      if (work === null) return null;
      ways += work.ways;
      degree = Math.max(degree, work.degree);
      if (this.source[this.at] !== "|") return { ways, degree };
      this.at++;
    }
  }

  #sequence(): Work | null {
    let ways = 1, degree = 0;
    while (this.at < this.source.length && !"|)".includes(this.source[this.at]!)) {
      const atom = this.#atom();
      const work = atom === null ? null : this.#repeated(atom);
      if (work === null) return null;
      ways *= work.ways;
      degree += work.degree;
    }
    return { ways, degree };
  }

  #atom(): Work | null {
    const { source } = this;
    const once: Work = { ways: 1, degree: 0 };
    const letter = source[this.at]!;
    if (letter === "(") return this.#group();
    const matched = letter === "["
      ? /^\[\^?(?:\\[dws\\\]\[.^$*+?(){}|/-]|[^\\\[\]])+\]/.exec(source.slice(this.at))
      : letter === "\\"
      ? /^\\[dDwWsSbBtnr.^$*+?()[\]{}|\\/-]/.exec(source.slice(this.at))
      : /^[^*+?{}[\]()|\\]/.exec(source.slice(this.at));
    if (matched === null) return null;
    this.at += matched[0].length;
    return once;
  }

  #group(): Work | null {
    this.at++;
    if (this.source.startsWith("?:", this.at)) this.at += 2;
    else if (this.source[this.at] === "?") return null;
    const work = this.alternatives();
    if (work === null || this.source[this.at] !== ")") return null;
    this.at++;
    return work;
  }

  #repeated(work: Work): Work | null {
    const found = /^(?:[*+?]|\{(\d{1,4})(,(\d{0,4}))?\})/.exec(this.source.slice(this.at));
    if (found === null) return this.source[this.at] === "{" ? null : work;
    this.at += found[0].length;
    if (this.source[this.at] === "?") this.at++;
    // Two quantifiers in a row are an error or possessive.
    if (/[*+?{]/.test(this.source[this.at] ?? "")) return null;
    const [sign, least, comma, most] = found;
    const min = sign === "+" ? 1 : Number(least ?? 0);
    const max = sign === "?"
      ? 1
      : least === undefined
      ? Infinity
      : comma === undefined
      ? min
      : most === ""
      ? Infinity
      : Number(most);
    if (max === Infinity) {
      return { ways: 1, degree: work.ways > 1 || work.degree > 0 ? Infinity : 1 };
    }
    let ways = 0;
    for (let times = min; times <= max && ways < 1e9; times++) ways += work.ways ** times;
    return {
      ways: Math.max(1, ways),
      degree: work.degree === 0 ? 0 : work.degree * Math.max(1, max),
    };
  }
}
