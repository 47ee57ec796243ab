// New events: which the stream leaves out by itself, and which belong to the list.
import { describe, expect, test } from "bun:test";
import { liveQuery, parseFilter, passes } from "../../web/parts/filter.ts";

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
  const filter = parseFilter('status:error model:a,b name:"x,y"');
  expect(liveQuery(filter)).toEqual({ status: "error" });
});
