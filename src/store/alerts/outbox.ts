// What is to be told, to whom: written in the transaction that changes a rule's state, kept until
// it is delivered or given up, and then for the delivery log.
import type { Database } from "bun:sqlite";
import type { Place } from "./history.ts";

export const deliveryStatuses = ["waiting", "delivered", "failed", "cancelled"] as const;
export type DeliveryStatus = (typeof deliveryStatuses)[number];

export interface Delivery {
  /** The same for the same news: entered twice, kept once. */
  id: string;
  project_id: string;
  /** Null for the event in the project itself. */
  channel_id: string | null;
  channel_name: string;
  channel_type: string;
  rule_id: string;
  kind: string;
  /** Deliveries of one thread and channel keep their order. */
  thread: string;
  /** What is told, as JSON. */
  body: unknown;
  status: DeliveryStatus;
  attempts: number;
  /** ISO 8601; null when it is not tried again. */
  next_attempt_at: string | null;
  last_error: string | null;
  /** HTTP status of the last answer. */
  last_status: number | null;
  created_at: string;
  finished_at: string | null;
}

export type NewDelivery = Pick<
  Delivery,
  | "id"
  | "project_id"
  | "channel_id"
  | "channel_name"
  | "channel_type"
  | "rule_id"
  | "kind"
  | "thread"
  | "body"
>;

type Row = Omit<Delivery, "body"> & { body: string };

const columns = `id, project_id, channel_id, channel_name, channel_type, rule_id, kind, thread,
  body, status, attempts, next_attempt_at, last_error, last_status, created_at, finished_at`;

/** Deliveries that wait for one channel; the oldest are given up beyond it. */
export const waitingPerChannelMax = 1000;

export class Outbox {
  constructor(readonly database: Database) {}

  add(delivery: NewDelivery, now: string): void {
    this.database.query(
      `INSERT INTO alert_deliveries (${columns})
       SELECT $id, $project_id, $channel_id, $channel_name, $channel_type, $rule_id, $kind,
         $thread, $body, 'waiting', 0, $now, NULL, NULL, $now, NULL
       WHERE EXISTS (SELECT 1 FROM projects WHERE project_id = $project_id)
       ON CONFLICT (id) DO NOTHING`,
    ).run({ ...delivery, body: JSON.stringify(delivery.body), now });
    if (delivery.channel_id !== null) this.#giveUpOldest(delivery.channel_id, now);
  }

  #giveUpOldest(channel_id: string, now: string): void {
    const waiting = this.database.query<{ n: number }, [string]>(
      "SELECT count(*) AS n FROM alert_deliveries WHERE status = 'waiting' AND channel_id = ?",
    ).get(channel_id)!.n;
    if (waiting <= waitingPerChannelMax) return;
    this.database.query(
      `UPDATE alert_deliveries SET status = 'failed', next_attempt_at = NULL, finished_at = $now,
         last_error = $error
       WHERE rowid IN (SELECT rowid FROM alert_deliveries
         WHERE status = 'waiting' AND channel_id = $channel_id ORDER BY rowid LIMIT $over)`,
    ).run({
      channel_id,
      now,
      over: waiting - waitingPerChannelMax,
      error: `Given up: more than ${waitingPerChannelMax} notifications wait for this channel.`,
    });
  }

  /**
   * What is to be tried now: the first of each thread and channel only, by the order in which they
   * were entered, which no clock changes. What waits for a time beyond `farthest` was set by a clock
   * that has gone back since.
   */
  due(now: string, farthest: string, limit: number): Delivery[] {
    return this.database.query<Row, Record<string, string | number>>(
      `SELECT ${columns} FROM alert_deliveries
       WHERE rowid IN (SELECT min(rowid) FROM alert_deliveries
           WHERE status = 'waiting' GROUP BY channel_id, thread)
         AND (next_attempt_at <= $now OR next_attempt_at > $farthest)
       ORDER BY next_attempt_at, rowid LIMIT $limit`,
    ).all({ now, farthest, limit }).map(read);
  }

  /** When something is to be tried next; null when nothing waits. */
  nextAt(): string | null {
    return this.database.query<{ at: string | null }, []>(
      "SELECT min(next_attempt_at) AS at FROM alert_deliveries WHERE status = 'waiting'",
    ).get()?.at ?? null;
  }

  get(id: string): Delivery | null {
    const row = this.database.query<Row, [string]>(
      `SELECT ${columns} FROM alert_deliveries WHERE id = ?`,
    ).get(id);
    return row === null ? null : read(row);
  }

  /** What became of an attempt. */
  put(
    { id, status, attempts, next_attempt_at, last_error, last_status, finished_at }: Delivery,
  ): void {
    this.database.query(
      `UPDATE alert_deliveries SET status = $status, attempts = $attempts,
         next_attempt_at = $next_attempt_at, last_error = $last_error,
         last_status = $last_status, finished_at = $finished_at WHERE id = $id`,
    ).run({ id, status, attempts, next_attempt_at, last_error, last_status, finished_at });
  }

  cancel(channel_id: string, now: string, reason: string): void {
    this.database.query(
      `UPDATE alert_deliveries SET status = 'cancelled', next_attempt_at = NULL,
         finished_at = $now, last_error = $reason
       WHERE status = 'waiting' AND channel_id = $channel_id`,
    ).run({ channel_id, now, reason });
  }

  /** Newest first. */
  list(
    asked: {
      project_id: string;
      status: DeliveryStatus | null;
      channel_id: string | null;
      rule_id: string | null;
      before: Place | null;
      limit: number;
    },
  ): Delivery[] {
    const { project_id, status, channel_id, rule_id, before, limit } = asked;
    return this.database.query<Row, Record<string, string | number | null>>(
      `SELECT ${columns} FROM alert_deliveries
       WHERE project_id = $project_id
         AND ($status IS NULL OR status = $status)
         AND ($channel_id IS NULL OR channel_id = $channel_id)
         AND ($rule_id IS NULL OR rule_id = $rule_id)
         AND ($at IS NULL OR (created_at, id) < ($at, $id))
       ORDER BY created_at DESC, id DESC LIMIT $limit`,
    ).all({
      project_id,
      status,
      channel_id,
      rule_id,
      at: before?.at ?? null,
      id: before?.id ?? null,
      limit,
    }).map(read);
  }

  prune(before: string): void {
    this.database.query("DELETE FROM alert_deliveries WHERE status <> 'waiting' AND created_at < ?")
      .run(before);
  }
}

function read(row: Row): Delivery {
  return { ...row, body: JSON.parse(row.body) };
}
