// Keywords and digits are found where a plain look at every character finds them.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Hits, type Keyword, Keywords } from "../../src/redact/keywords.ts";
import { secretKeywords } from "../../src/redact/secret.ts";

interface Found {
  keywords: [keyword: number, end: number][];
  digits: number[];
}

function fast(keywords: Keywords, text: string): Found {
  // What an earlier text left is no part of the answer.
  const hits: Hits = { keywords: [7, 8], ends: [9], digits: [10] };
  keywords.find(text, hits);
  return {
    keywords: hits.keywords.map((keyword, at) => [keyword, hits.ends[at]!]),
    digits: hits.digits,
  };
}

function plain(given: readonly (string | Keyword)[], text: string): Found {
  const keywords: Found["keywords"] = [];
  const lower = asciiLower(text);
  for (let start = 0; start < text.length; start++) {
    given.forEach((one, number) => {
      const keyword: Keyword = typeof one === "string" ? { text: one } : one;
      const there = keyword.exact
        ? text.startsWith(keyword.text, start)
        : lower.startsWith(keyword.text.toLowerCase(), start);
      if (!there || (keyword.apart && /[A-Za-z0-9]/.test(text[start - 1] ?? ""))) return;
      keywords.push([number, start + keyword.text.length]);
    });
  }
  return { keywords, digits: Array.from(text.matchAll(/[0-9]+/g), (run) => run.index) };
}

function asciiLower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

const few: (string | Keyword)[] = [
  "://",
  "key",
  "api_key",
  { text: "sk-", exact: true, apart: true },
  { text: "sk-proj-", exact: true, apart: true },
  { text: "AKIA", exact: true },
  { text: ":AA", apart: false },
  "0q~",
  "aaaa",
];

describe.each([["a few", few], ["those of secrets", secretKeywords]] as const)("%s", (_, given) => {
  const keywords = new Keywords(given);
  const texts = given.map((one) => typeof one === "string" ? one : one.text);
  const piece = fc.oneof(
    fc.constantFrom(...texts),
    fc.constantFrom(...texts).map((text) => text.toUpperCase()),
    fc.constantFrom(...texts).map((text) => text.slice(0, -1)),
    // Their last bytes are those of letters and digits.
    fc.constantFrom("š", "ı", "İ", "Ｋ", "⁠0", "İ1", "\u0130", "\u3130", "\u6b65\u7900"),
    fc.string({ maxLength: 4 }),
    fc.stringMatching(/^[0-9]{1,9}$/),
    fc.stringMatching(/^[a-z ]{0,20}$/),
  );
  const text = fc.array(piece, { maxLength: 24 }).map((pieces) => pieces.join(""));

  test("as a plain look finds them", () => {
    fc.assert(
      fc.property(text, (text) => {
        expect(fast(keywords, text)).toEqual(plain(given, text));
      }),
      { numRuns: 500 },
    );
  });

  test("in a text that is looked at in pieces", () => {
    const pieceCharacters = 64 * 1024;
    fc.assert(
      fc.property(text, fc.nat(40), fc.constantFrom(" ", "7", "k"), (text, back, fill) => {
        const whole = fill.repeat(pieceCharacters - Math.min(back, text.length)) + text +
          fill.repeat(9);
        const before = pieceCharacters - 200;
        // Only where pieces meet: the plain look takes its time.
        const expected = plain(given, whole.slice(before));
        const found = fast(keywords, whole);
        const near = found.keywords.filter(([number, end]) =>
          end - texts[number]!.length >= before
        );
        expect(near).toEqual(expected.keywords.map(([number, end]) => [number, end + before]));
        const digits = Array.from(whole.matchAll(/[0-9]+/g), (run) => run.index);
        expect(found.digits).toEqual(digits);
      }),
      { numRuns: 30 },
    );
  });
});

test("every keyword is found at every place of a text", () => {
  const keywords = new Keywords(secretKeywords);
  secretKeywords.forEach((one, number) => {
    const { text, exact } = typeof one === "string" ? { text: one, exact: false } : one;
    for (let before = 0; before < 6; before++) {
      for (const form of exact ? [text] : [text, text.toUpperCase()]) {
        const found = fast(keywords, " ".repeat(before) + form);
        expect(found.keywords).toContainEqual([number, before + text.length]);
      }
    }
  });
});

test("a keyword of fewer than three characters, or beyond ASCII, is refused", () => {
  expect(() => new Keywords(["ab"])).toThrow("three ASCII characters");
  expect(() => new Keywords(["clé1"])).toThrow("three ASCII characters");
});
