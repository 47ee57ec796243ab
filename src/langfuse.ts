// Batches of Langfuse's SDKs on their way in: what comes in pieces waits on disk until it is whole,
// and becomes one event. Events do not change: what comes later is an event of its own.
import type { Ingest, IngestRefusal } from "./ingest.ts";
import {
  type Envelope,
  envelopeSchema,
  isComplete,
  merged,
  observationEvent,
  type Piece,
  pieceOf,
  singleEvent,
  traceEvent,
  updateEvent,
} from "./receive/langfuse.ts";
import type { Clock } from "./std/clock.ts";
import type { PendingItem } from "./store/pending.ts";

/** What this needs of the store. */
export interface PendingStore {
  all(): PendingItem[];
  put(items: readonly PendingItem[]): void;
  remove(items: readonly Pick<PendingItem, "project_id" | "key">[]): void;
}

export interface Answer {
  successes: { id: string; status: number }[];
  errors: { id: string; status: number; message: string }[];
}

interface Waiting {
  project_id: string;
  piece: Piece;
  updatedMs: number;
}

/** A trace is stored when nothing was added to it for so long. */
const traceQuietMs = 5000;
/** An observation that never ends is stored as it is. */
const observationQuietMs = 10 * 60 * 1000;
/** Updates without a creation may be older than it. */
const updateQuietMs = 5000;
/** The oldest are stored at once when more wait. */
const waitingMax = 50_000;
/** Traces whose user, session and release are remembered for observations that come later. */
const tracesMax = 10_000;

export class Langfuse {
  /** By project and key, in the order of their last change. */
  #waiting = new Map<string, Waiting>();
  #traces = new Map<string, Piece>();
  #settling: Promise<void> | null = null;

