// What kinds of issues there are, and what each is grouped by.

/** Rises when the same failure would get another id: history keeps the ids that it has. */
export const fingerprintVersion = 1;

export const issueKinds = [
  "exception",
  "provider_error",
  "tool_error",
  "assertion",
  "schema_breach",
  "refusal",
  "truncation",
  "empty_answer",
  "hallucination",
  "loop",
] as const;
export type IssueKind = (typeof issueKinds)[number];

/** What is stored with an event that is one of an issue. */
export interface IssueFields {
  /** Of the issue that the failure belongs to. */
  issue: string;
  issue_kind: IssueKind;
  /** What happened, without what differs between occurrences. */
  issue_title: string;
  /** Where: a frame, tool, prompt or model; null when nothing says. */
  issue_place: string | null;
}

/** `i1_` and 16 hex digits of what the failure is grouped by. */
export function issueId(parts: readonly string[]): string {
  const hash = new Bun.CryptoHasher("sha256").update(parts.join("\0")).digest("hex");
  return `i${fingerprintVersion}_${hash.slice(0, 16)}`;
}
