// How each field of an event is looked at: what is never touched, and what people group by.
import { type Field, fields } from "../event.ts";
import { limits } from "../limits.ts";
import type { Place } from "./context.ts";
import { telling } from "./secret.ts";

/** How a field of the event is looked at. */
export interface FieldRule {
  place: Readonly<Place>;
  /** Of an identifier; 0 is no bound. */
  charactersMax: number;
  policed: boolean;
}

/** Fields of the event itself that are never touched. */
const untouched = new Set<string>([
  "event_id",
  "project_id",
  "run_id",
  "span_id",
  "parent_span_id",
  "model",
  "model_version",
  "provider",
  ...(fields as readonly Field[]).filter(({ kind }) => kind === "timestamp" || kind === "enum")
    .map((field) => field.name),
]); // deno-fmt-ignore-line

/** Ids and labels: people group by them, so they are hashed rather than masked. */
const identifiers = new Map<string, number>(
  (fields as readonly Field[]).flatMap(({ name, kind }): [string, number][] =>
    kind === "id"
      ? [[name, limits.idCharactersMax]]
      : kind === "label" || kind === "labels"
      ? [[name, limits.labelCharactersMax]]
      : []
  ),
);

/** Null for a field that is never touched. */
export function ruleOf(name: string): FieldRule | null {
  const rule = rules.get(name);
  return rule === undefined ? madeRule(name) : rule;
}

function madeRule(name: string): FieldRule | null {
  if (untouched.has(name)) return null;
  const charactersMax = identifiers.get(name) ?? 0;
  return {
    place: { key: telling(name), identifier: charactersMax > 0 },
    charactersMax,
    // Instructions and definitions are the developer's own words.
    policed: name !== "system_prompt" && name !== "tool_definitions",
  };
}

/** Of the fields that events have; others are the producer's choice. */
const rules: ReadonlyMap<string, FieldRule | null> = new Map(
  (fields as readonly Field[]).map(({ name }) => [name, madeRule(name)]),
);
