// Issues as the events tell them: how often, whom, where and when. States are kept elsewhere.
import { z } from "zod";
import listSql from "../../queries/issues/list.sql" with { type: "text" };
import loopsSql from "../../queries/issues/loops.sql" with { type: "text" };
import releasesSql from "../../queries/issues/releases.sql" with { type: "text" };
import samplesSql from "../../queries/issues/samples.sql" with { type: "text" };
import sinceSql from "../../queries/issues/since.sql" with { type: "text" };
import spreadSql from "../../queries/issues/spread.sql" with { type: "text" };
import trendSql from "../../queries/issues/trend.sql" with { type: "text" };
import issuesSql from "../../queries/schema/issues.sql" with { type: "text" };
import occurrencesSql from "../../queries/schema/occurrences.sql" with { type: "text" };
import { issueKinds } from "../issue/kind.ts";
import { type Filter, setFilter } from "./filter.ts";
import { answer, type Ask, question, type Reader } from "./question.ts";

const issueRow = z.object({
  issue: z.string(),
  kind: z.enum(issueKinds),
  title: z.string(),
  place: z.string().nullable().describe("A frame, tool, prompt or model."),
  events: z.int(),
  runs: z.int(),
  users: z.int().describe("Different user_ids; events without one are not counted."),
  first_seen: z.string(),
  last_seen: z.string(),
  first_release: z.string().nullable(),
  last_release: z.string().nullable(),
});
export type IssueRow = z.infer<typeof issueRow>;

export const sampleRow = z.object({
  event_id: z.string(),
  run_id: z.string(),
  timestamp: z.string(),
  user_id: z.string().nullable(),
  session_id: z.string().nullable(),
  release: z.string().nullable(),
  env: z.string().nullable(),
  model: z.string().nullable(),
  own_issue: z.string().describe("Another one when it was merged."),
  title: z.string(),
  words: z.string().nullable().describe("What it said."),
});

export const spreadRow = z.object({
  field: z.enum(["release", "user_id", "env", "model"]),
  value: z.string(),
  events: z.int(),
  first_seen: z.string(),
  last_seen: z.string(),
});

const foundRow = z.object({
  issue: z.string(),
  release: z.string().nullable(),
  first: z.string(),
  last: z.string(),
  title: z.string(),
  place: z.string().nullable(),
});
export type Found = z.infer<typeof foundRow>;

const limited = z.object({ limit: z.int() });
const since = z.object({ since: z.string().nullable() });

export const list = question(listSql, limited, issueRow);
export const trend = question(
  trendSql,
  z.object({}),
  z.object({ issue: z.string(), bucket: z.int(), events: z.int() }),
);
export const samples = question(samplesSql, limited, sampleRow);
export const spread = question(spreadSql, limited, spreadRow);
export const stored = question(sinceSql, since, foundRow);
export const releases = question(
  releasesSql,
  since.extend(limited.shape),
  z.object({ release: z.string(), first: z.string() }),
);
export const loops = question(loopsSql, z.object({}), foundRow);

/** Issues that one question looks at; those that came last are. */
export const issuesAsked = 10_000;

/** How a project reads failures as issues. */
export interface IssueView {
  merged: readonly { issue: string; into: string }[];
  loop_calls_min: number;
}

interface Asked {
  chosen?: readonly string[];
  first?: string;
  step_us?: number;
}

async function setIssues(ask: Ask, view: IssueView, asked: Asked = {}): Promise<void> {
  const issues = {
    merged: view.merged.map(({ issue }) => issue),
    into: view.merged.map(({ into }) => into),
    loop_calls_min: view.loop_calls_min,
    ...asked,
  };
  await ask(issuesSql, { issues: JSON.stringify(issues) });
}

/** Where and how long the buckets of a trend are. */
export interface Buckets {
  first: string;
  stepMs: number;
  count: number;
}

export interface IssueAnswers {
  rows: IssueRow[];
  /** Buckets of those that `chosen` names; null before any failure. */
  buckets: Buckets | null;
  trends: Map<string, number[]>;
}

/**
 * Issues with matching failures, and the trends of those that `choose` picks of them, over the range of
 * the filter or else from the first to the last failure.
 */
export async function issuesOf(
  reader: Reader,
  filter: Filter,
  view: IssueView,
  asked: { only: string | null; buckets: number; nowMs: number },
  choose: (rows: IssueRow[]) => readonly string[],
): Promise<IssueAnswers> {
  return await reader.snapshot(filter, async (ask) => {
    await setFilter(ask, filter);
    await setIssues(ask, view, asked.only === null ? {} : { chosen: [asked.only] });
    await ask(occurrencesSql, {});
    const rows = await answer(ask, list, { limit: issuesAsked });
    const chosen = choose(rows);
    const buckets = bucketsOf(rows, filter, asked);
    const trends = new Map<string, number[]>();
    if (buckets === null || chosen.length === 0) return { rows, buckets, trends };
    const { first, stepMs, count } = buckets;
    await setIssues(ask, view, { chosen, first, step_us: stepMs * 1000 });
    for (const { issue, bucket, events } of await answer(ask, trend, {})) {
      const counts = trends.get(issue) ?? new Array<number>(count).fill(0);
      trends.set(issue, counts);
      const at = Math.min(Math.max(bucket, 0), count - 1);
      counts[at] = counts[at]! + events;
    }
    return { rows, buckets, trends };
  });
}

function bucketsOf(
  rows: readonly IssueRow[],
  { since, until }: Filter,
  asked: { buckets: number; nowMs: number },
): Buckets | null {
  if (rows.length === 0) return null;
  const least = rows.reduce((first, row) => row.first_seen < first ? row.first_seen : first, "9");
  const first = since ?? least;
  const startMs = Date.parse(first);
  const endMs = until === undefined ? Math.max(asked.nowMs, startMs) : Date.parse(until);
  const stepMs = Math.max(1000, Math.ceil((endMs - startMs) / asked.buckets));
  return { first, stepMs, count: asked.buckets };
}

/** Runs that an issue hit last, and what it is spread over. */
export async function detailsOf(
  reader: Reader,
  filter: Filter,
  view: IssueView,
  asked: { issue: string; samples: number; values: number },
) {
  return await reader.snapshot(filter, async (ask) => {
    await setFilter(ask, filter);
    await setIssues(ask, view, { chosen: [asked.issue] });
    await ask(occurrencesSql, {});
    return {
      samples: await answer(ask, samples, { limit: asked.samples }),
      spread: await answer(ask, spread, { limit: asked.values }),
    };
  });
}

const releasesSinceMax = 5000;

/** What was received from a time on, or ever. */
export async function receivedSince(reader: Reader, project_id: string, since: string | null) {
  return await reader.snapshot({ project_id }, async (ask) => ({
    found: await answer(ask, stored, { since }),
    releases: await answer(ask, releases, { since, limit: releasesSinceMax }),
  }));
}

/** Loops among the events of a range of time. */
export async function loopsOf(
  reader: Reader,
  filter: Filter,
  loop_calls_min: number,
): Promise<Found[]> {
  return await reader.snapshot(filter, async (ask) => {
    await setFilter(ask, filter);
    await setIssues(ask, { merged: [], loop_calls_min });
    await ask(occurrencesSql, {});
    return await answer(ask, loops, {});
  });
}
