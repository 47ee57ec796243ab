// Slips of the pen in the filter bar are told before anything is asked.
import { describe, expect, test } from "bun:test";
import { parseFilter, problemOf } from "../../web/parts/filter.ts";

describe("fields of few values", () => {
  const cases: [typed: string, problem: string | null][] = [
    ["status:error", null],
    ["status:error,timeout type:tool_call", null],
    ["status:er", "status is one of success, error, timeout, assertion_failed, warning, not “er”."],
    ["model:er", null],
  ];
  test.each(cases)("%s", (typed, problem) => {
    expect(problemOf(parseFilter(typed))).toBe(problem);
  });
});
