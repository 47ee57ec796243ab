// Writes the data dictionary: queries/schema/events.sql from the field table in src/event.ts, and
// metrics.sql beside it from the column table in src/point.ts.
import { join } from "node:path";
import { columnType, type Field, fields } from "../src/event.ts";
import { type PointColumn, pointColumns } from "../src/point.ts";
import { root } from "./inputs.ts";

const schemaFolder = join(root, "queries/schema");
export const dictionaries = [
  { path: join(schemaFolder, "events.sql"), text: eventDictionary },
  { path: join(schemaFolder, "metrics.sql"), text: pointDictionary },
];

/** The table `events` as SQL users see it, each column with a comment. */
function eventDictionary(): string {
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

/** The table `metrics`. */
function pointDictionary(): string {
  const columns: readonly PointColumn[] = pointColumns;
  const lines = columns.map(({ id, name, type, help }, at) =>
    `  ${name} ${type}${at < columns.length - 1 ? "," : ""} -- ${id}: ${help}`
  );
  return [
    "-- What can be asked of a data point of a metric? Each column's Parquet field id and meaning.",
    "-- Made from src/point.ts by `deno task dictionary`.",
    "CREATE TABLE metrics (",
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

if (import.meta.main) {
  for (const { path, text } of dictionaries) await Bun.write(path, text());
}
