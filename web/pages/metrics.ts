// `/charts/metrics`: a metric of OpenTelemetry over time, whole or by an attribute.
import { useEffect, useMemo, useState } from "preact/hooks";
import { api, type PointMeasures, type PointMetric, type Points } from "../api.ts";
import { go, here, parameter } from "../parts/address.ts";
import { useAsk, useThrottled } from "../parts/ask.ts";
import { Chart, type ChartProps, type Line, useLook } from "../parts/chart.ts";
import { ChartTabs } from "../parts/chart_tabs.ts";
import { exact, moment, plural } from "../parts/format.ts";
import { html, type View } from "../parts/html.ts";
import { Nothing, Problem, Skeleton } from "../parts/notice.ts";
import { Pick } from "../parts/pick.ts";
import { chooseBetween } from "../parts/range_picker.ts";
import { bucketsOf, stepOf, valuesOf } from "../parts/series.ts";
import { project, range, scope, status } from "../parts/state.ts";
import { stepWord } from "../parts/strip.ts";
import { countTick, formatOf, type UnitFormat } from "../parts/unit.ts";

/** As many as there are colours that can be told apart. */
const groupsMax = 8;
const refetchEveryMs = 5000;
/** Buckets are made so many times wider at most, to fit how often a program tells its metrics. */
const widerMax = 20;

export function MetricsPage(): View {
  const asked = scope.value;
  const names = useAsk(JSON.stringify(asked), (signal) => api.pointNames(asked, signal));
  const chosen = parameter("metric");
  const name = chosen ?? names.data?.names[0]?.name ?? null;
  const list = names.data?.names ?? [];
  // One that is named in the address may have no point in this range.
  const choices = list.map((metric) => metric.name);
  if (name !== null && !choices.includes(name)) choices.unshift(name);
  return html`
    <div class="charts">
      <h1 class="unseen">Metrics</h1>
      <${ChartTabs} />
      ${names.error !== null
        ? html`<${Problem} reason=${names.error} again=${names.again} />`
        : names.data === null
        ? html`<${Skeleton} rows=${6} />`
        : name === null
        ? html`
          <${Nothing} title="No metric in this range.">
            <p>OpenTelemetry exporters send metrics to
              <code>${location.origin}/v1/projects/${project.value}/v1/metrics</code></p>
            <//>
        `
        : html`<${OneMetric} key=${name} name=${name} choices=${choices} again=${names.again} />`}
    </div>
  `;
}

function OneMetric(
  { name, choices, again: askNames }: { name: string; choices: string[]; again: () => void },
): View {
  const by = parameter("by");
  const of = { ...scope.value, name };
  const attributes = useAsk(
    JSON.stringify(of),
    (signal) => api.pointAttributes(of, signal),
  );
  const base = JSON.stringify({ ...of, by });
  const [wider, setWider] = useState<{ of: string; interval: number } | null>(null);
  const interval = wider?.of === base ? wider.interval : null;
  const query = { ...of, group_by: by, groups: groupsMax, interval };
  const { data, key, error, loading, again } = useAsk(
    JSON.stringify(query),
    (signal) => api.points(query, signal),
  );
  useEffect(() => {
    if (data === null || key !== JSON.stringify(query) || interval !== null) return;
    const step = stepOf(data.series);
    const times = step / data.interval_seconds;
    if (times >= 2 && times <= widerMax) setWider({ of: base, interval: step });
  }, [data]);
  const follow = useThrottled(refetchEveryMs, () => {
    again();
    askNames();
  });
  const stored = status.value?.points_total;
  useEffect(() => {
    if (range.value.until === null && stored !== undefined) follow();
  }, [stored]);
  const groupings = (attributes.data?.attributes ?? []).map(({ attribute }) => attribute);
  if (by !== null && !groupings.includes(by)) groupings.unshift(by);
  return html`
    <div class="list-head charts-head">
      <${Pick} label="Metric" value=${name} choices=${choices.map((one) => [one, one])}
        choose=${(metric: string) => go(here({ metric, by: null }))} />
      <${Pick} label="Group by" value=${by ?? ""} choices=${[
        ["", "nothing"],
        ...groupings.map((one) => [one, one]),
      ]} choose=${(attribute: string) => go(here({ metric: name, by: attribute || null }))} />
    </div>
    ${error === null ? null : html`<${Problem} reason=${error} again=${again} />`}
    ${data === null
      ? (error === null ? html`<${Skeleton} rows=${6} />` : null)
      : data.metric === null || data.series.length === 0
      ? html`<${Nothing} title="This metric has no point in this range." />`
      : html`
        <div class=${loading ? "is-loading" : ""}>
          <${Shown} points=${data} metric=${data.metric} by=${by} />
        </div>
      `}
  `;
}

