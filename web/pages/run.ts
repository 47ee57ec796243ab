// `/runs/<id>`: one run as a tree with the chosen event beside it, or as one conversation.
import { useEffect, useState } from "preact/hooks";
import { api, type FullEvent, type Run, type RunEvent } from "../api.ts";
import { go, here, linkTo, parameter, settle } from "../parts/address.ts";
import { useAsk, useThrottled } from "../parts/ask.ts";
import { chatOf } from "../parts/chat.ts";
import { MessageCard } from "../parts/conversation.ts";
import { Copy } from "../parts/copy.ts";
import { EventDetail } from "../parts/event_detail.ts";
import { costOf } from "../parts/event_figures.ts";
import { dollars, duration, exact, moment, plural } from "../parts/format.ts";
import { html, type View } from "../parts/html.ts";
import { icon, statusMark } from "../parts/icons.ts";
import { useKeys } from "../parts/keys.ts";
import { type Neighbours, useNeighbours } from "../parts/neighbours.ts";
import { Nothing, Problem, Skeleton } from "../parts/notice.ts";
import { RunTree } from "../parts/run_tree.ts";
import { project } from "../parts/state.ts";
import { writeFilter } from "../parts/filter.ts";
import { runCost } from "./runs.ts";

const refetchEveryMs = 1500;
/** Whole events of a long run are heavy: the chat takes them so many at a time. */
const chatEvents = 200;

export function RunPage({ run_id }: { run_id: string }): View {
  const project_id = project.value;
  const { data: answer, key, error, again } = useAsk(
    `${project_id} ${run_id}`,
    (signal) => api.run(run_id, { project_id }, signal),
  );
  // On the way to the next run the last one stays, unless there is nothing to wait for.
  const data = error !== null && key !== `${project_id} ${run_id}` ? null : answer;
  const neighbours = useNeighbours(data?.run ?? null, run_id);
  const follow = useThrottled(refetchEveryMs, again);
  useEffect(() => {
    const stream = api.live({ project_id, run_id });
    stream.addEventListener("event", follow);
    return () => stream.close();
  }, [project_id, run_id]);
  const view = parameter("view");
  const asChat = view === "chat";
  const at = parameter("at");
  const narrow = useNarrow();
  const goToRun = (next: string | null) => {
    if (next !== null) go(linkTo(`/runs/${encodeURIComponent(next)}`, { view }));
  };
  const failures = (data?.events ?? []).filter(isFailure);
  const nextFailure = () => {
    const current = at ?? (narrow ? null : failures[0]?.event_id);
    const index = failures.findIndex(({ event_id }) => event_id === current);
    // After the last one the first comes again.
    const next = failures[index + 1] ?? failures[0];
    if (next !== undefined) go(here({ view: null, at: next.event_id }));
  };
  useKeys({
    "[": () => goToRun(neighbours.newer),
    "]": () => goToRun(neighbours.older),
    n: nextFailure,
    Escape: () => go(at !== null && narrow ? here({ at: null }) : linkTo("/runs")),
  });
  if (data === null) {
    return error === null ? html`<${Skeleton} />` : html`
      <${Problem} reason=${error} again=${again} />
      <p><a href=${linkTo("/runs")}>All runs</a></p>
    `;
  }
  const { run, events, truncated } = data;
  // On a wide screen something is always open: what failed, else the beginning.
  const selected = at ?? (narrow ? null : (failures[0] ?? events[0])?.event_id ?? null);
  return html`<div class="run">
    <${Head} run=${run} events=${events} nextFailure=${failures.length === 0 ? null : nextFailure}
      neighbours=${neighbours} goToRun=${goToRun} />
    ${error === null ? null : html`<${Problem} reason=${error} again=${again} />`}
    <div class="tabs" role="tablist" aria-label="How to see the run">
      <a role="tab" aria-selected=${!asChat} href=${here({ view: null })}>${icon("run")}Tree</a>
      <a role="tab" aria-selected=${asChat} href=${here({ view: "chat", at: null })}>${
    icon("chat")
  }Conversation</a>
    </div>
    ${
    truncated
      ? html`<p class="dim">This run is long: its first ${exact(events.length)} of ${
        exact(run.event_count)
      } events are shown.</p>`
      : null
  }
    ${
    asChat
      ? html`<${Chat} run=${run} />`
      : html`<div class=${at === null ? "run-body" : "run-body has-event"}>
        <${RunTree} key=${run.run_id} events=${events} selected=${selected} select=${(
        event_id: string,
      ) => narrow ? go(here({ at: event_id })) : settle(here({ at: event_id }))} />
        ${selected === null ? null : html`<${Side} event_id=${selected} events=${events} />`}
      </div>`
  }
  </div>`;
}

