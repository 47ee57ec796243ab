// `/runs`: whole runs, the latest first; each row says what was asked, what came out, and the price.
import { useEffect, useMemo, useState } from "preact/hooks";
import { api, type Run } from "../api.ts";
import { go, here, linkTo } from "../parts/address.ts";
import { useThrottled } from "../parts/ask.ts";
import { latencyBar, words } from "../parts/event_rows.ts";
import { FilterBar, typedFilter } from "../parts/filter_bar.ts";
import { filterQuery, parseFilter } from "../parts/filter.ts";
import {
  ago,
  dollars,
  duration,
  moment,
  nothing,
  plural,
  short,
  unknown,
} from "../parts/format.ts";
import { html, type View } from "../parts/html.ts";
import { icon, statusMark } from "../parts/icons.ts";
import { useKeys } from "../parts/keys.ts";
import { rememberRuns } from "../parts/neighbours.ts";
import { Nothing, Problem, Skeleton } from "../parts/notice.ts";
import { chooseRange } from "../parts/range_picker.ts";
import { now, project, range, scope } from "../parts/state.ts";

const pageRuns = 50;
const refetchEveryMs = 2500;
const topPx = 80;

interface State {
  runs: Run[];
  total: number | null;
  cursor: string | null;
  error: string | null;
  loading: boolean;
}

export function runLink(run_id: string): string {
  return linkTo(`/runs/${encodeURIComponent(run_id)}`);
}

