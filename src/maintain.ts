// What keeps the store in shape, on a clock: refresh → flush → compact → retain → sweep.
import type { Ingest } from "./ingest.ts";
import type { Clock } from "./std/clock.ts";
import type { Dropped, LakeFile } from "./store/manifest.ts";
import type { RetentionPolicy } from "./store/retain.ts";
import type { DiskUse } from "./store/retention.ts";

/** What maintenance needs of the store. */
export interface MaintainedStore {
  readonly pendingEvents: number;
  readonly unflushedBytes: number;
  readonly unflushedSinceMs: number | null;
  refresh(): Promise<void>;
  flush(): Promise<void>;
  compact(): Promise<boolean>;
  readonly retention: {
    expire(policyOf: (project_id: string) => RetentionPolicy): Promise<Dropped[]>;
    keepUnder(bytesMax: number): Promise<Dropped[]>;
    readonly disk: DiskUse | null;
  };
  sweep(): Promise<void>;
  readonly scrub: { turn(): Promise<LakeFile[]> };
  sweepBlobs(): Promise<number>;
  freeBytes(): Promise<number>;
}

export interface MaintainOptions {
  flushIntervalMs: number;
  flushBytes: number;
  retentionOf(project_id: string): RetentionPolicy;
  /** What the data may take; 0 is no bound. */
  diskBytesMax: number;
  diskFreeBytesMin: number;
  /** Stores what came in pieces and has waited long enough. */
  settle(): Promise<void>;
  clock: Clock;
  /** Rows went, because they were too old or the disk too full. */
  onDropped(dropped: Dropped): void;
  /** The data takes more than it may, and nothing of it may go. */
  onDiskOver(disk: DiskUse): void;
  onError(what: string, error: unknown): void;
}

const refreshIntervalMs = 250;
const checkIntervalMs = 1000;
const tidyIntervalMs = 10_000;
const diskIntervalMs = 60_000;

/** Starts the clocks; the function that it returns stops them and waits for work under way. */
export function maintain(
  store: MaintainedStore,
  ingest: Pick<Ingest, "closed">,
  options: MaintainOptions,
): () => Promise<void> {
  const loops = [
    every(refreshIntervalMs, "reading the log", options, async () => {
      if (store.pendingEvents > 0) await store.refresh();
    }),
    every(checkIntervalMs, "writing Parquet", options, async () => {
      if (flushIsDue(store, options)) await store.flush();
    }),
    every(checkIntervalMs, "storing what came in pieces", options, () => options.settle()),
    every(checkIntervalMs, "looking at the disk", options, async () => {
      const free = await store.freeBytes();
      ingest.closed = free >= options.diskFreeBytesMin ? null : {
        reason: "disk_full",
        message: `The disk has ${free} bytes left; ${options.diskFreeBytesMin} are kept free.`,
      };
    }),
    every(tidyIntervalMs, "tidying the lake", options, async () => {
      while (await store.compact());
      told(await store.retention.expire(options.retentionOf), options);
      await store.sweep();
    }),
    every(diskIntervalMs, "keeping the data under its bound", options, async () => {
      if (options.diskBytesMax === 0) return;
      told(await store.retention.keepUnder(options.diskBytesMax), options);
      const { disk } = store.retention;
      if (disk?.isOver) options.onDiskOver(disk);
    }),
    every(tidyIntervalMs, "checking the lake's files", options, async () => {
      await store.scrub.turn();
    }),
    every(tidyIntervalMs, "deleting files that no event refers to", options, async () => {
      await store.sweepBlobs();
    }),
  ];
  return async () => {
    await Promise.all(loops.map((stop) => stop()));
  };
}

function told(dropped: readonly Dropped[], options: MaintainOptions): void {
  for (const one of dropped) options.onDropped(one);
}

function flushIsDue(store: MaintainedStore, options: MaintainOptions): boolean {
  if (store.unflushedBytes >= options.flushBytes) return true;
  const since = store.unflushedSinceMs;
  return since !== null && options.clock.nowMs() - since >= options.flushIntervalMs;
}

/** Runs work again and again, `intervalMs` after it ended; longer while it fails. */
function every(
  intervalMs: number,
  what: string,
  options: MaintainOptions,
  work: () => Promise<void>,
): () => Promise<void> {
  let stopped = false;
  let failures = 0;
  let running: Promise<void> = Promise.resolve();
  let timer: ReturnType<typeof setTimeout>;
  const turn = async () => {
    try {
      await work();
      failures = 0;
    } catch (error) {
      failures++;
      options.onError(what, error);
    }
    if (!stopped) schedule();
  };
  const schedule = () => {
    const delay = Math.min(intervalMs * 2 ** failures, Math.max(intervalMs, failureDelayMsMax));
    timer = setTimeout(() => (running = turn()), delay);
  };
  schedule();
  return async () => {
    stopped = true;
    clearTimeout(timer);
    await running;
  };
}

const failureDelayMsMax = 10_000;
