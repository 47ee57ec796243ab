// `/issues/{id}`: what the failure is, whom it hits, in which runs, and what is done about it.
import { useState } from "preact/hooks";
import { api } from "../api.ts";
import { here, linkTo } from "../parts/address.ts";
import { useAsk } from "../parts/ask.ts";
import { ago, exact, moment, nothing, plural } from "../parts/format.ts";
import { html, type View } from "../parts/html.ts";
import { icon } from "../parts/icons.ts";
import {
  type IssueChange,
  type IssueDetail,
  kindWords,
  StateChip,
  titleOf,
  Trend,
} from "../parts/issue.ts";
import { Nothing, Problem, Skeleton } from "../parts/notice.ts";
import { canAdmin, now, project, scope } from "../parts/state.ts";

const askEveryMs = 10_000;
const mergeChoicesMax = 100;
const samplesAtOnce = 10;

export function IssuePage({ id }: { id: string }): View {
  const [changes, setChanges] = useState(0);
  const turn = Math.floor(now.value / askEveryMs);
  const query = scope.value;
  const { data, error, again } = useAsk(
    `${id} ${JSON.stringify(query)} ${turn} ${changes}`,
    (signal) => api.issue(id, { ...query, samples: samplesAtOnce }, signal),
  );
  if (data === null) {
    return error === null
      ? html`<${Skeleton} />`
      : html`<${Problem} reason=${error} again=${again} />`;
  }
  const refresh = () => setChanges(changes + 1);
  return html`
    <div class="issue">
      ${error === null ? null : html`<${Problem} reason=${error} again=${again} />`}
      <${Head} issue=${data} refresh=${refresh} />
      <${Figures} issue=${data} />
      <section aria-label="Trend">
        <h2>Over time</h2>
        ${data.trend === null ? html`<p class="dim">No failure in this range of time.</p>` : html`
          <${Trend} trend=${data.trend} heightPx=${72} label="Failures over time" />
          <p class="issue-axis dim"><span>${moment(data.trend.since)}</span><span>${moment(
            endOf(data.trend),
          )}</span></p>
        `}
      </section>
      <${Samples} issue=${data} />
      <${Spread} issue=${data} />
      <${Notes} issue=${data} refresh=${refresh} />
      <${Merged} issue=${data} refresh=${refresh} />
    </div>
  `;
}

function endOf({ since, interval_seconds, events }: NonNullable<IssueDetail["trend"]>): string {
  return new Date(Date.parse(since) + interval_seconds * 1000 * events.length).toISOString();
}

/** Work for the server: what is under way, and why it failed. */
function useWork(refresh: () => void) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const work = async (what: () => Promise<unknown>) => {
    setBusy(true);
    setProblem(null);
    try {
      await what();
      refresh();
      return true;
    } catch (error) {
      setProblem((error as Error).message);
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, problem, work };
}

function Head({ issue, refresh }: { issue: IssueDetail; refresh: () => void }): View {
  const { busy, problem, work } = useWork(refresh);
  const change = (fields: IssueChange) => () =>
    void work(() => api.changeIssue(issue.id, fields, { project_id: project.value }));
  const isOpen = issue.state === "open" || issue.state === "regressed";
  const button = (word: string, fields: IssueChange, primary = false) =>
    html`
      <button type="button" class=${primary ? "primary" : null} disabled=${busy}
        onClick=${change(fields)}>${word}</button>
    `;
  return html`
    <div class="issue-top">
      <a class="button quiet back" href=${linkTo("/issues")} aria-label="All issues">${icon(
        "back",
      )}</a>
      <div class="issue-name">
        <h1>${titleOf(issue)}</h1>
        <p class="issue-where dim"><${StateChip} state=${issue
          .state} />${" "}${kindWords[issue.kind ?? ""] ??
          "No failure in this range of time"}${issue.place === null
          ? null
          : [" · ", html`<code>${issue.place}</code>`]}</p>
        ${stateWords(issue)}
      </div>
      ${canAdmin.value
        ? html`<div class="issue-tools">${
          isOpen
            ? html`
              ${button("Resolve", { state: "resolved" }, true)}
              ${button("Resolve in next release", { state: "resolved", in_next_release: true })}
              ${button("Ignore", { state: "ignored" })}
            `
            : button("Open again", { state: "open" })
        }</div>`
        : null}
    </div>
    ${problem === null ? null : html`<p class="notice-problem" role="alert">${problem}</p>`}
  `;
}

