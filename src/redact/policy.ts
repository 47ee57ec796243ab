// Looks for what a project does not want to read: its banned terms, and attempts to turn a model
// against its instructions, also when they are hidden in characters that nobody sees.
import { type Hits, keywordCharactersMin, Keywords } from "./keywords.ts";
import { hiddenText, type PolicyRule, policyRules, type Severity } from "./policy_rules.ts";

export interface Breach {
  rule: {
    /** Names the rule, for an id that a repeated delivery gives again. */
    id: string;
    /** Under which it is counted. */
    kind: "BANNED_TERM" | "PROMPT_INJECTION";
    category: string;
    language: string | null;
    severity: Severity;
    /** The term, when it is one of the project's. */
    term: string | null;
  };
  /** A few words around it, as they are kept; null when nothing of the text is. */
  excerpt: string | null;
}

/** By rule, so that each is told once for an event. */
export type Breaches = Map<string, Breach>;

/** Different rules that one event may break before the rest is left. */
const breachesMax = 16;
/** Text looked at, of each string; characters. */
const lookedAtMax = 256 * 1024;
/** Text around an anchor that a pattern sees. */
const windowCharacters = 240;
const excerptCharacters = 60;
/** Anchors of one rule that are followed in one text. */
const anchorsMax = 64;

const invisible =
  /[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0e\ufeff\uffa0\u{e0000}-\u{e007f}]/gu;
/** ASCII in the block of tags, which models read and people do not see; also in flags, as `gbeng`. */
const tagText = /\u{1f3f4}?[\u{e0020}-\u{e007e}]{3,}/gu;
/** A flag's own tags are no longer. */
const flagUnitsMax = 2 + 2 * 6;
/** Runs that no script needs: joiners and marks in a row, or text whose direction is overridden. */
const hiddenRun = /[\u200b-\u200d\u2060-\u2064\ufeff]{4,}|[\u202d\u202e][^\u202c\n]{4,}/u;
const beyondLatin = /[\u0250-\u200f\u2028-\u20ab\u20ad-\uffff]/;

const rules: { rule: PolicyRule; id: string }[] = policyRules.map((rule, at) => ({
  rule,
  id: `${rule.category}.${rule.language}.${at}`,
}));
const anchored = rules.flatMap((one, at) => one.rule.anchors.map((anchor) => ({ anchor, at })));
const isAscii = (text: string) => !/[\u0080-\uffff]/.test(text);
/** What can be a keyword. */
const isPlain = (text: string) => text.length >= keywordCharactersMin && isAscii(text);
const asciiAnchors = anchored.filter(({ anchor }) => isPlain(anchor));
const otherAnchors = anchored.filter(({ anchor }) => !isPlain(anchor));
const anchors = new Keywords(asciiAnchors.map(({ anchor }) => anchor));

const hits: Hits = { keywords: [], ends: [], digits: [] };

export class PolicyScan {
  #injection: boolean;
  #terms: string[];
  #words: Keywords | null;
  #others: string[];

  constructor(bannedTerms: readonly string[], injection: boolean) {
    this.#injection = injection;
    this.#terms = bannedTerms.map((term) => squeezed(term));
    const plain = this.#terms.filter(isPlain);
    // The terms that are keywords come first, so that both count alike.
    this.#terms = [...plain, ...this.#terms.filter((term) => !isPlain(term))];
    this.#words = plain.length > 0 ? new Keywords(plain) : null;
    this.#others = this.#terms.slice(plain.length);
  }

