// Assertions where the code runs: a breach becomes an assertion_failed event. Nothing is thrown
// unless asked: `raises: true` throws at the first breach.
import type { AssertionFailed, AssertionType, Severity } from "./event.ts";
import { limits } from "./limits.ts";
import { currentScope } from "./scope.ts";
import { describe, misfit, type Shape } from "./shape.ts";
import type { Span } from "./span.ts";
import { quietly, state } from "./state.ts";

export interface ExpectOptions extends Partial<AssertionFailed> {
  /** Of the assertion; otherwise that of the check. */
  name?: string;
  severity?: Severity | null;
  /** Throws an ExpectationError at the first breach. */
  raises?: boolean;
}

export class ExpectationError extends Error {
  override name = "ExpectationError";
}

/** A value under test. Each check answers the expectation itself. */
export class Expectation {
  /** What did not hold, whether or not anything is recorded. */
  readonly failures: string[] = [];
  readonly #value: unknown;
  readonly #fields: Record<string, unknown>;
  readonly #raises: boolean;

  constructor(value: unknown, options: ExpectOptions) {
    const { name, raises = false, ...fields } = options;
    this.#value = value;
    this.#raises = raises;
    this.#fields = { severity: "medium", ...fields };
    if (name !== undefined) this.#fields.assertion_name = name;
  }

  /** Whether all checks so far hold. */
  get ok(): boolean {
    return this.failures.length === 0;
  }

  /**
   * The value is JSON (text, or an object already), of this shape when one is given: an object of
   * shapes (a key that ends in "?" may be missing), a list of the shape of its entries, the name of a
   * type ("string", "integer", "number", "boolean", "array", "object", "null", "any"), null, a Set of
   * values, or anything with a `safeParse`, such as a zod schema.
   */
  json(shape: Shape = "any"): this {
    return this.#check("json", "response_format", () => describe(shape), () => {
      let value = this.#value;
      try {
        if (typeof value === "string") value = JSON.parse(value);
      } catch (error) {
        return `is no JSON: ${(error as Error).message}`;
      }
      return misfit(value, shape, "it");
    });
  }

  /** Every one of the texts is in it (or, of a list, every one of the entries). */
  contains(...texts: unknown[]): this {
    return this.#check("contains", "custom", () => texts, () => {
      const missing = texts.filter((text) => !holds(this.#value, text));
      return missing.length > 0 && `lacks ${quoted(missing)}`;
    });
  }

  /** None of the texts is in it. */
  lacks(...texts: unknown[]): this {
    return this.#check(
      "lacks",
      "content_filter",
      () => ({ "none of": texts }),
      () => {
        const found = texts.filter((text) => holds(this.#value, text));
        return found.length > 0 && `holds ${quoted(found)}`;
      },
    );
  }

  /** The regular expression is found in it. */
  matches(pattern: RegExp | string): this {
    const shown = () => typeof pattern === "string" ? pattern : pattern.source;
    return this.#check("matches", "response_format", shown, () => {
      const text = String(this.#value).slice(0, limits.matchedCharactersMax);
      return !new RegExp(pattern).test(text) && "does not match";
    });
  }

  /** As many characters, or entries. */
  length(least: number, most = Infinity): this {
    const expected = { least, most: most === Infinity ? null : most };
    return this.#check("length", "response_format", () => expected, () => {
      const { length } = this.#value as { length?: unknown };
      if (typeof length !== "number") return "has no length";
      return (length < least || length > most) && `has length ${length}`;
    });
  }

  /** It took no longer: since the span began unless a duration is given. */
  latency(most_ms: number, actual_ms?: number): this {
    const ms = actual_ms ??
      (currentScope()?.span as Span | undefined)?.elapsed_ms;
    return this.#check("latency", "custom", () => ({ most_ms }), () => {
      if (ms === undefined) return "has no duration: outside of a span";
      return !(ms <= most_ms) && `took ${ms.toFixed(1)} ms`;
    }, ms);
  }

  /** It cost no more, in US dollars. */
  cost(most_usd: number, actual_usd: number): this {
    return this.#check(
      "cost",
      "custom",
      () => ({ most_usd }),
      () => !(actual_usd <= most_usd) && `cost ${actual_usd} US dollars`,
      actual_usd,
    );
  }

  /** A function of the value answers something true; one that throws says no. */
  satisfies(test: (value: unknown) => unknown, name?: string): this {
    const called = name ?? quietly(() => test.name) ?? "";
    return this.#check(
      called || "custom",
      "custom",
      () => called || "custom",
      () => !test(this.#value) && "does not satisfy it",
    );
  }

  /** `test` answers what is wrong, or false. */
  #check(
    check: string,
    assertion_type: AssertionType,
    expected: () => unknown,
    test: () => string | false | undefined,
    actual: unknown = this.#value,
  ): this {
    let problem: string | false | undefined;
    try {
      problem = test();
    } catch (thrown) {
      problem = `fails: ${quietly(() => String(thrown)) ?? "for a reason that cannot be told"}`;
    }
    if (problem === false || problem === undefined) return this;
    const fields = { assertion_name: check, ...this.#fields };
    this.failures.push(`${fields.assertion_name}: ${problem}`);
    const context = { check, problem };
    const shown = quietly(expected);
    state.client?.log("assertion_failed", {
      assertion_type,
      expected: shown,
      actual,
      context,
      ...fields,
    });
    if (this.#raises) throw new ExpectationError(this.failures.at(-1));
    return this;
  }
}

function holds(value: unknown, wanted: unknown): boolean {
  return typeof value === "string"
    ? value.includes(String(wanted))
    : Array.isArray(value) && value.includes(wanted);
}

function quoted(values: unknown[]): string {
  return values.map((value) => JSON.stringify(value)).join(", ");
}
