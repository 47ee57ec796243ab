// A subject's rows out of the lake, and every file that had them off the disk. What is done twice is
// done once: a crash at any moment leaves some files without the rows, and the rest is found again.
import type { DuckDBConnection } from "@duckdb/node-api";
import { readdir, readFile, rename, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { readParquet, rowsOf } from "./duckdb.ts";
import { syncPath, writeDurably } from "./durable.ts";
import { type Drop, dropRows, type LakeHost, textLiteral } from "./edit.ts";
import type { LakeFile } from "./manifest.ts";
import { events, points, type Relation, relationOf } from "./relation.ts";
import {
  eventsOf,
  exemplarsOf,
  isNamed,
  pointsOf,
  type Subject,
  type Targets,
  targetsOf,
} from "./subject.ts";
import { targetTables } from "./subject.ts";

/** Whose rows go. */
export interface EraseAsked {
  project_id: string;
  subject: Subject;
  /** Rows that were received later stay. ISO 8601. */
  receivedUntil: string;
}

export interface Collected {
  targets: Targets;
  events: number;
  points: number;
}

export interface EraserHost extends LakeHost {
  readonly quarantineDir: string;
  /** Resolves when nobody of this process reads what the manifest removed before the call. */
  drained(): Promise<void>;
  /** Deletes the project's removed files, and the blobs that nothing refers to. */
  deleteRemoved(project_id: string): Promise<{ files: number; blobs: number }>;
}

/** More runs without a user than this are too many for one request. */
const targetsMax = 1_000_000;
const valuesPerInsert = 1000;
/** After files were found damaged. */
const triesMax = 3;

export class Eraser {
  constructor(readonly host: EraserHost) {}

  /**
   * What is the subject's, among all that was acknowledged before the call. Of `runs` those are
   * targets that are the subject's: something of them lies elsewhere.
   */
  async collect(asked: EraseAsked, runs: readonly string[] = []): Promise<Collected> {
    const { project_id, subject, receivedUntil } = asked;
    return await this.#reading(project_id, async (connection, files) => {
      const source = sourceOf(this.host.dataDir, files, events);
      const selects = targetsOf(subject, receivedUntil, source);
      const nameless = await idsOf(connection, selects.runs);
      const theirs = await namedAmong(connection, source, asked, runs);
      const targets: Targets = {
        runs: [...new Set([...nameless, ...theirs])],
        sessions: await idsOf(connection, selects.sessions),
      };
      await fillTargets(connection, targets);
      const countOf = async (from: string, condition: string) => {
        const [row] = await rowsOf(
          connection,
          `SELECT count(*) AS rows FROM ${from} WHERE ${condition}`,
        );
        return row!.rows as number;
      };
      const pointSource = sourceOf(this.host.dataDir, files, points);
      return {
        targets,
        events: await countOf(source, eventsOf(subject, receivedUntil)),
        points: await countOf(pointSource, pointsOf(subject, receivedUntil)),
      };
    });
  }

  /** How many of the subject's rows are in the lake at this moment. */
  async left(asked: EraseAsked, targets: Targets): Promise<number> {
    const affected = await this.#affected(asked, targets);
    return [...affected.values()].reduce((sum, rows) => sum + rows, 0);
  }

  /**
   * Writes every file anew that has rows of the subject; `onFile` is told of each that no longer
   * counts. Throws what the signal's reason is.
   */
  async dropRows(
    asked: EraseAsked,
    targets: Targets,
    signal: AbortSignal,
    onFile: (dropped: number) => void,
  ): Promise<void> {
    for (;;) {
      const affected = await this.#affected(asked, targets);
      if (affected.size === 0) return;
      for (const path of affected.keys()) {
        signal.throwIfAborted();
        await this.#onConnection(async (connection) => {
          await fillTargets(connection, targets);
          const drop = dropOf(asked, relationOf(path));
          const done = await dropRows(this.host, connection, path, "erase", drop);
          if (done === null) return;
          this.host.blobsMayBeLoose();
          onFile(done.dropped);
        });
      }
    }
  }

  /** Files that the rows were in go from the disk, as soon as nobody reads them. */
  async deleteFiles(project_id: string): Promise<{ files: number; blobs: number }> {
    await this.host.drained();
    return await this.host.deleteRemoved(project_id);
  }

  /**
   * What was set aside as damaged: lines of the log that are the subject's go, and Parquet files that
   * have rows of it, or cannot be read, go as a whole. Returns how many files were changed.
   */
  async cleanQuarantine(asked: EraseAsked, targets: Targets): Promise<number> {
    const { quarantineDir, dataDir } = this.host;
    let changed = 0;
    for (const name of await readdir(quarantineDir).catch(() => [])) {
      const path = join(quarantineDir, name);
      if (name.endsWith(".ndjson")) changed += Number(await cleanSegment(path, asked, targets));
      else if (name.endsWith(".parquet")) {
        if (!(await this.#mayHold(path, asked, targets))) continue;
        await rm(path, { force: true });
        changed++;
      }
    }
    if (changed > 0) await syncPath(quarantineDir);
    await syncPath(dataDir);
    return changed;
  }

  /** Whether a damaged file has, or may have, rows of the subject. */
  #mayHold(path: string, asked: EraseAsked, targets: Targets): Promise<boolean> {
    return this.#onConnection(async (connection) => {
      await fillTargets(connection, targets);
      for (const relation of [events, points]) {
        try {
          const source = `(${readParquet([path], relation)})`;
          const ours = `project_id = ${textLiteral(asked.project_id)}`;
          const [row] = await rowsOf(
            connection,
            `SELECT count(*) FILTER (${conditionOf(asked, relation)}) AS rows,
               count(*) FILTER (project_id IS NOT NULL) AS known
             FROM ${source} WHERE ${ours} OR project_id IS NULL`,
          );
          if (row!.rows as number > 0) return true;
        } catch {
          return true;
        }
      }
      return false;
    });
  }

  /** Files by how many of their rows are to change. */
  async #affected(asked: EraseAsked, targets: Targets): Promise<Map<string, number>> {
    return await this.#reading(asked.project_id, async (connection, files) => {
      await fillTargets(connection, targets);
      const affected = new Map<string, number>();
      for (const relation of [events, points]) {
        const source = sourceOf(this.host.dataDir, files, relation)
          .replace(" FROM ", ", filename FROM ")
          .replace("hive_partitioning = false", "hive_partitioning = false, filename = true");
        if (!source.includes("filename = true")) continue;
        const rows = await rowsOf(
          connection,
          `SELECT filename, count(*) AS rows FROM ${source}
           WHERE ${conditionOf(asked, relation)} GROUP BY filename`,
        );
        for (const { filename, rows: count } of rows) {
          const path = relative(this.host.dataDir, String(filename)).replaceAll("\\", "/");
          affected.set(path, count as number);
        }
      }
      return affected;
    });
  }

  /** Over the project's files, with all that was acknowledged before. */
  async #reading<T>(
    project_id: string,
    work: (connection: DuckDBConnection, files: readonly LakeFile[]) => Promise<T>,
  ): Promise<T> {
    for (let tries = triesMax;; tries--) {
      await this.host.flush();
      const { version, release } = this.host.pin();
      const files = version.files.filter((file) => file.project_id === project_id);
      try {
        return await this.#onConnection((connection) => work(connection, files));
      } catch (error) {
        // One that is damaged is set aside, and its rows are no longer among those that count.
        if (tries === 0 || (await this.host.check(files)).length === 0) throw error;
      } finally {
        release();
      }
    }
  }

  async #onConnection<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const connection = await this.host.instance.connect();
    try {
      return await work(connection);
    } finally {
      connection.closeSync();
    }
  }
}

