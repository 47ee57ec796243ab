// Batches of Langfuse's SDKs on their way in: what comes in pieces is masked, waits on disk until it is
// whole, and becomes one event. Events do not change: what comes later is an event of its own.
import { type Ingest, type IngestRefusal, refusalOf } from "./ingest.ts";
import { limits } from "./limits.ts";
import type { Treated } from "./receive/batch.ts";
import { receiveEvent } from "./receive/event.ts";
import {
  aboutTrace,
  type Envelope,
  envelopeSchema,
  eventOf,
  isComplete,
  merged,
  type Piece,
  pieceOf,
  singleEvent,
} from "./receive/langfuse.ts";
import type { Fields } from "./receive/langfuse_body.ts";
import { newsOf, updateEvents } from "./receive/langfuse_update.ts";
import { timestampOf } from "./receive/timestamp.ts";
import type { Clock } from "./std/clock.ts";
import { AppendError } from "./store/log.ts";
import type { PendingItem } from "./store/pending.ts";

/** What this needs of others. */
export interface LangfuseParts {
  pending: {
    all(): PendingItem[];
    /** Throws AppendError. */
    put(items: readonly PendingItem[]): void;
    remove(items: readonly Pick<PendingItem, "project_id" | "key">[]): void;
  };
  ingest: Pick<Ingest, "prepare" | "take">;
  /** The stored event; null when there is none. */
  stored(project_id: string, event_id: string): Promise<Fields | null>;
  /** Keeps files from being swept until the function is called. */
  hold(project_id: string, hashes: readonly string[]): () => void;
  clock: Clock;
}

export interface Answer {
  successes: { id: string; status: number }[];
  errors: { id: string; status: number; message: string }[];
}

interface Waiting {
  project_id: string;
  piece: Piece;
  treated: Treated;
  updatedMs: number;
  /** As it stands on disk. */
  item: PendingItem;
  /** Lets its files go. */
  release(): void;
}

/** An envelope, and what was made of it. */
interface Part {
  mark: string;
  envelope: Envelope;
  piece: Piece | null;
  event: Fields;
}

/** A trace is stored when nothing was added to it for so long. */
const traceQuietMs = 5000;
/** An observation that never ends is stored as it is. */
const observationQuietMs = 10 * 60 * 1000;
/** Updates without a creation may be older than it. */
const updateQuietMs = 5000;
/** The oldest are stored at once when more wait. */
const waitingMax = 50_000;
const waitingBytesMax = 64 * 1024 * 1024;
/** Traces whose user, session and release are remembered for observations that come later. */
const tracesMax = 10_000;
/** Envelopes that are known when they are sent again, because the answer was lost. */
const envelopesMax = 50_000;
/** Pieces that are stored at a time. */
const storedAtOnceMax = 256;

export class Langfuse {
  /** By project and key, in the order of their last change. */
  #waiting = new Map<string, Waiting>();
  #bytes = 0;
  #traces = new Map<string, Fields>();
  #envelopes = new Set<string>();
  #settling: Promise<void> | null = null;

