// Reading what providers are asked and answer, which may lack anything. Pure.

export type Fields = Record<string, unknown>;

/** What one address of a provider is asked and answers. */
export interface Operation {
  name: string;
  kind: "generation" | "embedding";
  asked(body: unknown): Fields;
  answered(answer: unknown): Fields;
  /** Adds a piece of a streamed answer to the whole; whether it holds a part of the answer itself. */
  fold(answer: Fields, piece: unknown): boolean;
}

/** Follows keys and indexes; undefined where it ends. */
export function get(value: unknown, ...path: (string | number)[]): unknown {
  for (const step of path) {
    if (
      typeof value !== "object" && typeof value !== "function" || value === null
    ) {
      return undefined;
    }
    value = (value as Record<string | number, unknown>)[step];
  }
  return value ?? undefined;
}

/** A list at the end of the path; empty when there is none. */
export function many(value: unknown, ...path: (string | number)[]): unknown[] {
  const found = get(value, ...path);
  return Array.isArray(found) ? found : [];
}

export function count(
  value: unknown,
  ...path: (string | number)[]
): number | undefined {
  const found = get(value, ...path);
  return typeof found === "number" ? found : undefined;
}

/** Their sum; undefined when none of them is known. */
export function total(...counts: (number | undefined)[]): number | undefined {
  const known = counts.filter((one) => one !== undefined);
  return known.length > 0 ? known.reduce((sum, one) => sum + one, 0) : undefined;
}

/** What else was asked for: temperature and the like. */
export function parameters(
  body: unknown,
  ...told: string[]
): Fields | undefined {
  const left = Object.entries(body as Fields).filter(([name, value]) =>
    !told.includes(name) && value !== undefined
  );
  return left.length > 0 ? Object.fromEntries(left) : undefined;
}

/** A tool call that a model asks for, alike for all providers. */
export function toolCall(id: unknown, name: unknown, given: unknown): Fields {
  let args = given;
  try {
    if (typeof given === "string") args = JSON.parse(given);
  } catch {
    // As it came.
  }
  return { ...(id ? { id } : {}), name, arguments: args };
}

export function orNone<T>(list: T[]): T[] | undefined {
  return list.length > 0 ? list : undefined;
}

/** Parts that are all text as one text; otherwise the parts as they came. */
export function textsOr(parts: [text: unknown, part: unknown][]): unknown {
  if (parts.length === 0) return undefined;
  return parts.every(([text]) => typeof text === "string")
    ? parts.map(([text]) => text).join("")
    : parts.map(([, part]) => part);
}
