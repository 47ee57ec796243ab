// Assertions of a monitor in words, and as rows of a form.
import { html, type View } from "./html.ts";
import { icon } from "./icons.ts";
import type { Assertion } from "./monitor.ts";

/** The first is that of a new row. */
const kinds = [
  ["contains", "Contains"],
  ["not_contains", "Does not contain"],
  ["regex", "Matches a pattern"],
  ["json_path", "JSON at a path"],
  ["json_shape", "Has a JSON shape"],
  ["status", "HTTP status"],
  ["length", "Length"],
  ["latency", "Latency"],
  ["first_token", "First token"],
  ["cost", "Cost"],
  ["finish_reason", "Ends with"],
] as const;

/** An assertion as it is typed. */
export interface TypedAssertion {
  kind: string;
  one: string;
  two: string;
  /** What the row does not show, kept as it was. */
  rest: Record<string, unknown>;
}

interface Inputs {
  one: [label: string, hint: string, type?: "number"];
  two?: [label: string, hint: string, type?: "number"];
}

const inputs: Record<string, Inputs> = {
  contains: { one: ["Text", "Paris"] },
  not_contains: { one: ["Text", "as an AI"] },
  regex: { one: ["Pattern", "^\\d{4}-\\d{2}-\\d{2}$"], two: ["Flags", "ims"] },
  json_path: { one: ["Path", "$.answer"], two: ["Equals, as JSON; empty for anything", '"Paris"'] },
  json_shape: { one: ["Shape", '{"answer": "string", "sources": ["string"]}'] },
  status: { one: ["Any of", "200, 204"] },
  length: {
    one: ["At least, characters", "1", "number"],
    two: ["At most, characters", "500", "number"],
  },
  latency: { one: ["At most, ms", "2000", "number"] },
  first_token: { one: ["Within, ms; needs a stream", "800", "number"] },
  cost: { one: ["At most, US dollars", "0.01", "number"] },
  finish_reason: { one: ["Any of", "stop"] },
};

export const newAssertion: TypedAssertion = { kind: "contains", one: "", two: "", rest: {} };

export function typedAssertion(assertion: Assertion): TypedAssertion {
  const { type, ...rest } = assertion;
  const text = (value: unknown) => value === undefined ? "" : String(value);
  const json = (value: unknown) => value === undefined ? "" : JSON.stringify(value);
  const list = (value: unknown) => Array.isArray(value) ? value.join(", ") : "";
  const typed = (kind: string, one: string, two: string, ...named: string[]) => ({
    kind,
    one,
    two,
    rest: Object.fromEntries(Object.entries(rest).filter(([name]) => !named.includes(name))),
  });
  switch (type) {
    case "contains":
      return typed(rest.not === true ? "not_contains" : type, text(rest.value), "", "value", "not");
    case "regex":
      return typed(type, text(rest.pattern), text(rest.flags), "pattern", "flags");
    case "json_path":
      return typed(type, text(rest.path), json(rest.equals), "path", "equals");
    case "json_shape":
      return typed(type, json(rest.shape), "", "shape");
    case "status":
    case "finish_reason":
      return typed(type, list(rest.values), "", "values");
    case "length":
      return typed(type, text(rest.min), text(rest.max), "min", "max");
    case "latency":
    case "first_token":
      return typed(type, text(rest.max_ms), "", "max_ms");
    default:
      return typed(type, text(rest.max_usd), "", "max_usd");
  }
}

