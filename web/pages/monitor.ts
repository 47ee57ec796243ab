// `/monitors/{id}`: one monitor: how it stands, its checks with their runs, and what it asks.
import { useState } from "preact/hooks";
import { api } from "../api.ts";
import { go, linkTo } from "../parts/address.ts";
import { useAsk } from "../parts/ask.ts";
import { ago, dollars, duration, moment, nothing, percent, plural } from "../parts/format.ts";
import { html, type View } from "../parts/html.ts";
import { icon } from "../parts/icons.ts";
import {
  CheckStrip,
  everyText,
  type Monitor,
  monitorLink,
  monitorMark,
  type MonitorPeriod,
  type MonitorResult,
  secretWord,
  typeWords,
} from "../parts/monitor.ts";
import { assertionText } from "../parts/monitor_assertions.ts";
import { Problem, Skeleton } from "../parts/notice.ts";
import { canAdmin, now, project } from "../parts/state.ts";

const askEveryMs = 5000;
const resultsAtOnce = 50;

export function MonitorPage({ id }: { id: string }): View {
  const turn = Math.floor(now.value / askEveryMs);
  const [limit, setLimit] = useState(resultsAtOnce);
  const [again, setAgain] = useState(0);
  const monitor = useAsk(`${id} ${turn} ${again}`, (signal) => api.monitor(id, signal));
  const results = useAsk(
    `${id} ${limit} ${monitor.data?.recent.at(-1)?.id}`,
    (signal) => api.monitorResults(id, { limit }, signal),
  );
  const { data, error } = monitor;
  if (data === null) {
    return error === null
      ? html`<${Skeleton} />`
      : html`<${Problem} reason=${error} again=${monitor.again} />`;
  }
  const refresh = () => setAgain(again + 1);
  return html`
    <div class="monitor">
      <${Head} monitor=${data} refresh=${refresh} />
      ${error === null ? null : html`<${Problem} reason=${error} again=${monitor.again} />`}
      <${Figures} monitor=${data} />
      <section>
        <h2>Checks</h2>
        ${results.error !== null
          ? html`<${Problem} reason=${results.error} again=${results.again} />`
          : results.data === null
          ? html`<${Skeleton} rows=${4} />`
          : html`
            <${Results} results=${results.data.results} />
            ${results.data.next_cursor === null || limit >= 500
              ? null
              : html`<button type="button" class="load-more" onClick=${() =>
                setLimit(Math.min(500, limit + 100))}>Earlier checks</button>`}
          `}
      </section>
      <${Asked} monitor=${data} />
    </div>
  `;
}

function Head({ monitor, refresh }: { monitor: Monitor; refresh: () => void }): View {
  const [busy, setBusy] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [sure, setSure] = useState(false);
  const act = async (word: string, work: () => Promise<unknown>) => {
    setBusy(word);
    setProblem(null);
    try {
      await work();
      refresh();
    } catch (error) {
      setProblem((error as Error).message);
    } finally {
      setBusy(null);
    }
  };
  const { id, state } = monitor;
  const remove = () =>
    act("delete", async () => {
      await api.deleteMonitor(id);
      go(linkTo("/monitors"));
    });
  return html`
    <div class="monitor-head">
      <a class="button quiet back" href=${linkTo("/monitors")} aria-label="All monitors">${icon(
        "back",
      )}</a>
      <h1>${monitor.name}</h1>
      ${monitorMark(state.status)}
      ${state.firing ? html`<span class="chip chip-firing">alert</span>` : null}
      ${state.running ? html`<span class="dim" role="status">checking…</span>` : null}
      <span class="grow"></span>
      ${!canAdmin.value ? null : html`
        <div class="monitor-tools">
          <button type="button" disabled=${busy !== null || state.running} onClick=${() =>
            act("check", () => api.runMonitor(id))}>${busy === "check"
            ? "Checking…"
            : "Check now"}</button>
          <button type="button" disabled=${busy !== null} onClick=${() =>
            act("pause", () => api.changeMonitor(id, { enabled: !monitor.enabled }))}>${monitor
              .enabled
            ? "Pause"
            : "Resume"}</button>
          <a class="button" href=${monitorLink(id, "/edit")}>Edit</a>
          ${sure
            ? html`
              <button type="button" class="danger" onClick=${remove}>Delete for good</button>
              <button type="button" class="quiet" onClick=${() => setSure(false)}>Keep it</button>
            `
            : html`<button type="button" onClick=${() => setSure(true)}>Delete</button>`}
        </div>
      `}
    </div>
    ${monitor.description === undefined ? null : html`<p class="dim">${monitor.description}</p>`}
    ${problem === null ? null : html`<p class="notice-problem" role="alert">${problem}</p>`}
  `;
}

