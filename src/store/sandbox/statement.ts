// The text of a user's SQL → a statement that may run, or why it may not.
import type { DuckDBConnection, DuckDBPreparedStatement } from "@duckdb/node-api";
import type { Failure } from "./frames.ts";
import { firstWord, judgeTree, sqlCharactersMax } from "./gate.ts";

type Api = typeof import("@duckdb/node-api");

/** The statement, when it is exactly one SELECT over `events`. */
export async function takeStatement(
  api: Api,
  connection: DuckDBConnection,
  sql: string,
): Promise<DuckDBPreparedStatement | Failure> {
  if (sql.length > sqlCharactersMax) {
    return refused(`A query may have ${sqlCharactersMax} characters; this one has ${sql.length}.`);
  }
  // DuckDB would run what stands before it, and the gate might see more.
  if (sql.includes("\0")) return refused("A query may not contain the character NUL.");
  const word = firstWord(sql);
  if (word === "") return refused("Only a single SELECT statement is allowed; this is empty.");
  const statements = await connection.extractStatements(sql);
  if (statements.count !== 1) {
    // DuckDB makes two statements of one PIVOT when it must look for the values first.
    const hint = /\bpivot\b/i.test(sql)
      ? " A PIVOT needs its values: ON column IN ('a', 'b')."
      : "";
    return refused(`Only a single SELECT statement is allowed; there are several.${hint}`);
  }
  const reader = await connection.runAndReadAll("SELECT json_serialize_sql($1::VARCHAR)", [sql]);
  const tree = String(reader.getRows()[0]![0]);
  const { error } = JSON.parse(tree) as { error: boolean };
  if (error) return refused(`Only a single SELECT statement is allowed; this is ${word}.`);
  const refusal = judgeTree(tree);
  if (refusal !== null) return refused(refusal);
  const statement = await statements.prepare(0);
  if (statement.statementType !== api.StatementType.SELECT) {
    return refused(`Only a single SELECT statement is allowed; this is ${word}.`);
  }
  if (statement.parameterCount > 0) {
    return refused("Parameters such as ? and $1 have no value here.");
  }
  return statement;
}

export function refused(message: string): Failure {
  return { ok: false, reason: "refused", message };
}
