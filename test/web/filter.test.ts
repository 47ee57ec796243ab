// The filter bar's language: what is typed, what is asked, and that writing it gives it back.
import { describe, expect, test } from "bun:test";
import {
  filterQuery,
  filterSql,
  liveQuery,
  parseFilter,
  passes,
  toggled,
  writeFilter,
} from "../../web/parts/filter.ts";

describe("typed text becomes parameters", () => {
  const cases: [name: string, typed: string, query: Record<string, unknown>][] = [
    ["nothing", "", {}],
    ["one token", "status:error", { status: ["error"] }],
    ["short names", "type:tool_call user:u1", { event_type: ["tool_call"], user_id: ["u1"] }],
    ["several values", "model:gpt-5,o3", { model: ["gpt-5", "o3"] }],
    ["a key twice", "model:a model:b model:a", { model: ["a", "b"] }],
    ["quoted value", 'name:"write answer"', { name: ["write answer"] }],
    ["value with a comma is sent whole", 'model:"a,b"', { model: ["a,b", "a,b"] }],
    ["words", "gift  note", { q: "gift note" }],
    ["words and token", "status:error gift", { status: ["error"], q: "gift" }],
    ["an address is words", "http://example.com/x", { q: "http://example.com/x" }],
    ["quoted words", '"status:error"', { q: "status:error" }],
    ["a quote left open", 'name:"write an', { name: ["write an"] }],
  ];
  test.each(cases)("%s", (_name, typed, query) => {
    const filter = parseFilter(typed);
    expect(filter.problem).toBeNull();
    expect(filterQuery(filter)).toEqual(query as Record<string, string[]>);
    expect(filterQuery(parseFilter(writeFilter(filter)))).toEqual(
      query as Record<string, string[]>,
    );
  });
});

describe("what cannot be understood is told", () => {
  const cases: [typed: string, words: string][] = [
    ["colour:red", "“colour” is not a field"],
    ["status:", "What should status be?"],
  ];
  test.each(cases)("%s", (typed, words) => {
    expect(parseFilter(typed).problem).toContain(words);
  });
});

test("a click adds a value and takes it away again", () => {
  const once = toggled("status:error gift", "model", "gpt 5");
  expect(once).toBe('status:error model:"gpt 5" gift');
  expect(toggled(once, "model", "gpt 5")).toBe("status:error gift");
});

describe("a new event belongs to the list", () => {
  const event = { status: "error", model: "gpt-5", tags: ["a", "b"] };
  const cases: [typed: string, belongs: boolean][] = [
    ["", true],
    ["status:error", true],
    ["status:success,error", true],
    ["status:success", false],
    ["tag:b", true],
    ["tag:c", false],
    ["user_id:u1", false],
    ["model:gpt-5 tag:a", true],
  ];
  test.each(cases)("%s", (typed, belongs) => {
    expect(passes(parseFilter(typed), event)).toBe(belongs);
  });
});

test("the stream leaves out only what it can tell", () => {
  expect(liveQuery(parseFilter('status:error model:a,b name:"x,y"'))).toEqual({ status: "error" });
});

describe("the same question in SQL", () => {
  const cases: [name: string, typed: string, since: string | null, contains: string][] = [
    ["equality", "status:error", null, "status = 'error'"],
    ["list", "model:a,b", null, "model IN ('a', 'b')"],
    ["quotes cannot break out", "name:x'y", null, "name = 'x''y'"],
    ["tag", "tag:a", null, "list_has_any(tags, ['a'])"],
    ["relative time", "", "-24h", "timestamp >= now() - INTERVAL 24 HOUR"],
    ["absolute time", "", "2026-01-31T00:00:00Z", "TIMESTAMPTZ '2026-01-31T00:00:00Z'"],
    ["text", "it's", null, "contains(lower(prompt), lower('it''s'))"],
  ];
  test.each(cases)("%s", (_name, typed, since, contains) => {
    expect(filterSql(parseFilter(typed), since, null)).toContain(contains);
  });
});
