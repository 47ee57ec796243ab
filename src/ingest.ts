// The write path on one screen: receive → redact → price → append → acknowledge. An answer means
// "on disk".
import type { Event, Rejection } from "./event.ts";
import { limits } from "./limits.ts";
import type { Live } from "./live.ts";
import { type Ids, storeOnce } from "./once.ts";
import {
  type Batch,
  type BatchRefusal,
  type ContentBlob,
  receiveBatch,
  type Steps,
  treat,
  type Treated,
} from "./receive/batch.ts";
import type { MetricPoint } from "./receive/otlp/telemetry.ts";
import { receivePoints } from "./receive/point.ts";
import { timestampOf } from "./receive/timestamp.ts";
import type { Clock } from "./std/clock.ts";
import { AppendError } from "./store/log.ts";

/** What ingestion needs of the store. */
export interface IngestStore {
  /** Throws AppendError. */
  append(lines: string, events: number): Promise<void>;
  /**
   * Resolves when they are on disk, to a function that is to be called when the events that refer to
   * them are, too. Throws AppendError.
   */
  keepBlobs(project_id: string, blobs: readonly ContentBlob[]): Promise<() => void>;
  /** Throws AppendError. */
  appendPoints(lines: string, points: number): Promise<void>;
  readonly backlog: number;
  readonly unflushedBytes: number;
  readonly seen: Ids;
  /** Ids of data points, which are not to push out those of events. */
  readonly seenPoints: Ids;
}

export interface IngestOptions {
  /** Bytes that may wait for the disk. */
  queueBytesMax: number;
  /** Bytes of the log that may wait for conversion. */
  unflushedBytesMax: number;
  /** Share of runs that are kept, 0 to 1. */
  sampleRate: number;
  /** What a project does with its events before they are stored. */
  steps(project_id: string): Steps;
  /** Events that were stored, of one project. */
  noted?(events: readonly Event[]): void;
}

/** Accepted or told why: every event of the request is in one of the three. */
export interface Receipt {
  accepted: number;
  duplicates: number;
  rejected: Rejection[];
  /** Events that the sample rate left out; they are not stored. */
  sampled_out: number;
  event_ids: (string | null)[];
}

export interface IngestRefusal {
  reason: BatchRefusal["reason"] | "busy" | "disk_full" | "disk_failed";
  message: string;
}

/** Counted since the start, for /metrics. */
export interface IngestCounters {
  accepted: number;
  duplicates: number;
  sampledOut: number;
  bytes: number;
  /** Data points of metrics, accepted and known already. */
  points: number;
  pointDuplicates: number;
  rejected: Map<string, number>;
  refused: Map<string, number>;
  /** Events that SDKs say they dropped before sending, by reason. */
  clientDrops: Map<string, number>;
}

const dropReasonsMax = 32;

export class Ingest {
  readonly counters: IngestCounters = {
    accepted: 0,
    duplicates: 0,
    sampledOut: 0,
    bytes: 0,
    points: 0,
    pointDuplicates: 0,
    rejected: new Map(),
    refused: new Map(),
    clientDrops: new Map(),
  };
  /** Set while the disk has too little room; every request is refused with it. */
  closed: IngestRefusal | null = null;

  constructor(
    readonly store: IngestStore,
    readonly live: Live,
    readonly clock: Clock,
    readonly options: IngestOptions,
  ) {}

  /** Why nothing can be taken at this moment; null when it can. */
  refusal(): IngestRefusal | null {
    if (this.closed !== null) return this.closed;
    if (this.store.backlog > this.options.queueBytesMax) {
      return {
        reason: "busy",
        message: "Too many events wait for the disk; send them again later.",
      };
    }
    if (this.store.unflushedBytes > this.options.unflushedBytesMax) {
      return { reason: "busy", message: "Conversion to Parquet is behind; send again later." };
    }
    return null;
  }

  /**
   * Moves files out of parts of events and masks them, in place: they may be written before they are
   * whole. The files are on disk then, and safe until the function is called.
   */
  async prepare(
    project_id: string,
    parts: readonly Record<string, unknown>[],
  ): Promise<{ treated: Treated[]; release: () => void } | IngestRefusal> {
    const refusal = this.refusal();
    if (refusal !== null) return this.#refused(refusal);
    const steps = this.options.steps(project_id);
    const done = parts.map((part) => treat(part, steps));
    const files = new Map(done.flatMap(({ files }) => files).map((file) => [file.sha256, file]));
    try {
      const release = files.size === 0
        ? () => {}
        : await this.store.keepBlobs(project_id, [...files.values()]);
      return { treated: done.map(({ treated }) => treated), release };
    } catch (error) {
      if (error instanceof AppendError) return this.#refused(refusalOf(error));
      throw error;
    }
  }

