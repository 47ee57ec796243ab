// gitleaks' rules: their patterns in JavaScript's syntax, and secrets that only they know.
import { describe, expect, test } from "bun:test";
import { fromGo } from "../../scripts/gitleaks_pattern.ts";
import rules from "../../src/redact/gitleaks.json" with { type: "json" };
import { gitleaksKeywords } from "../../src/redact/gitleaks.ts";
import { keywordCharactersMin } from "../../src/redact/keywords.ts";
import { scan } from "../../src/redact/scan.ts";

const patterns: [go: string, javascript: string, matches: string[], others: string[]][] = [
  ["(?i)ab", "(?i:ab)", ["AB"], []],
  ["a(?i)b", "a(?i:b)", ["aB"], ["AB"]],
  ["a(?i)b|c", "a(?i:b)|(?i:c)", ["aB", "C"], ["A"]],
  ["(a(?i)b|c)d", "(a(?i:b)|(?i:c))d", ["aBd", "Cd"], ["CD"]],
  ["(?i)a(?-i)b", "(?i:a)(?-i:b)", ["Ab"], ["AB"]],
  ["(?-i:a)(?i:b)", "(?-i:a)(?i:b)", ["aB"], ["AB"]],
  ["(?P<name>a)", "(a)", ["a"], []],
  ["a(?:b|\\z)", "a(?:b|(?![\\s\\S]))", ["ab", "ca"], ["ac"]],
  ["[[:alnum:]_]", "[A-Za-z0-9_]", ["a", "_"], ["-"]],
  ["x[^]]y", "x[^\\]]y", ["xay"], ["x]y"]],
  ["\\((?i)\\)a", "\\((?i:\\)a)", ["()A"], []],
  ["[(?i)]a", "[(?i)]a", ["(a"], ["(A"]],
];
test.each(patterns)("pattern: %s", (go, javascript, matches, others) => {
  expect(fromGo(go)).toBe(javascript);
  for (const text of matches) {
    expect([text, new RegExp(fromGo(go)).test(text)]).toEqual([text, true]);
  }
  for (const text of others) {
    expect([text, new RegExp(fromGo(go)).test(text)]).toEqual([text, false]);
  }
});

test("every rule compiles, and every keyword can be looked for", () => {
  expect(rules.rules.length).toBeGreaterThan(200);
  for (const { pattern } of rules.rules) expect(() => new RegExp(pattern)).not.toThrow();
  for (const word of gitleaksKeywords) {
    expect([word, word.length >= keywordCharactersMin]).toEqual([word, true]);
  }
});

/** Put together here, so that nobody takes them for real ones. */
const hex = (count: number) => "4f9a0c7be1d258360a9f".repeat(5).slice(0, count);
const letters = (count: number) => "kq7zv2nbx4mw9ctr8jyd".repeat(8).slice(0, count);

// What is to be found stands between ‹ and ›.
const secrets = [
  `adobe_client = '‹${hex(32)}›'`,
  `DISCORD bot: ‹${hex(64)}›;`,
  `url: ‹hooks.slack.com/services/${letters(44)}›`,
  `<add key="ClearTextPassword" value="‹k9#vQ2!xTz_7›" />`,
  `"secret_key" => "‹sk_${letters(29)}›"`,
  `maxmind ‹${letters(6)}_${letters(29)}_mmk›`,
  `export LOB=x\nlob key: '‹test_${hex(35)}›'`,
  `‹pat.${letters(22)}.${letters(24)}.${letters(20)}›`,
  `‹dt0c01.${letters(24)}.${letters(64)}›`,
  `‹_gitlab_session=${hex(32)}›`,
  `kind: Secret\ndata:\n  ‹token: ${letters(24)}›\n`,
  `https://‹${hex(8)}:${hex(8)}›@gems.contribsys.com/`,
  `‹glpat-${letters(40)}.${letters(9)}›`,
  `twilio ‹SK${hex(32)}› done`,
];
describe("found", () => {
  test.each(secrets)("%s", (marked) => {
    const start = marked.indexOf("‹"), end = marked.indexOf("›") - 1;
    const text = marked.replace(/[‹›]/g, "");
    const found = scan(text, { key: "", identifier: false }, new Set(["SECRET"]));
    expect(found.some((span) => span.start <= start && span.end >= end)).toBe(true);
  });
});

const harmless = [
  "adobe: the colour of clay",
  `adobe = '${"a".repeat(32)}'`,
  `the twilio handbook, page ${"7".repeat(32)}`,
  "discord -> see https://discord.com/developers",
  "files.and.folders of this.state.of.affairs",
  "AKIAIOSFODNN7EXAMPLE",
  "kind: Secret\ndata: {}",
];
describe("not found", () => {
  test.each(harmless)("%s", (text) => {
    expect(scan(text, { key: "", identifier: false }, new Set(["SECRET"]))).toEqual([]);
  });
});

test("a text of nothing but keywords can be stopped", () => {
  class Late extends Error {}
  for (const keyword of gitleaksKeywords) {
    for (const after of ["", " = 'a"]) {
      const text = (keyword + after).repeat(2000);
      const stop = () => {
        throw new Late();
      };
      expect(() => scan(text, { key: "", identifier: false }, new Set(["SECRET"]), stop)).toThrow(
        Late,
      );
    }
  }
});
