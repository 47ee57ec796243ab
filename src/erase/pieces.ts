// Which pieces of events that are not whole yet are a subject's, and which runs they say are. Pure.
import type { Fields } from "../receive/langfuse_body.ts";
import type { TargetSets } from "../store/eraser.ts";
import type { Subject } from "../store/subject.ts";

export function runsOf(pieces: readonly Fields[]): string[] {
  return [...new Set(pieces.flatMap(({ run_id }) => run_id === undefined ? [] : [String(run_id)]))];
}

/** Runs of pieces that name the subject: their other pieces, and rows, may not. */
export function withPieces(
  { kind, ids }: Subject,
  runs: readonly string[],
  pieces: readonly Fields[],
): string[] {
  if (kind !== "user" && kind !== "session") return [...runs];
  const named = pieces.filter((event) => ids.includes(String(event[`${kind}_id`])))
    .flatMap(({ run_id }) => run_id === undefined ? [] : [String(run_id)]);
  return [...new Set([...runs, ...named])];
}

export function isPieceOf({ kind, ids }: Subject, { runs, sessions }: TargetSets) {
  return (event: Fields): boolean => {
    const named = event[`${kind}_id`];
    if (named !== undefined) return ids.includes(String(named));
    if (kind !== "user" && kind !== "session") return false;
    return runs.has(String(event.run_id)) ||
      kind === "user" && sessions.has(String(event.session_id));
  };
}
