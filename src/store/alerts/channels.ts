// Channels: where people are told. What is secret of one is sealed before it comes here.
import type { Database } from "bun:sqlite";

export interface StoredChannel {
  id: string;
  project_id: string;
  name: string;
  type: string;
  /** What may be shown. */
  config: Record<string, unknown>;
  /** What may not, sealed; null when the channel has nothing secret. */
  sealed: string | null;
  created_at: string;
  updated_at: string;
}

type Row = Omit<StoredChannel, "config"> & { config: string };

export class Channels {
  #channels = new Map<string, StoredChannel>();

  constructor(readonly database: Database) {}

  load(): void {
    const rows = this.database.query<Row, []>(
      `SELECT id, project_id, name, type, config, sealed, created_at, updated_at
       FROM alert_channels ORDER BY created_at, id`,
    ).all();
    this.#channels = new Map(
      rows.map((row) => [row.id, { ...row, config: JSON.parse(row.config) }]),
    );
  }

  all(): StoredChannel[] {
    return [...this.#channels.values()];
  }

  get(id: string): StoredChannel | null {
    return this.#channels.get(id) ?? null;
  }

  put(channel: StoredChannel): void {
    this.database.query(
      `INSERT INTO alert_channels
         (id, project_id, name, type, config, sealed, created_at, updated_at)
       VALUES ($id, $project_id, $name, $type, $config, $sealed, $created_at, $updated_at)
       ON CONFLICT (id) DO UPDATE SET name = excluded.name, config = excluded.config,
         sealed = excluded.sealed, updated_at = excluded.updated_at`,
    ).run({ ...channel, config: JSON.stringify(channel.config) });
    this.#channels.set(channel.id, channel);
  }

  delete(id: string): void {
    this.database.query("DELETE FROM alert_channels WHERE id = ?").run(id);
    this.#channels.delete(id);
  }
}
