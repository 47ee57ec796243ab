// The question of a rule in SQL: asked in the sandbox, its rows read as points.
import type { Point } from "../alert/decide.ts";
import { type Rule, ruleBounds } from "../alert/rule.ts";
import { seriesKey } from "../alert/state.ts";
import { literal } from "../store/duckdb.ts";
import type { Failure, Sandbox, Snapshot } from "../store/sandbox.ts";

export interface SqlDeps {
  sandbox: Pick<Sandbox, "ask">;
  source(project_id: string): Promise<Snapshot & { release(): void }>;
  timeoutMs: number;
}

/** The rule cannot be answered; the message is for its owner. */
export class SqlRuleError extends Error {
  constructor(message: string, readonly reason: Failure["reason"] | "columns" | "rows") {
    super(message);
  }

  /** The sandbox had no room: nothing is wrong with the rule. */
  get isBusy(): boolean {
    return this.reason === "busy";
  }
}

/** Of the query itself, whatever the server is busy with. */
const faults: readonly SqlRuleError["reason"][] = ["refused", "invalid", "crashed", "columns"];
const answerBytesMax = 4 * 1024 * 1024;
const manyRowsMax = 20_000;
const labelCharactersMax = 200;
const numeric = /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|DOUBLE|FLOAT|DECIMAL.*)$/;

/** The ends of the window stand in the text as `$since` and `$until`. */
export function placeWindow(sql: string, sinceMs: number, untilMs: number): string {
  const time = (ms: number) => `TIMESTAMPTZ ${literal(new Date(ms).toISOString())}`;
  return sql.replaceAll(/\$since\b/g, time(sinceMs)).replaceAll(/\$until\b/g, time(untilMs));
}

/** Throws SqlRuleError. */
export async function askSql(
  deps: SqlDeps,
  project_id: string,
  rule: Rule,
  at: number,
): Promise<{ points: Point[]; truncated: boolean }> {
  const sql = placeWindow(rule.sql!, at - rule.window_minutes * 60_000, at);
  const { columns, rows, truncated } = await run(deps, project_id, sql, ruleBounds.seriesMax);
  return { points: readRows(rule, columns, rows), truncated };
}

/** What is wrong with the query, for its owner; null when nothing is, or nobody can say now. */
export async function problemOfSql(
  deps: SqlDeps,
  project_id: string,
  rule: Rule,
  at: number,
): Promise<string | null> {
  try {
    await askSql(deps, project_id, rule, at);
    return null;
  } catch (error) {
    if (!(error instanceof SqlRuleError)) throw error;
    return faults.includes(error.reason) ? error.message : null;
  }
}

/** Many windows in one statement: a child process for each would take a second each. */
export async function askSqlOfMany(
  deps: SqlDeps,
  project_id: string,
  rule: Rule,
  ats: readonly number[],
): Promise<Point[][]> {
  const text = rule.sql!.trim().replace(/;+$/, "");
  const windowMs = rule.window_minutes * 60_000;
  // On a line of its own: the last one may end in a comment.
  const parts = ats.map((at, step) =>
    `SELECT ${step} AS window_of_rule, * FROM (\n${placeWindow(text, at - windowMs, at)}\n)`
  );
  const sql = parts.join("\nUNION ALL\n");
  const { columns, rows, truncated } = await run(deps, project_id, sql, manyRowsMax);
  if (truncated) {
    throw new SqlRuleError(`More than ${manyRowsMax} rows; choose a shorter time.`, "rows");
  }
  return ats.map((_, step) => {
    const own = rows.filter(([window]) => Number(window) === step).map((row) => row.slice(1));
    return readRows(rule, columns.slice(1), own);
  });
}

async function run(deps: SqlDeps, project_id: string, sql: string, rowsMax: number) {
  const pieces: Uint8Array[] = [];
  const snapshot = await deps.source(project_id);
  try {
    const answer = await deps.sandbox.ask({
      sql,
      project_id,
      files: snapshot.files,
      segments: snapshot.segments,
      format: "rows",
      rowsMax,
      bytesMax: answerBytesMax,
      deadlineMs: deps.timeoutMs,
    }, (bytes) => void pieces.push(bytes));
    if (!answer.ok) throw new SqlRuleError(answer.message, answer.reason);
    const rows: unknown[][] = JSON.parse(`[${Buffer.concat(pieces).toString("utf8")}]`);
    return { columns: answer.columns, rows, truncated: answer.truncated };
  } finally {
    snapshot.release();
  }
}

export function readRows(
  rule: Rule,
  columns: readonly { name: string; type: string }[],
  rows: readonly (readonly unknown[])[],
): Point[] {
  const needsValue = rule.warning !== undefined || rule.critical !== undefined;
  const valueAt = valueColumn(columns, needsValue);
  const points = new Map<string, Point>();
  for (const row of rows) {
    const labels = Object.fromEntries(
      columns.flatMap(({ name }, at) => at === valueAt ? [] : [[name, labelText(row[at])]]),
    );
    const point: Point = {
      labels,
      requests: null,
      // A row that needs no value is there, and that is all that is asked.
      value: valueAt === null ? 1 : numberOf(row[valueAt]),
    };
    // Of rows with the same labels the first counts: the query says the order.
    const key = seriesKey(labels);
    if (!points.has(key)) points.set(key, point);
  }
  return [...points.values()];
}

function valueColumn(
  columns: readonly { name: string; type: string }[],
  needsValue: boolean,
): number | null {
  const named = columns.findIndex(({ name }) => name.toLowerCase() === "value");
  if (named !== -1) {
    if (numeric.test(columns[named]!.type)) return named;
    throw new SqlRuleError(
      `The column value is ${columns[named]!.type}; it must be a number.`,
      "columns",
    );
  }
  if (!needsValue) return null;
  const numbers = columns.flatMap(({ type }, at) => numeric.test(type) ? [at] : []);
  if (numbers.length === 1) return numbers[0]!;
  throw new SqlRuleError("Name the column that is held against the thresholds `value`.", "columns");
}

function numberOf(value: unknown): number | null {
  if (value === null || value === undefined) return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

function labelText(value: unknown): string {
  if (value === null || value === undefined) return "";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.slice(0, labelCharactersMax);
}
