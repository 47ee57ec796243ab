// The two kinds of rows that the log and the lake hold, and the SQL text that names their columns:
// events, and data points of metrics. Each has its lines in the log, its tail table, its folder in
// the lake and its view; no row of one is ever read as the other.
import { columnType, type Field, fields } from "../event.ts";
import { pointColumns } from "../point.ts";

interface Column {
  id: number;
  name: string;
  /** DuckDB's. */
  type: string;
}

export interface Relation {
  /** What questions and users' SQL call it. */
  view: "events" | "metrics";
  /** Folder of the data directory that holds its Parquet files. */
  folder: string;
  /** A line of the log has it exactly when it is of this relation; with the time it orders a file. */
  idColumn: string;
  columnNames: string;
  /** For CREATE TABLE. */
  definitions: string;
  /** For `read_json(columns = {…})`. */
  jsonColumns: string;
  /** For `read_parquet(schema = MAP {…})`: by field id, null where a file lacks the column. */
  byFieldId: string;
  /** For `COPY (FIELD_IDS {…})`. */
  fieldIds: string;
  /** A SELECT with every column and no row. */
  nothing: string;
}

function relation(
  named: Pick<Relation, "view" | "folder" | "idColumn">,
  columns: readonly Column[],
): Relation {
  const list = (text: (column: Column) => string) => columns.map(text).join(", ");
  return {
    ...named,
    columnNames: list(({ name }) => name),
    definitions: list(({ name, type }) => `${name} ${type}`),
    jsonColumns: list(({ name, type }) => `${name}: '${type}'`),
    byFieldId: list(({ id, name, type }) =>
      `${id}: {name: '${name}', type: '${type}', default_value: NULL}`
    ),
    fieldIds: list(({ id, name, type }) =>
      // The list's elements are a Parquet field of their own.
      type.endsWith("[]")
        ? `${name}: {__duckdb_field_id: ${id}, element: ${listElementId(id)}}`
        : `${name}: ${id}`
    ),
    nothing: `SELECT ${list(({ name, type }) => `NULL::${type} AS "${name}"`)} WHERE false`,
  };
}

/** Ids of list elements live above those of columns, as fixed as theirs. */
function listElementId(columnId: number): number {
  return 1000 + columnId;
}

export const events = relation(
  { view: "events", folder: "events", idColumn: "event_id" },
  (fields as readonly Field[]).map((field) => ({ ...field, type: columnType(field) })),
);

export const points = relation(
  { view: "metrics", folder: "metrics", idColumn: "point_id" },
  pointColumns,
);

export const relations = [events, points] as const;

const lakePath =
  /(?:^|[\\/])(events|metrics)[\\/]project_id=[^\\/]+[\\/]date=[^\\/]+[\\/][^\\/]+\.parquet$/;

/** What the rows of a file of the lake are; the path may be absolute or below the data directory. */
export function relationOf(path: string): Relation {
  const folder = lakePath.exec(path)?.[1];
  // Files of no folder of the lake are the private ones of a question.
  return folder === points.folder ? points : events;
}
