// Whose rows are meant when a user, a session, a run or an event is erased or exported, as conditions
// in SQL. Pure.
//
// Instrumentation often names the user on the first span of a run only. So rows without a user that
// belong to a run of the user, or to a session in which nobody else is named, are the user's too; the
// same for a session's runs. Rows that name somebody else are never meant.
import { textLiteral } from "./edit.ts";

export const subjectKinds = ["user", "session", "run", "event"] as const;
export type SubjectKind = (typeof subjectKinds)[number];

/** A shorter id stands everywhere by chance: outside of its own columns it counts only in quotes. */
export const bareBytesMin = 6;

export interface Subject {
  kind: SubjectKind;
  /** As it was asked for, and what redaction has made of it. */
  ids: readonly string[];
}

/** What belongs to the subject without naming it. */
export interface Targets {
  runs: readonly string[];
  sessions: readonly string[];
}

export const columnOf = {
  user: "user_id",
  session: "session_id",
  run: "run_id",
  event: "event_id",
} as const satisfies Record<SubjectKind, string>;

/** Temporary tables, each with the column `id`, that `eventsOf` reads. */
export const targetTables = { runs: "subject_runs", sessions: "subject_sessions" } as const;

export function isNamed({ kind, ids }: Subject): string {
  return `${columnOf[kind]} IN (${ids.map(textLiteral).join(", ")})`;
}

/** Rows of events that are the subject's, received at or before the time. */
export function eventsOf(subject: Subject, receivedUntil: string): string {
  return `(${isSubjects(subject)}) AND received_at <= ${textLiteral(receivedUntil)}::TIMESTAMPTZ`;
}

function isSubjects(subject: Subject): string {
  const named = isNamed(subject);
  const ofRuns = `run_id IN (SELECT id FROM ${targetTables.runs})`;
  const ofSessions = `session_id IN (SELECT id FROM ${targetTables.sessions})`;
  switch (subject.kind) {
    case "user":
      return `${named} OR (user_id IS NULL AND (${ofRuns} OR ${ofSessions}))`;
    case "session":
      return `${named} OR (session_id IS NULL AND ${ofRuns})`;
    case "run":
    case "event":
      return named;
  }
}

/** SELECTs for the target tables, over a source of events. */
export function targetsOf(
  subject: Subject,
  receivedUntil: string,
  source: string,
): Record<keyof Targets, string> {
  const nothing = "SELECT NULL::VARCHAR AS id WHERE false";
  if (subject.kind === "run" || subject.kind === "event") {
    return { runs: nothing, sessions: nothing };
  }
  const named = isNamed(subject);
  const known = `${named} AND received_at <= ${textLiteral(receivedUntil)}::TIMESTAMPTZ`;
  // Only those that have rows to be found by them: most runs name their user everywhere.
  const runs = `SELECT DISTINCT run_id AS id FROM ${source} ` +
    `WHERE ${columnOf[subject.kind]} IS NULL ` +
    `AND run_id IN (SELECT run_id FROM ${source} WHERE ${known})`;
  if (subject.kind === "session") return { runs, sessions: nothing };
  const sessions = `SELECT session_id AS id FROM ${source} ` +
    `WHERE session_id IN (SELECT session_id FROM ${source} WHERE ${known}) ` +
    `GROUP BY session_id HAVING count(*) FILTER (user_id IS NULL) > 0 ` +
    `AND count(*) FILTER (NOT (${named})) = 0`;
  return { runs, sessions };
}

/** Data points with an attribute that is the subject; an event has none. */
export function pointsOf({ kind, ids }: Subject, receivedUntil: string): string {
  if (kind === "event") return "false";
  const named = ids.flatMap((id) =>
    ["attributes", "resource", "scope"].map((name) => contains(name, id))
  );
  return `(${named.join(" OR ")}) AND received_at <= ${textLiteral(receivedUntil)}::TIMESTAMPTZ`;
}

/** Data points that stay, but whose measured examples name the subject. */
export function exemplarsOf({ kind, ids }: Subject, receivedUntil: string): string {
  if (kind === "event") return "false";
  const named = ids.map((id) => contains("exemplars", id));
  return `(${named.join(" OR ")}) AND received_at <= ${textLiteral(receivedUntil)}::TIMESTAMPTZ`;
}

/** JSON text that has the id as a whole string. */
function contains(column: string, id: string): string {
  return `coalesce(contains(${column}, ${textLiteral(JSON.stringify(id))}), false)`;
}
