// `/issues`: failures that are alike, as one row each; `/issues/{id}` is the page of one.
import { useEffect, useState } from "preact/hooks";
import { api } from "../api.ts";
import { go, here, parameter } from "../parts/address.ts";
import { useAsk } from "../parts/ask.ts";
import { ago, moment, nothing, plural, short } from "../parts/format.ts";
import { html, type View } from "../parts/html.ts";
import {
  type Issue,
  issueLink,
  type IssueList,
  type IssueState,
  kindWords,
  StateChip,
  titleOf,
  Trend,
} from "../parts/issue.ts";
import { Nothing, Problem, Skeleton } from "../parts/notice.ts";
import { now, scope } from "../parts/state.ts";
import { IssuePage } from "./issue.ts";

const askEveryMs = 10_000;
const settleMs = 300;
const pageIssues = 50;

/** `at` is what follows `/issues` in the address. */
export function IssuesPage({ at }: { at: string }): View {
  const id = /^\/([^/]+)\/?$/.exec(at)?.[1];
  return id === undefined ? html`<${List} />` : html`<${IssuePage} key=${id} id=${id} />`;
}

const tabs: readonly (readonly [string, string, readonly IssueState[]])[] = [
  ["open", "Open", ["open", "regressed"]],
  ["regressed", "Back again", ["regressed"]],
  ["resolved", "Resolved", ["resolved"]],
  ["ignored", "Ignored", ["ignored"]],
  ["all", "All", []],
];
const sorts = [
  ["last_seen", "Last seen"],
  ["events", "Most failures"],
  ["users", "Most users"],
  ["first_seen", "Newest"],
] as const;

function List(): View {
  const [name, , states] = tabs.find(([name]) => name === parameter("state")) ?? tabs[0]!;
  const search = parameter("search") ?? "";
  const sort = sorts.find(([name]) => name === parameter("sort"))?.[0] ?? "last_seen";
  const [limit, setLimit] = useState(pageIssues);
  const query = {
    ...scope.value,
    ...states.length === 0 ? {} : { state: states.join(",") },
    ...search === "" ? {} : { search },
    sort,
    limit,
  };
  const turn = Math.floor(now.value / askEveryMs);
  const { data, error, again } = useAsk(
    `${JSON.stringify(query)} ${turn}`,
    (signal) => api.issues(query, signal),
  );
  return html`
    <div class="issues">
      <h1 class="unseen">Issues</h1>
      <div class="tabs" role="tablist" aria-label="States">${tabs.map(([key, word, of]) =>
        html`
          <a key=${key} role="tab" href=${here({ state: key === "open" ? null : key })}
            aria-selected=${key === name}>${word}${data === null ? null : html`
              <span class="dim num">${short(countOf(data, of))}</span>
            `}</a>
        `
      )}</div>
      <div class="issues-tools">
        <${Search} search=${search} />
        <label class="issues-sort"><span class="dim">Sort</span>
          <select value=${sort} onChange=${(event: Event) =>
            go(here({ sort: (event.target as HTMLSelectElement).value }))}>${sorts.map((
              [key, word],
            ) =>
              html`<option key=${key} value=${key} selected=${key === sort}>${word}</option>`
            )}</select>
        </label>
      </div>
      ${error === null ? null : html`<${Problem} reason=${error} again=${again} />`}
      ${data === null
        ? error === null ? html`<${Skeleton} />` : null
        : html`<${Rows} data=${data} search=${search} more=${
          data.next_cursor === null || limit >= 200 ? null : () => setLimit(200)
        } />`}
    </div>
  `;
}

function countOf({ states }: IssueList, of: readonly IssueState[]): number {
  const wanted = of.length === 0 ? Object.keys(states) as IssueState[] : of;
  return wanted.reduce((sum, state) => sum + (states[state] ?? 0), 0);
}

function Search({ search }: { search: string }): View {
  const [draft, setDraft] = useState(search);
  useEffect(() => setDraft(search), [search]);
  useEffect(() => {
    if (draft === search) return;
    const timer = setTimeout(() => go(here({ search: draft === "" ? null : draft })), settleMs);
    return () => clearTimeout(timer);
  }, [draft]);
  return html`
    <input type="search" class="issues-search" aria-label="Find an issue"
      placeholder="Title, place, id or note" value=${draft}
      onInput=${(event: Event) => setDraft((event.target as HTMLInputElement).value)} />
  `;
}

function Rows(
  { data, search, more }: { data: IssueList; search: string; more: (() => void) | null },
): View {
  const { issues, total, truncated } = data;
  if (issues.length === 0) {
    return html`
      <${Nothing} title="No issue here.">
        <p>${search === ""
          ? "Errors, refusals, cut-off and empty answers, failed assertions and loops appear here, those alike as one."
          : "None has these words in its title, place, id or note."}</p>
        <//>
    `;
  }
  return html`
    <p class="list-count" role="status">${plural(total, "issue")}${truncated
      ? html`
        <span class="dim">of the latest 10,000; narrow the range of time</span>
      `
      : null}</p>
    <div class="issue-head dim" aria-hidden="true"><span>Issue</span><span>Trend</span><span
      class="num">Failures</span><span class="num">Users</span><span>Seen</span></div>
    <ul class="issue-rows" aria-label="Issues">${issues.map((issue) =>
      html`<${Row} key=${issue.id} issue=${issue} />`
    )}</ul>
    ${more === null
      ? null
      : html`<button type="button" class="load-more" onClick=${more}>Show more</button>`}
  `;
}

function Row({ issue }: { issue: Issue }): View {
  const { kind, place, state, events, runs, users, first_seen, last_seen, first_release } = issue;
  return html`
    <li class="issue-row">
      <div class="issue-what">
        <p class="issue-title"><a class="row-link" href=${issueLink(issue.id)}>${titleOf(
          issue,
        )}</a></p>
        <p class="issue-where dim">${state === "open"
          ? null
          : html`<${StateChip} state=${state} />`}${state === "open"
          ? ""
          : " "}${kindWords[kind ?? ""] ?? nothing}${place === null
          ? null
          : [" · ", html`<code>${place}</code>`]}${issue.assignee === null
          ? ""
          : ` · for ${issue.assignee}`}</p>
      </div>
      <${Trend} trend=${issue.trend} heightPx=${28} label="Over time" />
      <p class="num issue-count"
        title=${plural(runs, "run")}><b>${short(events)}</b><span class="issue-unit"> ${events === 1
          ? "failure"
          : "failures"}</span></p>
      <p class="num issue-count">${users === null
        ? nothing
        : short(users)}<span class="issue-unit"> ${users === 1 ? "user" : "users"}</span></p>
      <p class="issue-seen"><time datetime=${last_seen} title=${last_seen === null
        ? null
        : moment(last_seen)}>${last_seen === null ? nothing : ago(last_seen, now.value)}</time>
        <span class="dim">first ${first_seen === null
          ? nothing
          : ago(first_seen, now.value)}${first_release === null
          ? null
          : ` in ${first_release}`}</span></p>
    </li>
  `;
}
