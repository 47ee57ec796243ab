// What is remembered of an issue, and what an occurrence makes of it. Pure.
import { isLater } from "./release.ts";

export const issueStates = ["open", "resolved", "ignored", "regressed"] as const;
export type IssueState = (typeof issueStates)[number];

/** Times are ISO 8601 with microseconds, UTC. */
export interface IssueRecord {
  issue: string;
  state: IssueState;
  first_seen: string;
  /** Of the first occurrence that had one. */
  first_release: string | null;
  last_seen: string;
  resolved_at: string | null;
  /** Only an occurrence in a later release brings it back; null is an occurrence at a later time. */
  resolved_in: string | null;
  regressed_at: string | null;
  regressed_in: string | null;
  assignee: string | null;
  note: string | null;
  /** Its failures count for this issue. */
  merged_into: string | null;
  updated_at: string | null;
}

/** Failures of one issue and release that were stored since the last look. */
export interface Occurrence {
  issue: string;
  release: string | null;
  first: string;
  last: string;
}

export type News = "new" | "regressed";

/** When a release was first seen; null when it is not known. */
export type FirstSeen = (release: string) => string | null;

/** The same occurrence taken twice changes nothing more: counts are never kept. */
export function occur(
  before: IssueRecord | null,
  { issue, release, first, last }: Occurrence,
  firstSeen: FirstSeen,
): { record: IssueRecord; news: News | null } {
  if (before === null) {
    const record: IssueRecord = {
      issue,
      state: "open",
      first_seen: first,
      first_release: release,
      last_seen: last,
      resolved_at: null,
      resolved_in: null,
      regressed_at: null,
      regressed_in: null,
      assignee: null,
      note: null,
      merged_into: null,
      updated_at: null,
    };
    return { record, news: "new" };
  }
  const record = { ...before };
  // An event that comes late may be the first one.
  if (first < record.first_seen) {
    record.first_seen = first;
    record.first_release = release ?? record.first_release;
  }
  record.first_release ??= release;
  if (last > record.last_seen) record.last_seen = last;
  const isBack = record.state === "resolved" && record.resolved_at !== null &&
    // What happened before somebody resolved it was known to them.
    last > record.resolved_at &&
    (record.resolved_in === null ||
      release !== null && isLater(release, record.resolved_in, firstSeen));
  if (!isBack) return { record, news: null };
  record.state = "regressed";
  record.regressed_at = last;
  record.regressed_in = release;
  return { record, news: "regressed" };
}
