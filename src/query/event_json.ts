// A stored row → the JSON event that was sent.
import { type Field, fields } from "../event.ts";

export type Row = Record<string, unknown>;

const byName = new Map((fields as readonly Field[]).map((field) => [field.name, field]));
/** Columns that the server made of what stands elsewhere in the event. */
const hidden = new Set(
  (fields as readonly Field[]).filter((field) => field.derived === "copy")
    .map((field) => field.name),
);

/** The whole event as it was sent, and what the server knows of it. Absent fields are left out. */
export function toEvent(row: Row): Row {
  const json = new Set(row.json_fields as string[] | null);
  const event: Row = {};
  for (const name in row) {
    const value = row[name];
    if (value === null || hidden.has(name)) continue;
    const field = byName.get(name);
    const isJson = field?.kind === "object" || field?.kind === "list" || json.has(name);
    event[name] = isJson ? JSON.parse(value as string) : value;
  }
  return event;
}

/** A row of the light form: `client` as an object, absent fields left out, as /api/live has it. */
export function toLightEvent(row: Row): Row {
  const event: Row = {};
  for (const name in row) {
    const value = row[name];
    if (value === null) continue;
    event[name] = byName.get(name)?.kind === "object" ? JSON.parse(value as string) : value;
  }
  return event;
}