  constructor(readonly parts: LangfuseParts) {
    for (const item of parts.pending.all()) {
      const { piece, treated } = JSON.parse(item.body) as Pick<Waiting, "piece" | "treated">;
      this.#keep({
        project_id: item.project_id,
        piece,
        treated,
        updatedMs: item.updated_at_ms,
        item,
        release: parts.hold(item.project_id, treated.blobs),
      });
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
    if (this.#bytes > waitingBytesMax) {
      await this.settle();
      if (this.#bytes > waitingBytesMax) {
        return { reason: "busy", message: "Too much waits to become events; send again later." };
      }
    }
    const answer: Answer = { successes: [], errors: [] };
    const parts = this.#read(project_id, batch, answer);
    const prepared = await this.parts.ingest.prepare(project_id, parts.map(({ event }) => event));
    if ("reason" in prepared) return prepared;
    try {
      const treated = new Map(parts.map((part, at) => [part, prepared.treated[at]!]));
      const changed = this.#add(project_id, parts, treated, answer);
      if ("reason" in changed) return changed;
      const refusal = await this.#takeSingles(project_id, parts, treated, bytes, answer);
      if (refusal !== null) return refusal;
      // What is refused now stays on disk, and is tried again by the clock.
      await this.#store(changed.filter(({ piece }) => piece.created && isComplete(piece)));
      return answer;
    } finally {
      prepared.release();
    }
  }

  /** Fields of what waits: the event's as far as it is known, and what its trace says. */
  pieces(project_id: string): Fields[] {
    return [...this.#waiting.values()].filter((waiting) => waiting.project_id === project_id)
      .map((waiting) => this.#fieldsOf(waiting));
  }

  #fieldsOf({ project_id, piece: { event } }: Waiting): Fields {
    return { ...this.#traceOf(project_id, event.run_id), ...event };
  }

  /**
   * Forgets what waits and was last added to at or before the time, and what is remembered of its
   * traces, where the fields are those that are to go; returns how many waited. Off the disk when
   * it returns.
   */
  erase(project_id: string, untilMs: number, isGone: (event: Fields) => boolean): number {
    const gone = [...this.#waiting.values()].filter((waiting) =>
      waiting.project_id === project_id && waiting.updatedMs <= untilMs &&
      isGone(this.#fieldsOf(waiting))
    );
    this.parts.pending.remove(gone.map(({ item }) => item));
    for (const { item } of gone) this.#forget(`${project_id}/${item.key}`);
    for (const [key, about] of this.#traces) {
      const [, run_id] = key.split("/trace/");
      if (key.startsWith(`${project_id}/trace/`) && isGone({ ...about, run_id })) {
        this.#traces.delete(key);
      }
    }
    return gone.length;
  }

  /** Stores what has waited long enough; called by the clock. */
  settle(): Promise<void> {
    return this.#settling ??= this.#settle().finally(() => this.#settling = null);
  }

  async #settle(): Promise<void> {
    const nowMs = this.parts.clock.nowMs();
    const waiting = [...this.#waiting.values()];
    const open = new Set(
      waiting.filter(({ piece }) => piece.what === "observation")
        .map(({ project_id, piece }) => `${project_id}/${String(piece.event.run_id)}`),
    );
    let [surplus, bytes] = [waiting.length - waitingMax, this.#bytes - waitingBytesMax];
    const due = waiting.filter(({ project_id, piece, updatedMs, item }) => {
      const crowded = surplus > 0 || bytes > 0;
      const isQuiet = Math.abs(nowMs - updatedMs) >= quietMsOf(piece) &&
        // While an observation of it is under way, more of the trace may come.
        !(piece.what === "trace" && open.has(`${project_id}/${piece.id}`));
      if (!crowded && !isQuiet) return false;
      surplus--;
      bytes -= item.body.length;
      return true;
    });
    await this.#store(due);
  }

  /** What the batch says, without envelopes that were taken before. */
  #read(project_id: string, batch: readonly unknown[], answer: Answer): Part[] {
    const parts: Part[] = [];
    for (const value of batch) {
      const { data: envelope, error } = envelopeSchema.safeParse(value);
      if (envelope === undefined) {
        const [issue] = error.issues;
        const message = `${issue!.path.join(".") || "event"}: ${issue!.message}`;
        answer.errors.push({ id: idOf(value), status: 400, message });
        continue;
      }
      const mark = `${project_id}/${envelope.id}/${Bun.hash(JSON.stringify(envelope))}`;
      if (this.#envelopes.has(mark)) {
        answer.successes.push({ id: envelope.id, status: 201 });
        continue;
      }
      const piece = pieceOf(envelope);
      parts.push({ mark, envelope, piece, event: piece?.event ?? singleEvent(envelope) });
    }
    return parts;
  }

  /** Puts the pieces on disk, beside what is known; what would be no event is named. */
  #add(
    project_id: string,
    parts: readonly Part[],
    treated: ReadonlyMap<Part, Treated>,
    answer: Answer,
  ): Waiting[] | IngestRefusal {
    const changed = new Map<string, Waiting>();
    const taken: Part[] = [];
    for (const part of parts) {
      if (part.piece === null) continue;
      const key = keyOf(part.piece);
      const before = changed.get(key) ?? this.#waiting.get(`${project_id}/${key}`);
      const after = this.#waitingOf(
        project_id,
        merged(before?.piece, part.piece),
        mergedTreated(before?.treated, treated.get(part)!),
      );
      const message = this.#faultOf(after);
      if (message === null) {
        changed.set(key, after);
        taken.push(part);
      } else answer.errors.push({ id: part.envelope.id, status: 400, message });
    }
    try {
      this.parts.pending.put([...changed.values()].map(({ item }) => item));
    } catch (error) {
      if (error instanceof AppendError) return refusalOf(error);
      throw error;
    }
    for (const waiting of changed.values()) {
      waiting.release = this.parts.hold(project_id, waiting.treated.blobs);
      this.#keep(waiting);
    }
    for (const { mark, envelope } of taken) {
      this.#know(mark);
      answer.successes.push({ id: envelope.id, status: 201 });
    }
    return [...changed.values()];
  }

  #waitingOf(project_id: string, piece: Piece, treated: Treated): Waiting {
    const updatedMs = this.parts.clock.nowMs();
    const body = JSON.stringify({ piece, treated });
    const item = { project_id, key: keyOf(piece), body, updated_at_ms: updatedMs };
    return { project_id, piece, treated, updatedMs, item, release: () => {} };
  }

  /** Why it could never be stored: told while the sender listens. */
  #faultOf({ project_id, piece, item }: Waiting): string | null {
    if (item.body.length > limits.eventBytesMax) {
      return `With what came before it has more than ${limits.eventBytesMax} bytes.`;
    }
    const nowMs = this.parts.clock.nowMs();
    const verdict = receiveEvent(eventOf(piece, undefined), {
      received_at: timestampOf(nowMs),
      project_id,
      latestMs: nowMs + limits.aheadMsMax,
      newId: Bun.randomUUIDv7,
    });
    return "rejection" in verdict ? verdict.rejection.message : null;
  }

  #keep(waiting: Waiting): void {
    const { project_id, piece, item } = waiting;
    const key = `${project_id}/${item.key}`;
    this.#forget(key);
    this.#waiting.set(key, waiting);
    this.#bytes += item.body.length;
    if (piece.what !== "trace") return;
    this.#traces.delete(key);
    this.#traces.set(key, aboutTrace(piece));
    if (this.#traces.size > tracesMax) this.#traces.delete(this.#traces.keys().next().value!);
  }

  #forget(key: string): void {
    const before = this.#waiting.get(key);
    if (before === undefined) return;
    this.#waiting.delete(key);
    this.#bytes -= before.item.body.length;
    before.release();
  }

  #know(mark: string): void {
    this.#envelopes.add(mark);
    if (this.#envelopes.size > envelopesMax) {
      this.#envelopes.delete(this.#envelopes.values().next().value!);
    }
  }

  #traceOf(project_id: string, run_id: unknown): Fields | undefined {
    return this.#traces.get(`${project_id}/trace/${String(run_id)}`);
  }

  async #takeSingles(
    project_id: string,
    parts: readonly Part[],
    treated: ReadonlyMap<Part, Treated>,
    bytes: number,
    answer: Answer,
  ): Promise<IngestRefusal | null> {
    const singles = parts.filter(({ piece }) => piece === null);
    const outcomes = await Promise.all(singles.map((part, at) => {
      const { event } = part;
      // A trace of OpenTelemetry is no span of its own.
      const isKnown = this.#traceOf(project_id, event.run_id) !== undefined;
      if (event.event_type === "score" && isKnown) event.parent_span_id ??= event.run_id;
      return this.#storeOnce(project_id, event, treated.get(part)!, at === 0 ? bytes : 0);
    }));
    for (const [at, outcome] of outcomes.entries()) {
      const { mark, envelope: { id } } = singles[at]!;
      if (outcome === null) {
        this.#know(mark);
        answer.successes.push({ id, status: 201 });
      } else if (typeof outcome === "string") {
        answer.errors.push({ id, status: 400, message: outcome });
      } else return outcome;
    }
    return null;
  }

  async #store(whole: readonly Waiting[]): Promise<void> {
    let failure: unknown = null;
    for (let from = 0; from < whole.length; from += storedAtOnceMax) {
      const group = whole.slice(from, from + storedAtOnceMax);
      const outcomes = await Promise.allSettled(group.map((waiting) => this.#storePiece(waiting)));
      const done = group.filter((waiting, at) => {
        const outcome = outcomes[at]!;
        if (outcome.status === "rejected") failure ??= outcome.reason;
        else if (outcome.value === null) {
          // What was added to meanwhile waits on.
          return this.#waiting.get(`${waiting.project_id}/${waiting.item.key}`) === waiting;
        }
        return false;
      });
      this.parts.pending.remove(done.map(({ item }) => item));
      for (const { project_id, item } of done) this.#forget(`${project_id}/${item.key}`);
    }
    if (failure !== null) throw failure;
  }

  async #storePiece({ project_id, piece, treated }: Waiting): Promise<IngestRefusal | null> {
    const trace = this.#traceOf(project_id, piece.event.run_id);
    const event = eventOf(piece, trace);
    const outcome = await this.#storeOnce(project_id, event, withRun(treated, event, trace), 0);
    // It was judged when it came, so this is a bug; it waits where it is.
    if (typeof outcome === "string") throw new Error(`${event.event_id} was refused: ${outcome}`);
    return outcome;
  }

  /** Null when it is stored, whatever was before; the reason when it cannot be. */
  async #storeOnce(
    project_id: string,
    event: Fields,
    treated: Treated,
    bytes: number,
  ): Promise<IngestRefusal | string | null> {
    const { ingest, stored } = this.parts;
    const receipt = await ingest.take(project_id, [event], bytes, new Map([[event, treated]]));
    if ("reason" in receipt) return receipt;
    if (receipt.rejected.length > 0) return receipt.rejected[0]!.message;
    if (receipt.duplicates === 0) return null;
    const before = await stored(project_id, String(event.event_id)) ?? {};
    const news = newsOf(event, before);
    if (news === null) return null;
    const updates = updateEvents(event, news, before);
    const { blobs, found } = treated;
    const told = { blobs, found: found === null ? null : { counts: found.counts } };
    const second = await ingest.take(
      project_id,
      updates,
      0,
      new Map(updates.map((update) => [update, told])),
    );
    return "reason" in second ? second : second.rejected[0]?.message ?? null;
  }
}