function isFailure({ status }: RunEvent): boolean {
  return status !== "success" && status !== "warning";
}

/** Model calls that used tokens and have no price: the sum of the costs lacks them. */
function unpricedOf(events: readonly RunEvent[]): number {
  return events.filter((event) =>
    event.event_type === "prompt_call" && costOf(event) === null &&
    (event.tokens_input ?? event.tokens_output) != null
  ).length;
}

function Head({ run, events, nextFailure, neighbours, goToRun }: {
  run: Run;
  events: RunEvent[];
  nextFailure: (() => void) | null;
  neighbours: Neighbours;
  goToRun: (run_id: string | null) => void;
}): View {
  const filtered = (key: "user_id" | "session_id", value: string) =>
    linkTo("/runs", { filter: writeFilter({ values: { [key]: [value] }, text: "" }) });
  const figures: [string, View][] = [
    ["Duration", duration(run.duration_ms)],
    [
      "Tokens",
      run.tokens_input == null && run.tokens_output == null
        ? "–"
        : `${exact(run.tokens_input)} → ${exact(run.tokens_output)}`,
    ],
    ["Cost", runCost({ ...run, unpriced: unpricedOf(events) })],
    ["Events", [
      exact(run.event_count),
      run.error_count === 0
        ? null
        : nextFailure === null
        ? `, ${exact(run.error_count)} failed`
        : html`
          , <button type="button" class="as-link run-failed" title="Go to the next one that failed (n)"
            onClick=${nextFailure}>${exact(run.error_count)} failed</button>
        `,
    ]],
  ];
  if (run.user_id != null) {
    figures.push(["User", html`<a href=${filtered("user_id", run.user_id)}>${run.user_id}</a>`]);
  }
  if (run.session_id != null) {
    figures.push([
      "Session",
      html`<a href=${filtered("session_id", run.session_id)}>${run.session_id}</a>`,
    ]);
  }
  if (run.release != null) figures.push(["Release", run.release]);
  figures.push([
    "Started",
    html`<time datetime=${run.started_at}>${moment(run.started_at)}</time>`,
  ]);
  return html`
    <header class="run-head">
      <div class="run-title">
          <a class="button back" href=${linkTo("/runs")} aria-label="All runs">${icon("back")}</a>
          <h1>${run.name ?? run.run_id}</h1>
          ${statusMark(run.status)}
          <span class="dim id">${run.run_id}</span>
          <${Copy} text=${run.run_id} label="Copy the run's id" />
          <span class="grow"></span>
          <button type="button" class="quiet turn-up" aria-label="Newer run" title="Newer run ([)"
            disabled=${neighbours.newer === null} onClick=${() => goToRun(neighbours.newer)}>${icon(
              "chevron",
            )}</button>
          <button type="button" class="quiet turn-down" aria-label="Older run" title="Older run (])"
            disabled=${neighbours.older === null} onClick=${() => goToRun(neighbours.older)}>${icon(
              "chevron",
            )}</button>
        </div>
      <dl class="run-figures">${figures.map(([name, value]) =>
        html`
          <div key=${name}>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>
        `
      )}</dl>
    </header>
  `;
}

