// Secrets by the rules of gitleaks: a keyword leads to a rule, its pattern has to match there, and what
// it found has to look random enough and not be one of the values that nobody keeps secret. How
// gitleaks itself judges: https://github.com/gitleaks/gitleaks#configuration
import { entropy } from "./checksums.ts";
import rules from "./gitleaks.json" with { type: "json" };
import type { Span } from "./kinds.ts";

export interface GitleaksRule {
  id: string;
  /** Lower case; one of them stands in every match, or near it. */
  keywords: readonly string[];
  pattern: string;
  /** Begins a match with the keyword: as the name of a value, or as the secret itself; or anywhere near. */
  where: "named" | "at" | "around";
  /** Bits a character that the secret has at least, by Shannon's formula. */
  entropy?: number;
  /** Number of the group that is the secret; else it is the first that took part. */
  group?: number;
  /** What is no secret, by the secret itself, the match, or its line. */
  allowed?: readonly { target: string; pattern: string }[];
  /** A secret with one of them in it is none. */
  stopwords?: readonly string[];
}

export interface GitleaksRules {
  source: string;
  /** Values that no rule finds. */
  allowed: readonly string[];
  rules: readonly GitleaksRule[];
}

interface Compiled {
  rule: GitleaksRule;
  pattern: RegExp;
  allowed: { target: string; pattern: RegExp }[];
}

const { rules: sources, allowed: sourcesAllowed } = rules as GitleaksRules;
const neverSecret = sourcesAllowed.map((pattern) => new RegExp(pattern));

const byKeyword = new Map<string, GitleaksRule[]>();
for (const rule of sources) {
  for (const keyword of rule.keywords) {
    byKeyword.set(keyword, [...byKeyword.get(keyword) ?? [], rule]);
  }
}

/** In the order of `gitleaksAt`. */
export const gitleaksKeywords: readonly string[] = [...byKeyword.keys()];
const rulesOfKeyword = [...byKeyword.values()];

const compiled = new Map<GitleaksRule, Compiled>();

/** Most rules never meet their keyword: a pattern is compiled when it is needed first. */
function compile(rule: GitleaksRule): Compiled {
  let one = compiled.get(rule);
  if (one === undefined) {
    one = {
      rule,
      pattern: new RegExp(rule.pattern, rule.where === "around" ? "g" : "y"),
      allowed: (rule.allowed ?? []).map(({ target, pattern }) => ({
        target,
        pattern: new RegExp(pattern),
      })),
    };
    compiled.set(rule, one);
  }
  return one;
}

/** Characters on either side of a keyword in which a match is looked for. */
const aroundMax = 400;
const nameMax = 50;
const lineMax = 200;
/** Between a name and its operator. */
const operatorWithin = /[=>:,|]/;
const operatorMax = 32;

/** The secret near the keyword that ends at `end`; null when no rule finds one. */
export function gitleaksAt(keyword: number, text: string, end: number): Span | null {
  const start = end - gitleaksKeywords[keyword]!.length;
  let isNamed: boolean | undefined;
  for (const rule of rulesOfKeyword[keyword]!) {
    if (rule.where === "named") {
      isNamed ??= operatorWithin.test(text.slice(end, end + operatorMax));
      if (!isNamed) continue;
    }
    const span = rule.where === "around"
      ? foundAround(compile(rule), text, start, end)
      : foundAt(compile(rule), text, start);
    if (span !== null) return span;
  }
  return null;
}

function foundAt(one: Compiled, text: string, start: number): Span | null {
  one.pattern.lastIndex = start;
  const found = one.pattern.exec(text);
  return found === null ? null : secretOf(one, found, text, 0);
}

function foundAround(one: Compiled, text: string, start: number, end: number): Span | null {
  const from = Math.max(0, start - aroundMax);
  const part = text.slice(from, end + aroundMax);
  for (const found of part.matchAll(one.pattern)) {
    const span = secretOf(one, found, part, from);
    if (span !== null) return span;
  }
  return null;
}

function secretOf(one: Compiled, found: RegExpExecArray, text: string, from: number): Span | null {
  const { group } = one.rule;
  const secret = group !== undefined
    ? found[group] ?? ""
    : found.slice(1).find((part) => part !== undefined && part !== "") ?? found[0];
  if (!isSecret(one, secret, found, text)) return null;
  const start = from + found.index + found[0].lastIndexOf(secret);
  return { start, end: start + secret.length, kind: "SECRET", rule: one.rule.id };
}

function isSecret(
  { rule, allowed }: Compiled,
  secret: string,
  found: RegExpExecArray,
  text: string,
): boolean {
  if (rule.entropy !== undefined && entropy(secret) <= rule.entropy) return false;
  if (neverSecret.some((pattern) => pattern.test(secret))) return false;
  const isAllowed = allowed.some(({ target, pattern }) =>
    pattern.test(
      target === "match" ? withName(found, text) : target === "line" ? lineOf(found, text) : secret,
    )
  );
  if (isAllowed) return false;
  if (rule.stopwords === undefined) return true;
  const lower = secret.toLowerCase();
  return !rule.stopwords.some((word) => lower.includes(word));
}

/** The match with the rest of the name before its keyword. */
function withName({ 0: match, index }: RegExpExecArray, text: string): string {
  return (/[\w.-]*$/.exec(text.slice(Math.max(0, index - nameMax), index))?.[0] ?? "") + match;
}

function lineOf({ 0: match, index }: RegExpExecArray, text: string): string {
  const before = text.slice(Math.max(0, index - lineMax), index);
  const end = index + match.length;
  const after = text.slice(end, end + lineMax);
  return before.slice(before.lastIndexOf("\n") + 1) + match + after.split("\n", 1)[0];
}
