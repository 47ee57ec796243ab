// The shape of a JSON value, said by an example: `{"answer": "string", "scores": ["number"], "note?":
// "string|null"}`. Keys beyond those named are allowed.

const words = ["string", "number", "integer", "boolean", "object", "array", "null", "any"] as const;
const depthMax = 16;
/** Items of an array that are looked at. */
const itemsMax = 10_000;

export type Shape = string | readonly unknown[] | Readonly<Record<string, unknown>>;

/** What is wrong with a shape itself; null when it is one. */
export function shapeProblem(shape: unknown, depth = 0): string | null {
  if (depth > depthMax) return `is nested more than ${depthMax} deep`;
  if (typeof shape === "string") {
    const unknown = shape.split("|").find((word) => !(words as readonly string[]).includes(word));
    return unknown === undefined ? null : `names "${unknown}"; it knows ${words.join(", ")}`;
  }
  if (Array.isArray(shape)) {
    return shape.length === 1
      ? shapeProblem(shape[0], depth + 1)
      : "has an array that does not hold exactly one shape, that of its items";
  }
  if (typeof shape !== "object" || shape === null) return "holds something other than type names";
  for (const part of Object.values(shape)) {
    const problem = shapeProblem(part, depth + 1);
    if (problem !== null) return problem;
  }
  return null;
}

/** The first place where a value is otherwise, as "$.items[2] is no string"; null when it fits. */
export function misfit(value: unknown, shape: unknown, at = "$"): string | null {
  if (typeof shape === "string") {
    return shape.split("|").some((word) => isA(value, word))
      ? null
      : `${at} is no ${shape.replaceAll("|", " or ")}`;
  }
  if (Array.isArray(shape)) {
    if (!Array.isArray(value)) return `${at} is no array`;
    for (let index = 0; index < Math.min(value.length, itemsMax); index++) {
      const problem = misfit(value[index], shape[0], `${at}[${index}]`);
      if (problem !== null) return problem;
    }
    return null;
  }
  if (!isA(value, "object")) return `${at} is no object`;
  for (const [key, part] of Object.entries(shape as Record<string, unknown>)) {
    const isOptional = key.endsWith("?");
    const name = isOptional ? key.slice(0, -1) : key;
    if (!Object.hasOwn(value as object, name)) {
      if (isOptional) continue;
      return `${at}.${name} is missing`;
    }
    const problem = misfit((value as Record<string, unknown>)[name], part, `${at}.${name}`);
    if (problem !== null) return problem;
  }
  return null;
}

function isA(value: unknown, word: string): boolean {
  switch (word) {
    case "any":
      return true;
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    case "string":
      return typeof value === "string";
    case "number":
      return typeof value === "number";
    default:
      return typeof value === "boolean";
  }
}
