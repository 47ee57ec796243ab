// Which release is the later one, and what an occurrence makes of an issue.
import { expect, test } from "bun:test";
import { isLater } from "../../src/issue/release.ts";
import { isLike } from "../../src/issue/settings.ts";
import { type IssueRecord, occur } from "../../src/issue/state.ts";

const seen: Record<string, string> = {
  "a1b2c3": "2026-01-01",
  "d4e5f6": "2026-01-02",
  "2026-01-31": "2026-01-03",
  "shop@1.4.0": "2026-01-04",
  "api@1.3.0": "2026-01-05",
};
const firstSeen = (release: string) => seen[release] ?? null;

test.each([
  ["1.4.1", "1.4.0", true],
  ["1.4.0", "1.4.0", false],
  ["1.10.0", "1.9.9", true],
  ["v2", "1.9.9", false],
  ["v2.0", "1.9.9", true],
  ["1.4.0", "1.4.0-rc.1", true],
  ["1.4.0-rc.2", "1.4.0-rc.10", false],
  ["1.4.0-rc.1", "1.4.0-rc", true],
  ["1.4.0-1", "1.4.0-alpha", false],
  ["1.4.0+build.7", "1.4.0", false],
  ["shop@1.4.1", "shop@1.4.0", true],
  // Of two programs, and of names that are no versions, the first event of each decides.
  ["api@1.3.0", "shop@1.4.0", true],
  ["d4e5f6", "a1b2c3", true],
  ["a1b2c3", "d4e5f6", false],
  ["2026-01-31", "d4e5f6", true],
  ["never-seen", "d4e5f6", true],
  ["d4e5f6", "never-seen", false],
])("%s comes after %s: %p", (release, than, expected) => {
  expect(isLater(release, than, firstSeen)).toBe(expected);
});

const resolved = (more: Partial<IssueRecord> = {}): IssueRecord => ({
  issue: "i1_0",
  state: "resolved",
  first_seen: "2026-01-02",
  first_release: "1.0.0",
  last_seen: "2026-01-03",
  resolved_at: "2026-01-04",
  resolved_in: null,
  regressed_at: null,
  regressed_in: null,
  assignee: null,
  note: null,
  merged_into: null,
  updated_at: null,
  ...more,
});
const at = (time: string, release: string | null = null) => ({
  issue: "i1_0",
  release,
  first: time,
  last: time,
});

test.each<[string, IssueRecord | null, ReturnType<typeof at>, string | null, Partial<IssueRecord>]>(
  [
    ["the first", null, at("2026-01-01", "1.0.0"), "new", {
      state: "open",
      first_release: "1.0.0",
    }],
    ["a later one", resolved(), at("2026-01-05"), "regressed", { state: "regressed" }],
    ["one that comes late", resolved(), at("2026-01-01", "0.9"), null, {
      state: "resolved",
      first_seen: "2026-01-01",
      first_release: "0.9",
    }],
    [
      "of the release it was resolved in",
      resolved({ resolved_in: "1.4.0" }),
      at("2026-01-05", "1.4.0"),
      null,
      { state: "resolved", last_seen: "2026-01-05" },
    ],
    [
      "of a later release",
      resolved({ resolved_in: "1.4.0" }),
      at("2026-01-05", "1.10.0"),
      "regressed",
      { state: "regressed", regressed_in: "1.10.0", regressed_at: "2026-01-05" },
    ],
    [
      "of an unknown release",
      resolved({ resolved_in: "1.4.0" }),
      at("2026-01-05"),
      null,
      { state: "resolved" },
    ],
    [
      "of what is ignored",
      resolved({ state: "ignored" }),
      at("2026-01-05"),
      null,
      { state: "ignored" },
    ],
  ],
)("an occurrence: %s", (_name, before, occurrence, news, expected) => {
  const first = occur(before, occurrence, firstSeen);
  expect(first).toMatchObject({ news, record: expected });
  // Read again after a crash, it changes nothing.
  expect(occur(first.record, occurrence, firstSeen)).toEqual({ record: first.record, news: null });
});

test.each([
  ["Rate limit reached", "rate limit*", true],
  ["Rate limit reached", "*LIMIT*", true],
  ["Rate limit reached", "limit", false],
  ["a+b(c", "a+b(c", true],
  ["", "*", true],
  ["x", "", false],
  ["a".repeat(1e6), "*a".repeat(99) + "b", false],
])("pattern: %#", (text, pattern, expected) => {
  const began = performance.now();
  expect(isLike(text, pattern)).toBe(expected);
  expect(performance.now() - began).toBeLessThan(100);
});
