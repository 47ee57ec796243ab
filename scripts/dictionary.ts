// Writes the data dictionary, queries/schema/events.sql, from the field table in src/event.ts.
import { join } from "node:path";
import { columnType, type Field, fields } from "../src/event.ts";
import { root } from "./inputs.ts";

export const dictionaryPath = join(root, "queries/schema/events.sql");

/** The table `events` as SQL users see it, each column with a comment. */
export function dictionary(): string {
  const columns = fields as readonly Field[];
  const lines = columns.map((field, at) => {
    const comma = at < columns.length - 1 ? "," : "";
    return `  ${field.name} ${columnType(field)}${comma} -- ${describe(field)}`;
  });
  return [
    "-- What can be asked of an event? Each column's Parquet field id, kind and meaning.",
    "-- Made from src/event.ts by `deno task dictionary`.",
    "CREATE TABLE events (",
    ...lines,
    ");",
    "",
  ].join("\n");
}

function describe({ id, kind, values, min, max, help }: Field): string {
  const range = min === undefined ? "" : max === undefined ? ` from ${min}` : ` ${min} to ${max}`;
  const choices = values === undefined ? "" : ` One of ${values.join(", ")}.`;
  return `${id}, ${kind}${range}: ${help}${choices}`;
}

if (import.meta.main) await Bun.write(dictionaryPath, dictionary());
