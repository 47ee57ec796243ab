// The store as the flows see it: append, refresh, flush, compact, retain, read. Each stage of an
// event's life is a file beside this one; here is their order.
//
//   log (fsynced) → tail table in memory (queryable) → Parquet in the lake → merged Parquet
import type { DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { mkdir, rm, statfs, truncate } from "node:fs/promises";
import { join } from "node:path";
import type { ContentBlob } from "../receive/batch.ts";
import type { Clock } from "../std/clock.ts";
import { BlobSweep } from "./blob_sweep.ts";
import { Blobs } from "./blobs.ts";
import { compactable } from "./compact.ts";
import { openDuckDB } from "./duckdb.ts";
import type { LakeHost } from "./edit.ts";
import { Eraser } from "./eraser.ts";
import { mergeFiles, removeStrays } from "./lake.ts";
import { Log } from "./log.ts";
import { type Change, Manifest } from "./manifest.ts";
import { recallBlobs, recallIds } from "./recall.ts";
import { Retention } from "./retention.ts";
import { recoverLog, type Recovery } from "./recover.ts";
import { LakeReader } from "./reader.ts";
import { Removed } from "./removed.ts";
import { events, points, type Relation, relationOf } from "./relation.ts";
import { Seen } from "./seen.ts";
import { Scrub } from "./scrub.ts";
import { type RewriteAsked, RewriteBusy, type RewriteProgress } from "./rewrite.ts";
import { Rewriting } from "./rewriting.ts";
import type { Segment } from "./segment.ts";
import { createTail, dropTail, emptyTail, fillTail, sum, writeTail } from "./tail.ts";
import { type Pin, type TailTable, Versions } from "./versions.ts";

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
/** Between two words about a log that cannot be written. */
const toldEveryMs = 60_000;
/** Readers outside this process may still have a removed file open. */
const removedGraceMs = 60_000;

export const folders = {
  log: "log",
  quarantine: "quarantine",
  temporary: "tmp",
  manifest: "manifest.db",
  pending: "pending.db",
  erasures: "erasures.db",
  erasuresKey: "erasures.key",
} as const;

export class Store {
  readonly seen: Seen;
  readonly seenPoints: Seen;
  readonly reader: LakeReader;
  readonly blobs: Blobs;
  readonly scrub: Scrub;
  readonly eraser: Eraser;
  readonly retention: Retention;
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
  #removed: Removed;
  #blobSweep: BlobSweep;
  #tailNumber = 1;
  #rewriting: Rewriting | null = null;
  #rewriteBegins = false;
  #appendToldMs = -Infinity;
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
    this.#removed = new Removed(manifest, options.dataDir);
    this.seen = new Seen(options.dedupeEventsMin);
    this.seenPoints = new Seen(options.dedupePointsMin);
    this.reader = parts.reader(this);
    this.blobs = new Blobs(options.dataDir);
    this.#blobSweep = new BlobSweep(this.blobs, options.clock, (id) => this.#blobsOf(id));
    this.eraser = new Eraser({
      ...this.#lakeHost(),
      quarantineDir: join(options.dataDir, folders.quarantine),
      drained: () => this.#versions.drained(),
      deleteRemoved: async (project_id) => ({
        files: await this.#removed.sweep(Infinity, project_id),
        blobs: await this.#blobSweep.sweepProject(project_id),
      }),
    });
    this.retention = new Retention({
      ...this.#lakeHost(),
      quarantineDir: join(options.dataDir, folders.quarantine),
      damaged: () => manifest.damaged(),
      forgetDamaged: (paths) => manifest.forgetDamaged(paths),
      otherBytes: async () => this.unflushedBytes + await this.blobs.bytes(),
      sweepBlobs: () => this.sweepBlobs(),
      nowMs: () => options.clock.nowMs(),
    });
    this.scrub = new Scrub({
      dataDir: options.dataDir,
      quarantineDir: join(options.dataDir, folders.quarantine),
      files: () => this.#versions.current.files,
      damaged: () => manifest.damaged(),
      setAside: ({ path, rows }, reason) => {
        if (!manifest.setAside(path, reason, options.clock.nowMs())) return false;
        const { tail } = this.#versions.current;
        this.#versions.publish(
          { files: manifest.files(), tail },
          () => this.scrub.moveAside(path),
        );
        const told = new Error(`${path} is ${reason}: its ${rows} rows are left out from here on.`);
        options.onError("checking the lake's files", told);
        return true;
      },
      putBack: ({ path }) => {
        manifest.putBack(path, options.clock.nowMs());
        this.#versions.publish({ files: manifest.files(), tail: this.#versions.current.tail });
      },
      nowMs: () => options.clock.nowMs(),
    });
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
    const kept = [...manifest.files(), ...manifest.removed(), ...manifest.damaged()];
    await removeStrays(dataDir, new Set(kept.map((file) => file.path)));
    const instance = await openDuckDB({ ...options, temporaryDir });
    const connection = await instance.connect();
    await createTail(connection, emptyTail(1));
    const pinned: { store?: Store } = {};
    const reader = new LakeReader({
      instance,
      dataDir,
      concurrency: options.queryConcurrency,
      timeoutMs: options.queryTimeoutMs,
      pin: () => pinned.store!.#pinFresh(),
      suspect: (files) => pinned.store!.scrub.suspect(files),
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
    const { current } = store.#versions;
    await recallIds(connection, dataDir, current, events, store.seen);
    await recallIds(connection, dataDir, current, points, store.seenPoints);
    return store;
  }

  /** Resolves when the lines are on disk. Throws AppendError. */
  append(lines: string, events: number): Promise<void> {
    return this.#append(lines, events, 0);
  }

  /** Resolves when the lines, each a data point, are on disk. Throws AppendError. */
  appendPoints(lines: string, points: number): Promise<void> {
    return this.#append(lines, points, points);
  }

  /** Clients are told of each failure; whoever runs the server, now and then. */
  async #append(lines: string, events: number, points: number): Promise<void> {
    try {
      await this.#log.append(lines, events, points);
    } catch (error) {
      const nowMs = this.#options.clock.nowMs();
      if (nowMs - this.#appendToldMs > toldEveryMs) {
        this.#appendToldMs = nowMs;
        this.#options.onError("writing the log", error);
      }
      throw error;
    }
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
  sweepBlobs(intervalMs?: number): Promise<number> {
    return this.#blobSweep.sweep(intervalMs);
  }

  /** Hashes of the files that the project's events refer to. */
  async #blobsOf(project_id: string): Promise<Set<string>> {
    // All that was acknowledged before; a failure leaves every file where it is.
    await this.refresh();
    const { version, release } = this.#versions.pin();
    try {
      return await this.#onConnection((connection) =>
        recallBlobs(connection, this.#options.dataDir, version, project_id)
      );
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
    const last = this.#versions.current.tail.at(-1)!;
    const nowMs = this.#options.clock.nowMs();
    const grown = await fillTail(this.#connection, last, segments, nowMs);
    const { files, tail } = this.#versions.current;
    this.#versions.publish({ files, tail: [...tail.slice(0, -1), grown] });
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
    await this.#onConnection((connection) => createTail(connection, next));
    // A refresh that is under way still fills the last table.
    while (this.#refreshing !== null) await this.#refreshing;
    const { files, tail } = this.#versions.current;
    this.#versions.publish({ files, tail: [...tail, next] });
  }

  async #flushTail(tail: TailTable): Promise<void> {
    const added = await this.#onConnection((connection) =>
      writeTail(connection, this.#options.dataDir, tail)
    );
    const flushedThrough = Math.max(...tail.segments.map((segment) => segment.sequence));
    this.#manifest.commit(
      { reason: "flush", add: added, remove: [], flushedThrough },
      this.#options.clock.nowMs(),
    );
    this.#rewriting?.flushed(added);
    const rest = this.#versions.current.tail.filter((other) => other.number !== tail.number);
    this.#versions.publish({ files: this.#manifest.files(), tail: rest }, async () => {
      await this.#onConnection((connection) => dropTail(connection, tail));
      for (const segment of tail.segments) await rm(segment.path, { force: true });
    });
  }

  /** Merges one group of small files; false when there is none worth it. */
  compact(): Promise<boolean> {
    return this.#inTurn(async () => {
      const { files } = this.#versions.current;
      const group = compactable(files.filter(({ path }) => path !== this.#rewriting?.at));
      if (group === null) return false;
      // What was damaged would look whole from here on.
      if ((await this.scrub.check(group)).length > 0) return true;
      const merged = await this.#onConnection((connection) =>
        mergeFiles(connection, this.#options.dataDir, group)
      );
      this.#replace({ reason: "compact", add: [merged], remove: group.map((file) => file.path) });
      this.#rewriting?.merged(group, merged);
      return true;
    });
  }

  /** Removes the files of days before `firstDate` (YYYY-MM-DD); returns how many rows went. */
  retain(firstDate: string): Promise<number> {
    return this.retention.expireBefore(firstDate);
  }

  /** What retention and the bound of the disk have removed, newest first. */
  dropped(project_id: string) {
    return this.#manifest.dropped(project_id);
  }

  /**
   * Changes or removes events that were acknowledged before the call. Each file is replaced in one
   * commit, so a question sees a row as it was or as it is; one that is stopped, or a crash, leaves
   * some files changed and the others as they were. Throws RewriteBusy, and what the signal's reason
   * is.
   */
  async rewrite(asked: RewriteAsked): Promise<RewriteProgress> {
    if (this.#rewriting !== null || this.#rewriteBegins) {
      throw new RewriteBusy("Another rewrite is under way.");
    }
    this.#rewriteBegins = true;
    try {
      await this.flush();
      const { dataDir } = this.#options;
      this.#rewriting = new Rewriting({
        instance: this.#instance,
        dataDir,
        temporaryDir: join(dataDir, folders.temporary),
        current: () => this.#versions.current,
        pin: () => this.#versions.pin(),
        inTurn: (work) => this.#inTurn(() => Promise.resolve(work())),
        replace: (change) => {
          this.#replace(change);
          this.#blobSweep.mayBeLoose();
        },
      }, asked);
      return await this.#rewriting.run();
    } finally {
      this.#rewriting = null;
      this.#rewriteBegins = false;
    }
  }

  #lakeHost(): LakeHost {
    const { dataDir } = this.#options;
    return {
      instance: this.#instance,
      dataDir,
      flush: () => this.flush(),
      current: () => this.#versions.current,
      pin: () => this.#versions.pin(),
      inTurn: (work) => this.#inTurn(work),
      replace: (change) => this.#replace(change),
      check: (files) => this.scrub.check(files),
      blobsMayBeLoose: () => this.#blobSweep.mayBeLoose(),
    };
  }

  #replace(change: Omit<Change, "flushedThrough">): void {
    this.#manifest.commit(change, this.#options.clock.nowMs());
    const { tail } = this.#versions.current;
    this.#versions.publish({ files: this.#manifest.files(), tail }, () => {
      this.#removed.unpin(change.remove);
      return Promise.resolve();
    });
  }

  /** Deletes files that were removed a while ago. */
  async sweep(graceMs = removedGraceMs): Promise<void> {
    await this.#removed.sweep(this.#options.clock.nowMs() - graceMs);
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
    const damaged = this.#manifest.damaged();
    return {
      pending_events: this.pendingEvents - pendingPoints,
      pending_flush_events: unflushed,
      events_total: unflushed + inLake(events),
      points_total: sum(tail, (table) => table.points) + inLake(points),
      files: files.length,
      lake_bytes: sum(files, (file) => file.bytes),
      damaged_files: damaged.length,
      damaged_rows: sum(damaged, (file) => file.rows),
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
