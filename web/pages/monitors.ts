// `/monitors`: what is checked and how it stands; one of them, and the form to set one.
import { api } from "../api.ts";
import { linkTo } from "../parts/address.ts";
import { useAsk } from "../parts/ask.ts";
import { ago, dollars, duration, moment, nothing, percent, plural } from "../parts/format.ts";
import { html, type View } from "../parts/html.ts";
import {
  CheckStrip,
  everyText,
  type Monitor,
  monitorLink,
  monitorMark,
  typeWords,
} from "../parts/monitor.ts";
import { MonitorForm } from "../parts/monitor_form.ts";
import { Nothing, Problem, Skeleton } from "../parts/notice.ts";
import { canAdmin, now, project } from "../parts/state.ts";
import { MonitorPage } from "./monitor.ts";

/** While something is under way it is asked sooner. */
const askEveryMs = 10_000;
const askSoonMs = 2000;

/** `at` is what follows `/monitors` in the address. */
export function MonitorsPage({ at }: { at: string }): View {
  const [, id = "", tail] = /^\/?([^/]*)(\/edit)?\/?$/.exec(at) ?? [];
  if (id === "") return html`<${MonitorList} />`;
  if (id === "new") return html`<${MonitorForm} key="new" monitor=${null} />`;
  return tail === undefined
    ? html`<${MonitorPage} key=${id} id=${id} />`
    : html`<${Edit} key=${id} id=${id} />`;
}

function Edit({ id }: { id: string }): View {
  const { data, error, again } = useAsk(id, (signal) => api.monitor(id, signal));
  if (error !== null) return html`<${Problem} reason=${error} again=${again} />`;
  return data === null ? html`<${Skeleton} />` : html`<${MonitorForm} monitor=${data} />`;
}

function MonitorList(): View {
  const project_id = project.value;
  // A new key asks again; what was there stays until the answer comes.
  const turn = Math.floor(now.value / askEveryMs);
  const { data, error, again } = useAsk(
    `${project_id} ${turn}`,
    (signal) => api.monitors({ project_id }, signal),
  );
  const soon = useAsk(
    data?.monitors.some(({ state }) => state.running || state.status === "never_ran")
      ? `${project_id} ${Math.floor(now.value / askSoonMs)}`
      : null,
    (signal) => api.monitors({ project_id }, signal),
  );
  if (data === null) {
    return error === null
      ? html`<${Skeleton} />`
      : html`<${Problem} reason=${error} again=${again} />`;
  }
  const monitors = newer(soon.data?.monitors, data.monitors);
  return html`
    <div class="monitors">
      <div class="monitors-head">
        <h1 class="unseen">Monitors</h1>
        <p class="list-count">${headOf(monitors)}</p>
        <span class="grow"></span>
        ${canAdmin.value
          ? html`<a class="button primary" href=${linkTo("/monitors/new")}>New monitor</a>`
          : null}
      </div>
      ${error === null ? null : html`<${Problem} reason=${error} again=${again} />`}
      ${monitors.length === 0
        ? html`
          <${Nothing} title="Nothing is checked yet.">
            <p>A monitor asks a model, or any HTTP endpoint, on a schedule, and holds the answer, its
                        latency and its cost against what you expect. Each check is a run like any other.</p>
            <//>
        `
        : html`<ul class="monitor-rows">${
          monitors.map((monitor) => html`<${Row} key=${monitor.id} monitor=${monitor} />`)
        }</ul>`}
    </div>
  `;
}

/** Both are whole lists; the one that has seen the later check is the newer. */
function newer(soon: Monitor[] | undefined, data: Monitor[]): Monitor[] {
  const latest = (list: Monitor[]) =>
    list.map(({ recent, updated_at }) => recent.at(-1)?.at ?? updated_at).toSorted().at(-1) ?? "";
  return soon !== undefined && soon.length === data.length && latest(soon) > latest(data)
    ? soon
    : data;
}

function headOf(monitors: readonly Monitor[]): string {
  const count = (status: string) => monitors.filter(({ state }) => state.status === status).length;
  const parts = [
    [count("failing"), "failing"],
    [count("erroring"), "without an answer"],
    [count("paused"), "paused"],
  ] as const;
  const told = parts.filter(([number]) => number > 0).map(([number, word]) => `${number} ${word}`);
  return [plural(monitors.length, "monitor"), ...told].join(", ");
}

function Row({ monitor }: { monitor: Monitor }): View {
  const { state: { status, last, firing }, uptime, type, model, url } = monitor;
  const day = uptime["24h"];
  const asked = type === "http" ? `${monitor.method ?? "GET"} ${new URL(url).host}` : model;
  return html`
    <li class="monitor-row">
      <div class="monitor-state">${monitorMark(status)}${firing
        ? html`<span class="chip chip-firing">alert</span>`
        : null}</div>
      <div class="monitor-name">
        <a class="row-link" href=${monitorLink(monitor.id)}>${monitor.name}</a>
        <p class="dim">${typeWords[type]} · ${asked} · ${everyText(monitor.interval_minutes)}</p>
        ${status === "failing" || status === "erroring"
          ? html`<p class="row-error">${last?.message}</p>`
          : null}
      </div>
      <${CheckStrip} checks=${monitor.recent} />
      <dl class="monitor-figures">
        <div>
          <dt>Up, 24 h</dt>
          <dd>${day.uptime === null ? nothing : percent(day.uptime)}</dd>
        </div>
        <div>
          <dt>Latency</dt>
          <dd>${duration(day.latency_ms)}</dd>
        </div>
        <div>
          <dt>Cost, 24 h</dt>
          <dd>${day.cost_usd === null ? nothing : dollars(day.cost_usd)}</dd>
        </div>
      </dl>
      <p class="monitor-last dim" title=${last === null ? "" : moment(last.at)}>${last === null
        ? "no check yet"
        : ago(last.at, now.value)}</p>
    </li>
  `;
}
