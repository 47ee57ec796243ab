// What DuckDB throws → what the user is told.
import { basename, dirname } from "node:path";
import type { Failure } from "./frames.ts";

/** Messages quote values of the data, which may be long. */
const messageCharactersMax = 2_000;

/** An error of the user's statement. */
export function explainError(error: unknown): Failure {
  const thrown = error instanceof Error ? error.message : String(error);
  const message = thrown.replace(/^Failed to extract statements: /, "");
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

/** A message without the place of these files: what the data directory is, is not the user's. */
export function hidePaths(message: string, files: readonly string[]): string {
  let hidden = message;
  for (const file of files) hidden = hidden.replaceAll(file, basename(file));
  for (const folder of new Set(files.map((file) => dirname(file)))) {
    if (folder.length > 1) hidden = hidden.replaceAll(folder, "…");
  }
  return hidden.length > messageCharactersMax
    ? `${hidden.slice(0, messageCharactersMax)}…`
    : hidden;
}
