// `/charts`: requests and errors, latency, tokens and cost over time, whole or by group.
import { useEffect, useMemo, useState } from "preact/hooks";
import { api, type Measures, type Metrics } from "../api.ts";
import { go, here, parameter } from "../parts/address.ts";
import { useAsk, useThrottled } from "../parts/ask.ts";
import { Chart, type ChartProps, type Line, useLook } from "../parts/chart.ts";
import { ChartTabs } from "../parts/chart_tabs.ts";
import { FilterBar, setFilter, typedFilter } from "../parts/filter_bar.ts";
import { type FilterKey, filterKeys, filterQuery, parseFilter, toggled } from "../parts/filter.ts";
import { dollars, duration, exact, moment, percent, plural, short } from "../parts/format.ts";
import { html, type View } from "../parts/html.ts";
import { Nothing, Problem, Skeleton } from "../parts/notice.ts";
import { Pick } from "../parts/pick.ts";
import { chooseBetween } from "../parts/range_picker.ts";
import { type Buckets, bucketsOf, valuesOf } from "../parts/series.ts";
import { range, scope, status } from "../parts/state.ts";
import { stepWord } from "../parts/strip.ts";
import { countTick, durationTick } from "../parts/unit.ts";

type Measure = keyof Measures;
type MetricBuckets = Buckets<Metrics["series"][number]>;

const groupings = [
  ["model", "model"],
  ["provider", "provider"],
  ["name", "name"],
  ["tool_name", "tool"],
  ["agent_name", "agent"],
  ["service", "service"],
  ["event_type", "type of event"],
  ["status", "status"],
  ["env", "environment"],
  ["release", "release"],
  ["user_id", "user"],
  ["tag", "tag"],
] as const;
const kinds = [
  ["", "All events"],
  ["prompt_call", "Model calls"],
  ["tool_call", "Tool calls"],
  ["agent_step", "Agent steps"],
] as const;
/** As many as there are colours that can be told apart. */
const groupsMax = 8;
const refetchEveryMs = 5000;

export function ChartsPage(): View {
  const typed = typedFilter();
  const filter = useMemo(() => parseFilter(typed), [typed]);
  const groupBy = parameter("group_by");
  const kind = parameter("of") ?? "";
  const [asTable, setAsTable] = useState(false);
  const query = { ...scope.value, ...filterQuery(filter), group_by: groupBy, groups: groupsMax };
  if (kind !== "") Object.assign(query, { event_type: kind });
  const { data, error, loading, again } = useAsk(
    JSON.stringify(query),
    (signal) => api.metrics(query, signal),
  );
  const follow = useThrottled(refetchEveryMs, again);
  const stored = status.value?.events_total;
  useEffect(() => {
    if (range.value.until === null && stored !== undefined) follow();
  }, [stored]);
  const look = useLook();
  const buckets = useMemo(() => data === null ? null : bucketsOf(data), [data]);
  const choose = (name: string) => (value: string) => go(here({ [name]: value || null }));
  return html`<div class="charts">
    <h1 class="unseen">Charts</h1>
    <${ChartTabs} />
    <${FilterBar} />
    <div class="list-head charts-head">
      <${Pick} label="Of" value=${kind} choices=${kinds} choose=${choose("of")} />
      <${Pick} label="Group by" value=${groupBy ?? ""} choices=${[["", "nothing"], ...groupings]}
        choose=${choose("group_by")} />
      <span class="grow"></span>
      <button type="button" aria-pressed=${asTable} onClick=${() => setAsTable(!asTable)}>${
    asTable ? "Show charts" : "Show as table"
  }</button>
    </div>
    ${error === null ? null : html`<${Problem} reason=${error} again=${again} />`}
    ${
    data === null || buckets === null
      ? (error === null ? html`<${Skeleton} rows=${6} />` : null)
      : data.summary.requests === 0
      ? html`<${Nothing} title="No event in this range matches." />`
      : html`<div class=${loading ? "is-loading" : ""}>
        <${Summary} measures=${data.summary} />
        ${
        asTable
          ? html`<${SeriesTable} metrics=${data} />`
          : html`<${Charts} metrics=${data} buckets=${buckets} look=${look} />`
      }
        ${data.group_by === null ? null : html`<${GroupTable} metrics=${data} />`}
      </div>`
  }
  </div>`;
}

function Summary({ measures: m }: { measures: Measures }): View {
  const figures: [string, string, string | null][] = [
    ["Requests", exact(m.requests), null],
    ["Errors", exact(m.errors), percent(m.error_rate)],
    [
      "Median latency",
      duration(m.latency_p50_ms),
      m.ttft_p50_ms == null ? null : `first token ${duration(m.ttft_p50_ms)}`,
    ],
    ["95th percentile", duration(m.latency_p95_ms), null],
    ["99th percentile", duration(m.latency_p99_ms), null],
    ["Input tokens", exact(m.tokens_input), null],
    ["Output tokens", exact(m.tokens_output), null],
    [
      "Cost",
      dollars(m.cost_usd),
      m.unpriced > 0 ? `${plural(m.unpriced, "call")} of unknown price` : null,
    ],
  ];
  return html`<dl class="summary">${
    figures.map(([name, value, more]) =>
      html`<div key=${name}><dt>${name}</dt><dd>${value}</dd>${
        more === null ? null : html`<dd class="dim">${more}</dd>`
      }</div>`
    )
  }</dl>`;
}

/** Of a grouped chart: one line a group, in the colours of the group table. */
function grouped(metrics: Metrics, { times, groups }: MetricBuckets, measure: Measure): Line[] {
  return metrics.groups.slice(0, groupsMax).map(({ group }, index) => ({
    label: group ?? "none",
    color: `series-${index + 1}`,
    values: valuesOf(groups.get(group), times.length, measure),
  }));
}