function dropOf({ subject, receivedUntil }: EraseAsked, relation: Relation): Drop {
  return relation === events ? { rows: eventsOf(subject, receivedUntil) } : {
    rows: pointsOf(subject, receivedUntil),
    columns: { exemplars: exemplarsOf(subject, receivedUntil) },
  };
}

/** Rows that are to go, or to change. */
export function conditionOf(
  { subject, receivedUntil }: Pick<EraseAsked, "subject" | "receivedUntil">,
  relation: Relation,
): string {
  return relation === events
    ? eventsOf(subject, receivedUntil)
    : `(${pointsOf(subject, receivedUntil)}) OR (${exemplarsOf(subject, receivedUntil)})`;
}

export function sourceOf(
  dataDir: string,
  files: readonly Pick<LakeFile, "path">[],
  relation: Relation,
): string {
  const paths = files.filter(({ path }) => relationOf(path) === relation)
    .map(({ path }) => join(dataDir, path));
  return `(${paths.length === 0 ? relation.nothing : readParquet(paths, relation)})`;
}

async function idsOf(connection: DuckDBConnection, select: string): Promise<string[]> {
  const rows = await rowsOf(connection, `${select} LIMIT ${targetsMax + 1}`);
  if (rows.length > targetsMax) {
    throw new Error(
      `More than ${targetsMax} runs or sessions have rows without a user: erase by session or run.`,
    );
  }
  return rows.map(({ id }) => String(id));
}

