// `/alerts`: what fires and what fired; its rules, its channels, and who was told what.
import { useState } from "preact/hooks";
import { api } from "../api.ts";
import { go, here, linkTo, parameter } from "../parts/address.ts";
import {
  type Alert,
  AlertTabs,
  labelsText,
  levelMark,
  type Rule,
  ruleLink,
  valueText,
} from "../parts/alert.ts";
import { AlertActions } from "../parts/alert_actions.ts";
import { useAsk } from "../parts/ask.ts";
import { ChannelList } from "../parts/channel_list.ts";
import { DeliveryList } from "../parts/delivery_list.ts";
import { type Filter, keyNamed, writeFilter } from "../parts/filter.ts";
import { ago, duration, moment, plural } from "../parts/format.ts";
import { html, type View } from "../parts/html.ts";
import { monitorLink } from "../parts/monitor.ts";
import { Nothing, Problem, Skeleton } from "../parts/notice.ts";
import { RuleForm, Templates } from "../parts/rule_form.ts";
import { RuleList } from "../parts/rule_list.ts";
import { canAdmin, now, project } from "../parts/state.ts";

const askEveryMs = 10_000;
const alertsAtOnce = 50;

/** `at` is what follows `/alerts` in the address. */
export function AlertsPage({ at }: { at: string }): View {
  const rule = /^\/rules\/([^/]+)\/?$/.exec(at)?.[1];
  if (rule === "new") return html`<${RuleForm} key="new" rule=${null} />`;
  if (rule !== undefined) return html`<${Edit} key=${rule} id=${decodeURIComponent(rule)} />`;
  const Shown = ({
    "": AlertList,
    "/rules": RuleList,
    "/channels": ChannelList,
    "/deliveries": DeliveryList,
  } as Record<string, () => View>)[at.replace(/\/$/, "")];
  if (Shown === undefined) {
    return html`<${Nothing} title="There is no such page."><a href=${
      linkTo("/alerts")
    }>See the alerts</a><//>`;
  }
  return html`
    <div class="alerts">
      <${AlertTabs} />
      <${Shown} />
    </div>
  `;
}

function Edit({ id }: { id: string }): View {
  const { data, error, again } = useAsk(id, (signal) => api.rule(id, signal));
  if (error !== null) return html`<${Problem} reason=${error} again=${again} />`;
  return data === null ? html`<${Skeleton} />` : html`<${RuleForm} rule=${data} />`;
}

