// Whatever a program passes becomes JSON data, and the program's objects stay as they were.
import { expect, test } from "bun:test";
import { limits } from "../src/limits.ts";
import { Snapshot } from "../src/snapshot.ts";

const cyclic: Record<string, unknown> = { name: "a" };
cyclic.self = cyclic;
cyclic.list = [cyclic];

const shared = { x: 1 };

class Point {
  constructor(public x: number, public y: number) {}
  get sum() {
    return this.x + this.y;
  }
}

class RateLimitError extends Error {
  status = 429;
  headers = { authorization: "Bearer secret" };
}

const withStack = (error: Error) => Object.assign(error, { stack: "the stack" });

const cases: [what: string, value: unknown, copy: unknown][] = [
  ["a string", "text", "text"],
  ["an empty string", "", ""],
  ["a lone surrogate", "\ud800", "\ud800"],
  ["a number", -0.5, -0.5],
  ["NaN", NaN, null],
  ["infinity", [Infinity, -Infinity], [null, null]],
  ["null", null, null],
  ["undefined", undefined, undefined],
  ["true", true, true],
  ["a small bigint", 42n, 42],
  ["a bigint past 2^53", 2n ** 64n, "18446744073709551616"],
  [
    "a bigint that rounds to another number",
    2n ** 53n + 1n,
    "9007199254740993",
  ],
  ["a symbol", Symbol("s"), "[Symbol(s)]"],
  ["a function", function tool() {}, "[function tool]"],
  ["an anonymous function", (() => () => {})(), "[function anonymous]"],
  ["a date", new Date(0), "1970-01-01T00:00:00.000Z"],
  ["no date", new Date(NaN), null],
  ["a map", new Map<unknown, unknown>([["a", 1], [{ b: 2 }, new Set([3])]]), {
    a: 1,
    '{"b":2}': [3],
  }],
  ["a set", new Set(["a", 1n]), ["a", 1]],
  ["bytes", new Uint8Array(1_000_000), "[1000000 bytes]"],
  ["a buffer", Buffer.from("abc"), "[3 bytes]"],
  ["an array buffer", new ArrayBuffer(8), "[8 bytes]"],
  ["a regular expression", /a+/g, "/a+/g"],
  ["a promise", Promise.resolve(1), "[Promise]"],
  ["a weak map", new WeakMap(), "[WeakMap]"],
  ["a URL", new URL("http://a/b"), "http://a/b"],
  ["a boxed string", new String("abc"), "abc"],
  ["an object of a class", new Point(1, 2), { x: 1, y: 2 }],
  ["no prototype", Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
  ["a sparse array", Object.assign([], { 2: "c" }), [
    undefined,
    undefined,
    "c",
  ]],
  ["toJSON", { toJSON: () => ({ a: 1 }) }, { a: 1 }],
  [
    "toJSON that throws",
    {
      toJSON() {
        throw new Error("no");
      },
    },
    "[thrown: no]",
  ],
  ["toJSON that returns itself", selfish(), "[circular]"],
  ["a cycle", cyclic, { name: "a", self: "[circular]", list: ["[circular]"] }],
  ["twice the same is no cycle", [shared, shared], [{ x: 1 }, { x: 1 }]],
  [
    "a getter that throws",
    {
      a: 1,
      get b() {
        throw new Error("not now");
      },
      c: 3,
    },
    { a: 1, b: "[thrown: not now]", c: 3 },
  ],
  [
    "a getter that throws what cannot be told",
    {
      get a() {
        throw {
          toString() {
            throw new Error();
          },
        };
      },
    },
    { a: "[thrown]" },
  ],
  [
    "a proxy that refuses",
    new Proxy({}, {
      ownKeys() {
        throw new Error("closed");
      },
    }),
    "[thrown: closed]",
  ],
  [
    "an error",
    withStack(new TypeError("bad")),
    { message: "bad", type: "TypeError", stack: "the stack" },
  ],
  [
    "an error of a class, without its own fields",
    withStack(new RateLimitError("slow")),
    { message: "slow", type: "RateLimitError", code: 429, stack: "the stack" },
  ],
  [
    "an error with a cause",
    withStack(
      Object.assign(new Error("outer"), { code: "E1", cause: "inner" }),
    ),
    {
      message: "outer",
      type: "Error",
      code: "E1",
      stack: "the stack",
      cause: "inner",
    },
  ],
  [
    "many errors",
    withStack(new AggregateError(["a"], "all")),
    {
      message: "all",
      type: "AggregateError",
      stack: "the stack",
      errors: ["a"],
    },
  ],
];

function selfish(): object {
  const value = { toJSON: (): object => value };
  return value;
}

test.each(cases)("%s", (_what, value, copy) => {
  const snapshot = new Snapshot();
  expect(snapshot.copy(value) as object).toEqual(copy as object);
  expect(() => JSON.stringify(snapshot.copy(value))).not.toThrow();
});

test("a key named __proto__ is a key like any other", () => {
  const value = JSON.parse('{"__proto__": {"polluted": true}, "a": 1}');
  const copy = new Snapshot().copy(value) as Record<string, unknown>;
  expect(JSON.stringify(copy)).toBe('{"__proto__":{"polluted":true},"a":1}');
  expect(copy.polluted).toBeUndefined();
});

test("the copy keeps what was, the original what is", () => {
  const messages = [{ role: "user", content: "first" }];
  const copy = new Snapshot().copy(messages);
  messages[0]!.content = "changed";
  messages.push({ role: "user", content: "second" });
  expect(copy).toEqual([{ role: "user", content: "first" }]);
});

test("frozen objects are copied", () => {
  const value = Object.freeze({ list: Object.freeze([1]) });
  expect(new Snapshot().copy(value)).toEqual({ list: [1] });
});

const deep = (levels: number): unknown => {
  let value: unknown = "bottom";
  for (let level = 0; level < levels; level++) value = { value };
  return value;
};

/** Two children that are both the same node below: 2^n paths. */
const lattice = (levels: number): unknown => {
  let value: unknown = "bottom";
  for (let level = 0; level < levels; level++) value = [value, value];
  return value;
};

const huge: [
  what: string,
  value: unknown,
  charactersMax: number,
  marker: string,
][] = [
  [
    "a long text",
    "x".repeat(5_000_000),
    limits.textCharactersMax + 100,
    "5000000 characters in all",
  ],
  [
    "many long texts",
    Array(10).fill("y".repeat(1_000_000)),
    3_000_000,
    "truncated",
  ],
  [
    "a long array",
    Array(1_000_000).fill(1),
    1_000_000,
    "1000000 entries in all",
  ],
  [
    "an array of 4 billion holes",
    new Array(2 ** 32 - 1),
    1_000_000,
    "truncated",
  ],
  [
    "many keys",
    Object.fromEntries(
      Array.from({ length: 200_000 }, (_, i) => [`key ${i}`, i]),
    ),
    3_000_000,
    "[truncated]",
  ],
  ["a deep object", deep(100_000), 10_000, "too deep"],
  ["a lattice", lattice(50), 3_000_000, "truncated"],
  ["an endless map", endless(), 1_000_000, "truncated"],
];

function endless(): Map<unknown, unknown> {
  return new (class extends Map {
    override *[Symbol.iterator](): MapIterator<[unknown, unknown]> {
      for (let i = 0;; i++) yield [`key ${i}`, i];
    }
  })();
}

test.each(huge)("bounded: %s", (_what, value, charactersMax, marker) => {
  const start = performance.now();
  const text = JSON.stringify(new Snapshot().copy(value));
  expect(text.length).toBeLessThanOrEqual(charactersMax);
  expect(text).toContain(marker);
  // About 20 ms; the bound is for a machine with other things to do.
  expect(performance.now() - start).toBeLessThan(10_000);
});

test("a pair of surrogates is not cut in two", () => {
  const copy = new Snapshot().copy(
    "😀".repeat(limits.textCharactersMax),
  ) as string;
  expect(copy.isWellFormed()).toBe(true);
  const odd = new Snapshot().copy(
    `x${"😀".repeat(limits.textCharactersMax)}`,
  ) as string;
  expect(odd.isWellFormed()).toBe(true);
});
