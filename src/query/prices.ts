// Model calls that nobody knows the cost of.
import { z } from "zod";
import unpricedSql from "../../queries/prices/unpriced.sql" with { type: "text" };
import { type Filter, setFilter } from "./filter.ts";
import { answer, question, type Reader } from "./question.ts";

export const unpricedRow = z.object({
  model: z.string().nullable(),
  provider: z.string().nullable(),
  calls: z.int(),
  tokens_input: z.int().nullable(),
  tokens_output: z.int().nullable(),
  first_seen: z.string(),
  last_seen: z.string(),
});
export type Unpriced = z.infer<typeof unpricedRow>;

export const unpriced = question(unpricedSql, z.object({ limit: z.int() }), unpricedRow);

/** By model and provider, those with the most calls first. */
export async function unpricedOf(
  reader: Reader,
  filter: Filter,
  limit: number,
): Promise<Unpriced[]> {
  return await reader.snapshot(filter, async (ask) => {
    await setFilter(ask, filter);
    return await answer(ask, unpriced, { limit });
  });
}