  /**
   * Values as a protocol read them from a request of so many bytes, or why it could not. They are
   * changed in place, but for those that were prepared.
   */
  async take(
    project_id: string,
    values: readonly unknown[] | BatchRefusal,
    bytes: number,
    prepared?: ReadonlyMap<unknown, Treated>,
  ): Promise<Receipt | IngestRefusal> {
    const refusal = this.refusal();
    if (refusal !== null) return this.#refused(refusal);
    if ("reason" in values) return this.#refused(values);
    const nowMs = this.clock.nowMs();
    const batch = receiveBatch(
      values,
      {
        received_at: timestampOf(nowMs),
        project_id,
        latestMs: nowMs + limits.aheadMsMax,
        newId: Bun.randomUUIDv7,
      },
      this.options.steps(project_id),
      prepared,
    );
    this.counters.bytes += bytes;
    const sampled_out = this.#sample(batch);
    const { consequences } = batch;
    const events = [...batch.events, ...consequences.events];
    const lines = [...batch.lines, ...consequences.lines];
    const ids = events.map(({ event_id }) => event_id);
    let stored: boolean[];
    try {
      stored = await storeOnce(this.store.seen, project_id, ids, async (places) => {
        const blobs = neededBlobs(batch.blobs, places.map((place) => events[place]!));
        const release = blobs.length === 0 ? null : await this.store.keepBlobs(project_id, blobs);
        try {
          await this.store.append(places.map((place) => lines[place]!).join(""), places.length);
        } finally {
          release?.();
        }
      });
    } catch (error) {
      if (error instanceof AppendError) return this.#refused(refusalOf(error));
      throw error;
    }
    const news = events.filter((_, place) => stored[place]);
    this.live.publish(news);
    this.options.noted?.(news);
    const sent = stored.slice(0, batch.events.length);
    const accepted = sent.filter((isNew) => isNew).length;
    const receipt: Receipt = {
      accepted,
      duplicates: sent.length - accepted,
      rejected: batch.rejected,
      sampled_out,
      event_ids: batch.eventIds,
    };
    this.#count(receipt);
    return receipt;
  }

  /** Data points of metrics from a request of so many bytes: same promise as for events. */
  async takePoints(
    project_id: string,
    sent: readonly MetricPoint[],
    bytes: number,
  ): Promise<Receipt | IngestRefusal> {
    const refusal = this.refusal();
    if (refusal !== null) return this.#refused(refusal);
    const nowMs = this.clock.nowMs();
    const batch = receivePoints(sent, {
      received_at: timestampOf(nowMs),
      project_id,
      latestMs: nowMs + limits.aheadMsMax,
    }, this.options.steps(project_id).redact);
    this.counters.bytes += bytes;
    const { seenPoints } = this.store;
    const ids = batch.points.map(({ point_id }) => point_id);
    let stored: boolean[];
    try {
      stored = await storeOnce(seenPoints, project_id, ids, (places) => {
        const lines = places.map((place) => batch.lines[place]!).join("");
        return this.store.appendPoints(lines, places.length);
      });
    } catch (error) {
      if (error instanceof AppendError) return this.#refused(refusalOf(error));
      throw error;
    }
    const accepted = stored.filter((isNew) => isNew).length;
    const duplicates = ids.length - accepted;
    this.counters.points += accepted;
    this.counters.pointDuplicates += duplicates;
    for (const { reason } of batch.rejected) count(this.counters.rejected, reason);
    return {
      accepted,
      duplicates,
      rejected: batch.rejected,
      sampled_out: 0,
      event_ids: [],
    };
  }

  /** Remembers what an SDK says it dropped; told once the request was taken. */
  countDrops(drops: ReadonlyMap<string, number>): void {
    const { clientDrops } = this.counters;
    for (const [reason, events] of drops) {
      // Reasons are words of ours; a client that makes up more of them shares one.
      const known = clientDrops.has(reason) || clientDrops.size < dropReasonsMax;
      count(clientDrops, known ? reason : "other", events);
    }
  }

  /** Keeps whole runs, so that none has holes; failures are always kept. */
  #sample(batch: Batch): number {
    const { sampleRate } = this.options;
    if (sampleRate >= 1) return 0;
    const before = batch.events.length;
    const kept = batch.events.map((event) =>
      event.status !== "success" || Bun.hash.crc32(event.run_id) / 2 ** 32 < sampleRate
    );
    batch.events = batch.events.filter((_, at) => kept[at]);
    batch.lines = batch.lines.filter((_, at) => kept[at]);
    return before - batch.events.length;
  }

  #refused(refusal: IngestRefusal): IngestRefusal {
    count(this.counters.refused, refusal.reason);
    return refusal;
  }

  #count(receipt: Receipt): void {
    this.counters.accepted += receipt.accepted;
    this.counters.duplicates += receipt.duplicates;
    this.counters.sampledOut += receipt.sampled_out;
    for (const { reason } of receipt.rejected) count(this.counters.rejected, reason);
  }
}

/** Those of events that are stored: of a duplicate, or one that is sampled out, nothing is. */
function neededBlobs(blobs: readonly ContentBlob[], events: readonly Event[]): ContentBlob[] {
  if (blobs.length === 0) return [];
  const named = new Set(events.flatMap((event) => event.blobs ?? []));
  const needed = new Map<string, ContentBlob>();
  for (const blob of blobs) if (named.has(blob.sha256)) needed.set(blob.sha256, blob);
  return [...needed.values()];
}

export function refusalOf(error: AppendError): IngestRefusal {
  return error.code === "ENOSPC" || error.code === "EDQUOT"
    ? { reason: "disk_full", message: "The disk is full; nothing of this request was stored." }
    : { reason: "disk_failed", message: `The disk refused: nothing of this request was stored.` };
}

function count(counters: Map<string, number>, reason: string, by = 1): void {
  counters.set(reason, (counters.get(reason) ?? 0) + by);
}
