// The stretch of time: presets, back and forward, zoom out, fit, and a stretch of one's own.
import { useEffect, useRef, useState } from "preact/hooks";
import { go, here } from "./address.ts";
import { html, type View } from "./html.ts";
import { icon } from "./icons.ts";
import { useKeys } from "./keys.ts";
import { fit, range } from "./state.ts";
import { allTime, instantMs, iso, localInput, presets, rangeLabel, shifted } from "./time_range.ts";

export function chooseRange(since: string | null, until: string | null): void {
  go(here({ since: since ?? allTime, until }));
}

/** Of a drag over a chart: whole seconds, and never an empty stretch. */
export function chooseBetween(fromMs: number, toMs: number): void {
  const from = Math.floor(fromMs / 1000) * 1000;
  chooseRange(iso(from), iso(Math.max(Math.ceil(toMs / 1000) * 1000, from + 1000)));
}

export function RangePicker(): View {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const { since, until } = range.value;
  useEffect(() => {
    if (!open) return;
    const outside = (event: Event) => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);
  const bounds = () => {
    const now = Date.now();
    const to = until === null ? now : instantMs(until, now) ?? now;
    const from = since === null ? to - 86_400_000 : instantMs(since, now) ?? to;
    return [from, to] as const;
  };
  const shift = (how: "back" | "forward" | "out") => {
    const next = shifted(...bounds(), how);
    chooseRange(next.since, next.until);
  };
  const pick = (value: string | null) => {
    chooseRange(value, null);
    setOpen(false);
  };
  return html`<div class="range" ref=${box}>
    <button type="button" class="range-step" aria-label="Earlier" title="Earlier" onClick=${() =>
    shift("back")}>${icon("back")}</button>
    <button type="button" class="range-now" aria-expanded=${open} aria-haspopup="dialog" onClick=${() =>
    setOpen(!open)}>${icon("clock")}<span>${rangeLabel(range.value)}</span></button>
    <button type="button" class="range-step" aria-label="Later" title="Later" disabled=${
    until === null
  } onClick=${() => shift("forward")}>${icon("forward")}</button>
    <button type="button" class="range-step" aria-label="Zoom out" title="Zoom out" onClick=${() =>
    shift("out")}>${icon("zoom_out")}</button>
    ${
    open ? html`<${Panel} pick=${pick} bounds=${bounds()} close=${() => setOpen(false)} />` : null
  }
  </div>`;
}

function Panel(
  { pick, bounds, close }: {
    pick: (value: string | null) => void;
    bounds: readonly [number, number];
    close: () => void;
  },
): View {
  const [from, setFrom] = useState(localInput(bounds[0]));
  const [to, setTo] = useState(localInput(bounds[1]));
  const first = useRef<HTMLButtonElement>(null);
  useEffect(() => first.current?.focus(), []);
  useKeys({ Escape: close });
  const { since, until } = range.value;
  const apply = (event: Event) => {
    event.preventDefault();
    const [start, end] = [Date.parse(from), Date.parse(to)];
    if (Number.isNaN(start) || Number.isNaN(end) || end <= start) return;
    chooseBetween(start, end);
    close();
  };
  const valid = Date.parse(to) > Date.parse(from);
  return html`
    <div class="panel range-panel" role="dialog" aria-label="Range of time">
      <div class="range-presets">
          <button ref=${first} type="button" onClick=${() => {
            void fit(true);
            close();
          }}>Fit to the data</button>
          ${presets.map(([value, label]) =>
            html`
              <button key=${value} type="button" aria-pressed=${since === value && until === null}
                onClick=${() => pick(value)}>${label}</button>
            `
          )}
          <button type="button" aria-pressed=${since === null && until === null} onClick=${() =>
            pick(null)}>All time</button>
        </div>
      <form onSubmit=${apply}>
          <label>From<input type="datetime-local" value=${from} onInput=${(event: Event) =>
            setFrom((event.target as HTMLInputElement).value)} /></label>
          <label>To<input type="datetime-local" value=${to} onInput=${(event: Event) =>
            setTo((event.target as HTMLInputElement).value)} /></label>
          ${valid ? null : html`<p class="dim">The end must come after the start.</p>`}
          <button type="submit" class="primary" disabled=${!valid}>Show</button>
        </form>
    </div>
  `;
}
