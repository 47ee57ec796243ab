// A question is an SQL file with a type: its named parameters and the columns of its answer.
// One test prepares every file of queries/ and holds both to what DuckDB says.
import type { z } from "zod";

/** A value that a question may be given. */
export type ParamValue = string | number | boolean | null;

/** Runs SQL over one consistent view of a project's events. */
export type Ask = (
  sql: string,
  params: Record<string, ParamValue>,
) => Promise<Record<string, unknown>[]>;

/** What questions are asked of. */
export interface Reader {
  /** Every question asked within `work` sees the same events. */
  snapshot<T>(
    scope: { project_id: string; since?: string; until?: string; view?: "events" | "metrics" },
    work: (ask: Ask) => Promise<T>,
  ): Promise<T>;
}

export interface Question<P, R> {
  sql: string;
  params: z.ZodType<P>;
  row: z.ZodType<R>;
}

export function question<P extends Record<string, ParamValue>, R>(
  sql: string,
  params: z.ZodType<P>,
  row: z.ZodType<R>,
): Question<P, R> {
  return { sql, params, row };
}

/** The rows are what the test has shown them to be: they are not checked again. */
export async function answer<P extends Record<string, ParamValue>, R>(
  ask: Ask,
  { sql }: Question<P, R>,
  params: P,
): Promise<R[]> {
  return await ask(sql, params) as R[];
}

/** For questions with exactly one row. */
export async function answerOne<P extends Record<string, ParamValue>, R>(
  ask: Ask,
  asked: Question<P, R>,
  params: P,
): Promise<R> {
  const [row] = await answer(ask, asked, params);
  if (row === undefined) throw new Error(`No row: ${asked.sql.split("\n", 1)[0]}`);
  return row;
}