function AlertList(): View {
  const project_id = project.value;
  const status = parameter("state") ?? "";
  const level = parameter("level") ?? "";
  const rule_id = parameter("rule") ?? "";
  const [limit, setLimit] = useState(alertsAtOnce);
  const [turn, setTurn] = useState(0);
  const tick = `${Math.floor(now.value / askEveryMs)} ${turn}`;
  const { data, error, again } = useAsk(
    `${project_id} ${status} ${level} ${rule_id} ${limit} ${tick}`,
    (signal) => api.alerts({ project_id, status, level, rule_id, limit }, signal),
  );
  const rules = useAsk(`${project_id} ${tick}`, (signal) => api.rules({ project_id }, signal));
  if (data === null || rules.data === null) {
    const problem = error ?? rules.error;
    return problem === null
      ? html`<${Skeleton} />`
      : html`<${Problem} reason=${problem} again=${again} />`;
  }
  const byId = new Map(rules.data.rules.map((rule) => [rule.id, rule]));
  const firing = data.alerts.filter((alert) => alert.status === "firing").length;
  return html`
    <div class="monitors-head">
      <h1 class="unseen">Alerts</h1>
      <p class="list-count">${firing === 0
        ? "Nothing fires."
        : `${plural(firing, "alert")} firing`}</p>
      <span class="grow"></span>
      ${choice("state", "Show", status, [["", "all"], ["firing", "firing"], [
        "resolved",
        "resolved",
      ]])}
      ${choice("level", "Level", level, [["", "any"], ["warning", "warning"], [
        "critical",
        "critical",
      ]])}
      ${choice("rule", "Rule", rule_id, [
        ["", "any"],
        ...rules.data.rules.map(({ id, name }) => [id, name] as const),
      ])}
    </div>
    ${error === null ? null : html`<${Problem} reason=${error} again=${again} />`}
    ${data.alerts.length === 0
      ? status + level + rule_id !== ""
        ? html`<${Nothing} title="No such alert."><a href=${linkTo("/alerts")}>Show all</a><//>`
        : html`<${NoAlerts} rules=${rules.data.rules} />`
      : html`<ul class="alert-rows">${
        data.alerts.map((alert) =>
          html`
            <${Row} key=${alert.id} alert=${alert} rule=${byId.get(alert.rule_id) ?? null}
              refresh=${() => setTurn(turn + 1)} />
          `
        )
      }</ul>`}
    ${data.next_cursor === null || limit >= 500
      ? null
      : html`<button type="button" class="load-more" onClick=${() =>
        setLimit(Math.min(500, limit + 100))}>Earlier alerts</button>`}
  `;
}

/** What is chosen stands in the address. */
function choice(
  name: string,
  label: string,
  value: string,
  options: readonly (readonly [string, string])[],
): View {
  return html`
    <label
      class="pick">${label} <select value=${value} onChange=${(event: Event) =>
        go(here({ [name]: (event.target as HTMLSelectElement).value || null }))}>${options.map((
          [id, word],
        ) =>
          html`<option key=${id} value=${id} selected=${id === value}>${word}</option>`
        )}</select></label>
  `;
}

function NoAlerts({ rules }: { rules: Rule[] }): View {
  if (rules.length > 0) {
    return html`
      <${Nothing} title="No alert.">
        <p>${plural(rules.length, "rule")} ${rules.length === 1
          ? "watches"
          : "watch"} this project.</p>
        <//>
    `;
  }
  return html`
    <${Nothing} title="Nothing is watched yet.">
          <p>A rule looks at error rate, cost, latency, tokens, traffic, or at your own SQL, and tells you by Slack,
            e-mail, PagerDuty, a webhook and others.</p>
    <//>
        ${canAdmin.value ? html`<${Templates} />` : null}
  `;
}

function Row({ alert, rule, refresh }: {
  alert: Alert;
  rule: Rule | null;
  refresh: () => void;
}): View {
  const isFiring = alert.status === "firing";
  const end = alert.resolved_at === null ? now.value : Date.parse(alert.resolved_at);
  const value = (number: number | null) => valueText(rule?.metric, number);
  const labels = labelsText(alert.labels);
  return html`
    <li class="alert-row">
      <div>${levelMark(alert.level, !isFiring)}</div>
      <div class="alert-what">
        ${alert.rule_id.startsWith("mon_")
          ? html`
            <a class="row-link" href=${monitorLink(alert.rule_id)}>${alert.rule_name}</a>
            <span class="dim">monitor</span>
          `
          : rule === null
          ? html`<b>${alert.rule_name}</b> <span class="dim">deleted</span>`
          : html`<a class="row-link" href=${ruleLink(rule.id)}>${alert.rule_name}</a>`}
        ${labels === "" ? null : html`<span class="chip">${labels}</span>`}
        ${rule?.state.muted ? html`<span class="chip">muted</span>` : null}
        <p class="dim">${value(alert.value)}${alert.threshold === null
          ? ""
          : `, threshold ${
            rule?.baseline === undefined ? value(alert.threshold) : `${alert.threshold} deviations`
          }`}${alert.expected === null ? "" : `, usually ${value(alert.expected)}`}</p>
        ${isFiring && rule?.runbook !== undefined
          ? html`<${Runbook} runbook=${rule.runbook} />`
          : null}
      </div>
      <div class="alert-when">
        <p title=${moment(alert.fired_at)}>${ago(alert.fired_at, now.value)}</p>
        <p class="dim">${isFiring ? "for" : "lasted"} ${duration(
          Math.max(0, end - Date.parse(alert.started_at)),
        )}${alert.resolved_reason === null
          ? ""
          : `, ${alert.resolved_reason.replaceAll("_", " ")}`}</p>
        <p class="dim">${alert.notifications === 0
          ? "nobody told"
          : alert.notifications === 1
          ? "told once"
          : `told ${plural(alert.notifications, "time")}`}</p>
      </div>
      <div class="alert-actions">
        <a class="button" href=${eventsLink(alert, rule)}>Events</a>
        ${isFiring && canAdmin.value
          ? html`<${AlertActions} alert=${alert} rule=${rule} refresh=${refresh} />`
          : null}
      </div>
    </li>
  `;
}

function Runbook({ runbook }: { runbook: NonNullable<Rule["runbook"]> }): View {
  if (runbook.steps.length === 0 && runbook.url === undefined) return null;
  return html`
    <details class="runbook">
      <summary>Runbook</summary>
      <ol>${runbook.steps.map((step, at) => html`<li key=${at}>${step}</li>`)}</ol>
      ${runbook.url === undefined
        ? null
        : html`<p><a href=${runbook.url} target="_blank" rel="noreferrer noopener">${runbook.url}</a></p>`}
    </details>
  `;
}

/** The events behind it: those of its window, by the rule's own filter and the alert's group. */
function eventsLink(alert: Alert, rule: Rule | null): string {
  const windowMs = (rule?.window_minutes ?? 5) * 60_000;
  const since = new Date(Date.parse(alert.started_at) - windowMs).toISOString();
  const until = new Date(
    (alert.resolved_at === null ? Date.now() : Date.parse(alert.resolved_at)) + 60_000,
  ).toISOString();
  const failed = rule?.metric === "error_rate" || rule?.metric === "errors";
  const values: Filter["values"] = failed
    ? { status: ["error", "timeout", "assertion_failed"] }
    : {};
  const grouped = rule?.group_by === undefined
    ? {}
    : { [rule.group_by]: alert.labels[rule.group_by] };
  for (const [name, given] of Object.entries({ ...rule?.filter, ...grouped })) {
    const key = keyNamed(name);
    if (key !== null && given !== undefined) values[key] = Array.isArray(given) ? given : [given];
  }
  return linkTo("/", { since, until, filter: writeFilter({ values, text: "" }) });
}
