// One chart over time. Where there is no data there is a gap; all charts of a page share a cursor,
// and dragging over one sets the range of time.
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { clock, day } from "./format.ts";
import { html, type View } from "./html.ts";
import { theme } from "./state.ts";

export interface Line {
  label: string;
  /** Name of a colour token. */
  color: string;
  /** Null is a gap. */
  values: (number | null)[];
  /** A line without its points, such as a threshold. */
  isBare?: boolean;
}

export interface ChartProps {
  title: string;
  /** What the chart tells when the cursor is elsewhere. */
  said: string;
  /** Seconds since 1970, one for each bucket of the range. */
  times: number[];
  lines: Line[];
  /** `stack` puts bars on one another; `bars` before one another, for parts of the first. */
  as: "bars" | "stack" | "lines";
  /** For values that span powers of ten, as latency: the median stays visible below the tail. */
  log?: boolean;
  format: (value: number | null) => string;
  /** Of a round number beside the axis. */
  tick: (value: number) => string;
  choose: (fromMs: number, toMs: number) => void;
  /** Changes when colours do. */
  look: string;
}

const heightPx = 190;
const sync = uPlot.sync("charts");

export function Chart(props: ChartProps): View {
  const box = useRef<HTMLDivElement>(null);
  const said = useRef<HTMLSpanElement>(null);
  const latest = useRef(props);
  latest.current = props;
  const shape = JSON.stringify([props.lines.map(({ label }) => label), props.as, props.look]);
  const plot = useRef<uPlot | null>(null);
  useEffect(() => {
    const el = box.current;
    if (el === null) return;
    const made = new uPlot(optionsOf(el.clientWidth, latest, said), dataOf(latest.current), el);
    plot.current = made;
    const resized = new ResizeObserver(() => {
      if (el.clientWidth > 0) made.setSize({ width: el.clientWidth, height: heightPx });
    });
    resized.observe(el);
    return () => {
      resized.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape]);
  useEffect(() => {
    plot.current?.setData(dataOf(props));
  }, [props.times, props.lines]);
  // The cursor writes here too, so it is no text that is drawn with the rest.
  useEffect(() => {
    if (said.current !== null) said.current.textContent = props.said;
  }, [props.said]);
  return html`
    <figure class="chart">
      <figcaption><h2>${props
        .title}</h2><span class="chart-said dim" ref=${said}></span></figcaption>
      ${props.lines.length < 2 ? null : html`<${Legend} lines=${props.lines} />`}
      <div ref=${box} class="chart-box" role="img" aria-label=${`${props.title}: ${props.said}. The numbers are in the table below.`}></div>
    </figure>
  `;
}

/** Which colour is which, also where nothing hovers. */
function Legend({ lines }: { lines: Line[] }): View {
  return html`
    <ul class="legend">${lines.map(({ label, color }) =>
      html`<li key=${label}><i style=${{ background: `var(--${color})` }}></i>${label}</li>`
    )}</ul>
  `;
}

function dataOf({ times, lines, log, as }: ChartProps): uPlot.AlignedData {
  if (as === "stack") {
    const sums = times.map(() => 0);
    const stacked = lines.map(({ values }) =>
      values.map((value, index) => {
        if (value === null) return null;
        return sums[index] = (sums[index] ?? 0) + value;
      })
    );
    // The highest is drawn first, and the others over it.
    return [times, ...stacked.reverse()] as uPlot.AlignedData;
  }
  // A logarithm has no place for zero.
  const above = (value: number | null) => log && value !== null && value <= 0 ? null : value;
  return [times, ...lines.map(({ values }) => values.map(above))] as uPlot.AlignedData;
}

function optionsOf(
  width: number,
  latest: { current: ChartProps },
  said: { current: HTMLSpanElement | null },
): uPlot.Options {
  const { lines, as, log, tick } = latest.current;
  const css = getComputedStyle(document.documentElement);
  // A canvas does not know `light-dark()`: an element tells what it comes to.
  const probe = document.createElement("i");
  document.body.append(probe);
  const color = (token: string) => {
    probe.style.color = `var(--${token})`;
    return getComputedStyle(probe).color;
  };
  const axis = {
    stroke: color("dim"),
    font: `11px ${css.getPropertyValue("--sans")}`,
    grid: { stroke: color("line"), width: 1 },
    ticks: { show: false },
    border: { show: false },
  };
  /** Of a logarithm only the powers of ten. */
  const powers = (_plot: uPlot, splits: number[]) =>
    log ? splits.map((at) => Math.log10(at) % 1 === 0 ? at : null) : splits;
  const bars = uPlot.paths.bars?.({ size: [0.8, 40], align: 1 });
  const drawn = as === "stack" ? lines.toReversed() : lines;
  const series = drawn.map(({ label, color: token, isBare = false }): uPlot.Series => ({
    label,
    stroke: color(token),
    ...(as !== "lines" ? { fill: color(token), width: 0, paths: bars, points: { show: false } } : {
      width: 1.6,
      spanGaps: false,
      points: { show: !isBare, size: 4, width: 1, fill: color(token) },
    }),
  }));
  probe.remove();
  return {
    width,
    height: heightPx,
    legend: { show: false },
    padding: [10, 16, 0, 0],
    cursor: {
      sync: { key: sync.key },
      drag: { x: true, y: false, setScale: false },
      points: { size: 6 },
    },
    scales: {
      // A bar stands to the right of its time: the last one needs room.
      x: { time: true, range: (_plot, min, max) => [min, max + stepOf(latest.current.times)] },
      y: log ? { distr: 3, log: 10 } : {
        range: (_plot, min, max) => [
          min < 0 ? min * 1.08 : 0,
          max > 0 ? max * 1.08 : min < 0 ? 0 : 1,
        ],
      },
    },
    axes: [
      {
        ...axis,
        size: 26,
        grid: { show: false },
        values: (_plot, splits, _axis, _space, step) => splits.map((at) => dateTick(at, step)),
      },
      {
        ...axis,
        size: 58,
        filter: powers,
        grid: { ...axis.grid, filter: powers },
        values: (_plot, splits) => splits.map((value) => value === null ? "" : tick(value)),
      },
    ],
    series: [{}, ...series],
    hooks: {
      setCursor: [(plot) => {
        if (said.current === null) return;
        const { idx } = plot.cursor;
        said.current.textContent = idx === null || idx === undefined
          ? latest.current.said
          : saidAt(latest.current, idx);
      }],
      setSelect: [(plot) => {
        const { left, width: dragged } = plot.select;
        if (dragged < 4) return;
        plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
        latest.current.choose(
          plot.posToVal(left, "x") * 1000,
          plot.posToVal(left + dragged, "x") * 1000,
        );
      }],
    },
  };
}

function stepOf([first = 0, second = first + 60]: number[]): number {
  return second - first;
}

function saidAt({ times, lines, format }: ChartProps, index: number): string {
  const date = new Date((times[index] ?? 0) * 1000);
  const values = lines.map(({ label, values }) => [label, values[index] ?? null] as const)
    .filter(([, value]) => value !== null)
    .map(([label, value]) => `${label} ${format(value)}`);
  const time = `${day(date).slice(5)} ${clock(date).slice(0, 5)}`;
  return `${time} · ${values.length === 0 ? "no data" : values.join(" · ")}`;
}

function dateTick(seconds: number, step: number): string {
  const date = new Date(seconds * 1000);
  const midnight = date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0;
  if (step >= 86_400 || midnight) {
    return date.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
  }
  return step < 60 ? clock(date) : clock(date).slice(0, 5);
}

/** Changes when the colours on screen do. */
export function useLook(): string {
  const [query] = useState(() => matchMedia("(prefers-color-scheme: dark)"));
  const [dark, setDark] = useState(query.matches);
  useEffect(() => {
    const changed = () => setDark(query.matches);
    query.addEventListener("change", changed);
    return () => query.removeEventListener("change", changed);
  }, []);
  return `${theme.value} ${dark}`;
}
