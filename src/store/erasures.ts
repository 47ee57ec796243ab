// Requests to erase, in an SQLite file of their own: on disk before anything is erased, and a record
// of what was done after that. Whose data it was is sealed with a key in a file beside it, so that
// the record itself is not what is left of somebody; without the key it says only counts and times.
import { Database } from "bun:sqlite";
import { Seal } from "./alerts/seal.ts";
import type { Subject, Targets } from "./subject.ts";

export type ErasureState = "waiting" | "erasing" | "done";

export interface ErasureCounts {
  events: number;
  /** Data points of metrics. */
  points: number;
  /** Pieces of events that were not whole yet. */
  pieces: number;
  /** Alerts, states of rules and notifications that named the subject. */
  alerts: number;
  files_rewritten: number;
  /** Parquet files that were deleted from the disk. */
  files_deleted: number;
  /** Files that only erased events named. */
  blobs_deleted: number;
  quarantined_files: number;
}

export interface Erasure {
  id: string;
  project_id: string;
  subject: Subject;
  /** ISO 8601. What was received later is not touched. */
  requested_at: string;
  /** Key that asked; null is the user of the machine. */
  requested_by: string | null;
  state: ErasureState;
  counts: ErasureCounts;
  /** Null until they are known. */
  targets: Targets | null;
  ended_at: string | null;
  /** Why the last try failed. */
  message: string | null;
}

interface Row extends Omit<Erasure, "subject" | "counts" | "targets"> {
  subject: string;
  counts: string;
  targets: string | null;
}

export function noErasureCounts(): ErasureCounts {
  return {
    events: 0,
    points: 0,
    pieces: 0,
    alerts: 0,
    files_rewritten: 0,
    files_deleted: 0,
    blobs_deleted: 0,
    quarantined_files: 0,
  };
}

const columns = `id, project_id, subject, requested_at, requested_by, state, counts, targets,
  ended_at, message`;

export class Erasures {
  #database: Database;
  #seal: Seal;

  constructor(path: string, seal: Seal, { readonly = false } = {}) {
    this.#seal = seal;
    this.#database = new Database(
      path,
      readonly ? { readonly: true, strict: true } : { create: true, strict: true },
    );
    this.#database.run("PRAGMA busy_timeout = 5000");
    if (readonly) return;
    this.#database.run("PRAGMA journal_mode = WAL");
    this.#database.run("PRAGMA synchronous = FULL");
    this.#database.run("PRAGMA secure_delete = ON");
    this.#database.run(`CREATE TABLE IF NOT EXISTS erasures (
      id TEXT NOT NULL PRIMARY KEY, project_id TEXT NOT NULL, subject TEXT NOT NULL,
      requested_at TEXT NOT NULL, requested_by TEXT, state TEXT NOT NULL, counts TEXT NOT NULL,
      targets TEXT, ended_at TEXT, message TEXT
    )`);
  }

  /** On disk when this returns. */
  put(erasure: Erasure): void {
    const { id, subject, counts, targets } = erasure;
    this.#database.query(
      `INSERT INTO erasures (${columns})
       VALUES ($id, $project_id, $subject, $requested_at, $requested_by, $state, $counts, $targets,
         $ended_at, $message)
       ON CONFLICT (id) DO UPDATE SET state = excluded.state, counts = excluded.counts,
         targets = excluded.targets, ended_at = excluded.ended_at, message = excluded.message`,
    ).run({
      ...erasure,
      subject: this.#seal.seal({ ...subject }, id),
      counts: JSON.stringify(counts),
      targets: targets === null ? null : this.#seal.seal({ ...targets }, `${id}/targets`),
    });
  }

  get(id: string): Erasure | null {
    const row = this.#database.query<Row, [string]>(
      `SELECT ${columns} FROM erasures WHERE id = ?`,
    ).get(id);
    return row === null ? null : this.#read(row);
  }

  /** Newest first. */
  list(project_id: string | null = null): Erasure[] {
    return this.#database.query<Row, [string | null]>(
      `SELECT ${columns} FROM erasures WHERE ?1 IS NULL OR project_id = ?1
       ORDER BY requested_at DESC, id DESC LIMIT ${listedMax}`,
    ).all(project_id).map((row) => this.#read(row));
  }

  /** Those that are not done, oldest first. */
  open(): Erasure[] {
    return this.#database.query<Row, []>(
      `SELECT ${columns} FROM erasures WHERE state <> 'done' ORDER BY requested_at, id`,
    ).all().map((row) => this.#read(row));
  }

  close(): void {
    this.#database.close();
  }

  #read(row: Row): Erasure {
    return {
      ...row,
      subject: this.#seal.open(row.subject, row.id) as unknown as Subject,
      counts: { ...noErasureCounts(), ...JSON.parse(row.counts) as Partial<ErasureCounts> },
      targets: row.targets === null
        ? null
        : this.#seal.open(row.targets, `${row.id}/targets`) as unknown as Targets,
    };
  }
}

const listedMax = 1000;
