// What the list of issues and the page of one share: types, words, and small charts.
import { linkTo } from "./address.ts";
import { moment, plural } from "./format.ts";
import { html, type View } from "./html.ts";

export type IssueState = "open" | "resolved" | "ignored" | "regressed";

export interface Issue {
  id: string;
  project_id: string;
  kind: string | null;
  title: string | null;
  place: string | null;
  state: IssueState;
  events: number;
  runs: number;
  users: number | null;
  first_seen: string | null;
  last_seen: string | null;
  first_release: string | null;
  last_release: string | null;
  assignee: string | null;
  note: string | null;
  resolved_at: string | null;
  resolved_in: string | null;
  regressed_at: string | null;
  regressed_in: string | null;
  merged: string[];
  trend: { since: string; interval_seconds: number; events: number[] } | null;
}

export interface IssueSample {
  event_id: string;
  run_id: string;
  timestamp: string;
  user_id: string | null;
  release: string | null;
  env: string | null;
  model: string | null;
  own_issue: string;
  title: string;
  words: string | null;
}

export interface IssueDetail extends Issue {
  samples: IssueSample[];
  spread: {
    field: "release" | "user_id" | "env" | "model";
    value: string;
    events: number;
    first_seen: string;
    last_seen: string;
  }[];
}

export interface IssueList {
  issues: Issue[];
  total: number;
  states: Record<IssueState, number>;
  truncated: boolean;
  next_cursor: string | null;
}

export interface IssueChange {
  state?: "open" | "resolved" | "ignored";
  in_release?: string | null;
  in_next_release?: true;
  assignee?: string | null;
  note?: string | null;
}

export function issueLink(id: string): string {
  return linkTo(`/issues/${encodeURIComponent(id)}`);
}

export const kindWords: Record<string, string> = {
  exception: "Exception",
  provider_error: "Provider error",
  tool_error: "Tool error",
  assertion: "Assertion",
  schema_breach: "Schema breach",
  refusal: "Refusal",
  truncation: "Truncation",
  empty_answer: "Empty answer",
  hallucination: "Hallucination",
  loop: "Loop",
};

export function titleOf({ title, id }: Pick<Issue, "title" | "id">): string {
  return title ?? id;
}

export function StateChip({ state }: { state: IssueState }): View {
  return html`<span class=${`issue-state issue-${state}`}>${state}</span>`;
}

const widthPx = 240;

/** Failures over time, as bars. */
export function Trend(
  { trend, heightPx, label }: { trend: Issue["trend"]; heightPx: number; label: string },
): View {
  if (trend === null) return html`<span class="issue-trend"></span>`;
  const { events, since, interval_seconds } = trend;
  const most = Math.max(1, ...events);
  const step = widthPx / events.length;
  const startMs = Date.parse(since);
  return html`
    <svg class="issue-trend" viewBox=${`0 0 ${widthPx} ${heightPx}`} preserveAspectRatio="none"
      role="img" aria-label=${`${label}: at most ${plural(most, "failure")} in one bar`}
      style=${{ height: `${heightPx}px` }}>${events.map((count, at) => {
        const height = count === 0 ? 1 : Math.max(3, count / most * heightPx);
        const start = new Date(startMs + at * interval_seconds * 1000).toISOString();
        return html`
          <rect key=${at} class=${count === 0 ? "issue-none" : "issue-some"} x=${at * step}
            y=${heightPx - height} width=${step * 0.8} height=${height}>
            <title>${plural(count, "failure")} from ${moment(start)}</title>
          </rect>
        `;
      })}</svg>
  `;
}
