// Questions over one consistent moment: the files of a version and the unflushed tail.
import type { DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { join } from "node:path";
import { Gate } from "../std/gate.ts";
import { isOlder, literal, readCurrentParquet, readParquet, rowsOf } from "./duckdb.ts";
import type { LakeFile } from "./manifest.ts";
import { events, points, type Relation, relationOf } from "./relation.ts";
import { type Pin, rowsOfTail, tableOf, type Version } from "./versions.ts";

/** What a question is about. Files outside it are not opened. */
export interface Scope {
  project_id: string;
  /** ISO 8601, inclusive. */
  since?: string;
  /** ISO 8601, exclusive. */
  until?: string;
  /** The one view that questions see; `events` when left out. */
  view?: Relation["view"];
}

/** Values of named parameters. */
type Params = Record<string, string | number | boolean | null>;

/** Runs SQL over the scope's view and returns rows as plain JavaScript values. */
export type Ask = (sql: string, params: Params) => Promise<Record<string, unknown>[]>;

export class QueryBusy extends Error {}
export class QueryTimeout extends Error {}

export interface ReaderOptions {
  instance: DuckDBInstance;
  dataDir: string;
  concurrency: number;
  timeoutMs: number;
  /** The version to read, with all that was acknowledged in it. */
  pin(): Promise<Pin>;
  /** Whether one of these files was the reason of a failure, and does not count any more. */
  suspect(files: readonly LakeFile[]): Promise<boolean>;
}

const waitingMax = 256;
/** After a file was found damaged. */
const retriesMax = 3;

/** Reading all files of a question again would tell nothing of these. */
function isNoFilesFault(error: unknown): boolean {
  return error instanceof Error &&
    /^(?:Catalog|Parser|INTERRUPT|Out of Memory) Error/i.test(error.message);
}

export class LakeReader {
  #gate: Gate;
  #idle: DuckDBConnection[] = [];
  /** Views with a file of an older version; they are read in the slower way from then on. */
  #someOlder = new Set<Relation["view"]>();

  constructor(readonly options: ReaderOptions) {
    this.#gate = new Gate(options.concurrency, waitingMax);
  }

  /**
   * Every question asked within `work` sees the same events.
   * Throws QueryBusy and QueryTimeout.
   */
  async snapshot<T>(scope: Scope, work: (ask: Ask) => Promise<T>): Promise<T> {
    if (!(await this.#gate.enter())) throw new QueryBusy("Too many queries are waiting.");
    try {
      for (let retries = retriesMax;; retries--) {
        const pin = await this.options.pin();
        try {
          return await this.#whateverAge(pin.version, scope, work);
        } catch (error) {
          const mayBeFile = retries > 0 && !(error instanceof QueryTimeout) &&
            !isNoFilesFault(error);
          if (!mayBeFile || !(await this.#isDamaged(pin.version, scope))) throw error;
        } finally {
          pin.release();
        }
      }
    } finally {
      this.#gate.leave();
    }
  }

  /** Whether a file that the question read is damaged; the next try does without it. */
  #isDamaged(version: Version, scope: Scope): Promise<boolean> {
    const paths = new Set(filesOf(version, scope));
    return this.options.suspect(version.files.filter(({ path }) => paths.has(path)));
  }

  async #whateverAge<T>(
    version: Version,
    scope: Scope,
    work: (ask: Ask) => Promise<T>,
  ): Promise<T> {
    const { view = "events" } = scope;
    if (!this.#someOlder.has(view)) {
      try {
        return await this.#within(version, scope, work);
      } catch (error) {
        if (!isOlder(error)) throw error;
        this.#someOlder.add(view);
      }
    }
    return await this.#within(version, scope, work);
  }

  async #within<T>(
    version: Version,
    scope: Scope,
    work: (ask: Ask) => Promise<T>,
  ): Promise<T> {
    const connection = this.#idle.pop() ?? (await this.options.instance.connect());
    const deadline = { passed: false };
    const timer = setTimeout(() => {
      deadline.passed = true;
      connection.interrupt();
    }, this.options.timeoutMs);
    try {
      const someOlder = this.#someOlder.has(scope.view ?? "events");
      await connection.run(viewOf(version, scope, this.options.dataDir, someOlder));
      // One transaction: events that arrive between two questions are seen by neither.
      await connection.run("BEGIN TRANSACTION");
      const result = await work((sql, params) => rowsOf(connection, sql, params));
      await connection.run("COMMIT");
      this.#idle.push(connection);
      return result;
    } catch (error) {
      connection.closeSync();
      if (!deadline.passed) throw error;
      const seconds = this.options.timeoutMs / 1000;
      throw new QueryTimeout(`The query took longer than ${seconds} s.`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    for (const connection of this.#idle.splice(0)) connection.closeSync();
  }
}

function viewOf(version: Version, scope: Scope, dataDir: string, someOlder: boolean): string {
  const relation = scope.view === "metrics" ? points : events;
  const paths = filesOf(version, scope).map((path) => join(dataDir, path));
  const parts = version.tail.filter((tail) => rowsOfTail(tail, relation) > 0).map((tail) =>
    `SELECT ${relation.columnNames} FROM ${tableOf(tail, relation)} ` +
    `WHERE project_id = ${literal(scope.project_id)}`
  );
  if (paths.length > 0) {
    parts.push(someOlder ? readParquet(paths, relation) : readCurrentParquet(paths, relation));
  }
  if (parts.length === 0) parts.push(relation.nothing);
  return `CREATE OR REPLACE TEMP VIEW ${relation.view} AS ${parts.join(" UNION ALL ")}`;
}

/** Paths of the files that may hold rows of the scope. */
export function filesOf(version: Version, scope: Scope): string[] {
  const since = scope.since === undefined ? -Infinity : Date.parse(scope.since) * 1000;
  const until = scope.until === undefined ? Infinity : (Date.parse(scope.until) + 1) * 1000;
  const { view = "events" } = scope;
  return version.files.filter((file) =>
    relationOf(file.path).view === view && file.project_id === scope.project_id &&
    file.max_timestamp >= since &&
    file.min_timestamp < until
  ).map((file) => file.path);
}
