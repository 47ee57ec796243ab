// Does a rule of the price table tell this name? Rules are compiled once for a provider: names that
// a rule spells out are looked up, only the others are tried one after the other.
import type { Rule } from "./table.ts";

type Test = (name: string) => boolean;

/** Tells the index of the first rule that matches a lower-case name, or -1. */
export class Matcher {
  #spelled = new Map<string, number>();
  #others: { at: number; test: Test }[] = [];
  /** Those of the others that do not just look for a part. */
  #anchored: { at: number; test: Test }[] = [];

  constructor(rules: readonly Rule[]) {
    rules.forEach((rule, at) => this.#add(rule, at));
  }

  /** Without `anywhere` rules for a part of a name are left out: they were tried on the whole. */
  find(name: string, anywhere = true): number {
    const spelled = this.#spelled.get(name) ?? Infinity;
    for (const { at, test } of anywhere ? this.#others : this.#anchored) {
      if (at >= spelled) break;
      if (test(name)) return at;
    }
    return spelled === Infinity ? -1 : spelled;
  }

  /** Only names that are spelled out. */
  findSpelled(name: string): number {
    return this.#spelled.get(name) ?? -1;
  }

  #add(rule: Rule, at: number): void {
    if (typeof rule === "string") {
      const name = rule.toLowerCase();
      if (!this.#spelled.has(name)) this.#spelled.set(name, at);
    } else if (Array.isArray(rule)) {
      for (const one of rule) this.#add(one, at);
    } else {
      const other = { at, test: testOf(rule) };
      this.#others.push(other);
      if (!(typeof rule === "object" && "contains" in rule)) this.#anchored.push(other);
    }
  }
}

/** The table's own expressions only: a test shows that each takes linear time. */
function testOf(rule: Rule): Test {
  if (typeof rule === "string" || Array.isArray(rule)) {
    const matcher = new Matcher([rule]);
    return (name) => matcher.find(name) === 0;
  }
  if ("starts_with" in rule) {
    const start = rule.starts_with.toLowerCase();
    return (name) => name.startsWith(start);
  }
  if ("ends_with" in rule) {
    const end = rule.ends_with.toLowerCase();
    return (name) => name.endsWith(end);
  }
  if ("contains" in rule) {
    const part = rule.contains.toLowerCase();
    return (name) => name.includes(part);
  }
  if ("regex" in rule) {
    const pattern = new RegExp(rule.regex);
    return (name) => pattern.test(name);
  }
  const tests = (rule as { all: readonly Rule[] }).all.map(testOf);
  return (name) => tests.every((test) => test(name));
}

/** A test for lower-case names; `*` in the pattern stands for anything. */
export function patternOf(pattern: string): Test {
  const [first = "", ...rest] = pattern.toLowerCase().split("*");
  const last = rest.pop();
  if (last === undefined) return (name) => name === first;
  return (name) => {
    const end = name.length - last.length;
    if (end < first.length || !name.startsWith(first) || !name.endsWith(last)) return false;
    let at = first.length;
    for (const piece of rest) {
      const found = name.indexOf(piece, at);
      if (found === -1 || found + piece.length > end) return false;
      at = found + piece.length;
    }
    return true;
  };
}
