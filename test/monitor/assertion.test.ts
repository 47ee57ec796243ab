// What is held against an answer: tables of assertions, answers and verdicts.
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  type Answer,
  type Assertion,
  assertionSchema,
  judge,
} from "../../src/monitor/assertion.ts";
import { parsePath, sameJson, valueAt } from "../../src/monitor/json_path.ts";
import { misfit, shapeProblem } from "../../src/monitor/json_shape.ts";

const answer = (fields: Partial<Answer>): Answer => ({
  status: 200,
  text: "",
  body: "",
  latency_ms: 0,
  first_token_ms: null,
  cost_usd: null,
  finish_reason: null,
  ...fields,
});

describe("an assertion", () => {
  const cases: [
    assertion: Record<string, unknown>,
    answer: Partial<Answer>,
    holds: boolean | null,
    actual?: string,
  ][] = [
    [{ type: "contains", value: "Paris" }, { text: "It is Paris." }, true],
    [{ type: "contains", value: "paris" }, { text: "It is Paris." }, false, "It is Paris."],
    [{ type: "contains", value: "paris", ignore_case: true }, { text: "It is Paris." }, true],
    [{ type: "contains", value: "sorry", not: true }, { text: "I am sorry" }, false, "I am sorry"],
    [{ type: "contains", value: "id", of: "body" }, { text: "", body: '{"id":1}' }, true],
    [{ type: "regex", pattern: "^\\d{3}$" }, { text: "123" }, true],
    [{ type: "regex", pattern: "^b", flags: "m" }, { text: "a\nb" }, true],
    [{ type: "regex", pattern: "PARIS", flags: "i", not: true }, { text: "Paris" }, false, "Paris"],
    [{ type: "regex", pattern: "x" }, { text: "x".repeat(100_001) }, null],
    [{ type: "json_path", path: "$.a[0].b" }, { text: '{"a":[{"b":null}]}' }, true],
    [{ type: "json_path", path: "a[-1]", equals: 2 }, { text: '{"a":[1,2]}' }, true],
    [{ type: "json_path", path: "$.a", equals: { x: 1, y: [2] } }, {
      text: '{"a":{"y":[2],"x":1.0}}',
    }, true],
    [{ type: "json_path", path: "$.a", equals: 1 }, { text: '{"a":"1"}' }, false, '"1"'],
    [{ type: "json_path", path: "$.b" }, { text: '{"a":1}' }, false, "nothing is there"],
    [{ type: "json_path", path: "$.a" }, { text: "no JSON" }, false, "no JSON"],
    [{ type: "json_path", path: "$.a" }, { text: '```json\n{"a": 1}\n```' }, true],
    [{ type: "json_path", path: '$["a b"].c' }, { text: '{"a b":{"c":0}}' }, true],
    [
      { type: "json_path", path: "$.toString" },
      { text: "{}" },
      false,
      "nothing is there",
    ],
    [{ type: "json_shape", shape: { a: ["integer"], "b?": "string|null" } }, {
      text: '{"a":[1,2],"b":null,"more":true}',
    }, true],
    [
      { type: "json_shape", shape: { a: ["integer"] } },
      { text: '{"a":[1,2.5]}' },
      false,
      "$.a[1] is no integer",
    ],
    [{ type: "json_shape", shape: { a: "any" } }, { text: "{}" }, false, "$.a is missing"],
    [{ type: "json_shape", shape: "array" }, { text: "[" }, false, "["],
    [{ type: "status", values: [200, 204] }, { status: 204 }, true],
    [{ type: "status", values: [200] }, { status: 503 }, false, "503"],
    [{ type: "length", min: 1, max: 3 }, { text: "abcd" }, false, "4 characters"],
    [{ type: "length", max: 4 }, { text: "abcd" }, true],
    [{ type: "latency", max_ms: 100 }, { latency_ms: 100 }, true],
    [{ type: "latency", max_ms: 100 }, { latency_ms: 100.5 }, false, "101 ms"],
    [{ type: "first_token", max_ms: 100 }, { first_token_ms: 100 }, true],
    [{ type: "first_token", max_ms: 100 }, { first_token_ms: 101 }, false, "101 ms"],
    [{ type: "first_token", max_ms: 100 }, {}, null, "The answer was no stream."],
    [{ type: "cost", max_usd: 0.01 }, { cost_usd: 0.02 }, false, "$0.02"],
    [{ type: "cost", max_usd: 0.01 }, { cost_usd: null }, null, "The cost is not known."],
    [{ type: "finish_reason", values: ["stop"] }, { finish_reason: "length" }, false, "length"],
    [{ type: "finish_reason", values: ["stop"] }, {}, null, "No reason was given."],
  ];
  test.each(cases)("%j", (...[given, fields, holds, actual]) => {
    const verdict = judge(assertionSchema.parse(given), answer(fields));
    expect(verdict.holds).toBe(holds);
    if (actual !== undefined) expect(verdict.actual).toBe(actual);
    if (holds === true) expect(verdict.actual).toBeNull();
    expect(verdict.text).not.toBe("");
  });

  test.each([
    [{ type: "regex", pattern: "(" }],
    [{ type: "regex", pattern: "(a)\\1" }],
    [{ type: "regex", pattern: "(?=a)" }],
    [{ type: "regex", pattern: "a", flags: "g" }],
    [{ type: "json_path", path: "$..a" }],
    [{ type: "json_path", path: "$.a[*]" }],
    [{ type: "json_shape", shape: { a: "text" } }],
    [{ type: "json_shape", shape: { a: [] } }],
    [{ type: "json_shape" }],
    [{ type: "length" }],
    [{ type: "length", min: 2, max: 1 }],
    [{ type: "cost", max_usd: -1 }],
    [{ type: "contains", value: "" }],
    [{ type: "unheard_of" }],
    [{ type: "contains", value: "a", extra: 1 }],
  ])("%j is refused", (given) => expect(assertionSchema.safeParse(given).success).toBe(false));

  test("nesting that is too deep is refused, not followed", () => {
    let deep: unknown = 1;
    for (let depth = 0; depth < 5000; depth++) deep = [deep];
    expect(assertionSchema.safeParse({ type: "json_path", path: "$", equals: deep }).success)
      .toBe(false);
    expect(assertionSchema.safeParse({ type: "json_shape", shape: deep }).success).toBe(false);
    const text = "[".repeat(100_000) + "]".repeat(100_000);
    for (const path of ["$", "$[0][0]"]) {
      const { holds } = judge(
        assertionSchema.parse({ type: "json_path", path, equals: 1 }),
        answer({ text }),
      );
      expect(holds).toBe(false);
    }
  });

  test("patterns and answers made to hang do not", () => {
    const began = performance.now();
    const hostile: Assertion[] = ["(a+)+$", "(a|aa)+$", "(.*)*x", "a{1,500}b"].map((pattern) =>
      assertionSchema.parse({ type: "regex", pattern })
    );
    for (const one of hostile) judge(one, answer({ text: "a".repeat(99_000) + "!" }));
    expect(performance.now() - began).toBeLessThan(20_000);
  });
});

