// The traffic strip: how many events over time, by status. Dragging on it sets the range of time.
import { useRef, useState } from "preact/hooks";
import type { Metrics } from "../api.ts";
import { clock, day, plural, short } from "./format.ts";
import { html, type View } from "./html.ts";

/** Bottom to top; the order in which they are stacked. */
const order = ["success", "warning", "assertion_failed", "timeout", "error"];
const heightPx = 44;
/** A shorter drag is a click. */
const dragPxMin = 4;

interface Bucket {
  start: number;
  total: number;
  byStatus: Map<string, number>;
}

export function Strip(
  { metrics, choose }: { metrics: Metrics; choose: (fromMs: number, toMs: number) => void },
): View {
  const ref = useRef<SVGSVGElement>(null);
  const [drag, setDrag] = useState<[number, number] | null>(null);
  const [over, setOver] = useState<number | null>(null);
  const buckets = bucketsOf(metrics);
  const step = metrics.interval_seconds * 1000;
  const from = Math.floor(Date.parse(metrics.since) / step) * step;
  const to = Math.max(Date.parse(metrics.until), from + step);
  const most = Math.max(1, ...buckets.map(({ total }) => total));
  const x = (ms: number) => (ms - from) / (to - from) * 1000;
  const at = (event: PointerEvent) => {
    const box = ref.current?.getBoundingClientRect();
    if (box === undefined || box.width === 0) return 0;
    return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
  };
  const timeAt = (share: number) => from + share * (to - from);
  const down = (event: PointerEvent) => {
    ref.current?.setPointerCapture(event.pointerId);
    setDrag([at(event), at(event)]);
  };
  const move = (event: PointerEvent) => {
    setOver(at(event));
    if (drag !== null) setDrag([drag[0], at(event)]);
  };
  const up = () => {
    const width = ref.current?.getBoundingClientRect().width ?? 0;
    if (drag !== null && Math.abs(drag[1] - drag[0]) * width >= dragPxMin) {
      choose(timeAt(Math.min(...drag)), timeAt(Math.max(...drag)));
    }
    setDrag(null);
  };
  const hovered = over === null
    ? undefined
    : buckets.find(({ start }) => timeAt(over) >= start && timeAt(over) < start + step);
  const total = buckets.reduce((sum, bucket) => sum + bucket.total, 0);
  return html`
    <figure class="strip">
      <svg ref=${ref} viewBox=${`0 0 1000 ${heightPx}`} preserveAspectRatio="none" role="img"
        aria-label=${`${plural(total, "event")} over time; at most ${most} in one bar`}
        onPointerDown=${down} onPointerMove=${move} onPointerUp=${up}
        onPointerCancel=${() => setDrag(null)} onPointerLeave=${() => setOver(null)}>
          ${buckets.map((bucket) => {
            let y = heightPx;
            return order.map((status) => {
              const count = bucket.byStatus.get(status) ?? 0;
              if (count === 0) return null;
              const height = Math.max(1.5, count / most * (heightPx - 2));
              y -= height;
              const left = Math.max(0, x(bucket.start));
              const width = Math.max(1, (x(bucket.start + step) - left) * 0.86);
              return html`
                <rect key=${`${bucket.start} ${status}`} class=${`bar-${status}`} x=${left} y=${y} width=${width}
                  height=${height} />
              `;
            });
          })}
          ${drag === null
            ? null
            : html`<rect class="strip-drag" x=${Math.min(...drag) * 1000} y="0" width=${
              Math.abs(drag[1] - drag[0]) * 1000
            } height=${heightPx} />`}
        </svg>
      <figcaption><span>${tick(
        from,
        to - from,
      )}</span><span class="strip-said">${hovered === undefined
        ? `peak ${short(most)} per ${stepWord(metrics.interval_seconds)}`
        : said(hovered, to - from)}</span><span>${tick(to, to - from)}</span></figcaption>
    </figure>
  `;
}

function said({ start, total, byStatus }: Bucket, spanMs: number): string {
  const failed = order.slice(1).flatMap((status) => {
    const count = byStatus.get(status) ?? 0;
    return count === 0 ? [] : [`${count} ${status.replace("_", " ")}`];
  });
  return [tick(start, spanMs), plural(total, "event"), ...failed].join(" · ");
}

function bucketsOf({ series }: Metrics): Bucket[] {
  const buckets = new Map<number, Bucket>();
  for (const { bucket, group, requests } of series) {
    const start = Date.parse(bucket);
    const known = buckets.get(start) ?? { start, total: 0, byStatus: new Map() };
    known.total += requests;
    const status = group ?? "success";
    known.byStatus.set(status, (known.byStatus.get(status) ?? 0) + requests);
    buckets.set(start, known);
  }
  return [...buckets.values()].sort((a, b) => a.start - b.start);
}

export function tick(ms: number, spanMs: number): string {
  const date = new Date(ms);
  if (spanMs > 3 * 86_400_000) return day(date);
  const time = spanMs < 3_600_000 ? clock(date) : clock(date).slice(0, 5);
  return spanMs > 20 * 3_600_000 ? `${day(date).slice(5)} ${time}` : time;
}

export function stepWord(seconds: number): string {
  if (seconds % 86_400 === 0) return seconds === 86_400 ? "day" : `${seconds / 86_400} days`;
  if (seconds % 3600 === 0) return seconds === 3600 ? "hour" : `${seconds / 3600} hours`;
  if (seconds % 60 === 0) return seconds === 60 ? "minute" : `${seconds / 60} minutes`;
  return seconds === 1 ? "second" : `${seconds} seconds`;
}