function stateWords(
  { state, resolved_at, resolved_in, regressed_at, regressed_in }: IssueDetail,
): View {
  if (state === "regressed" && regressed_at !== null) {
    return html`<p class="row-error">It was resolved, and came back ${
      ago(regressed_at, now.value)
    }${regressed_in === null ? "" : ` in release ${regressed_in}`}.</p>`;
  }
  if (state === "resolved" && resolved_at !== null) {
    return html`<p class="dim">Resolved ${ago(resolved_at, now.value)}${
      resolved_in === null
        ? "; any later failure brings it back."
        : `; a failure in a later release than ${resolved_in} brings it back.`
    }</p>`;
  }
  return null;
}

function Figures({ issue }: { issue: IssueDetail }): View {
  const seen = (iso: string | null, release: string | null) =>
    html`
      <dd title=${iso === null ? null : moment(iso)}>${iso === null
        ? nothing
        : ago(iso, now.value)}</dd>
      <dd class="dim">${release === null ? "no release" : `in ${release}`}</dd>
    `;
  return html`
    <dl class="summary">
      <div>
        <dt>Failures</dt>
        <dd>${exact(issue.events)}</dd>
        <dd class="dim">${plural(issue.runs, "run")}</dd>
      </div>
      <div>
        <dt>Users</dt>
        <dd>${issue.users === null ? nothing : exact(issue.users)}</dd>
        <dd class="dim">with a user id</dd>
      </div>
      <div><dt>First seen</dt>${seen(issue.first_seen, issue.first_release)}</div>
      <div><dt>Last seen</dt>${seen(issue.last_seen, issue.last_release)}</div>
    </dl>
  `;
}

function Samples({ issue }: { issue: IssueDetail }): View {
  return html`
    <section>
      <h2>Runs it hit last</h2>
      ${issue.samples.length === 0
        ? html`<${Nothing} title="None in this range of time." />`
        : html`<ul class="issue-samples">${
          issue.samples.map((sample) =>
            html`
              <li key=${sample.event_id}>
                <p class="issue-words">${sample.words ?? sample.title}</p>
                <p
                  class="dim"><a href=${linkTo(
                    `/runs/${encodeURIComponent(sample.run_id)}`,
                  )}>Run ${sample.run_id}</a> · <a href=${here({ event: sample.event_id }).replace(
                    /^[^?]*/,
                    "/",
                  )}>event</a>${[sample.user_id, sample.release, sample.env, sample.model]
                    .filter((value) => value !== null).map((value) =>
                      ` · ${value}`
                    )} · <time datetime=${sample.timestamp} title=${moment(sample.timestamp)}>${ago(
                      sample.timestamp,
                      now.value,
                    )}</time></p>
              </li>
            `
          )
        }</ul>`}
    </section>
  `;
}

const fieldWords = { release: "Releases", user_id: "Users", env: "Environments", model: "Models" };

function Spread({ issue: { spread, events } }: { issue: IssueDetail }): View {
  if (spread.length === 0) return null;
  return html`
    <section>
      <h2>Where</h2>
      <div class="issue-spread">${Object.entries(fieldWords).map(([field, word]) => {
        const rows = spread.filter((row) => row.field === field);
        if (rows.length === 0) return null;
        return html`
          <div key=${field}>
            <h3>${word}</h3>
            <ul>${rows.map(({ value, events: count, last_seen }) =>
              html`<li key=${value} title=${`last ${moment(last_seen)}`}>
            <span class="issue-bar" style=${{
                width: `${count / Math.max(1, events) * 100}%`,
              }}></span>
            <span class="issue-value">${value}</span><span class="num">${exact(count)}</span></li>`
            )}</ul>
          </div>
        `;
      })}</div>
    </section>
  `;
}

