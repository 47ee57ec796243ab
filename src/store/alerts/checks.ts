// Results of monitors: the newest checks one by one, and a month of them by the hour.
import type { Database } from "bun:sqlite";
import type { CheckResult } from "../../monitor/state.ts";
import type { Place } from "./history.ts";

/** Checks of a monitor that are kept one by one; their runs are kept as long as any event. */
export const checksKept = 2000;
const hoursKept = 31 * 24;
const hourMs = 3_600_000;

/** Checks of a stretch of time; a check that was interrupted counts nowhere. */
export interface Summary {
  ok: number;
  failing: number;
  erroring: number;
  /** Of the checks that were answered; null when none was. */
  latency_ms: number | null;
  /** Sum of what is known; null when nothing is. */
  cost_usd: number | null;
}

interface SummaryRow {
  monitor_id: string;
  ok: number;
  failing: number;
  erroring: number;
  answered: number;
  latency_ms: number;
  priced: number;
  cost_usd: number;
}

export class Checks {
  constructor(readonly database: Database) {}

  /** Within a transaction. */
  add(monitor_id: string, result: CheckResult): void {
    const known = this.database.query<{ one: number }, [string]>(
      "SELECT 1 AS one FROM monitors WHERE id = ?",
    ).get(monitor_id);
    // It may have been deleted by another process since it was read.
    if (known === null) return;
    this.database.query(
      `INSERT INTO monitor_checks (id, monitor_id, checked_at, result)
       VALUES ($id, $monitor_id, $at, $result) ON CONFLICT (id) DO NOTHING`,
    ).run({ id: result.id, monitor_id, at: result.at, result: JSON.stringify(result) });
    this.database.query(
      `DELETE FROM monitor_checks WHERE monitor_id = $monitor_id AND (checked_at, id) < (
         SELECT checked_at, id FROM monitor_checks WHERE monitor_id = $monitor_id
         ORDER BY checked_at DESC, id DESC LIMIT 1 OFFSET $kept)`,
    ).run({ monitor_id, kept: checksKept - 1 });
    if (result.outcome !== "interrupted") this.#count(monitor_id, result);
  }

  #count(monitor_id: string, result: CheckResult): void {
    const { outcome, latency_ms, cost_usd } = result;
    this.database.query(
      `INSERT INTO monitor_hours
         (monitor_id, hour, ok, failing, erroring, answered, latency_ms, priced, cost_usd)
       VALUES ($monitor_id, $hour, $ok, $failing, $erroring, $answered, $latency_ms, $priced,
         $cost_usd)
       ON CONFLICT (monitor_id, hour) DO UPDATE SET
         ok = monitor_hours.ok + excluded.ok,
         failing = monitor_hours.failing + excluded.failing,
         erroring = monitor_hours.erroring + excluded.erroring,
         answered = monitor_hours.answered + excluded.answered,
         latency_ms = monitor_hours.latency_ms + excluded.latency_ms,
         priced = monitor_hours.priced + excluded.priced,
         cost_usd = monitor_hours.cost_usd + excluded.cost_usd`,
    ).run({
      monitor_id,
      hour: hourOf(Date.parse(result.at)),
      ok: outcome === "ok" ? 1 : 0,
      failing: outcome === "failing" ? 1 : 0,
      erroring: outcome === "erroring" ? 1 : 0,
      answered: latency_ms === null ? 0 : 1,
      latency_ms: latency_ms ?? 0,
      priced: cost_usd === null ? 0 : 1,
      cost_usd: cost_usd ?? 0,
    });
    this.database.query("DELETE FROM monitor_hours WHERE monitor_id = $monitor_id AND hour < $hour")
      .run({ monitor_id, hour: hourOf(Date.parse(result.at) - hoursKept * hourMs) });
  }

  get(id: string): CheckResult | null {
    const row = this.database.query<{ result: string }, [string]>(
      "SELECT result FROM monitor_checks WHERE id = ?",
    ).get(id);
    return row === null ? null : JSON.parse(row.result);
  }

  /** Newest first. */
  list(monitor_id: string, before: Place | null, limit: number): CheckResult[] {
    return this.database.query<{ result: string }, Record<string, string | number | null>>(
      `SELECT result FROM monitor_checks
       WHERE monitor_id = $monitor_id AND ($at IS NULL OR (checked_at, id) < ($at, $id))
       ORDER BY checked_at DESC, id DESC LIMIT $limit`,
    ).all({ monitor_id, at: before?.at ?? null, id: before?.id ?? null, limit })
      .map(({ result }) => JSON.parse(result));
  }

  /** By monitor; of the hours that began since then. */
  summaries(project_id: string, sinceMs: number): Map<string, Summary> {
    const rows = this.database.query<SummaryRow, Record<string, string>>(
      `SELECT h.monitor_id AS monitor_id, sum(ok) AS ok, sum(failing) AS failing,
         sum(erroring) AS erroring, sum(answered) AS answered, sum(latency_ms) AS latency_ms,
         sum(priced) AS priced, sum(cost_usd) AS cost_usd
       FROM monitor_hours h JOIN monitors m ON m.id = h.monitor_id
       WHERE m.project_id = $project_id AND h.hour >= $hour GROUP BY h.monitor_id`,
    ).all({ project_id, hour: hourOf(sinceMs) });
    return new Map(rows.map(({ monitor_id, answered, latency_ms, priced, cost_usd, ...counts }) => [
      monitor_id,
      {
        ...counts,
        latency_ms: answered === 0 ? null : latency_ms / answered,
        cost_usd: priced === 0 ? null : cost_usd,
      },
    ]));
  }
}

function hourOf(ms: number): string {
  return new Date(Math.floor(ms / hourMs) * hourMs).toISOString();
}
