// OTLP exports on their way in: decode → map → take, in turns of bounded length, counted by signal.
import type { Ingest, IngestRefusal, Receipt } from "./ingest.ts";
import { loggerOf } from "./logging.ts";
import { decode, type Items } from "./receive/otlp/decode.ts";
import {
  type Encoding,
  type Export,
  type ExportRefusal,
  itemNames,
  type Rejected,
  rejectedText,
  type Signal,
  signals,
} from "./receive/otlp/export.ts";

type Draft = Record<string, unknown>;

/** What becomes of the items of an export. */
export interface ExportTarget {
  /** An event, like one of POST /v1/events. */
  traces(span: Items["traces"]): Draft;
  logs(record: Items["logs"]): Draft;
  metrics(
    project_id: string,
    points: readonly Items["metrics"][],
    bytes: number,
  ): Promise<Receipt | IngestRefusal>;
}

export interface ExportReceipt {
  accepted: number;
  duplicates: number;
  sampled_out: number;
  rejected: number;
  /** Why; empty when nothing was rejected. */
  message: string;
}

/** Since the start, for /metrics. */
export interface ExportCounters {
  accepted: number;
  duplicates: number;
  rejected: Map<string, number>;
  refused: Map<string, number>;
}

const log = loggerOf("otlp");

/** What is taken in one go: other requests have their turn in between. */
const itemsPerTurnMax = 1000;
const bytesPerTurn = 2 * 1024 * 1024;
const nameCharactersMax = 80;

export class Exports {
  readonly counters = Object.fromEntries(
    signals.map((signal) => [
      signal,
      { accepted: 0, duplicates: 0, rejected: new Map(), refused: new Map() },
    ]),
  ) as Record<Signal, ExportCounters>;

  constructor(readonly ingest: Ingest, readonly target: ExportTarget) {}

  /**
   * When a turn is refused the whole export is: what was taken before is known by its ids when it
   * comes again.
   */
  async take<S extends Signal>(
    project_id: string,
    signal: S,
    encoding: Encoding,
    body: Uint8Array,
  ): Promise<ExportReceipt | ExportRefusal | IngestRefusal> {
    const decoded: Export<Items[S]> | ExportRefusal = decode(signal, encoding, body);
    if ("reason" in decoded) return decoded;
    const { items } = decoded;
    const rejected: Rejected<string> = decoded.rejected;
    const receipt = { accepted: 0, duplicates: 0, sampled_out: 0 };
    const fitting = Math.ceil(items.length * bytesPerTurn / body.length);
    const itemsPerTurn = Math.min(fitting, itemsPerTurnMax);
    for (let from = 0; from < items.length; from += itemsPerTurn) {
      const turn = items.slice(from, from + itemsPerTurn);
      const taken = await this.#takeTurn(project_id, signal, turn, from === 0 ? body.length : 0);
      if ("reason" in taken) return taken;
      receipt.accepted += taken.accepted;
      receipt.duplicates += taken.duplicates;
      receipt.sampled_out += taken.sampled_out;
      for (const { index, reason, message } of taken.rejected) {
        const isOurs = reason === "not_an_object" && signal !== "metrics";
        rejected.add(
          isOurs ? "internal_error" : reason,
          () => `${itemNames[signal]} ${nameOf(turn[index]!)}: ${isOurs ? mappingFailed : message}`,
        );
      }
    }
    return this.#counted(signal, receipt, rejected);
  }

  countRefused(signal: Signal, reason: string): void {
    count(this.counters[signal].refused, reason, 1);
  }

  #takeTurn<S extends Signal>(
    project_id: string,
    signal: S,
    turn: readonly Items[S][],
    bytes: number,
  ): Promise<Receipt | IngestRefusal> {
    const { target } = this;
    switch (signal) {
      case "metrics":
        return target.metrics(project_id, turn as readonly Items["metrics"][], bytes);
      case "logs": {
        const records = turn as readonly Items["logs"][];
        return this.ingest.take(project_id, records.map((one) => mapped(one, target.logs)), bytes);
      }
      default: {
        const spans = turn as readonly Items["traces"][];
        return this.ingest.take(project_id, spans.map((one) => mapped(one, target.traces)), bytes);
      }
    }
  }

  #counted(
    signal: Signal,
    receipt: Pick<ExportReceipt, "accepted" | "duplicates" | "sampled_out">,
    rejected: Rejected<string>,
  ): ExportReceipt {
    const counters = this.counters[signal];
    counters.accepted += receipt.accepted;
    counters.duplicates += receipt.duplicates;
    for (const [reason, items] of rejected.byReason) count(counters.rejected, reason, items);
    const total = receipt.accepted + receipt.duplicates + receipt.sampled_out + rejected.count;
    const message = rejected.count === 0 ? "" : rejectedText(signal, rejected, total);
    return { ...receipt, rejected: rejected.count, message };
  }
}

const mappingFailed = "the server failed on it; its log says why.";

/** An item that the mapping fails on is a bug of ours; its neighbours do not pay for it. */
function mapped<Item extends Items[Signal]>(item: Item, map: (item: Item) => Draft): Draft | null {
  try {
    return map(item);
  } catch (error) {
    log.error("Cannot map {name}: {error}", { name: nameOf(item), error });
    return null;
  }
}

function nameOf(item: Items[Signal]): string {
  const name = "name" in item ? item.name : item.event_name;
  return `"${name.slice(0, nameCharactersMax)}"`;
}

function count(counters: Map<string, number>, reason: string, by: number): void {
  counters.set(reason, (counters.get(reason) ?? 0) + by);
}
