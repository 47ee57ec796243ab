// The shape that JSON is expected to have, and what keeps a value from having it. Pure.

type Named =
  | "string"
  | "integer"
  | "number"
  | "boolean"
  | "array"
  | "object"
  | "null"
  | "any";

/** zod's and others' schemas. */
interface Parser {
  safeParse(value: unknown): { success: boolean; error?: unknown };
}

export type Shape =
  | Named
  | null
  | readonly [] // any list
  | readonly [Shape]
  | ReadonlySet<unknown>
  | Parser
  | { readonly [key: string]: Shape };

const levelsMax = 100;

/** Undefined when it fits; otherwise what does not, and where. */
export function misfit(
  value: unknown,
  shape: Shape,
  path: string,
  level = 0,
): string | undefined {
  if (level > levelsMax) return `${path} is too deep`;
  if (shape === null) return value === null ? undefined : `${path} is not null`;
  if (typeof shape === "string") {
    return isNamed(value, shape) ? undefined : `${path} is no ${shape}`;
  }
  if (shape instanceof Set) {
    return shape.has(value) ? undefined : `${path} is none of the values allowed`;
  }
  if (Array.isArray(shape)) {
    if (!Array.isArray(value)) return `${path} is no array`;
    const [entry] = shape as Shape[];
    if (entry === undefined) return undefined;
    return first(
      value,
      (one, at) => misfit(one, entry, `${path}[${at}]`, level + 1),
    );
  }
  if (typeof (shape as Partial<Parser>).safeParse === "function") {
    const { success, error } = (shape as Parser).safeParse(value);
    return success ? undefined : `${path} does not fit: ${error}`;
  }
  if (!isNamed(value, "object")) return `${path} is no object`;
  return first(Object.entries(shape), ([key, inner]) => {
    const isOptional = key.endsWith("?");
    const name = isOptional ? key.slice(0, -1) : key;
    if (Object.hasOwn(value as object, name)) {
      const member = (value as Record<string, unknown>)[name];
      return misfit(member, inner as Shape, `${path}.${name}`, level + 1);
    }
    return isOptional ? undefined : `${path}.${name} is missing`;
  });
}

function first<T>(
  values: readonly T[],
  test: (value: T, at: number) => string | undefined,
) {
  for (const [at, value] of values.entries()) {
    const problem = test(value, at);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function isNamed(value: unknown, name: string): boolean {
  switch (name) {
    case "any":
      return true;
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null &&
        !Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    case "string":
      return typeof value === "string";
    case "number":
      return typeof value === "number";
    case "boolean":
      return typeof value === "boolean";
    default:
      return false;
  }
}

/** A shape as JSON, for people. */
export function describe(shape: Shape): unknown {
  if (shape instanceof Set) return [...shape];
  const isParser = typeof (shape as Partial<Parser> | null)?.safeParse === "function";
  return isParser ? `[${(shape as object).constructor.name}]` : shape;
}