function mergedTreated(before: Treated | undefined, added: Treated): Treated {
  if (before === undefined) return added;
  const [one, other] = [before.found, added.found];
  const counts = { ...one?.counts };
  for (const [kind, count] of Object.entries(other?.counts ?? {})) {
    counts[kind] = (counts[kind] ?? 0) + count;
  }
  return {
    blobs: [...new Set([...before.blobs, ...added.blobs])],
    found: one === null && other === null
      ? null
      : { counts, events: [...one?.events ?? [], ...other?.events ?? []] },
  };
}

/** A piece that was masked may not have known its run; what was found in it stands in the same. */
function withRun(treated: Treated, { run_id }: Fields, trace: Fields | undefined): Treated {
  const { found } = treated;
  if (!found?.events?.length || run_id === undefined) return treated;
  const { user_id, session_id } = trace ?? {};
  const events = found.events.map((event) => ({ user_id, session_id, ...event, run_id }));
  return { ...treated, found: { ...found, events } };
}

function quietMsOf(piece: Piece): number {
  if (piece.what === "trace") return traceQuietMs;
  return isComplete(piece) ? updateQuietMs : observationQuietMs;
}

function keyOf({ what, id }: Piece): string {
  return `${what}/${id}`;
}

function idOf(value: unknown): string {
  const id = (value as { id?: unknown } | null)?.id;
  return typeof id === "string" ? id.slice(0, 128) : "";
}
