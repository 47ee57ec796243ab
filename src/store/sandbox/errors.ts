// What DuckDB throws → what the user is told, without the paths of the data directory.
import { basename, dirname } from "node:path";
import type { ChildJob, Failure } from "./frames.ts";

/** Messages quote values of the data, which may be long. */
const messageCharactersMax = 2_000;

/** An error of the user's statement. */
export function explainError(error: unknown, job: ChildJob): Failure {
  const thrown = error instanceof Error ? error.message : String(error);
  const message = hidePaths(thrown.replace(/^Failed to extract statements: /, ""), job);
  const kind = /^([A-Za-z-]+(?: [a-z]+| of Memory)*) Error: /.exec(message)?.[1]?.toLowerCase();
  switch (kind) {
    case "out of memory":
      return {
        ok: false,
        reason: "out_of_memory",
        message: "The query needed more memory than a query may use. " +
          "Narrow it by time, select fewer columns, or aggregate.",
      };
    case "permission":
      return { ok: false, reason: "refused", message };
    // The files are ours: what cannot be read is not the user's mistake.
    case "io":
    case "fatal":
      return {
        ok: false,
        reason: "unavailable",
        message: "The data could not be read.",
        diagnosis: thrown,
      };
    case "internal":
      return {
        ok: false,
        reason: "invalid",
        message: "DuckDB failed on this query. Write it differently.",
        diagnosis: thrown,
      };
    default:
      return { ok: false, reason: "invalid", message };
  }
}

/** Before the user's statement is looked at, nothing is the user's mistake. */
export function explainStart(error: unknown): Failure {
  const diagnosis = error instanceof Error ? error.message : String(error);
  return { ok: false, reason: "unavailable", message: "The data could not be read.", diagnosis };
}

function hidePaths(message: string, job: ChildJob): string {
  const paths = [...job.files, ...job.segments.map((segment) => segment.path)];
  if (job.folder !== "") paths.push(job.folder);
  let hidden = message;
  for (const path of paths) hidden = hidden.replaceAll(path, basename(path));
  for (const folder of new Set(paths.map((path) => dirname(path)))) {
    if (folder.length > 1) hidden = hidden.replaceAll(folder, "…");
  }
  return hidden.length > messageCharactersMax
    ? `${hidden.slice(0, messageCharactersMax)}…`
    : hidden;
}