/** Has a level that rises and falls, rather than growth. */
function isLevel({ type, temporality, monotonic }: PointMetric): boolean {
  return type === "gauge" || (type === "sum" && temporality === "cumulative" && monotonic !== true);
}

/** What the points of a metric say: figure, meaning, and whether its unit is the metric's. */
function figuresOf(metric: PointMetric): [keyof PointMeasures, string, boolean][] {
  if (isLevel(metric)) {
    return [["value", "Last", true], ["avg", "Average", true], ["min", "Least", true], [
      "max",
      "Most",
      true,
    ]];
  }
  if (metric.type === "sum") return [["value", "Growth", true], ["rate", "Per second", true]];
  return [
    ["count", "Measured", false],
    ["sum", "Sum", true],
    ["avg", "Average", true],
    ["p50", "Median", true],
    ["p95", "p95", true],
    ["p99", "p99", true],
    ["max", "Most", true],
  ];
}

function Shown(
  { points, metric, by }: { points: Points; metric: PointMetric; by: string | null },
): View {
  const unit = formatOf(metric.unit);
  const kind = metric.type.replaceAll("_", " ");
  return html`
    <p
      class="dim metric-line">${metric.description
        ? `${metric.description} · `
        : ""}${kind}${metric.temporality === null ? "" : `, ${metric.temporality}`}${metric.unit
        ? ` · unit ${metric.unit}`
        : ""} · ${plural(metric.points, "point")} of ${plural(
          metric.series,
          "series",
          "series",
        )}</p>
    <${Charts} points=${points} metric=${metric} unit=${unit} isGrouped=${by !== null} />
    ${points.quantiles_known
      ? null
      : html`<p class="dim">Too many histograms to estimate quantiles from: choose a shorter range.</p>`}
    <${Table} rows=${points.groups.map((
      { group, ...figures },
    ) => [group ?? (by === null ? "all" : "none"), figures])}
      head=${by ??
        "Of"} caption="Whole range" metric=${metric} unit=${unit} swatches=${by !== null} />
    ${points.groups_total > points.groups.length
      ? html`<p class="dim">The ${points.groups.length} largest of ${
        exact(points.groups_total)
      } groups.</p>`
      : null}
    <details class="metric-numbers">
      <summary>Numbers ${stepWord(points.interval_seconds)} by ${stepWord(
        points.interval_seconds,
      )}</summary>
      <${Table} rows=${points.series.map(({ bucket, group, ...figures }) => [
        `${moment(bucket).replace(/\.000/, "")}${by === null ? "" : ` · ${group ?? "none"}`}`,
        figures,
      ])} head="From" caption="Over time" metric=${metric} unit=${unit}
        swatches=${false} />
    </details>
  `;
}