function Charts(
  { metrics, buckets, look }: { metrics: Metrics; buckets: MetricBuckets; look: string },
): View {
  const { summary, interval_seconds, group_by } = metrics;
  const { times } = buckets;
  const whole = buckets.groups.get(null);
  const line = (label: string, color: string, measure: Measure): Line => ({
    label,
    color,
    values: valuesOf(whole, times.length, measure),
  });
  const isGrouped = group_by !== null;
  const per = `per ${stepWord(interval_seconds)}`;
  const common = { times, look, choose: chooseBetween };
  const unpriced = summary.unpriced === 0
    ? ""
    : ` · ${plural(summary.unpriced, "call")} of unknown price not in it`;
  const stacked = isGrouped ? "stack" : "bars";
  const charts: Omit<ChartProps, keyof typeof common>[] = [
    {
      title: isGrouped ? "Requests" : "Requests and errors",
      said: `${exact(summary.requests)}, ${exact(summary.errors)} failed · ${per}`,
      as: stacked,
      format: short,
      tick: countTick,
      lines: isGrouped
        ? grouped(metrics, buckets, "requests")
        : [line("requests", "success-bar", "requests"), line("errors", "error-bar", "errors")],
    },
    {
      title: isGrouped ? "Latency, 95th percentile" : "Latency",
      said: `median ${duration(summary.latency_p50_ms)} · p95 ${
        duration(summary.latency_p95_ms)
      } · p99 ${duration(summary.latency_p99_ms)} · log scale`,
      as: "lines",
      log: true,
      format: duration,
      tick: durationTick,
      lines: isGrouped ? grouped(metrics, buckets, "latency_p95_ms") : [
        line("median", "series-1", "latency_p50_ms"),
        line("p95", "series-2", "latency_p95_ms"),
        line("p99", "series-3", "latency_p99_ms"),
      ],
    },
    {
      title: "Tokens",
      said: `${exact(summary.tokens_input)} in, ${exact(summary.tokens_output)} out · ${per}`,
      as: "stack",
      format: short,
      tick: countTick,
      lines: isGrouped ? grouped(metrics, buckets, "tokens_total") : [
        line("in", "series-1", "tokens_input"),
        line("out", "series-2", "tokens_output"),
      ],
    },
    {
      title: "Cost",
      said: `${dollars(summary.cost_usd)} · ${per}${unpriced}`,
      as: stacked,
      format: dollars,
      tick: dollarsTick,
      lines: isGrouped
        ? grouped(metrics, buckets, "cost_usd")
        : [line("cost", "series-1", "cost_usd")],
    },
  ];
  return html`<div class="chart-grid">${
    charts.map((chart) => html`<${Chart} key=${chart.title} ...${common} ...${chart} />`)
  }</div>`;
}

function dollarsTick(usd: number): string {
  return `$${Number(usd.toPrecision(3))}`;
}

function GroupTable({ metrics: { groups, group_by } }: { metrics: Metrics }): View {
  const key = (filterKeys as readonly string[]).includes(group_by ?? "")
    ? group_by as FilterKey
    : null;
  return html`
    <div class="table-box">
      <table>
        <caption class="unseen">By ${group_by}</caption>
        <thead>
          <tr><th scope="col">${groupings.find(([name]) => name === group_by)?.[1] ??
            group_by}</th>${measureHeads}</tr>
        </thead>
        <tbody>${groups.map(({ group, ...measures }, index) =>
          html`<tr key=${group}><th scope="row"><i class=${`swatch swatch-${index + 1}`}></i>${
            group === null
              ? html`<span class="dim">none</span>`
              : key === null
              ? group
              : html`<button type="button" class="as-link" onClick=${() =>
                setFilter(toggled(typedFilter(), key, group))}>${group}</button>`
          }</th>${measureCells(measures)}</tr>`
        )}</tbody>
      </table>
    </div>
  `;
}

function SeriesTable(
  { metrics: { series, group_by, interval_seconds } }: { metrics: Metrics },
): View {
  return html`
    <div class="table-box">
      <table>
        <caption class="unseen">Per ${stepWord(interval_seconds)}</caption>
        <thead>
          <tr><th scope="col">From</th>${group_by === null
            ? null
            : html`<th scope="col">${group_by}</th>`}${measureHeads}</tr>
        </thead>
        <tbody>${series.map(({ bucket, group, ...measures }) =>
          html`<tr key=${`${bucket} ${group}`}><th scope="row">${
            moment(bucket).replace(/\.000/, "")
          }</th>${group_by === null ? null : html`<td>${group ?? "none"}</td>`}${
            measureCells(measures)
          }</tr>`
        )}</tbody>
      </table>
    </div>
  `;
}

const measureHeads = [
  "Requests",
  "Errors",
  "Rate",
  "p50",
  "p95",
  "p99",
  "Tokens in",
  "Tokens out",
  "Cost",
  "Unpriced",
]
  .map((word) => html`<th key=${word} scope="col" class="num">${word}</th>`);

function measureCells(m: Measures): View {
  return [
    exact(m.requests),
    exact(m.errors),
    percent(m.error_rate),
    duration(m.latency_p50_ms),
    duration(m.latency_p95_ms),
    duration(m.latency_p99_ms),
    m.tokens_input === null ? "–" : exact(m.tokens_input),
    m.tokens_output === null ? "–" : exact(m.tokens_output),
    // Of groups that have no model calls nothing is to be priced.
    m.cost_usd === null && m.unpriced === 0 ? "–" : dollars(m.cost_usd),
    exact(m.unpriced),
  ].map((text, index) => html`<td key=${index} class="num">${text}</td>`);
}
