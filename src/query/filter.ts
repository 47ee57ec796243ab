// The filter that every list and chart shares, and how it reaches SQL.
import filterSql from "../../queries/schema/filter.sql" with { type: "text" };
import matchingSql from "../../queries/schema/matching.sql" with { type: "text" };
import pageSql from "../../queries/schema/page.sql" with { type: "text" };
import type { Ask } from "./question.ts";

export const filterFields = [
  "event_type",
  "status",
  "model",
  "provider",
  "user_id",
  "run_id",
  "session_id",
  "tag",
  "release",
  "env",
  "name",
  "tool_name",
  "service",
  "agent_name",
] as const;
export type FilterField = (typeof filterFields)[number];

export interface Filter {
  project_id: string;
  /** ISO 8601, inclusive. */
  since?: string;
  /** ISO 8601, exclusive. */
  until?: string;
  /** Text that one of the event's texts contains, whatever its case. */
  q?: string;
  /** Any of the values of each field. */
  values: Partial<Record<FilterField, string[]>>;
}

/** The view `matching` before its conditions, and each condition by the value that it needs. */
const [matchingAll, ...conditions] = matchingSql.split(/^-- when /m);
const conditionOf = new Map(conditions.map((condition) => {
  const line = condition.indexOf("\n");
  return [condition.slice(0, line), condition.slice(line)] as const;
}));

/** Sets what the view `matching` shows. Call it before any question that reads the view. */
export async function setFilter(ask: Ask, filter: Filter): Promise<void> {
  const { since, until, q } = filter;
  const escaped = q === undefined ? undefined : JSON.stringify(q).slice(1, -1);
  const q_json = escaped === q ? undefined : escaped;
  const values: Record<string, string | string[] | undefined> = { since, until, q, q_json };
  for (const [field, wanted] of Object.entries(filter.values)) {
    if (wanted.length === 1) values[field] = wanted[0];
    else values[`any_${field}`] = wanted;
  }
  await ask(filterSql, { filter: JSON.stringify(values) });
  const names = Object.keys(values).filter((name) =>
    values[name] !== undefined && !(name === "q" && q_json !== undefined)
  );
  await ask(matchingAll + names.map((name) => conditionOf.get(name)!).join(""), {});
}

/** Names the rows of a page, and the stretch of time that holds them. */
export async function setPage(
  ask: Ask,
  page: { ids: string[]; first: string; last: string | null },
): Promise<void> {
  await ask(pageSql, { page: JSON.stringify(page) });
}