/** Throws an error in words when what is typed as JSON is none. */
export function assertionOf({ kind, one, two, rest }: TypedAssertion): Assertion {
  const number = (text: string) => text.trim() === "" ? undefined : Number(text);
  const list = one.split(",").map((part) => part.trim()).filter((part) => part !== "");
  switch (kind) {
    case "contains":
      return { ...rest, type: kind, value: one };
    case "not_contains":
      return { ...rest, type: "contains", value: one, not: true };
    case "regex":
      return { ...rest, type: kind, pattern: one, flags: two };
    case "json_path":
      return {
        ...rest,
        type: kind,
        path: one,
        ...(two.trim() === "" ? {} : { equals: jsonOf(two, `${one} equals`) }),
      };
    case "json_shape":
      return { ...rest, type: kind, shape: jsonOf(one, "The shape") };
    case "status":
      return { ...rest, type: kind, values: list.map(Number) };
    case "finish_reason":
      return { ...rest, type: kind, values: list };
    case "length": {
      const min = number(one);
      const max = number(two);
      return {
        ...rest,
        type: kind,
        ...(min === undefined ? {} : { min }),
        ...(max === undefined ? {} : { max }),
      };
    }
    case "latency":
    case "first_token":
      return { ...rest, type: kind, max_ms: number(one) };
    default:
      return { ...rest, type: kind, max_usd: number(one) };
  }
}

export function jsonOf(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${what}: this is no JSON.`);
  }
}

/** In a few words. */
export function assertionText(assertion: Assertion): string {
  const { kind, one, two } = typedAssertion(assertion);
  const where = assertion.of === "body" ? "the body " : "";
  switch (kind) {
    case "contains":
      return `${where}contains “${one}”`;
    case "not_contains":
      return `${where}does not contain “${one}”`;
    case "regex":
      return `${where}${assertion.not === true ? "does not match" : "matches"} /${one}/${two}`;
    case "json_path":
      return `${where}${one} ${two === "" ? "is there" : `is ${two}`}`;
    case "json_shape":
      return `${where}has the shape ${one}`;
    case "status":
      return `the status is ${one.replaceAll(", ", " or ")}`;
    case "length":
      return `${where}has ${one === "" ? "" : `at least ${one}`}${
        one !== "" && two !== "" ? " and " : ""
      }${two === "" ? "" : `at most ${two}`} characters`;
    case "latency":
      return `it takes at most ${one} ms`;
    case "first_token":
      return `the first token comes within ${one} ms`;
    case "cost":
      return `it costs at most $${one}`;
    default:
      return `it ends with ${one.replaceAll(", ", " or ")}`;
  }
}

export function AssertionRows(
  { rows, change }: { rows: TypedAssertion[]; change: (rows: TypedAssertion[]) => void },
): View {
  const set = (at: number, part: Partial<TypedAssertion>) =>
    change(rows.map((row, other) => other === at ? { ...row, ...part } : row));
  return html`
    <ul class="assertion-rows">${rows.map((row, at) => {
      const fields = inputs[row.kind] ?? inputs.contains!;
      const field = (name: "one" | "two") => {
        const spec = fields[name];
        if (spec === undefined) return null;
        const [label, hint, type = "text"] = spec;
        return html`<label>${label}<input type=${type} step="any" min="0" value=${row[name]}
          placeholder=${hint} autocomplete="off" spellcheck=${false}
          onInput=${(event: Event) =>
          set(at, { [name]: (event.target as HTMLInputElement).value })} /></label>`;
      };
      return html`
        <li key=${at} class=${`assertion-row ${fields.two === undefined ? "" : "is-pair"}`}>
          <label>What<select value=${row.kind} onChange=${(event: Event) =>
            set(at, { kind: (event.target as HTMLSelectElement).value, two: "", rest: {} })}>${kinds
            .map(([kind, word]) =>
              html`<option key=${kind} value=${kind} selected=${kind === row.kind}>${word}</option>`
            )}</select></label>
          ${field("one")}${field("two")}
          <button type="button" class="quiet" aria-label=${`Remove assertion ${at + 1}`}
            onClick=${() => change(rows.filter((_, other) => other !== at))}>${icon(
              "close",
            )}</button>
        </li>
      `;
    })}</ul>
    <button type="button" onClick=${() => change([...rows, newAssertion])}>Add an assertion</button>
  `;
}