  /** Adds what it finds in a text; of it, excerpts are taken from what is kept. */
  look(text: string, kept: string, breaches: Breaches, injection = true): void {
    if (text.length < 3 || breaches.size >= breachesMax) return;
    const part = text.length > lookedAtMax ? text.slice(0, lookedAtMax) : text;
    const foreign = beyondLatin.test(part);
    if (injection && this.#injection && foreign) lookForHidden(part, breaches);
    const plain = squeezed(foreign ? part.replace(tagText, fromTags) : part);
    const excerptOf = excerptsOf(kept === text ? plain : kept);
    if (injection && this.#injection) lookForInjection(plain, foreign, excerptOf, breaches);
    this.#lookForTerms(plain, excerptOf, breaches);
  }

  #lookForTerms(text: string, excerptOf: ExcerptOf, breaches: Breaches): void {
    const found = (term: string) => {
      const rule = { id: `term.${term}`, kind: "BANNED_TERM", category: "banned_term" } as const;
      if (breaches.has(rule.id) || breaches.size >= breachesMax) return;
      breaches.set(rule.id, {
        rule: { ...rule, language: null, severity: "medium", term },
        excerpt: excerptOf(term),
      });
    };
    this.#words?.find(text, hits);
    for (let index = 0; this.#words !== null && index < hits.keywords.length; index++) {
      const at = hits.keywords[index]!, end = hits.ends[index]!;
      const term = this.#terms[at]!;
      if (isWhole(text, end - term.length, end)) found(term);
    }
    for (const term of this.#others) {
      const start = text.indexOf(term);
      if (start !== -1 && (!isAscii(term) || isWhole(text, start, start + term.length))) {
        found(term);
      }
    }
  }
}

type ExcerptOf = (words: string) => string | null;

function lookForInjection(
  text: string,
  foreign: boolean,
  excerptOf: ExcerptOf,
  breaches: Breaches,
) {
  const followed = new Map<number, number>();
  const follow = (at: number, start: number) => {
    const { rule, id } = rules[at]!;
    const times = followed.get(at) ?? 0;
    if (times >= anchorsMax || breaches.has(id) || breaches.size >= breachesMax) return;
    followed.set(at, times + 1);
    const from = Math.max(0, start - windowCharacters);
    const found = rule.pattern.exec(text.slice(from, start + windowCharacters));
    if (found === null) return;
    const { category, language, severity } = rule;
    breaches.set(id, {
      rule: { id, kind: "PROMPT_INJECTION", category, language, severity, term: null },
      excerpt: excerptOf(found[0]),
    });
  };
  anchors.find(text, hits);
  for (let index = 0; index < hits.keywords.length; index++) {
    const { anchor, at } = asciiAnchors[hits.keywords[index]!]!;
    follow(at, hits.ends[index]! - anchor.length);
  }
  const accented = foreign || !isAscii(text);
  if (!accented) return;
  for (const { anchor, at } of otherAnchors) {
    for (let start = text.indexOf(anchor); start !== -1; start = text.indexOf(anchor, start + 1)) {
      if ((followed.get(at) ?? 0) >= anchorsMax || breaches.has(rules[at]!.id)) break;
      follow(at, start);
    }
  }
}

function lookForHidden(text: string, breaches: Breaches): void {
  const tags =
    text.match(tagText)?.some((tags) =>
      !tags.startsWith("\u{1f3f4}") || tags.length > flagUnitsMax
    ) ?? false;
  const run = hiddenRun.test(text);
  if (!tags && !run) return;
  const id = `${hiddenText.category}.${tags ? "tags" : "invisible"}`;
  breaches.set(id, {
    rule: { ...hiddenText, id, kind: "PROMPT_INJECTION", term: null },
    excerpt: null,
  });
}

function fromTags(tags: string): string {
  return Array.from(tags, (tag) => {
    const code = tag.codePointAt(0)! - 0xe0000;
    return code < 0 ? tag : String.fromCharCode(code);
  }).join("");
}

const unusualSpace = / {2}|[^\S\n ]/;

/** Lower case, full-width letters as plain ones, single spaces, nothing invisible. */
function squeezed(text: string): string {
  const plain = isAscii(text) ? text : text.normalize("NFKC").replace(invisible, "");
  const lower = plain.toLowerCase();
  return unusualSpace.test(lower) ? lower.replace(/[^\S\n]+/g, " ") : lower;
}

/** Whether letters do not go on at either side. */
function isWhole(text: string, start: number, end: number): boolean {
  const letter = /[\p{L}\p{N}_]/u;
  const inside = (at: number) => at >= 0 && at < text.length && letter.test(text[at]!);
  return !(inside(start - 1) && inside(start)) && !(inside(end) && inside(end - 1));
}

/** A few words around something, if what is kept still has it. */
function excerptsOf(kept: string): ExcerptOf {
  let plain: string | null = null;
  return (words) => {
    plain ??= squeezed(kept);
    const start = plain.indexOf(words);
    if (start === -1) return null;
    const from = Math.max(0, start - excerptCharacters);
    const to = Math.min(plain.length, start + words.length + excerptCharacters);
    return plain.slice(from, to).toWellFormed().trim();
  };
}
