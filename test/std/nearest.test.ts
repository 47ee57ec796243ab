// Suggestions for mistyped words.
import { expect, test } from "bun:test";
import { editDistance, nearest } from "../../src/std/nearest.ts";

test.each([
  ["", "", 0],
  ["abc", "abc", 0],
  ["abc", "acb", 1],
  ["abc", "ab", 1],
  ["abc", "abcd", 1],
  ["abc", "axc", 1],
  ["kitten", "sitting", 3],
])("%p → %p: %i", (from, to, distance) => {
  expect(editDistance(from, to)).toBe(distance);
  expect(editDistance(to, from)).toBe(distance);
});

test.each([
  ["srve", "serve"],
  ["SERVE", "serve"],
  ["versoin", "version"],
  ["xyzzy", null],
  ["", null],
])("%p means %p", (word, expected) => {
  expect(nearest(word, ["serve", "sql", "version"])).toBe(expected);
});