/** Those of the runs that have a row which names the subject. */
async function namedAmong(
  connection: DuckDBConnection,
  source: string,
  { subject }: EraseAsked,
  runs: readonly string[],
): Promise<string[]> {
  if (runs.length === 0) return [];
  await fillTargets(connection, { runs, sessions: [] });
  const rows = await rowsOf(
    connection,
    `SELECT DISTINCT run_id AS id FROM ${source}
     WHERE ${isNamed(subject)} AND run_id IN (SELECT id FROM ${targetTables.runs})`,
  );
  return rows.map(({ id }) => String(id));
}

/** Puts the targets where conditions look for them. */
export async function fillTargets(connection: DuckDBConnection, targets: Targets): Promise<void> {
  for (const name of ["runs", "sessions"] as const) {
    const table = targetTables[name];
    await connection.run(`CREATE OR REPLACE TEMP TABLE ${table} (id VARCHAR)`);
    for (let from = 0; from < targets[name].length; from += valuesPerInsert) {
      const values = targets[name].slice(from, from + valuesPerInsert)
        .map((id) => `(${textLiteral(id)})`);
      await connection.run(`INSERT INTO ${table} VALUES ${values.join(", ")}`);
    }
  }
}

/** Whether a line of the log is the subject's; null when it is no whole line. */
export function isLineOf(line: string, asked: EraseAsked, targets: TargetSets): boolean | null {
  let row: Record<string, unknown>;
  try {
    row = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return null;
  }
  const { project_id, subject: { kind, ids }, receivedUntil } = asked;
  if (row.project_id !== project_id) return false;
  if (Date.parse(String(row.received_at)) > Date.parse(receivedUntil)) return false;
  if ("point_id" in row) {
    return kind !== "event" && ids.some((id) => line.includes(JSON.stringify(id)));
  }
  const named = row[`${kind}_id`];
  if (named !== undefined) return ids.includes(String(named));
  if (kind !== "user" && kind !== "session") return false;
  return targets.runs.has(String(row.run_id)) ||
    kind === "user" && targets.sessions.has(String(row.session_id));
}

export interface TargetSets {
  runs: ReadonlySet<string>;
  sessions: ReadonlySet<string>;
}

export function setsOf({ runs, sessions }: Targets): TargetSets {
  return { runs: new Set(runs), sessions: new Set(sessions) };
}

/** False when the piece of log has nothing of the subject. */
async function cleanSegment(path: string, asked: EraseAsked, targets: Targets): Promise<boolean> {
  const text = await readFile(path, "latin1");
  const sets = setsOf(targets);
  const lines = text.split("\n");
  const kept = lines.filter((line) => {
    const whole = Buffer.from(line, "latin1").toString("utf8");
    const isOurs = isLineOf(whole, asked, sets);
    // Nobody can say whose a broken line is: it goes when it has the id anywhere.
    return isOurs === null ? !asked.subject.ids.some((id) => whole.includes(id)) : !isOurs;
  });
  if (kept.length === lines.length) return false;
  const draft = `${path}.draft`;
  await writeDurably(draft, Buffer.from(kept.join("\n"), "latin1"));
  await rename(draft, path);
  return true;
}
