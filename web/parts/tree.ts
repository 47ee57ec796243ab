// A run's events as rows of a tree that folds, and where each stands in time. Pure.
import type { RunEvent } from "../api.ts";

export interface TreeRow {
  event: RunEvent;
  index: number;
  hasChildren: boolean;
  folded: boolean;
}

/** Rows that are not inside a folded one. Events come in pre-order. */
export function visibleRows(events: readonly RunEvent[], folded: ReadonlySet<string>): TreeRow[] {
  const rows: TreeRow[] = [];
  let hiddenBelow = Infinity;
  events.forEach((event, index) => {
    if (event.depth > hiddenBelow) return;
    hiddenBelow = Infinity;
    const hasChildren = (events[index + 1]?.depth ?? -1) > event.depth;
    const isFolded = hasChildren && folded.has(event.event_id);
    if (isFolded) hiddenBelow = event.depth;
    rows.push({ event, index, hasChildren, folded: isFolded });
  });
  return rows;
}

export interface Span {
  fromMs: number;
  toMs: number;
}

/** From the first start to the last end; never empty. */
export function spanOf(events: readonly RunEvent[]): Span {
  let fromMs = Infinity;
  let toMs = -Infinity;
  for (const { timestamp, latency_ms } of events) {
    const start = Date.parse(timestamp);
    fromMs = Math.min(fromMs, start);
    toMs = Math.max(toMs, start + (latency_ms ?? 0));
  }
  if (!Number.isFinite(fromMs)) return { fromMs: 0, toMs: 1 };
  return { fromMs, toMs: Math.max(toMs, fromMs + 1) };
}

/** Left edge and width of the event's bar, in percent of the whole. */
export function barOf(
  { timestamp, latency_ms }: RunEvent,
  { fromMs, toMs }: Span,
): [number, number] {
  const left = (Date.parse(timestamp) - fromMs) / (toMs - fromMs) * 100;
  return [left, (latency_ms ?? 0) / (toMs - fromMs) * 100];
}

/** Index of the row's parent among the visible rows; -1 at the top. */
export function parentRow(rows: readonly TreeRow[], at: number): number {
  const depth = rows[at]?.event.depth ?? 0;
  for (let index = at - 1; index >= 0; index--) {
    if ((rows[index]?.event.depth ?? 0) < depth) return index;
  }
  return -1;
}

/** The part of a list that is on screen, and a little more on each side. */
export function windowOf(
  scrollPx: number,
  heightPx: number,
  rowPx: number,
  count: number,
): [number, number] {
  const spare = 12;
  const from = Math.max(0, Math.floor(scrollPx / rowPx) - spare);
  return [from, Math.min(count, Math.ceil((scrollPx + heightPx) / rowPx) + spare)];
}
