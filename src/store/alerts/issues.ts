// What is remembered of issues: states, notes, merges, when each was first seen, and releases. Counts
// are not here: they are asked of the events.
import type { Database } from "bun:sqlite";
import type { IssueRecord } from "../../issue/state.ts";

/** Of a project; the quietest that nobody has touched are forgotten beyond it. */
export const issuesMax = 20_000;
const releasesMax = 5000;

const columns = `issue, state, first_seen, first_release, last_seen, resolved_at, resolved_in,
  regressed_at, regressed_in, assignee, note, merged_into, updated_at`;

export class Issues {
  constructor(readonly database: Database) {}

  get(project_id: string, issue: string): IssueRecord | null {
    return this.database.query<IssueRecord, [string, string]>(
      `SELECT ${columns} FROM issues WHERE project_id = ? AND issue = ?`,
    ).get(project_id, issue);
  }

  all(project_id: string): IssueRecord[] {
    return this.database.query<IssueRecord, [string]>(
      `SELECT ${columns} FROM issues WHERE project_id = ?`,
    ).all(project_id);
  }

  /** Issues that count for another one. */
  merged(project_id: string): { issue: string; into: string }[] {
    return this.database.query<{ issue: string; into: string }, [string]>(
      `SELECT issue, merged_into AS "into" FROM issues
       WHERE project_id = ? AND merged_into IS NOT NULL ORDER BY issue`,
    ).all(project_id);
  }

  put(project_id: string, record: IssueRecord): void {
    this.database.query(
      // A project may have been deleted by another process.
      `INSERT INTO issues (project_id, ${columns})
       SELECT $project_id, $issue, $state, $first_seen, $first_release, $last_seen, $resolved_at,
         $resolved_in, $regressed_at, $regressed_in, $assignee, $note, $merged_into, $updated_at
       WHERE EXISTS (SELECT 1 FROM projects WHERE project_id = $project_id)
       ON CONFLICT (project_id, issue) DO UPDATE SET
         state = excluded.state, first_seen = excluded.first_seen,
         first_release = excluded.first_release, last_seen = excluded.last_seen,
         resolved_at = excluded.resolved_at, resolved_in = excluded.resolved_in,
         regressed_at = excluded.regressed_at, regressed_in = excluded.regressed_in,
         assignee = excluded.assignee, note = excluded.note, merged_into = excluded.merged_into,
         updated_at = excluded.updated_at`,
    ).run({ project_id, ...record });
  }

  /** Keeps the bounds; what people have said of an issue stays. */
  prune(project_id: string): void {
    this.database.query(
      `DELETE FROM issues WHERE project_id = $project_id AND updated_at IS NULL AND issue IN (
         SELECT issue FROM issues WHERE project_id = $project_id
         ORDER BY last_seen DESC LIMIT -1 OFFSET $max)`,
    ).run({ project_id, max: issuesMax });
    this.database.query(
      `DELETE FROM issue_releases WHERE project_id = $project_id AND release IN (
         SELECT release FROM issue_releases WHERE project_id = $project_id
         ORDER BY first_seen DESC LIMIT -1 OFFSET $max)`,
    ).run({ project_id, max: releasesMax });
  }

  releaseSeen(project_id: string, release: string): string | null {
    return this.database.query<{ first_seen: string }, [string, string]>(
      "SELECT first_seen FROM issue_releases WHERE project_id = ? AND release = ?",
    ).get(project_id, release)?.first_seen ?? null;
  }

  putRelease(project_id: string, release: string, first_seen: string): void {
    this.database.query(
      `INSERT INTO issue_releases (project_id, release, first_seen)
       SELECT $project_id, $release, $first_seen
       WHERE EXISTS (SELECT 1 FROM projects WHERE project_id = $project_id)
       ON CONFLICT (project_id, release) DO UPDATE SET first_seen = excluded.first_seen
       WHERE excluded.first_seen < issue_releases.first_seen`,
    ).run({ project_id, release, first_seen });
  }

  /** In the order in which the project first sent them. */
  releases(project_id: string): string[] {
    return this.database.query<{ release: string }, [string]>(
      "SELECT release FROM issue_releases WHERE project_id = ? ORDER BY first_seen, release",
    ).all(project_id).map(({ release }) => release);
  }

  /** Until when events have been looked at; null is never. */
  mark(project_id: string): string | null {
    return this.database.query<{ noted_until: string }, [string]>(
      "SELECT noted_until FROM issue_marks WHERE project_id = ?",
    ).get(project_id)?.noted_until ?? null;
  }

  putMark(project_id: string, noted_until: string): void {
    this.database.query(
      `INSERT INTO issue_marks (project_id, noted_until)
       SELECT $project_id, $noted_until
       WHERE EXISTS (SELECT 1 FROM projects WHERE project_id = $project_id)
       ON CONFLICT (project_id) DO UPDATE SET noted_until = excluded.noted_until`,
    ).run({ project_id, noted_until });
  }
}