function inWords(ms: number): string {
  return ms < 60_000 ? `${Math.ceil(ms / 1000)} s` : duration(ms);
}

const periodWords = [["24h", "24 hours"], ["7d", "7 days"], ["30d", "30 days"]] as const;

function Figures({ monitor }: { monitor: Monitor }): View {
  const { state: { status, since, failures, next_at, last }, uptime, recent } = monitor;
  const standing = status === "paused"
    ? "Paused: it is not checked."
    : last === null
    ? "It was not checked yet."
    : failures === 0
    ? since === null ? "Right." : `Right since ${moment(since)}.`
    : `${plural(failures, "check")} in a row not right${
      since === null ? "" : `, since ${moment(since)}`
    }. ${last.message ?? ""}`;
  const next = next_at === null
    ? null
    : Date.parse(next_at) <= now.value
    ? "The next is due."
    : `The next in ${inWords(Date.parse(next_at) - now.value)}.`;
  return html`
    <p class=${failures > 0 && status !== "paused" ? "problem" : "dim"}>${standing} ${next}</p>
    <dl class="summary">${periodWords.map(([period, words]) =>
      html`<${PeriodFigures} key=${period} words=${words} of=${uptime[period]} />`
    )}</dl>
    <div class="monitor-strip">
      <${CheckStrip} checks=${recent} />
    </div>
  `;
}

function PeriodFigures({ words, of }: { words: string; of: MonitorPeriod }): View {
  const { checks, failing, erroring, uptime, latency_ms, cost_usd } = of;
  const wrong = [
    failing > 0 ? `${failing} failing` : "",
    erroring > 0 ? `${erroring} without an answer` : "",
  ].filter((part) => part !== "");
  return html`
    <div>
      <dt>Up, ${words}</dt>
      <dd>${uptime === null ? nothing : percent(uptime)}</dd>
      <dd class="dim">${plural(checks, "check")}${wrong.length === 0
        ? ""
        : `: ${wrong.join(", ")}`}</dd>
      <dd class="dim">${latency_ms === null
        ? ""
        : `${duration(latency_ms)} on average`}${cost_usd === null
        ? ""
        : `, ${dollars(cost_usd)}`}</dd>
    </div>
  `;
}

