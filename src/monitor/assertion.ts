// What an answer is held against, and whether it holds. Pure, and of bounded time whatever the answer.
import { RE2JS } from "re2js";
import { z } from "zod";
import { isShallow } from "./kind.ts";
import { parsePath, sameJson, valueAt } from "./json_path.ts";
import { misfit, type Shape, shapeProblem } from "./json_shape.ts";

export const assertionBounds = {
  countMax: 30,
  textCharactersMax: 4000,
  patternCharactersMax: 1000,
  pathCharactersMax: 500,
  /** Longer answers are not searched by patterns: RE2 takes half a second for a million characters. */
  patternTextCharactersMax: 100_000,
  /** Of what came instead, in an event. */
  actualCharactersMax: 2000,
} as const;

const of = z.enum(["answer", "body"]).default("answer")
  .describe("The model's answer, or the body of the response as it came.");
const text = z.string().min(1).max(assertionBounds.textCharactersMax);
const not = z.boolean().default(false).describe("Must not.");
const json = z.unknown().refine((value) => isShallow(value), "is nested too deep");
const count = z.int().min(0).max(10_000_000);

const milliseconds = z.number().min(1).max(600_000);

const unchecked = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("contains"),
    value: text,
    ignore_case: z.boolean().default(false),
    not,
    of,
  }),
  z.strictObject({
    type: z.literal("regex"),
    pattern: z.string().min(1).max(assertionBounds.patternCharactersMax)
      .describe("RE2: without look-around and back-references."),
    flags: z.string().regex(/^[ims]*$/, "i, m and s").max(3).default(""),
    not,
    of,
  }),
  z.strictObject({
    type: z.literal("json_path"),
    path: z.string().min(1).max(assertionBounds.pathCharactersMax)
      .describe('Such as `$.items[0].name`; `["a key"]` for other names.'),
    equals: json.optional().describe("The value there. Without it, there must be one."),
    of,
  }),
  z.strictObject({
    type: z.literal("json_shape"),
    shape: json.describe(
      'Such as `{"answer": "string", "scores": ["number"], "note?": "any"}`.',
    ),
    of,
  }),
  z.strictObject({
    type: z.literal("status"),
    values: z.array(z.int().min(100).max(599)).min(1).max(20)
      .describe("HTTP statuses that are right. Without this assertion, any of 200 to 299 is."),
  }),
  z.strictObject({
    type: z.literal("length"),
    min: count.optional(),
    max: count.optional(),
    of,
  }).describe("Characters."),
  z.strictObject({ type: z.literal("latency"), max_ms: milliseconds }),
  z.strictObject({
    type: z.literal("first_token"),
    max_ms: milliseconds.describe("Time to the first token, of a monitor with `stream`."),
  }),
  z.strictObject({
    type: z.literal("cost"),
    max_usd: z.number().min(0).max(1_000_000)
      .describe("A cost that nobody knows neither holds nor fails."),
  }),
  z.strictObject({
    type: z.literal("finish_reason"),
    values: z.array(z.string().min(1).max(100)).min(1).max(10).describe("Such as `stop`."),
  }),
]);
export type Assertion = z.infer<typeof unchecked>;

export const assertionSchema = unchecked.superRefine((assertion, context) => {
  const wrong = (path: string, message: string) =>
    context.addIssue({ code: "custom", path: [path], message });
  switch (assertion.type) {
    case "regex":
      if (compiled(assertion.pattern, assertion.flags) === null) {
        wrong("pattern", "is no pattern of RE2 (without look-around and back-references)");
      }
      break;
    case "json_path":
      if (parsePath(assertion.path) === null) wrong("path", "is no path such as $.items[0].name");
      break;
    case "json_shape": {
      const problem = assertion.shape === undefined ? "is needed" : shapeProblem(assertion.shape);
      if (problem !== null) wrong("shape", problem);
      break;
    }
    case "length": {
      const { min, max } = assertion;
      if (min === undefined && max === undefined) wrong("min", "min or max is needed");
      else if (min !== undefined && max !== undefined && min > max) wrong("min", "is above max");
    }
  }
});

/** What came of one attempt, as far as it is known. */
export interface Answer {
  status: number;
  /** What the model said, or the body of any other call. */
  text: string;
  body: string;
  latency_ms: number;
  first_token_ms: number | null;
  cost_usd: number | null;
  finish_reason: string | null;
}

export interface Verdict {
  /** The assertion in words; nothing of the answer is in it. */
  text: string;
  /** Null when it cannot be told. */
  holds: boolean | null;
  /** What was looked at, and is otherwise; null when it holds. */
  actual: string | null;
  type: Assertion["type"];
}

export function judge(assertion: Assertion, answer: Answer): Verdict {
  const { holds, actual } = outcomeOf(assertion, answer);
  return {
    text: textOf(assertion),
    holds,
    actual: holds === true ? null : actual.slice(0, assertionBounds.actualCharactersMax),
    type: assertion.type,
  };
}

