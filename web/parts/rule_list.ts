// `/alerts/rules`: every rule, how it stands, and its switch.
import { useState } from "preact/hooks";
import { api } from "../api.ts";
import { linkTo } from "./address.ts";
import { type Rule, ruleLink, ruleMark, ruleText, valueText } from "./alert.ts";
import { Snooze } from "./alert_actions.ts";
import { useAsk } from "./ask.ts";
import { ago, moment, plural } from "./format.ts";
import { html, type View } from "./html.ts";
import { Nothing, Problem, Skeleton } from "./notice.ts";
import { canAdmin, now, project } from "./state.ts";

const askEveryMs = 10_000;

export function RuleList(): View {
  const project_id = project.value;
  const [turn, setTurn] = useState(0);
  const { data, error, again } = useAsk(
    `${project_id} ${Math.floor(now.value / askEveryMs)} ${turn}`,
    (signal) => api.rules({ project_id }, signal),
  );
  const channels = useAsk(project_id, (signal) => api.channels({ project_id }, signal));
  if (data === null) {
    return error === null
      ? html`<${Skeleton} />`
      : html`<${Problem} reason=${error} again=${again} />`;
  }
  const { rules } = data;
  const names = new Map(channels.data?.channels.map(({ id, name }) => [id, name]));
  return html`
    <div class="monitors-head">
      <h1 class="unseen">Rules</h1>
      <p class="list-count">${plural(rules.length, "rule")}</p>
      <span class="grow"></span>
      ${canAdmin.value
        ? html`<a class="button primary" href=${linkTo("/alerts/rules/new")}>New rule</a>`
        : null}
    </div>
    ${error === null ? null : html`<${Problem} reason=${error} again=${again} />`}
    ${rules.length === 0
      ? html`
        <${Nothing} title="Nothing is watched yet.">
          <p>Begin with one of the templates.</p>
          <//>
      `
      : html`<ul class="alert-rows">${
        rules.map((rule) =>
          html`<${Row} key=${rule.id} rule=${rule} names=${names} refresh=${() =>
            setTurn(turn + 1)} />`
        )
      }</ul>`}
  `;
}

function Row({ rule, names, refresh }: {
  rule: Rule;
  names: Map<string, string>;
  refresh: () => void;
}): View {
  const [problem, setProblem] = useState<string | null>(null);
  const { state } = rule;
  const [busy, setBusy] = useState(false);
  const act = async (work: () => Promise<unknown>) => {
    setProblem(null);
    setBusy(true);
    try {
      await work();
      refresh();
    } catch (error) {
      setProblem((error as Error).message);
    } finally {
      setBusy(false);
    }
  };
  const toggle = () => act(() => api.changeRule(rule.id, { enabled: !rule.enabled }));
  const snoozed = rule.snoozed_until !== null && Date.parse(rule.snoozed_until) > now.value;
  return html`
    <li class="alert-row">
      <div>${ruleMark(state.status)}</div>
      <div class="alert-what">
        <a class="row-link" href=${ruleLink(rule.id)}>${rule.name}</a>
        ${snoozed
          ? html`<span class="chip">snoozed until ${moment(rule.snoozed_until!)}</span>`
          : state.muted
          ? html`<span class="chip">muted</span>`
          : null}
        <p class="dim">${ruleText(rule)}</p>
        ${rule.sql === undefined
          ? null
          : html`<p class="dim rule-sql"><code>${rule.sql}</code></p>`}
        ${state.last_error === null || state.health !== "failing" ? null : html`
          <p class="row-error">Cannot be looked at: ${state.last_error}</p>
        `}
        ${problem === null ? null : html`<p class="row-error" role="alert">${problem}</p>`}
      </div>
      <div class="alert-when">
        <p>${state.value === null ? "" : `now ${valueText(rule.metric, state.value)}`}</p>
        <p class="dim">${state.evaluated_until === null
          ? "not looked at yet"
          : `looked at ${ago(state.evaluated_until, now.value)}`}</p>
        <p class="dim">${rule.channels.length === 0
          ? "tells nobody"
          : `tells ${rule.channels.map((id) => names.get(id) ?? "a channel").join(", ")}`}</p>
      </div>
      <div class="alert-actions">${canAdmin.value
        ? html`
          ${rule.enabled
            ? html`<${Snooze} rule=${rule} busy=${busy} act=${(work: () => Promise<unknown>) =>
              void act(work)} />`
            : null}
          <button type="button" disabled=${busy} onClick=${toggle}>${rule.enabled
            ? "Turn off"
            : "Turn on"}</button>
        `
        : null}</div>
    </li>
  `;
}