function Notes({ issue, refresh }: { issue: IssueDetail; refresh: () => void }): View {
  const { busy, problem, work } = useWork(refresh);
  const [assignee, setAssignee] = useState(issue.assignee ?? "");
  const [note, setNote] = useState(issue.note ?? "");
  if (!canAdmin.value) {
    if (issue.assignee === null && issue.note === null) return null;
    return html`
      <section>
        <h2>Notes</h2>
        <p>${issue.assignee}</p>
        <p class="issue-words">${issue.note}</p>
      </section>
    `;
  }
  const isSame = assignee === (issue.assignee ?? "") && note === (issue.note ?? "");
  const save = (event: Event) => {
    event.preventDefault();
    const fields = { assignee: assignee.trim() || null, note: note.trim() || null };
    void work(() => api.changeIssue(issue.id, fields, { project_id: project.value }));
  };
  const value = (event: Event) => (event.target as HTMLInputElement).value;
  return html`
    <section>
      <h2>Who and what</h2>
      <form class="issue-notes" aria-label="Who and what" onSubmit=${save}>
        <label>Assigned to<input value=${assignee} maxlength="200" placeholder="Nobody"
          onInput=${(event: Event) => setAssignee(value(event))} /></label>
        <label>Note<textarea rows="3" maxlength="10000" placeholder="What is known of it"
          value=${note} onInput=${(event: Event) => setNote(value(event))}></textarea></label>
        ${problem === null ? null : html`<p class="notice-problem" role="alert">${problem}</p>`}
        <button type="submit" disabled=${busy || isSame}>Save</button>
      </form>
    </section>
  `;
}

function Merged({ issue, refresh }: { issue: IssueDetail; refresh: () => void }): View {
  const { busy, problem, work } = useWork(refresh);
  const [isOpen, setOpen] = useState(false);
  const [chosen, setChosen] = useState("");
  const project_id = project.value;
  const others = useAsk(
    isOpen ? `merge ${JSON.stringify(scope.value)} ${issue.merged.length}` : null,
    (signal) => api.issues({ ...scope.value, limit: mergeChoicesMax }, signal),
  );
  if (!canAdmin.value) return null;
  const choices = (others.data?.issues ?? []).filter(({ id }) => id !== issue.id);
  const merge = () =>
    void work(() => api.mergeIssues(issue.id, [chosen], { project_id })).then(() => setChosen(""));
  return html`
    <section>
      <h2>The same failure</h2>
      ${issue.merged.length === 0
        ? null
        : html`<ul class="issue-merged">${
          issue.merged.map((id) =>
            html`<li key=${id}><code>${id}</code> counts for this issue
            <button type="button" class="quiet" disabled=${busy} onClick=${() =>
              void work(() => api.unmergeIssue(id, { project_id }))}>Take out</button></li>`
          )
        }</ul>`}
      ${problem === null ? null : html`<p class="notice-problem" role="alert">${problem}</p>`}
      ${isOpen
        ? html`<div class="issue-merge"><label><span class="unseen">Issue to merge into this one</span>
          <select value=${chosen} onChange=${(event: Event) =>
          setChosen((event.target as HTMLSelectElement).value)}>
            <option value="">Choose an issue…</option>
            ${
          choices.map((one) =>
            html`<option key=${one.id} value=${one.id} selected=${one.id === chosen}>${
              [titleOf(one).slice(0, 80), one.place].filter((part) => part !== null).join(" · ")
            }</option>`
          )
        }
          </select></label>
          <button type="button" disabled=${
          busy || chosen === ""
        } onClick=${merge}>Merge</button></div>`
        : html`<button type="button" onClick=${() =>
          setOpen(true)}>Merge another issue into this one</button>`}
    </section>
  `;
}
