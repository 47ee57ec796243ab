// Monitors and what is remembered of each, in SQLite and in memory. What is secret of one is sealed
// before it comes here.
import type { Database } from "bun:sqlite";
import type { Monitor } from "../../monitor/monitor.ts";
import { type MonitorState, newMonitorState } from "../../monitor/state.ts";

export interface StoredMonitor {
  id: string;
  project_id: string;
  monitor: Monitor;
  sealed: string | null;
  /** Rises with every change: a check that began before one says nothing of it. */
  version: number;
  created_at: string;
  updated_at: string;
}

type Row = Omit<StoredMonitor, "monitor"> & { monitor: string };

export class Monitors {
  #monitors = new Map<string, StoredMonitor>();
  #states = new Map<string, MonitorState>();

  constructor(readonly database: Database) {}

  /** Reads all anew; states that are in memory are the newest. */
  load(): void {
    const rows = this.database.query<Row, []>(
      `SELECT id, project_id, monitor, sealed, version, created_at, updated_at FROM monitors
       ORDER BY created_at, id`,
    ).all();
    this.#monitors = new Map(
      rows.map((row) => [row.id, { ...row, monitor: JSON.parse(row.monitor) }]),
    );
    const states = this.database.query<{ monitor_id: string; state: string }, []>(
      "SELECT monitor_id, state FROM monitor_states",
    ).all();
    const before = this.#states;
    this.#states = new Map(states.map(({ monitor_id, state }) => [
      monitor_id,
      before.get(monitor_id) ?? { ...newMonitorState(null), ...JSON.parse(state) },
    ]));
  }

  /** In order of creation. */
  all(): StoredMonitor[] {
    return [...this.#monitors.values()];
  }

  get(id: string): StoredMonitor | null {
    return this.#monitors.get(id) ?? null;
  }

  /** Not to be changed: `putState` stores another, and `remember` makes it the one that counts. */
  state(id: string): MonitorState {
    return this.#states.get(id) ?? newMonitorState(null);
  }

  /** After the transaction: what a failed one was to store must not be taken for true. */
  remember(id: string, state: MonitorState): void {
    if (this.#monitors.has(id)) this.#states.set(id, state);
  }

  put(stored: StoredMonitor): void {
    this.database.query(
      `INSERT INTO monitors (id, project_id, monitor, sealed, version, created_at, updated_at)
       VALUES ($id, $project_id, $monitor, $sealed, $version, $created_at, $updated_at)
       ON CONFLICT (id) DO UPDATE SET monitor = excluded.monitor, sealed = excluded.sealed,
         version = excluded.version, updated_at = excluded.updated_at`,
    ).run({ ...stored, monitor: JSON.stringify(stored.monitor) });
    this.#monitors.set(stored.id, stored);
  }

  delete(id: string): void {
    this.database.query("DELETE FROM monitors WHERE id = ?").run(id);
    this.#monitors.delete(id);
    this.#states.delete(id);
  }

  putState(id: string, state: MonitorState): void {
    // A monitor may have been deleted by another process since it was read.
    this.database.query(
      `INSERT INTO monitor_states (monitor_id, state)
       SELECT $id, $state WHERE EXISTS (SELECT 1 FROM monitors WHERE id = $id)
       ON CONFLICT (monitor_id) DO UPDATE SET state = excluded.state`,
    ).run({ id, state: JSON.stringify(state) });
  }
}