  constructor(
    readonly pending: PendingStore,
    readonly ingest: Pick<Ingest, "take">,
    readonly clock: Clock,
  ) {
    for (const { project_id, key, body, updated_at_ms } of pending.all()) {
      this.#waiting.set(`${project_id}/${key}`, {
        project_id,
        piece: JSON.parse(body) as Piece,
        updatedMs: updated_at_ms,
      });
    }
    for (const [key, { piece }] of this.#waiting) {
      if (piece.what === "trace") this.#remember(key, piece);
    }
  }

  /** Pieces that wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** On disk when it resolves, as an event or as a piece of one. */
  async take(
    project_id: string,
    batch: readonly unknown[],
    bytes: number,
  ): Promise<Answer | IngestRefusal> {
    const answer: Answer = { successes: [], errors: [] };
    const singles: Envelope[] = [];
    const changed = new Map<string, Waiting>();
    for (const value of batch) {
      const { data: envelope, error } = envelopeSchema.safeParse(value);
      if (envelope === undefined) {
        const [issue] = error.issues;
        const message = `${issue!.path.join(".") || "event"}: ${issue!.message}`;
        answer.errors.push({ id: idOf(value), status: 400, message });
        continue;
      }
      const piece = pieceOf(envelope);
      if (piece === null) {
        singles.push(envelope);
        continue;
      }
      this.#add(project_id, piece, changed);
      answer.successes.push({ id: envelope.id, status: 201 });
    }
    this.pending.put([...changed.values()].map(itemOf));
    const refusal = await this.#takeSingles(project_id, singles, bytes, answer);
    if (refusal !== null) return refusal;
    const whole = [...changed.values()].filter(({ piece }) => piece.created && isComplete(piece));
    // What is refused now stays on disk, and is tried again by the clock.
    await this.#store(whole);
    return answer;
  }

  /** Stores what has waited long enough; called by the clock. */
  settle(): Promise<void> {
    return this.#settling ??= this.#settle().finally(() => this.#settling = null);
  }

  async #settle(): Promise<void> {
    const nowMs = this.clock.nowMs();
    const waiting = [...this.#waiting.values()];
    const open = new Set(
      waiting.map(({ project_id, piece }) =>
        piece.what === "observation" ? `${project_id}/${String(piece.body.traceId)}` : null
      ),
    );
    let surplus = waiting.length - waitingMax;
    const due = waiting.filter(({ project_id, piece, updatedMs }) => {
      if (surplus-- > 0) return true;
      // While an observation of it is under way, more of the trace may come.
      if (piece.what === "trace" && open.has(`${project_id}/${piece.id}`)) return false;
      return Math.abs(nowMs - updatedMs) >= quietMsOf(piece);
    });
    await this.#store(due);
  }

  #add(project_id: string, piece: Piece, changed: Map<string, Waiting>): void {
    const key = `${project_id}/${keyOf(piece)}`;
    const before = this.#waiting.get(key);
    const waiting: Waiting = {
      project_id,
      piece: merged(before?.piece, piece),
      updatedMs: this.clock.nowMs(),
    };
    this.#waiting.delete(key);
    this.#waiting.set(key, waiting);
    changed.set(key, waiting);
    if (piece.what === "trace") this.#remember(key, waiting.piece);
  }

  #remember(key: string, trace: Piece): void {
    const { input: _input, output: _output, metadata: _metadata, ...body } = trace.body;
    this.#traces.delete(key);
    this.#traces.set(key, { ...trace, body });
    if (this.#traces.size > tracesMax) this.#traces.delete(this.#traces.keys().next().value!);
  }

  async #takeSingles(
    project_id: string,
    singles: readonly Envelope[],
    bytes: number,
    answer: Answer,
  ): Promise<IngestRefusal | null> {
    const events = singles.map((single) =>
      singleEvent(single, this.#traces.get(`${project_id}/trace/${single.body.traceId}`))
    );
    const receipt = await this.ingest.take(project_id, events, bytes);
    if ("reason" in receipt) return receipt;
    const rejected = new Map(receipt.rejected.map(({ index, message }) => [index, message]));
    singles.forEach(({ id }, index) => {
      const message = rejected.get(index);
      if (message === undefined) answer.successes.push({ id, status: 201 });
      else answer.errors.push({ id, status: 400, message });
    });
    return null;
  }

  async #store(whole: readonly Waiting[]): Promise<void> {
    for (const [project_id, group] of Map.groupBy(whole, ({ project_id }) => project_id)) {
      const [known, late] = [
        group.filter(({ piece }) => piece.created),
        group.filter(({ piece }) => !piece.created),
      ];
      const stored = [
        ...await this.#storeNew(project_id, known),
        ...await this.#storeLate(project_id, late),
      ];
      const done = stored.filter((waiting) =>
        // What was added to meanwhile waits on.
        this.#waiting.get(`${project_id}/${keyOf(waiting.piece)}`) === waiting
      );
      this.pending.remove(done.map(itemOf));
      for (const { piece } of done) this.#waiting.delete(`${project_id}/${keyOf(piece)}`);
    }
  }

  /** Returns what is an event now: nothing while the store is busy. */
  async #storeNew(project_id: string, group: readonly Waiting[]): Promise<readonly Waiting[]> {
    if (group.length === 0) return [];
    const events = group.map(({ piece }) => this.#eventOf(project_id, piece));
    const receipt = await this.ingest.take(project_id, events, 0);
    if ("reason" in receipt) return [];
    if (receipt.rejected.length === 0) return group;
    // It was acknowledged, so it is kept in the form that cannot be refused.
    const refused = receipt.rejected.map(({ index, message }) =>
      asItCame(group[index]!.piece, message)
    );
    return "reason" in await this.ingest.take(project_id, refused, 0) ? [] : group;
  }

  /** Updates without a creation: of something that was stored before, or the first that came. */
  async #storeLate(project_id: string, group: readonly Waiting[]): Promise<readonly Waiting[]> {
    const stored: Waiting[] = [];
    for (const waiting of group) {
      const { piece } = waiting;
      const first = await this.ingest.take(project_id, [this.#eventOf(project_id, piece)], 0);
      if ("reason" in first) continue;
      if (first.accepted === 0) {
        const update = first.rejected.length > 0
          ? asItCame(piece, first.rejected[0]!.message)
          : updateEvent(piece);
        if ("reason" in await this.ingest.take(project_id, [update], 0)) continue;
      }
      stored.push(waiting);
    }
    return stored;
  }

  #eventOf(project_id: string, piece: Piece): Record<string, unknown> {
    if (piece.what === "trace") return traceEvent(piece);
    return observationEvent(piece, this.#traces.get(`${project_id}/trace/${piece.body.traceId}`));
  }
}

/** Without the fields that the validator might not take. */
function asItCame(piece: Piece, reason: string): Record<string, unknown> {
  const { timestamp: _timestamp, ...event } = updateEvent(piece);
  return { ...event, status: "warning", attributes: { ...event.attributes as object, reason } };
}

function quietMsOf(piece: Piece): number {
  if (piece.what === "trace") return traceQuietMs;
  return isComplete(piece) ? updateQuietMs : observationQuietMs;
}

function keyOf({ what, id }: Piece): string {
  return `${what}/${id}`;
}

function itemOf({ project_id, piece, updatedMs }: Waiting): PendingItem {
  return {
    project_id,
    key: keyOf(piece),
    body: JSON.stringify(piece),
    updated_at_ms: updatedMs,
  };
}

function idOf(value: unknown): string {
  const id = (value as { id?: unknown } | null)?.id;
  return typeof id === "string" ? id.slice(0, 128) : "";
}