type Found = { holds: boolean | null; actual: string };

function outcomeOf(assertion: Assertion, answer: Answer): Found {
  const looked = "of" in assertion && assertion.of === "body" ? answer.body : answer.text;
  switch (assertion.type) {
    case "contains": {
      const { value, ignore_case, not } = assertion;
      const has = ignore_case
        ? looked.toLowerCase().includes(value.toLowerCase())
        : looked.includes(value);
      return { holds: has !== not, actual: looked };
    }
    case "regex": {
      if (looked.length > assertionBounds.patternTextCharactersMax) {
        const most = assertionBounds.patternTextCharactersMax;
        return { holds: null, actual: `More than ${most} characters: not searched by patterns.` };
      }
      const pattern = compiled(assertion.pattern, assertion.flags);
      if (pattern === null) return { holds: null, actual: "The pattern cannot be read." };
      return { holds: pattern.matcher(looked).find() !== assertion.not, actual: looked };
    }
    case "json_path": {
      const json = jsonOf(looked);
      if (json === undefined) return { holds: false, actual: looked };
      const found = valueAt(json, parsePath(assertion.path) ?? []);
      const { equals } = assertion;
      const actual = found === undefined
        ? "nothing is there"
        : isShallow(found)
        ? JSON.stringify(found)
        : "something nested very deep";
      return {
        holds: found !== undefined && (equals === undefined || sameJson(found, equals)),
        actual,
      };
    }
    case "json_shape": {
      const json = jsonOf(looked);
      if (json === undefined) return { holds: false, actual: looked };
      const problem = misfit(json, assertion.shape as Shape);
      return { holds: problem === null, actual: problem ?? "" };
    }
    case "status":
      return { holds: assertion.values.includes(answer.status), actual: String(answer.status) };
    case "length": {
      const { min = 0, max = Infinity } = assertion;
      const characters = looked.length;
      return { holds: characters >= min && characters <= max, actual: `${characters} characters` };
    }
    case "latency": {
      const ms = Math.round(answer.latency_ms);
      return { holds: answer.latency_ms <= assertion.max_ms, actual: `${ms} ms` };
    }
    case "first_token": {
      const { first_token_ms: ms } = answer;
      if (ms === null) return { holds: null, actual: "The answer was no stream." };
      return { holds: ms <= assertion.max_ms, actual: `${Math.round(ms)} ms` };
    }
    case "cost":
      if (answer.cost_usd === null) return { holds: null, actual: "The cost is not known." };
      return { holds: answer.cost_usd <= assertion.max_usd, actual: `$${answer.cost_usd}` };
    case "finish_reason":
      if (answer.finish_reason === null) return { holds: null, actual: "No reason was given." };
      return {
        holds: assertion.values.includes(answer.finish_reason),
        actual: answer.finish_reason,
      };
  }
}

/** The assertion in a few words, for people. */
export function textOf(assertion: Assertion): string {
  const where = "of" in assertion && assertion.of === "body" ? "body " : "";
  switch (assertion.type) {
    case "contains":
      return `${where}${assertion.not ? "does not contain" : "contains"} "${assertion.value}"`;
    case "regex":
      return `${where}${
        assertion.not ? "does not match" : "matches"
      } /${assertion.pattern}/${assertion.flags}`;
    case "json_path":
      return assertion.equals === undefined
        ? `${where}has ${assertion.path}`
        : `${where}${assertion.path} is ${JSON.stringify(assertion.equals)}`;
    case "json_shape":
      return `${where}has the shape ${JSON.stringify(assertion.shape)}`;
    case "status":
      return `status is ${assertion.values.join(" or ")}`;
    case "length": {
      const { min, max } = assertion;
      return min === undefined
        ? `${where}has at most ${max} characters`
        : max === undefined
        ? `${where}has at least ${min} characters`
        : `${where}has ${min} to ${max} characters`;
    }
    case "latency":
      return `takes at most ${assertion.max_ms} ms`;
    case "first_token":
      return `first token within ${assertion.max_ms} ms`;
    case "cost":
      return `costs at most $${assertion.max_usd}`;
    case "finish_reason":
      return `ends with ${assertion.values.join(" or ")}`;
  }
}

const fence = /^\s*```(?:json)?\s*\n([\s\S]*?)\n?\s*```\s*$/;

/** Undefined when it is no JSON. Models like to put a fence around it. */
function jsonOf(text: string): unknown {
  for (const part of [text, fence.exec(text)?.[1]]) {
    if (part === undefined) continue;
    try {
      return JSON.parse(part);
    } catch {
      // The next form.
    }
  }
  return undefined;
}

function compiled(pattern: string, flags: string): RE2JS | null {
  const bits = (flags.includes("i") ? RE2JS.CASE_INSENSITIVE : 0) |
    (flags.includes("m") ? RE2JS.MULTILINE : 0) | (flags.includes("s") ? RE2JS.DOTALL : 0);
  try {
    return RE2JS.compile(pattern, bits);
  } catch {
    return null;
  }
}
