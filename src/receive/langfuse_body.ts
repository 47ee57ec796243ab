// A body of Langfuse's API whose fields find their places in an event; what does not fit its place
// stays, and is kept as it came. Pure.
import { limits } from "../limits.ts";
import { parseTimestamp } from "./timestamp.ts";

export type Fields = Record<string, unknown>;

export class Body {
  #left: Map<string, unknown>;

  constructor(readonly fields: Fields) {
    this.#left = new Map(
      Object.entries(fields).filter(([, value]) => value !== null && value !== undefined),
    );
    // The event tells them by its own id and type.
    for (const name of ["id", "type"]) this.#left.delete(name);
  }

  #take<T>(name: string, read: (value: unknown) => T | undefined): T | undefined {
    const value = this.#left.get(name);
    const fitting = value === undefined ? undefined : read(value);
    if (fitting !== undefined) this.#left.delete(name);
    return fitting;
  }

  any(name: string): unknown {
    return this.#take(name, (value) => value);
  }

  id(name: string): string | undefined {
    return this.#take(
      name,
      (value) =>
        typeof value === "string" && value !== "" && value.length <= limits.idCharactersMax
          ? value
          : undefined,
    );
  }

  label(name: string): string | undefined {
    return this.#take(name, (value) => {
      const text = typeof value === "number" ? String(value) : value;
      const fits = typeof text === "string" && text !== "" &&
        text.length <= limits.labelCharactersMax;
      return fits ? text : undefined;
    });
  }

  labels(name: string): string[] | undefined {
    return this.#take(name, (value) => {
      if (!Array.isArray(value) || value.length > limits.labelsMax) return undefined;
      const fit = value.every((tag) =>
        typeof tag === "string" && tag.length <= limits.labelCharactersMax
      );
      return fit ? value as string[] : undefined;
    });
  }

  number(name: string): number | undefined {
    return this.#take(name, (value) => typeof value === "number" ? value : undefined);
  }

  text(name: string): string | undefined {
    return this.#take(name, (value) => typeof value === "string" ? value : undefined);
  }

  /** The word that stands for it in a table. */
  oneOf<T>(name: string, words: Readonly<Record<string, T>>): T | undefined {
    return this.#take(
      name,
      (value) =>
        typeof value === "string" && Object.hasOwn(words, value) ? words[value] : undefined,
    );
  }

  object(name: string): Fields | undefined {
    return this.#take(name, (value) => isFields(value) ? value : undefined);
  }

  time(name: string): string | undefined {
    return this.#take(name, (value) => timeOf(value)?.text);
  }

  /** What found no place. */
  rest(): Fields | undefined {
    return this.#left.size === 0 ? undefined : Object.fromEntries(this.#left);
  }
}

export function timeOf(value: unknown) {
  return typeof value === "string" ? parseTimestamp(value) : null;
}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Without what is absent or empty. */
export function present<T extends object>(fields: T): T {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) =>
      value !== null && value !== undefined &&
      !(isFields(value) && Object.keys(value).length === 0)
    ),
  ) as T;
}