function Side({ event_id, events }: { event_id: string; events: RunEvent[] }): View {
  const { data, error, key, again } = useAsk(
    event_id,
    (signal) => api.event(event_id, { project_id: project.value }, signal),
  );
  const index = events.findIndex((event) => event.event_id === event_id);
  const turn = (by: number) => {
    const next = events[index + by];
    if (next !== undefined) settle(here({ at: next.event_id }));
  };
  return html`
    <section class="run-side" aria-label="Event" aria-busy=${key !== event_id && error === null}>
      <div class="drawer-bar run-side-bar">
        <a class="button back" href=${here({ at: null })}>${icon("back")}Tree</a>
        <span class="grow"></span>
        <button type="button" class="quiet turn-up" aria-label="Previous event" disabled=${index <=
          0}
          onClick=${() => turn(-1)}>${icon("chevron")}</button>
        <button type="button" class="quiet turn-down" aria-label="Next event" disabled=${index >=
          events.length - 1}
          onClick=${() => turn(1)}>${icon("chevron")}</button>
      </div>
      <div class="run-side-body">${error !== null
        ? html`<${Problem} reason=${error} again=${again} />`
        : data === null
        ? html`<${Skeleton} />`
        : html`<${EventDetail} key=${data.event_id} event=${data} inRun />`}</div>
    </section>
  `;
}

function Chat({ run }: { run: Run }): View {
  const [limit, setLimit] = useState(chatEvents);
  const { data, error, again } = useAsk(
    // Events that come in while it is read belong to it.
    `${run.run_id} ${run.event_count} ${limit}`,
    (signal) =>
      api.fullEvents({
        project_id: project.value,
        run_id: run.run_id,
        order: "asc",
        limit: Math.min(limit, 1000),
      }, signal),
  );
  if (data === null) {
    return error === null
      ? html`<${Skeleton} />`
      : html`<${Problem} reason=${error} again=${again} />`;
  }
  const entries = chatOf(data.events);
  if (entries.length === 0) {
    return html`
      <${Nothing} title="Nothing was said in this run.">
        <p>Its events carry no prompts, responses or tool calls.</p>
        <//>
    `;
  }
  return html`<div class="chat conversation">
    ${
    entries.map(({ message, event, isResult }, index) =>
      html`<${MessageCard} key=${index} message=${message}>
        ${isResult ? html`<${Figures} event=${event} />` : null}
      <//>`
    )
  }
    ${
    data.has_more
      ? html`<button type="button" class="fold" disabled=${limit >= 1000} onClick=${() =>
        setLimit(1000)}>${
        limit >= 1000
          ? `${plural(data.total - data.events.length, "later event")} not shown`
          : `${plural(data.total - data.events.length, "more event")}`
      }</button>`
      : null
  }
  </div>`;
}

function Figures({ event }: { event: FullEvent }): View {
  const cost = costOf(event);
  const parts = [
    event.model ?? null,
    event.latency_ms == null ? null : duration(event.latency_ms),
    event.event_type === "prompt_call" ? (cost === null ? "cost unknown" : dollars(cost)) : null,
  ].filter((part) => part !== null);
  return html`
    <span class="dim">${parts.join(" · ")}</span>${event.status === "success"
      ? null
      : statusMark(event.status)}<a class="chat-link"
      href=${here({ view: null, at: event.event_id })}>See in the tree</a>
  `;
}

/** True on a phone, where the tree and the event take turns. */
function useNarrow(): boolean {
  const [query] = useState(() => matchMedia("(max-width: 900px)"));
  const [narrow, setNarrow] = useState(query.matches);
  useEffect(() => {
    const changed = () => setNarrow(query.matches);
    query.addEventListener("change", changed);
    return () => query.removeEventListener("change", changed);
  }, []);
  return narrow;
}