export function RunsPage(): View {
  const typed = typedFilter();
  const filter = useMemo(() => parseFilter(typed), [typed]);
  const query = { ...scope.value, ...filterQuery(filter), limit: pageRuns };
  const key = JSON.stringify(query);
  const [turn, setTurn] = useState(0);
  const [selected, setSelected] = useState<string | null>(null);
  const [state, setState] = useState<State>({
    runs: [],
    total: null,
    cursor: null,
    error: null,
    loading: true,
  });
  const again = () => setTurn((before) => before + 1);
  // A run's row changes as its events come in; only the first page is asked again.
  const follow = useThrottled(refetchEveryMs, () => {
    if (scrollY < topPx && state.runs.length <= pageRuns && !state.loading) again();
  });
  useEffect(() => {
    if (range.value.until !== null) return;
    const stream = api.live({ project_id: project.value });
    stream.addEventListener("event", follow);
    return () => stream.close();
  }, [key]);
  useEffect(() => {
    const abort = new AbortController();
    setState((before) => ({ ...before, loading: true }));
    api.runs(query, abort.signal).then(({ runs, total, has_more, next_cursor }) => {
      setState({ runs, total, cursor: has_more ? next_cursor : null, error: null, loading: false });
    }, (error: Error) => {
      if (abort.signal.aborted) return;
      setState((before) => ({ ...before, loading: false, error: error.message }));
    });
    return () => abort.abort();
  }, [key, turn]);
  const loadMore = async () => {
    setState((before) => ({ ...before, loading: true }));
    try {
      const page = await api.runs({ ...query, cursor: state.cursor });
      setState((before) => {
        const known = new Set(before.runs.map(({ run_id }) => run_id));
        return {
          ...before,
          runs: [...before.runs, ...page.runs.filter(({ run_id }) => !known.has(run_id))],
          cursor: page.has_more ? page.next_cursor : null,
          loading: false,
        };
      });
    } catch (error) {
      setState((before) => ({ ...before, loading: false, error: (error as Error).message }));
    }
  };
  useEffect(() => rememberRuns(state.runs), [state.runs]);
  const step = (by: number) => {
    const index = state.runs.findIndex(({ run_id }) => run_id === selected);
    const next = state.runs[index < 0 ? 0 : index + by];
    if (next === undefined) return;
    setSelected(next.run_id);
    document.getElementById(`run-${next.run_id}`)?.scrollIntoView({ block: "nearest" });
  };
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    Enter: () => {
      if (selected !== null) go(runLink(selected));
    },
  });
  const { runs, total, cursor, error, loading } = state;
  const slowest = Math.max(1, ...runs.map(({ duration_ms }) => duration_ms ?? 0));
  return html`<div class="runs">
    <h1 class="unseen">Runs</h1>
    <${FilterBar} />
    <div class="list-head"><span class="list-count" role="status">${
    total === null ? "" : plural(total, "run")
  }</span>${typed === "" ? null : html`<span class="dim">with an event that matches</span>`}</div>
    ${error === null ? null : html`<${Problem} reason=${error} again=${again} />`}
    ${
    runs.length > 0
      ? html`<ol class="rows run-list" aria-label="Runs" onClick=${openRow}>${
        runs.map((run) =>
          html`<${RunRow} key=${run.run_id} run=${run} slowest=${slowest} selected=${
            run.run_id === selected
          } />`
        )
      }</ol>`
      : loading
      ? html`<${Skeleton} />`
      : error !== null
      ? null
      : html`<${Nothing} title="No run matches.">
        ${typed === "" ? null : html`<a href=${here({ filter: null })}>Clear the filter</a>`}
        <button type="button" class="as-link" onClick=${() =>
        chooseRange(null, null)}>Look at all time</button>
      <//>`
  }
    ${
    cursor === null || runs.length === 0 ? null : html`
      <button type="button" class="load-more" disabled=${loading}
        onClick=${loadMore}>${loading ? "Loading…" : "Load more"}</button>
    `
  }
  </div>`;
}

function openRow(event: MouseEvent): void {
  const target = event.target as Element;
  if (target.closest("a, button") !== null || getSelection()?.toString() !== "") return;
  const row = target.closest<HTMLElement>("[data-run]");
  if (row?.dataset.run !== undefined) go(runLink(row.dataset.run));
}

function RunRow(
  { run, slowest, selected }: { run: Run; slowest: number; selected: boolean },
): View {
  const tokens = run.tokens_input ?? run.tokens_output;
  const cost = runCost(run);
  // What was asked is what tells runs apart; their names are often all the same.
  return html`
    <li class=${selected
      ? "row run-row selected"
      : "row run-row"} id=${`run-${run.run_id}`} data-run=${run.run_id}>
      <span class="type">${icon("run")}</span>
      <div class="row-main">
        <p
          class="row-title"><a class="row-link" href=${runLink(run.run_id)}>${run.name ??
            run.run_id}</a><span class="row-model">${callsOf(run)}</span></p>
        <p class="row-words">${words(run)}</p>
      </div>
      <div class="row-meta">
        <div class="cell-status">${statusMark(
          run.status,
        )}${run.error_count > 0 && run.event_count > 1
          ? html`<span class="dim">${` ${run.error_count} of ${run.event_count}`}</span>`
          : null}</div>
        <div class="cell-latency num">${latencyBar(run.duration_ms, slowest)}<span>${duration(
          run.duration_ms,
        )}</span></div>
        <div class=${tokens == null
          ? "cell-tokens num none"
          : "cell-tokens num"} title="Tokens in → out">${tokens == null
          ? nothing
          : `${short(run.tokens_input)} → ${short(run.tokens_output)}`}</div>
        <div class=${cost === nothing ? "cell-cost num none" : "cell-cost num"}>${cost}</div>
        <div class="cell-user" title=${run.user_id}>${run.user_id ?? nothing}</div>
      </div>
      <time class="cell-time num" datetime=${run.started_at} title=${moment(run.started_at)}>${ago(
        run.started_at,
        now.value,
      )}</time>
    </li>
  `;
}

export function runCost({ cost_usd, unpriced = 0, prompt_call_count }: Run): string {
  if (cost_usd == null && prompt_call_count === 0) return nothing;
  if (unpriced === 0) return dollars(cost_usd);
  // A sum that leaves calls out must not look whole.
  return cost_usd == null || cost_usd === 0 ? unknown : `${dollars(cost_usd)} + ?`;
}

function callsOf({ models, prompt_call_count, tool_call_count, event_count }: Run): string {
  const counts = [
    prompt_call_count > 0 ? plural(prompt_call_count, "model call") : null,
    tool_call_count > 0 ? plural(tool_call_count, "tool call") : null,
  ].filter((part) => part !== null);
  if (counts.length === 0) counts.push(plural(event_count, "event"));
  const names = models.length > 2
    ? `${models[0]} and ${models.length - 1} more`
    : models.join(", ");
  return [counts.join(", "), names].filter((part) => part !== "").join(" · ");
}
