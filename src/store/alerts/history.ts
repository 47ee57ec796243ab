// Alerts that fire and that fired.
import type { Database } from "bun:sqlite";
import type { Level } from "../../alert/rule.ts";
import type { Alert } from "../../alert/state.ts";

export interface StoredAlert {
  project_id: string;
  rule_id: string;
  rule_name: string;
  alert: Alert;
}

/** A place in the list, newest first. */
export interface Place {
  at: string;
  id: string;
}

interface Row {
  project_id: string;
  rule_id: string;
  rule_name: string;
  alert: string;
}

export type AlertStatus = "firing" | "resolved";

export class History {
  constructor(readonly database: Database) {}

  put({ project_id, rule_id, rule_name, alert }: StoredAlert): void {
    this.database.query(
      `INSERT INTO alerts (id, project_id, rule_id, rule_name, status, level, fired_at, alert)
       SELECT $id, $project_id, $rule_id, $rule_name, $status, $level, $fired_at, $alert
       WHERE EXISTS (SELECT 1 FROM projects WHERE project_id = $project_id)
       ON CONFLICT (id) DO UPDATE SET
         status = excluded.status, level = excluded.level, alert = excluded.alert`,
    ).run({
      id: alert.id,
      project_id,
      rule_id,
      rule_name,
      status: alert.resolved_at === null ? "firing" : "resolved",
      level: alert.level,
      fired_at: new Date(alert.fired_at).toISOString(),
      alert: JSON.stringify(alert),
    });
  }

  get(id: string): StoredAlert | null {
    const row = this.database.query<Row, [string]>(
      "SELECT project_id, rule_id, rule_name, alert FROM alerts WHERE id = ?",
    ).get(id);
    return row === null ? null : read(row);
  }

  /** Newest first. */
  list(
    asked: {
      project_id: string;
      status: AlertStatus | null;
      level?: Level | null;
      rule_id: string | null;
      before: Place | null;
      limit: number;
    },
  ): StoredAlert[] {
    const { project_id, status, level = null, rule_id, before, limit } = asked;
    return this.database.query<Row, Record<string, string | number | null>>(
      `SELECT project_id, rule_id, rule_name, alert FROM alerts
       WHERE project_id = $project_id
         AND ($status IS NULL OR status = $status)
         AND ($level IS NULL OR level = $level)
         AND ($rule_id IS NULL OR rule_id = $rule_id)
         AND ($at IS NULL OR (fired_at, id) < ($at, $id))
       ORDER BY fired_at DESC, id DESC LIMIT $limit`,
    ).all({
      project_id,
      status,
      level,
      rule_id,
      at: before?.at ?? null,
      id: before?.id ?? null,
      limit,
    }).map(read);
  }

  /** Forgets what ended before this time. */
  prune(before: string): void {
    this.database.query("DELETE FROM alerts WHERE status = 'resolved' AND fired_at < ?")
      .run(before);
  }
}

function read({ alert, ...row }: Row): StoredAlert {
  return { ...row, alert: JSON.parse(alert) };
}
