// Runs: all events with one run_id, summed up, and as a tree.
import { z } from "zod";
import countSql from "../../queries/runs/count.sql" with { type: "text" };
import eventsSql from "../../queries/runs/events.sql" with { type: "text" };
import newestSql from "../../queries/runs/newest.sql" with { type: "text" };
import summariesSql from "../../queries/runs/summaries.sql" with { type: "text" };
import { type Row, toLightEvent } from "./event_json.ts";
import { lightRow } from "./events.ts";
import { type Filter, setFilter, setPage } from "./filter.ts";
import { answer, answerOne, type Ask, question, type Reader } from "./question.ts";
import { type TreeEvent, treeOf } from "./run_tree.ts";

export const newest = question(
  newestSql,
  z.object({
    after_started_at: z.string().nullable(),
    after_run_id: z.string().nullable(),
    limit: z.int(),
  }),
  z.object({ run_id: z.string(), started_at: z.string() }),
);
export const count = question(countSql, z.object({}), z.object({ total: z.int() }));

export const runRow = z.object({
  run_id: z.string(),
  name: z.string().nullable(),
  started_at: z.string(),
  ended_at: z.string(),
  duration_ms: z.number(),
  status: z.enum(["success", "error"]),
  event_count: z.int(),
  error_count: z.int(),
  prompt_call_count: z.int(),
  tool_call_count: z.int(),
  tokens_input: z.int().nullable(),
  tokens_output: z.int().nullable(),
  cost_usd: z.number().nullable(),
  unpriced: z.int().describe("Model calls with tokens but without a cost."),
  models: z.array(z.string()).nullable(),
  user_id: z.string().nullable(),
  session_id: z.string().nullable(),
  release: z.string().nullable(),
  env: z.string().nullable(),
  tags: z.array(z.string()).nullable(),
  input_preview: z.string().nullable(),
  output_preview: z.string().nullable(),
  error_message: z.string().nullable(),
});
export type Run = z.infer<typeof runRow>;

export const summaries = question(summariesSql, z.object({}), runRow);
export const events = question(
  eventsSql,
  z.object({ run_id: z.string(), limit: z.int() }),
  lightRow,
);

export interface RunPlace {
  run_id: string;
  started_at: string;
}

export interface RunsPage {
  runs: Run[];
  total: number;
  next: RunPlace | null;
}

/** Runs that have matching events; each is summed up over all its events in the range of time. */
export async function pageOfRuns(
  reader: Reader,
  asked: { filter: Filter; limit: number; after: RunPlace | null },
): Promise<RunsPage> {
  const { filter, limit, after } = asked;
  return await reader.snapshot(filter, async (ask) => {
    await setFilter(ask, filter);
    const { total } = await answerOne(ask, count, {});
    const places = await answer(ask, newest, {
      after_started_at: after?.started_at ?? null,
      after_run_id: after?.run_id ?? null,
      limit: limit + 1,
    });
    const shown = places.slice(0, limit);
    const runs = await summariesOf(ask, shown.map((place) => place.run_id), filter);
    return { runs, total, next: places.length > limit ? shown.at(-1)! : null };
  });
}

async function summariesOf(
  ask: Ask,
  ids: string[],
  range: { since?: string; until?: string },
): Promise<Run[]> {
  if (ids.length === 0) return [];
  await setPage(ask, {
    ids,
    first: range.since ?? "1970-01-01T00:00:00Z",
    last: range.until ?? null,
  });
  const rows = await answer(ask, summaries, {});
  const byId = new Map(
    rows.map((row) => [row.run_id, { ...row, models: row.models ?? [], tags: row.tags ?? [] }]),
  );
  return ids.map((id) => byId.get(id)!);
}

export interface RunDetail {
  run: Run;
  /** In tree order: a parent comes before its children. */
  events: TreeEvent[];
  /** There are more events than are shown. */
  truncated: boolean;
}

/** A run with at most `limit` of its events; null when the project has no such run. */
export async function oneRun(
  reader: Reader,
  project_id: string,
  run_id: string,
  limit: number,
): Promise<RunDetail | null> {
  return await reader.snapshot({ project_id }, async (ask) => {
    const rows = await answer(ask, events, { run_id, limit: limit + 1 });
    if (rows.length === 0) return null;
    const [run] = await summariesOf(ask, [run_id], { since: String(rows[0]!.timestamp) });
    const shown = rows.slice(0, limit).map((row) => toLightEvent(row as Row));
    return { run: run!, events: treeOf(shown), truncated: rows.length > limit };
  });
}
