// One field's plain value in, the value as the server takes it out. The server refuses a whole event
// for one field of the wrong kind: what does not fit is kept in `attributes` instead. Pure.
import { fieldKinds, fieldWords } from "./event.ts";
import { limits } from "./limits.ts";
import type { SentEvent } from "./settings.ts";

type Kind = keyof typeof fieldKinds;

/** Kind of each field; of a field that takes any value, undefined. */
export const kindOf: ReadonlyMap<string, Kind> = new Map(
  (Object.keys(fieldKinds) as Kind[]).flatMap((kind) =>
    fieldKinds[kind].split(" ").map((name) => [name, kind] as const)
  ),
);

/** Changes the event; answers the first name that did not fit. */
export function fitEvent(event: SentEvent): string | undefined {
  let misfit: string | undefined;
  for (const name in event) {
    const kind = kindOf.get(name);
    const value = event[name];
    if (kind === undefined || value === undefined) continue;
    const fitted = fit(name, kind, value);
    if (fitted !== undefined) {
      event[name] = fitted;
      continue;
    }
    misfit ??= name;
    delete event[name];
    const given = event.attributes;
    event.attributes = {
      [name]: value,
      ...(name === "attributes" ? {} : given as object),
    };
  }
  return misfit;
}

/** Undefined when it does not fit. */
function fit(name: string, kind: Kind, value: unknown): unknown {
  switch (kind) {
    case "id":
    case "text":
      return text(value);
    case "label":
      return cut(text(value));
    case "timestamp":
      return typeof value === "string" ? value : undefined;
    case "enum":
      return fieldWords[name]!.split(" ").includes(value as string) ? value : undefined;
    case "object":
      return typeof value === "object" && !Array.isArray(value) ? value : undefined;
    case "list":
      return Array.isArray(value) ? value : [value];
    case "labels":
      return labelsOf(value);
    case "integer": {
      const number = numeric(value);
      return Number.isSafeInteger(number) && number! >= 0 ? number : undefined;
    }
    case "number":
      return inRange(name, numeric(value));
  }
}

function inRange(name: string, value: number | undefined): number | undefined {
  const isSigned = name === "threshold" || name === "actual_value" ||
    name === "score_value";
  if (value === undefined || !isSigned && value < 0) return undefined;
  return name === "confidence_score" && value > 1 ? undefined : value;
}

function numeric(value: unknown): number | undefined {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

function text(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" ? String(value) : undefined;
}

function cut(value: string | undefined): string | undefined {
  const max = limits.labelCharactersMax;
  return value === undefined || value.length <= max ? value : value.slice(0, max - 1) + "…";
}

/** Labels of one text, or of several of anything; undefined of what is no list. */
export function labelsOf(value: unknown): string[] | undefined {
  if (typeof value === "string") return [cut(value)!];
  return Array.isArray(value)
    ? value.slice(0, limits.labelsMax).map((label) => cut(String(label))!)
    : undefined;
}
