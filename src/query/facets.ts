// The commonest values of each field among matching events, for completion and side bars.
import { z } from "zod";
import valuesSql from "../../queries/facets/values.sql" with { type: "text" };
import { type Filter, setFilter } from "./filter.ts";
import { answer, question, type Reader } from "./question.ts";

export const facetNames = [
  "event_type",
  "status",
  "model",
  "provider",
  "env",
  "release",
  "name",
  "tool_name",
  "user_id",
  "service",
  "agent_name",
  "tag",
] as const;

export const values = question(
  valuesSql,
  z.object({ limit: z.int() }),
  z.object({ facet: z.string(), value: z.string(), count: z.int() }),
);

export type Facets = Record<string, { value: string; count: number }[]>;

export async function facetsOf(reader: Reader, filter: Filter, limit: number): Promise<Facets> {
  const facets: Facets = Object.fromEntries(facetNames.map((name) => [name, []]));
  await reader.snapshot(filter, async (ask) => {
    await setFilter(ask, filter);
    for (const { facet, value, count } of await answer(ask, values, { limit })) {
      facets[facet]!.push({ value, count });
    }
  });
  return facets;
}