function Results({ results }: { results: MonitorResult[] }): View {
  if (results.length === 0) return html`<p class="dim">There is none yet.</p>`;
  return html`
    <div class="table-box" tabindex="0" role="region" aria-label="Checks">
      <table class="checks">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Result</th>
            <th scope="col" class="num">Latency</th>
            <th scope="col" class="num">Cost</th>
            <th scope="col">What was found</th>
            <th scope="col"><span class="unseen">Run</span></th>
          </tr>
        </thead>
        <tbody>${results.map((result) =>
          html`
            <tr key=${result.id}>
              <td title=${moment(result.at)}>${ago(result.at, now.value)}${result.by === "hand"
                ? html`<span class="dim"> by hand</span>`
                : null}</td>
              <td>${monitorMark(result.outcome)}</td>
              <td class="num" title=${result.first_token_ms == null
                ? null
                : `First token after ${duration(result.first_token_ms)}`}>${duration(
                  result.latency_ms,
                )}</td>
              <td class="num">${result.cost_usd === null ? nothing : dollars(result.cost_usd)}</td>
              <td class="checks-said">${result.message ?? saidOf(result)}${result.attempts > 1
                ? html`<span class="dim"> ${plural(result.attempts, "attempt")}.</span>`
                : null}</td>
              <td>${result.stored === "stored"
                ? html`<a href=${linkTo(`/runs/${encodeURIComponent(result.id)}`)}>Run</a>`
                : html`<span class="dim">${
                  result.stored === "sampled_out"
                    ? "sampled out"
                    : result.stored === "refused"
                    ? "could not be stored"
                    : nothing
                }</span>`}</td>
            </tr>
          `
        )}</tbody>
      </table>
    </div>
  `;
}

function saidOf({ assertions, status }: MonitorResult): string {
  const unknown = assertions.filter(({ holds }) => holds === null);
  if (unknown.length > 0) {
    return `Cannot be told: ${unknown.map(({ text }) => text).join("; ")}.`;
  }
  return assertions.length === 0
    ? `Answered ${status}.`
    : `${plural(assertions.length, "assertion")} ${assertions.length === 1 ? "holds" : "hold"}.`;
}

function Asked({ monitor }: { monitor: Monitor }): View {
  const { prompt, system, body, assertions, secrets, channels, failures_to_alert } = monitor;
  const project_id = project.value;
  const known = useAsk(
    channels.length === 0 ? null : project_id,
    (signal) => api.channels({ project_id }, signal),
  );
  const names = channels.map((id) => known.data?.channels.find((one) => one.id === id)?.name ?? id);
  const filter = `tag:monitor:${monitor.id}`;
  return html`
    <section>
      <h2>What is asked</h2>
      <dl class="facts">
        <div><dt>Endpoint</dt><dd>${typeWords[monitor.type]}, ${monitor.type === "http"
          ? `${monitor.method ?? "GET"} `
          : ""}<code>${monitor.url}</code></dd></div>
        ${monitor.model === undefined ? null : html`
          <div>
            <dt>Model</dt>
            <dd>${monitor.model}</dd>
          </div>
        `}
        ${system === undefined ? null : html`
          <div>
            <dt>Instructions</dt>
            <dd class="prose">${system}</dd>
          </div>
        `}
        ${prompt === undefined ? null : html`
          <div>
            <dt>Prompt</dt>
            <dd class="prose">${typeof prompt === "string"
              ? prompt
              : JSON.stringify(prompt, null, 2)}</dd>
          </div>
        `}
        ${body === undefined ? null : html`
          <div>
            <dt>Body</dt>
            <dd class="prose code">${body}</dd>
          </div>
        `}
        <div><dt>Holds when</dt><dd>${assertions.length === 0
          ? "it answers with a status of 200 to 299"
          : html`<ul>${
            assertions.map((one, at) => html`<li key=${at}>${assertionText(one)}</li>`)
          }</ul>`}</dd></div>
        <div><dt>Checked</dt><dd>${everyText(monitor.interval_minutes)}, ${plural(
          monitor.retries + 1,
          "attempt",
        )} of at most ${monitor.timeout_seconds} s</dd></div>
        <div><dt>Secrets</dt><dd>${secrets.length === 0
          ? "none"
          : secrets.map(secretWord).join(", ")}</dd></div>
        <div><dt>Told</dt><dd>${names.length === 0 ? "nobody" : names.join(", ")}, after ${plural(
          failures_to_alert,
          "failure",
        )} in a row</dd></div>
        <div><dt>Events</dt><dd><a href=${linkTo("/", { filter })}>${filter}</a></dd></div>
      </dl>
    </section>
  `;
}
