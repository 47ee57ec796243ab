// Erasure on request: a durable order, carried out step by step until nothing is left, also after a
// crash at any of them. One at a time; what was received after the order is not touched.
//
//   order on disk → what is meant, counted and on disk → pieces, rows, alerts → files off the disk,
//   quarantine → looked at again → done, on disk
import { isPieceOf, runsOf, withPieces } from "./erase/pieces.ts";
import { loggerOf } from "./logging.ts";
import type { Fields } from "./receive/langfuse_body.ts";
import type { Clock } from "./std/clock.ts";
import { type EraseAsked, type Eraser, setsOf } from "./store/eraser.ts";
import {
  type Erasure,
  type ErasureCounts,
  type Erasures,
  noErasureCounts,
} from "./store/erasures.ts";
import type { SubjectKind, Targets } from "./store/subject.ts";

/** Steps that a crash may come between. */
export const eraseSteps = [
  "requested",
  "collected",
  "pieces",
  "file",
  "rows",
  "alerts",
  "deleted",
  "quarantine",
  "compacted",
  "done",
] as const;
export type EraseStep = (typeof eraseSteps)[number];

export interface EraseParts {
  erasures: Erasures;
  eraser: Pick<Eraser, "collect" | "left" | "dropRows" | "deleteFiles" | "cleanQuarantine">;
  /** What came in pieces and waits. */
  pieces: {
    pieces(project_id: string): Fields[];
    erase(project_id: string, untilMs: number, isGone: (event: Fields) => boolean): number;
  };
  /** What alerts say of it; returns how many things went. */
  alerts(project_id: string, ids: readonly string[]): number;
  /** Leaves nothing in free pages of databases. */
  compact(): void;
  /** The id as redaction stores it; the same when it is left alone. */
  storedId(project_id: string, kind: SubjectKind, id: string): string;
  clock: Clock;
  /** Requests that were under way when it was asked for are done after so long. */
  settleMs: number;
  /** Called where a crash may come; for tests. */
  onStep?(step: EraseStep): void;
}

const log = loggerOf("erase");
const retryMs = 30_000;
/** Rounds until what is under way has come to rest. */
const roundsMax = 20;