function Charts(
  { points, metric, unit, isGrouped }: {
    points: Points;
    metric: PointMetric;
    unit: UnitFormat;
    isGrouped: boolean;
  },
): View {
  const look = useLook();
  const buckets = useMemo(() =>
    bucketsOf({
      ...points,
      since: points.since ?? points.series[0]!.bucket,
      until: points.until ?? points.series.at(-1)!.bucket,
    }), [points]);
  const { times, groups } = buckets;
  const lines = (of: (keyof PointMeasures)[]): Line[] =>
    isGrouped
      ? points.groups.map(({ group }, index) => ({
        label: group ?? "none",
        color: `series-${index + 1}`,
        values: valuesOf(groups.get(group), times.length, of[0]!),
      }))
      : of.map((measure, index) => ({
        label: measure === "p50" ? "median" : measure,
        color: `series-${index + 1}`,
        values: valuesOf(groups.get(null), times.length, measure),
      }));
  const per = `per ${stepWord(points.interval_seconds)}`;
  const whole = isGrouped ? undefined : points.groups[0];
  const said = (of: [keyof PointMeasures, string, UnitFormat["full"]][]) =>
    whole === undefined
      ? ""
      : `${of.map(([measure, word, format]) => `${word}${format(whole[measure])}`).join(" · ")} · `;
  const common = { times, look, choose: chooseBetween };
  const count = formatOf(null);
  const charts: Omit<ChartProps, keyof typeof common>[] = [];
  if (isLevel(metric)) {
    charts.push({
      title: metric.name,
      said: `${said([["value", "last ", unit.full]])}the last value ${per}`,
      as: "lines",
      format: unit.full,
      tick: unit.tick,
      lines: lines(["value"]),
    });
  } else if (metric.type === "sum") {
    charts.push({
      title: metric.name,
      said: `${said([["value", "", unit.full]])}growth ${per}`,
      // What may fall cannot be stacked.
      as: metric.monotonic === true ? "stack" : "lines",
      format: unit.full,
      tick: unit.tick,
      lines: lines(["value"]),
    });
  } else {
    charts.push({
      title: isGrouped ? "95th percentile" : metric.name,
      said: `${
        said([["p50", "median ", unit.full], ["p95", "p95 ", unit.full], [
          "p99",
          "p99 ",
          unit.full,
        ]])
      }log scale`,
      as: "lines",
      log: true,
      format: unit.full,
      tick: unit.tick,
      lines: isGrouped ? lines(["p95"]) : lines(["p50", "p95", "p99"]),
    }, {
      title: "Values measured",
      said: `${said([["count", "", count.full]])}${per}`,
      as: "stack",
      format: count.full,
      tick: countTick,
      lines: lines(["count"]),
    });
  }
  return html`<div class=${charts.length > 1 ? "chart-grid" : ""}>${
    charts.map((chart) => html`<${Chart} key=${chart.title} ...${common} ...${chart} />`)
  }</div>`;
}

function Table(
  { rows, head, caption, metric, unit, swatches }: {
    rows: [string, PointMeasures][];
    head: string;
    caption: string;
    metric: PointMetric;
    unit: UnitFormat;
    swatches: boolean;
  },
): View {
  const figures = figuresOf(metric);
  const count = formatOf(null);
  return html`
    <div class="table-box" tabindex="0" role="region" aria-label=${caption}>
      <table>
        <thead>
          <tr>
            <th scope="col">${head}</th>
            ${figures.map(([measure, word]) =>
              html`<th key=${measure} scope="col" class="num">${word}</th>`
            )}
            <th scope="col" class="num">Points</th>
            <th scope="col" class="num">Series</th>
          </tr>
        </thead>
        <tbody>${rows.map(([name, row], index) =>
          html`
            <tr key=${name}>
              <th scope="row">${swatches
                ? html`<i class=${`swatch swatch-${index + 1}`}></i>`
                : null}${name}</th>
              ${figures.map(([measure, , hasUnit]) =>
                html`<td key=${measure} class="num">${
                  (hasUnit ? unit : count).full(row[measure])
                }</td>`
              )}
              <td class="num">${exact(row.points)}</td>
              <td class="num">${exact(row.series)}</td>
            </tr>
          `
        )}</tbody>
      </table>
    </div>
  `;
}
