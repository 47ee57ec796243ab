// The store as the flows see it: append, refresh, flush, compact, retain, read. Each stage of an
// event's life is a file beside this one; here is their order.
//
//   log (fsynced) → tail table in memory (queryable) → Parquet in the lake → merged Parquet
import type { DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { mkdir, rm, statfs, truncate } from "node:fs/promises";
import { join } from "node:path";
import type { ContentBlob } from "../receive/batch.ts";
import type { Clock } from "../std/clock.ts";
import { Blobs } from "./blobs.ts";
import { compactable } from "./compact.ts";
import { createTable, literal, openDuckDB, readParquet, readSegments, rowsOf } from "./duckdb.ts";
import { mergeFiles, removeStrays, writeTable } from "./lake.ts";
import { Log } from "./log.ts";
import { type Change, type LakeFile, Manifest, ManifestConflict } from "./manifest.ts";
import { recoverLog, type Recovery } from "./recover.ts";
import { filesOf, LakeReader } from "./reader.ts";
import { events, points, type Relation, relationOf, relations } from "./relation.ts";
import { Seen } from "./seen.ts";
import { type RewriteAsked, RewriteBusy, rewriteFile, type RewriteProgress } from "./rewrite.ts";
import type { Segment } from "./segment.ts";
import { type Pin, rowsOfTail, tableOf, type TailTable, Versions } from "./versions.ts";

export interface StoreOptions {
  dataDir: string;
  cacheDir: string;
  memoryLimit: string;
  threads: number;
  queryConcurrency: number;
  queryTimeoutMs: number;
  /** Event ids that are remembered for certain. */
  dedupeEventsMin: number;
  /** Ids of data points that are. */
  dedupePointsMin: number;
  clock: Clock;
  onError(what: string, error: unknown): void;
}

/** Below this much that waits, a question first takes it in; above, the clock does. */
const eagerBytesMax = 16 * 1024 * 1024;
const refreshIntervalMs = 250;
const blobSweepIntervalMs = 60 * 60 * 1000;
/** Readers outside this process may still have a removed file open. */
const removedGraceMs = 60_000;

export const folders = {
  log: "log",
  quarantine: "quarantine",
  temporary: "tmp",
  manifest: "manifest.db",
  pending: "pending.db",
} as const;

export class Store {
  readonly seen: Seen;
  readonly seenPoints: Seen;
  readonly reader: LakeReader;
  readonly blobs: Blobs;
  #options: StoreOptions;
  #instance: DuckDBInstance;
  #connection: DuckDBConnection;
  #log: Log;
  #manifest: Manifest;
  #versions: Versions;
  #refreshing: Promise<void> | null = null;
  #refreshedMs = 0;
  /** Segments that are sealed but could not be read into the tail yet. */
  #unread: Segment[] = [];
  /** Flush, compaction and retention follow one another. */
  #turn: Promise<unknown> = Promise.resolve();
  /** Removed files that no reader of this process holds. */
  #unpinned = new Set<string>();
  #tailNumber = 1;
  /** The rewrite under way: files that need not be looked at any more, and the one at hand. */
  #rewriting: { done: Set<string>; at: string | null } | null = null;
  /** Events may have gone, and files with them; a crash may have left some. */
  #blobsMayBeLoose = true;
  #blobsSweptMs = 0;
  readonly recovery: Recovery;

  private constructor(parts: {
    options: StoreOptions;
    instance: DuckDBInstance;
    connection: DuckDBConnection;
    manifest: Manifest;
    recovery: Recovery;
    reader(store: Store): LakeReader;
  }) {
    const { options, recovery, manifest } = parts;
    this.#options = options;
    this.#instance = parts.instance;
    this.#connection = parts.connection;
    this.#manifest = manifest;
    this.recovery = recovery;
    this.#log = new Log(join(options.dataDir, folders.log), recovery.nextSequence);
    this.#unread = [...recovery.segments];
    this.#versions = new Versions(
      { files: manifest.files(), tail: [emptyTail(1)] },
      (error) => options.onError("cleaning up", error),
    );
    // No reader of an earlier process is left.
    for (const file of manifest.removed()) this.#unpinned.add(file.path);
    this.seen = new Seen(options.dedupeEventsMin);
    this.seenPoints = new Seen(options.dedupePointsMin);
    this.reader = parts.reader(this);
    this.blobs = new Blobs(options.dataDir);
  }

  /** Recovers what the last process left, and is ready for events and questions after that. */
  static async open(options: StoreOptions): Promise<Store> {
    const { dataDir } = options;
    const temporaryDir = join(dataDir, folders.temporary);
    await rm(temporaryDir, { recursive: true, force: true });
    await mkdir(temporaryDir, { recursive: true, mode: 0o700 });
    const manifest = new Manifest(join(dataDir, folders.manifest));
    const recovery = await recoverLog(
      join(dataDir, folders.log),
      join(dataDir, folders.quarantine),
      manifest.flushedThrough(),
    );
    const kept = [...manifest.files(), ...manifest.removed()];
    await removeStrays(dataDir, new Set(kept.map((file) => file.path)));
    const instance = await openDuckDB({ ...options, temporaryDir });
    const connection = await instance.connect();
    for (const statement of createTail(emptyTail(1))) await connection.run(statement);
    const pinned: { store?: Store } = {};
    const reader = new LakeReader({
      instance,
      dataDir,
      concurrency: options.queryConcurrency,
      timeoutMs: options.queryTimeoutMs,
      pin: () => pinned.store!.#pinFresh(),
    });
    const store = new Store({
      options,
      instance,
      connection,
      manifest,
      recovery,
      reader: () => reader,
    });
    pinned.store = store;
    await store.refresh();
    await store.#rememberIds(events, store.seen);
    await store.#rememberIds(points, store.seenPoints);
    return store;
  }

  /** Resolves when the lines are on disk. Throws AppendError. */
  append(lines: string, events: number): Promise<void> {
    return this.#log.append(lines, events);
  }

  /** Resolves when the lines, each a data point, are on disk. Throws AppendError. */
  appendPoints(lines: string, points: number): Promise<void> {
    return this.#log.append(lines, points, points);
  }

  /**
   * Resolves when the files are on disk. They are not deleted before the function that it resolves
   * to is called: call it when the events that refer to them are acknowledged. Throws AppendError.
   */
  keepBlobs(project_id: string, blobs: readonly ContentBlob[]): Promise<() => void> {
    return this.blobs.keep(project_id, blobs);
  }

  /**
   * Deletes files that no event refers to any more, if events were removed since the last time or
   * it was long ago; returns how many.
   */
  async sweepBlobs(intervalMs = blobSweepIntervalMs): Promise<number> {
    const nowMs = this.#options.clock.nowMs();
    if (!this.#blobsMayBeLoose && nowMs - this.#blobsSweptMs < intervalMs) return 0;
    this.#blobsMayBeLoose = false;
    try {
      let deleted = 0;
      for (const project_id of await this.blobs.projects()) {
        deleted += await this.blobs.sweep(project_id, () => this.#blobsOf(project_id));
      }
      this.#blobsSweptMs = nowMs;
      return deleted;
    } catch (error) {
      this.#blobsMayBeLoose = true;
      throw error;
    }
  }

  /** Hashes of the files that the project's events refer to. */
  async #blobsOf(project_id: string): Promise<Set<string>> {
    // All that was acknowledged before; a failure leaves every file where it is.
    await this.refresh();
    const { version, release } = this.#versions.pin();
    try {
      const paths = filesOf(version, { project_id })
        .map((path) => join(this.#options.dataDir, path));
      const sources = version.tail.map((tail) => tableOf(tail, events));
      if (paths.length > 0) sources.push(`(${readParquet(paths)})`);
      const marked = new Set<string>();
      await this.#onConnection(async (connection) => {
        for (const source of sources) {
          const result = await connection.stream(
            `SELECT DISTINCT unnest(blobs) FROM ${source} ` +
              `WHERE project_id = ${literal(project_id)} AND blobs IS NOT NULL`,
          );
          for await (const rows of result.yieldRows()) {
            for (const [sha256] of rows) marked.add(String(sha256));
          }
        }
      });
      return marked;
    } finally {
      release();
    }
  }

  /** Characters that wait for the disk. */
  get backlog(): number {
    return this.#log.backlog;
  }

  /** Bytes of the log that are not in the lake. */
  get unflushedBytes(): number {
    const { tail } = this.#versions.current;
    return this.#log.activeBytes + sum(this.#unread, (segment) => segment.bytes) +
      sum(tail, (table) => table.bytes);
  }

  /** When the oldest row that is not in the lake was read into the tail; null when there is none. */
  get unflushedSinceMs(): number | null {
    return this.#versions.current.tail.find((table) => table.sinceMs !== null)?.sinceMs ?? null;
  }

  /** Acknowledged events and data points that a question would not see yet. */
  get pendingEvents(): number {
    return this.#log.activeEvents + sum(this.#unread, (segment) => segment.events);
  }

  get #pendingPoints(): number {
    return this.#log.activePoints + sum(this.#unread, (segment) => segment.points);
  }

  /** Makes all that was acknowledged before the call visible to questions. */
  async refresh(): Promise<void> {
    // One that is under way may have sealed the log before the caller's events came.
    await this.#refreshing;
    this.#refreshing ??= this.#refresh().finally(() => this.#refreshing = null);
    await this.#refreshing;
  }

  async #refresh(): Promise<void> {
    this.#refreshedMs = this.#options.clock.nowMs();
    this.#unread.push(...await this.#log.seal());
    while (this.#unread.length > 0) {
      const batch = this.#unread.slice(0, segmentsPerRead);
      await this.#readIntoTail(batch);
      this.#unread.splice(0, batch.length);
    }
  }

  async #readIntoTail(segments: Segment[]): Promise<void> {
    for (const segment of segments) {
      // A failed write may have left bytes behind the last whole commit.
      if (Bun.file(segment.path).size > segment.bytes) await truncate(segment.path, segment.bytes);
    }
    const tail = this.#versions.current.tail.at(-1)!;
    const grown: TailTable = {
      ...tail,
      rows: tail.rows + sum(segments, ({ events, points }) => events - points),
      points: tail.points + sum(segments, ({ points }) => points),
      bytes: tail.bytes + sum(segments, (segment) => segment.bytes),
      segments: [...tail.segments, ...segments],
      sinceMs: tail.sinceMs ?? this.#options.clock.nowMs(),
    };
    await this.#connection.run("BEGIN TRANSACTION");
    try {
      await this.#insert(events, segments.filter((one) => one.events > one.points), grown);
      await this.#insert(points, segments.filter((one) => one.points > 0), grown);
      await this.#connection.run("COMMIT");
    } catch (error) {
      await this.#connection.run("ROLLBACK");
      throw error;
    }
    const { files, tail: all } = this.#versions.current;
    this.#versions.publish({ files, tail: [...all.slice(0, -1), grown] });
  }

  /** Reads one relation of the segments into its table, which has as many rows as `grown` says then. */
  async #insert(relation: Relation, segments: Segment[], grown: TailTable): Promise<void> {
    if (segments.length === 0) return;
    const table = tableOf(grown, relation);
    const paths = segments.map((segment) => segment.path);
    await this.#connection.run(`INSERT INTO ${table} ${readSegments(paths, relation)}`);
    const [{ rows }] = await rowsOf(
      this.#connection,
      `SELECT count(*) AS rows FROM ${table}`,
    ) as [{ rows: number }];
    const expected = rowsOfTail(grown, relation);
    if (rows === expected) return;
    throw new Error(`With segments ${paths} there are ${rows} ${relation.view}, not ${expected}`);
  }

  async #pinFresh(): Promise<Pin> {
    const waiting = this.#log.activeBytes + sum(this.#unread, (segment) => segment.bytes);
    const stale = this.#options.clock.nowMs() - this.#refreshedMs > refreshIntervalMs;
    if (waiting > 0 && (stale || waiting < eagerBytesMax)) {
      // Reading goes on with what is there; the events stay in the log and count as pending.
      await this.refresh().catch((error) => this.#options.onError("reading the log", error));
    }
    return this.#versions.pin();
  }

  /** Writes the tail to the lake. Everything acknowledged before the call is in Parquet after it. */
  flush(): Promise<void> {
    return this.#inTurn(async () => {
      await this.refresh();
      if (this.#versions.current.tail.at(-1)!.segments.length > 0) await this.#beginTail();
      for (const tail of this.#versions.current.tail.slice(0, -1)) await this.#flushTail(tail);
    });
  }

  /** New events go to a new table from here on; the last one does not grow any more. */
  async #beginTail(): Promise<void> {
    const next = emptyTail(++this.#tailNumber);
    await this.#onConnection(async (connection) => {
      for (const statement of createTail(next)) await connection.run(statement);
    });
    // A refresh that is under way still fills the last table.
    while (this.#refreshing !== null) await this.#refreshing;
    const { files, tail } = this.#versions.current;
    this.#versions.publish({ files, tail: [...tail, next] });
  }

  async #flushTail(tail: TailTable): Promise<void> {
    const added: LakeFile[] = [];
    for (const relation of relations) {
      const table = tableOf(tail, relation);
      const files = await this.#onConnection((connection) =>
        writeTable(connection, this.#options.dataDir, table, relation)
      );
      const written = sum(files, (file) => file.rows);
      const expected = rowsOfTail(tail, relation);
      if (written !== expected) {
        throw new Error(`Table ${table} has ${expected} rows, its files ${written}`);
      }
      added.push(...files);
    }
    const flushedThrough = Math.max(...tail.segments.map((segment) => segment.sequence));
    this.#manifest.commit(
      { reason: "flush", add: added, remove: [], flushedThrough },
      this.#options.clock.nowMs(),
    );
    // They are newer than a rewrite that is under way, which began with a flush.
    for (const { path } of added) this.#rewriting?.done.add(path);
    const rest = this.#versions.current.tail.filter((other) => other.number !== tail.number);
    this.#versions.publish({ files: this.#manifest.files(), tail: rest }, async () => {
      await this.#onConnection(async (connection) => {
        for (const relation of relations) {
          await connection.run(`DROP TABLE ${tableOf(tail, relation)}`);
        }
      });
      for (const segment of tail.segments) await rm(segment.path, { force: true });
    });
  }

  /** Merges one group of small files; false when there is none worth it. */
  compact(): Promise<boolean> {
    return this.#inTurn(async () => {
      const rewriting = this.#rewriting;
      const group = compactable(
        this.#versions.current.files.filter((file) => file.path !== rewriting?.at),
      );
      if (group === null) return false;
      const merged = await this.#onConnection((connection) =>
        mergeFiles(connection, this.#options.dataDir, group)
      );
      this.#replace({ reason: "compact", add: [merged], remove: group.map((file) => file.path) });
      const isDone = group.every((file) => rewriting?.done.has(file.path));
      if (isDone) rewriting?.done.add(merged.path);
      return true;
    });
  }

  /** Removes the files of days before `firstDate` (YYYY-MM-DD); returns how many rows went. */
  retain(firstDate: string): Promise<number> {
    return this.#inTurn(() => {
      const old = this.#versions.current.files.filter((file) => file.date < firstDate);
      if (old.length > 0) {
        this.#replace({ reason: "retain", add: [], remove: old.map((file) => file.path) });
        this.#blobsMayBeLoose = true;
      }
      return Promise.resolve(sum(old, (file) => file.rows));
    });
  }

  /**
   * Changes or removes events that were acknowledged before the call. Each file is replaced in one
   * commit, so a question sees a row as it was or as it is; one that is stopped, or a crash, leaves
   * some files changed and the others as they were. Throws RewriteBusy, and what the signal's reason
   * is.
   */
  async rewrite(asked: RewriteAsked): Promise<RewriteProgress> {
    if (this.#rewriting !== null) throw new RewriteBusy("Another rewrite is under way.");
    const rewriting = this.#rewriting = { done: new Set<string>(), at: null as string | null };
    try {
      await this.flush();
      // What is flushed from here on is newer. The flush itself has counted its files as such.
      rewriting.done.clear();
      const left = () =>
        filesOf(this.#versions.current, asked).filter((path) => !rewriting.done.has(path));
      const progress: RewriteProgress = {
        looked_at: 0,
        changed: 0,
        removed: 0,
        files_looked_at: 0,
        files_total: left().length,
        files_written: 0,
      };
      for (;;) {
        asked.onProgress?.(progress);
        asked.signal?.throwIfAborted();
        // In turn, so that no compaction has chosen it.
        const path = await this.#inTurn(() => Promise.resolve(rewriting.at = left()[0] ?? null));
        if (path === null) return progress;
        await this.#rewriteOne(path, asked, progress);
        rewriting.done.add(path);
        progress.files_looked_at++;
      }
    } finally {
      this.#rewriting = null;
    }
  }

  async #rewriteOne(path: string, asked: RewriteAsked, progress: RewriteProgress): Promise<void> {
    const { dataDir } = this.#options;
    const temporaryDir = join(dataDir, folders.temporary);
    const { version, release } = this.#versions.pin();
    try {
      const file = version.files.find((file) => file.path === path);
      // Retention was faster.
      if (file === undefined) return;
      const result = await rewriteFile(
        this.#instance,
        dataDir,
        temporaryDir,
        file,
        asked,
        progress,
      );
      if (result === null) return;
      const add = result.added === null ? [] : [result.added];
      try {
        this.#replace({ reason: asked.reason, add, remove: [path] });
      } catch (error) {
        for (const { path } of add) await rm(join(dataDir, path), { force: true });
        // Retention was faster: its rows are gone, and so must these be.
        if (error instanceof ManifestConflict) return;
        throw error;
      }
      for (const { path } of add) this.#rewriting?.done.add(path);
      progress.files_written += add.length;
      this.#blobsMayBeLoose = true;
    } finally {
      release();
    }
  }

  #replace(change: Pick<Change, "reason" | "add" | "remove">): void {
    this.#manifest.commit(change, this.#options.clock.nowMs());
    const { tail } = this.#versions.current;
    this.#versions.publish({ files: this.#manifest.files(), tail }, () => {
      for (const path of change.remove) this.#unpinned.add(path);
      return Promise.resolve();
    });
  }

  /** Deletes files that were removed a while ago. */
  async sweep(graceMs = removedGraceMs): Promise<void> {
    const until = this.#options.clock.nowMs() - graceMs;
    const gone = this.#manifest.removed().filter((file) =>
      this.#unpinned.has(file.path) && file.removed_at_ms <= until
    ).map((file) => file.path);
    for (const path of gone) {
      await rm(join(this.#options.dataDir, path), { force: true });
      this.#unpinned.delete(path);
    }
    if (gone.length > 0) this.#manifest.forget(gone);
  }

  /** What the sandbox for users' SQL reads; pinned until released. */
  async source(project_id: string): Promise<{
    files: string[];
    segments: Segment[];
    release(): void;
  }> {
    const { version, release } = await this.#pinFresh();
    return {
      files: version.files.filter((file) => file.project_id === project_id)
        .map((file) => join(this.#options.dataDir, file.path)),
      segments: version.tail.flatMap((table) => table.segments),
      release,
    };
  }

  status() {
    const { files, tail } = this.#versions.current;
    const inLake = (relation: Relation) =>
      sum(files, (file) => relationOf(file.path) === relation ? file.rows : 0);
    const unflushed = sum(tail, (table) => table.rows);
    const pendingPoints = this.#pendingPoints;
    return {
      pending_events: this.pendingEvents - pendingPoints,
      pending_flush_events: unflushed,
      events_total: unflushed + inLake(events),
      points_total: sum(tail, (table) => table.points) + inLake(points),
      files: files.length,
      lake_bytes: sum(files, (file) => file.bytes),
      log_bytes: this.unflushedBytes,
      manifest_version: this.#manifest.version(),
    };
  }

  /** Bytes that this user may still write on the data directory's disk. */
  async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.#options.dataDir);
    return bavail * bsize;
  }

  /** Flushes and lets go of everything. Events that could not be flushed stay in the log. */
  async close(): Promise<void> {
    try {
      await this.flush();
      await this.#versions.settle();
      // What is left is what counts: the folder can be read as a whole.
      await this.sweep(0);
    } catch (error) {
      this.#options.onError("flushing at the end", error);
    }
    await this.#log.close();
    this.reader.close();
    this.#connection.closeSync();
    this.#manifest.close();
    this.#instance.closeSync();
  }

  async #rememberIds(relation: Relation, seen: Seen): Promise<void> {
    const { files, tail } = this.#versions.current;
    let room = seen.windowEvents;
    const newest: string[] = [];
    for (const file of files.toSorted((a, b) => b.max_timestamp - a.max_timestamp)) {
      if (room <= 0) break;
      if (relationOf(file.path) !== relation) continue;
      room -= file.rows;
      newest.push(join(this.#options.dataDir, file.path));
    }
    const sources = tail.map((table) => tableOf(table, relation));
    if (newest.length > 0) sources.unshift(`(${readParquet(newest.reverse(), relation)})`);
    for (const source of sources) {
      const result = await this.#connection.stream(
        `SELECT project_id, ${relation.idColumn} FROM ${source}`,
      );
      for await (const rows of result.yieldRows()) {
        for (const [project, id] of rows) seen.remember(String(project), String(id));
      }
    }
  }

  /** A connection for one statement that may take long; the tail's own stays free for refreshes. */
  async #onConnection<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const connection = await this.#instance.connect();
    try {
      return await work(connection);
    } finally {
      connection.closeSync();
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }
}

const segmentsPerRead = 64;

function emptyTail(number: number): TailTable {
  return { number, segments: [], rows: 0, points: 0, bytes: 0, sinceMs: null };
}

function createTail(tail: TailTable): string[] {
  return relations.map((relation) => createTable(tableOf(tail, relation), relation));
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