describe("a path", () => {
  test("finds what a plain walk finds", () => {
    const steps = fc.array(
      fc.oneof(fc.string(), fc.constant("a"), fc.integer({ min: 0, max: 3 })),
      { maxLength: 5 },
    );
    fc.assert(fc.property(fc.jsonValue(), steps, (value, path) => {
      const text = "$" +
        path.map((step) =>
          typeof step === "number" ? `[${step}]` : `["${step.replaceAll(/["\\]/g, "\\$&")}"]`
        ).join("");
      const parsed = parsePath(text);
      expect(parsed).toEqual(path);
      let walked: unknown = value;
      for (const step of path) {
        walked = typeof walked === "object" && walked !== null && Object.hasOwn(walked, step) &&
            (Array.isArray(walked) ? typeof step === "number" : true)
          ? (walked as Record<string, unknown>)[step]
          : undefined;
      }
      expect(valueAt(value, parsed!)).toEqual(walked);
    }));
  });

  test("equality is that of JSON", () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => {
      expect(sameJson(value, JSON.parse(JSON.stringify(value)))).toBe(true);
    }));
    expect(sameJson({ a: 1 }, { a: 1, b: undefined })).toBe(false);
    expect(sameJson([1], { 0: 1 })).toBe(false);
    expect(sameJson(null, {})).toBe(false);
  });
});

test("every value fits the shape that is made of it", () => {
  const shapeOf = (value: unknown): unknown => {
    if (value === null) return "null";
    if (Array.isArray(value)) return value.length === 1 ? [shapeOf(value[0])] : "array";
    if (typeof value !== "object") return typeof value;
    return Object.fromEntries(
      Object.entries(value).filter(([key]) => !key.endsWith("?"))
        .map(([key, inner]) => [key, shapeOf(inner)]),
    );
  };
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
    const shape = shapeOf(value);
    expect(shapeProblem(shape)).toBeNull();
    expect(misfit(value, shape)).toBeNull();
  }));
});