export class Erasing {
  #parts: EraseParts;
  #cancel = new AbortController();
  #running: Promise<void> | null = null;
  #again = false;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(parts: EraseParts) {
    this.#parts = parts;
  }

  /** The order is on disk when this returns, and is carried out from then on. */
  request(
    asked: { project_id: string; kind: SubjectKind; id: string; by: string | null },
  ): Erasure {
    const { project_id, kind, id, by } = asked;
    const { erasures, clock, storedId } = this.#parts;
    const erasure: Erasure = {
      id: `erase_${Bun.randomUUIDv7()}`,
      project_id,
      subject: { kind, ids: [...new Set([id, storedId(project_id, kind, id)])] },
      requested_at: new Date(clock.nowMs()).toISOString(),
      requested_by: by,
      state: "waiting",
      counts: noErasureCounts(),
      targets: null,
      ended_at: null,
      message: null,
    };
    erasures.put(erasure);
    log.info("Erasure {id} requested", { id: erasure.id, project_id, kind, by: by ?? "local" });
    this.#parts.onStep?.("requested");
    this.resume();
    return erasure;
  }

  /** What would go, counted; nothing does. */
  async look(
    asked: { project_id: string; kind: SubjectKind; id: string },
  ): Promise<{ events: number; points: number; pieces: number }> {
    const { project_id, kind, id } = asked;
    const subject = { kind, ids: [id, this.#parts.storedId(project_id, kind, id)] };
    const receivedUntil = new Date(this.#parts.clock.nowMs()).toISOString();
    const waiting = this.#parts.pieces.pieces(project_id);
    const { events, points, targets } = await this.#parts.eraser.collect({
      project_id,
      subject,
      receivedUntil,
    }, runsOf(waiting));
    const runs = withPieces(subject, targets.runs, waiting);
    const isGone = isPieceOf(subject, setsOf({ ...targets, runs }));
    return { events, points, pieces: waiting.filter(isGone).length };
  }

  /** Carries out what is not done yet; called at the start, too. */
  resume(): void {
    if (this.#cancel.signal.aborted) return;
    this.#again = true;
    this.#running ??= this.#run().finally(() => this.#running = null);
  }

  /** Resolves when no order is under way. */
  async idle(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  /** Stops between two steps; the next start goes on. */
  async close(): Promise<void> {
    this.#cancel.abort(new Error("The server is stopping."));
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#again && !this.#cancel.signal.aborted) {
      this.#again = false;
      for (const erasure of this.#parts.erasures.open()) {
        try {
          await this.#carryOut(erasure);
        } catch (error) {
          if (this.#cancel.signal.aborted) return;
          this.#failed(erasure, error);
        }
      }
    }
  }

  #failed(erasure: Erasure, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    log.error("Erasure {id} failed, and is tried again: {message}", { id: erasure.id, message });
    this.#timer = setTimeout(() => this.resume(), retryMs);
    try {
      const stored = this.#parts.erasures.get(erasure.id) ?? erasure;
      this.#parts.erasures.put({ ...stored, message });
    } catch (error) {
      log.error("Cannot write down why erasure {id} failed: {error}", { id: erasure.id, error });
    }
  }

  async #carryOut(erasure: Erasure): Promise<void> {
    const { erasures, clock, settleMs } = this.#parts;
    const asked: EraseAsked = {
      project_id: erasure.project_id,
      subject: erasure.subject,
      receivedUntil: erasure.requested_at,
    };
    const targets = erasure.targets ?? await this.#collect(erasure, asked);
    // What was on its way in when it was asked for is on disk by then.
    const restMs = Date.parse(erasure.requested_at) + settleMs - clock.nowMs();
    if (restMs > 0) await this.#wait(Math.min(restMs, settleMs));
    for (let round = 1;; round++) {
      const alerts = await this.#round(erasure, asked, targets);
      const left = await this.#parts.eraser.left(asked, targets);
      if (left === 0 && alerts === 0) break;
      if (round === roundsMax && left > 0) throw new Error(`${left} rows are left.`);
      if (round === roundsMax) break;
    }
    erasure.state = "done";
    erasure.message = null;
    erasure.ended_at = new Date(clock.nowMs()).toISOString();
    erasures.put(erasure);
    const { id, project_id, counts } = erasure;
    log.info("Erasure {id} is done: {events} events", { id, project_id, ...counts });
    this.#parts.onStep?.("done");
  }

  /** What is meant is counted before any of it goes, so the count survives a crash. */
  async #collect(erasure: Erasure, asked: EraseAsked): Promise<Targets> {
    const { eraser, pieces, erasures } = this.#parts;
    const waiting = pieces.pieces(asked.project_id);
    const { targets: stored, events, points } = await eraser.collect(asked, runsOf(waiting));
    const runs = withPieces(asked.subject, stored.runs, waiting);
    const targets = { ...stored, runs };
    Object.assign(erasure, { targets, state: "erasing" });
    Object.assign(erasure.counts, { events, points });
    erasures.put(erasure);
    this.#parts.onStep?.("collected");
    return targets;
  }

  /** Every place once; returns how many alerts went. */
  async #round(erasure: Erasure, asked: EraseAsked, targets: Targets): Promise<number> {
    const { erasures, eraser, pieces, onStep } = this.#parts;
    const { signal } = this.#cancel;
    const { counts, project_id, subject } = erasure;
    const count = (name: keyof ErasureCounts, by: number) => {
      if (by === 0) return;
      counts[name] += by;
      erasures.put(erasure);
    };
    signal.throwIfAborted();
    const untilMs = Date.parse(erasure.requested_at);
    count("pieces", pieces.erase(project_id, untilMs, isPieceOf(subject, setsOf(targets))));
    onStep?.("pieces");
    await eraser.dropRows(asked, targets, signal, () => {
      count("files_rewritten", 1);
      onStep?.("file");
    });
    onStep?.("rows");
    const alerts = this.#parts.alerts(project_id, subject.ids);
    count("alerts", alerts);
    onStep?.("alerts");
    const { files, blobs } = await eraser.deleteFiles(project_id);
    count("files_deleted", files);
    count("blobs_deleted", blobs);
    onStep?.("deleted");
    // After that: what was found damaged meanwhile has been moved there.
    count("quarantined_files", await eraser.cleanQuarantine(asked, targets));
    onStep?.("quarantine");
    this.#parts.compact();
    onStep?.("compacted");
    return alerts;
  }

  async #wait(ms: number): Promise<void> {
    const { signal } = this.#cancel;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      signal.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      }, { once: true });
    });
    signal.throwIfAborted();
  }
}
