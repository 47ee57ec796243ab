// History changed on request: mapped again after the mapping was mended, or priced again after the
// prices were. One job at a time; a job that was cut off is safe to run again.
import { type Event, type Field, fields } from "./event.ts";
import { setIssue } from "./issue/fingerprint.ts";
import { limits } from "./limits.ts";
import { remap } from "./map/remap.ts";
import type { Pricer } from "./price/pricer.ts";
import { reprice } from "./price/reprice.ts";
import { toEvent } from "./query/event_json.ts";
import { lineOf } from "./receive/batch.ts";
import { addCopies, receiveEvent } from "./receive/event.ts";
import type { RewriteAsked, RewriteProgress, StoredRow } from "./store/rewrite.ts";

export const rewriteKinds = ["remap", "reprice"] as const;
export type RewriteKind = (typeof rewriteKinds)[number];

/** What a rewrite needs of the store. */
export interface RewrittenStore {
  /** Throws RewriteBusy, and the signal's reason. */
  rewrite(asked: RewriteAsked): Promise<RewriteProgress>;
}

export interface RewriteOrder {
  kind: RewriteKind;
  project_ids: readonly string[];
  /** ISO 8601; null is open. */
  since: string | null;
  until: string | null;
  dry_run: boolean;
}

/** What a rewrite has done so far, over all its projects. */
export interface RewriteCounts {
  looked_at: number;
  changed: number;
  /** Changed events in which a field is another. */
  fields: Record<string, number>;
  /** Events that stay as they are, because what they would become cannot be stored. */
  refused: number;
  files_looked_at: number;
  files_total: number;
  files_written: number;
}

export interface RewriteRun {
  order: RewriteOrder;
  counts: RewriteCounts;
}

export function noCounts(): RewriteCounts {
  const files = { files_looked_at: 0, files_total: 0, files_written: 0 };
  return { looked_at: 0, changed: 0, fields: {}, refused: 0, ...files };
}

/** Carries out an order; `run.counts` rises as it goes on. Throws what the store throws. */
export async function rewriteHistory(
  store: RewrittenStore,
  prices: { of(project_id: string): Pricer },
  run: RewriteRun,
  signal: AbortSignal,
): Promise<void> {
  const { order, counts } = run;
  for (const project_id of order.project_ids) {
    const before = { ...counts };
    const change = changeOf(order.kind, prices.of(project_id), counts);
    await store.rewrite({
      project_id,
      ...order.since === null ? {} : { since: order.since },
      ...order.until === null ? {} : { until: order.until },
      reason: order.kind,
      dryRun: order.dry_run,
      signal,
      change,
      onProgress: (progress) => {
        counts.looked_at = before.looked_at + progress.looked_at;
        counts.changed = before.changed + progress.changed;
        counts.files_looked_at = before.files_looked_at + progress.files_looked_at;
        counts.files_total = before.files_total + progress.files_total;
        counts.files_written = before.files_written + progress.files_written;
      },
    });
  }
}

/** What a row is known by, and where it lies, never changes. */
const fixed = ["event_id", "project_id", "timestamp", "received_at"] as const;

/** A stored row → the line that is to stand in its place, or null. */
export function changeOf(
  kind: RewriteKind,
  pricer: Pricer,
  counts: Pick<RewriteCounts, "fields" | "refused">,
): (row: StoredRow) => string | null {
  return (row) => {
    const stored = toEvent(row) as Event;
    const changed = kind === "remap" ? remapped(stored, pricer) : repriced(stored, pricer);
    if (changed === "refused") counts.refused++;
    if (changed === null || changed === "refused") return null;
    for (const name of fixed) Object.assign(changed, { [name]: stored[name] });
    const line = lineOf(changed);
    if (Buffer.byteLength(line) > limits.eventBytesMax) {
      counts.refused++;
      return null;
    }
    const names = differences(stored, JSON.parse(line) as Event);
    if (names.length === 0) return null;
    for (const name of names) counts.fields[name] = (counts.fields[name] ?? 0) + 1;
    return line;
  };
}

function repriced(stored: Event, pricer: Pricer): Event | null {
  const event = { ...stored };
  if (!reprice(event, pricer)) return null;
  addCopies(event);
  return event;
}

/** Fields that a producer cannot send, but the event has. */
const added = (fields as readonly Field[]).filter(({ derived }) => derived === "added")
  .map(({ name }) => name);

function remapped(stored: Event, pricer: Pricer): Event | "refused" | null {
  const draft = remap(stored);
  if (draft === null) return null;
  const ours = added.flatMap((name) => {
    const value = draft[name];
    delete draft[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const verdict = receiveEvent(draft, {
    received_at: stored.received_at,
    project_id: stored.project_id,
    latestMs: Infinity,
    newId: () => stored.event_id,
  });
  if ("rejection" in verdict) return "refused";
  const { event } = verdict;
  Object.assign(event, Object.fromEntries(ours));
  const before = stored.cost_estimate_usd;
  pricer.price(event);
  setIssue(event);
  const isOther = event.cost_estimate_usd !== before;
  if (before !== undefined && isOther && stored.cost_details !== undefined) {
    event.cost_original_usd = stored.cost_original_usd ?? before;
  }
  return event;
}

const copies = new Set(
  (fields as readonly Field[]).filter(({ derived }) => derived === "copy").map(({ name }) => name),
);

/** Fields that are not the same, but those that are made of others. */
function differences(before: Event, after: Event): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) =>
    !copies.has(name) && !Bun.deepEquals(before[name as keyof Event], after[name as keyof Event])
  );
}
