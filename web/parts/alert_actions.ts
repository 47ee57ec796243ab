// What can be done with an alert that fires: resolve it, mute its rule, and what its runbook offers.
import { useState } from "preact/hooks";
import { api } from "../api.ts";
import type { Alert, Rule } from "./alert.ts";
import { minutesText } from "./alert.ts";
import { html, type View } from "./html.ts";
import { now } from "./state.ts";

const snoozes = [60, 240, 1440];

export function AlertActions({ alert, rule, refresh }: {
  alert: Alert;
  rule: Rule | null;
  refresh: () => void;
}): View {
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState<string | null>(null);
  const act = (work: () => Promise<unknown>, done: string) => async () => {
    setBusy(true);
    setSaid(null);
    try {
      await work();
      setSaid(done);
      refresh();
    } catch (error) {
      setSaid((error as Error).message);
    } finally {
      setBusy(false);
    }
  };
  return html`
    <button type="button" disabled=${busy} onClick=${act(
      () => api.resolveAlert(alert.id),
      "Resolved.",
    )}>Resolve</button>
    ${rule === null ? null : html`
      <${Snooze} rule=${rule} busy=${busy} act=${(work: () => Promise<unknown>, done: string) =>
        void act(work, done)()} />
    `}
    ${(rule?.runbook?.actions ?? []).map((action, at) =>
      html`<button key=${at} type="button" disabled=${busy} onClick=${
        act(
          () => api.actOnAlert(alert.id, at),
          "Done.",
        )
      }>${action.label ?? actionWord(action)}</button>`
    )}
    ${said === null ? null : html`<p class="dim" role="status">${said}</p>`}
  `;
}

/** Nobody is told of the rule for some time; what fires goes on. */
export function Snooze({ rule, busy, act }: {
  rule: Rule;
  busy: boolean;
  act: (work: () => Promise<unknown>, done: string) => void;
}): View {
  const until = (snoozed_until: string | null) => () => api.changeRule(rule.id, { snoozed_until });
  if (rule.snoozed_until !== null && Date.parse(rule.snoozed_until) > now.value) {
    return html`<button type="button" disabled=${busy} onClick=${() =>
      act(until(null), "People are told again.")}>End the snooze</button>`;
  }
  const choose = (event: Event) => {
    const select = event.target as HTMLSelectElement;
    const minutes = Number(select.value);
    select.value = "";
    if (minutes === 0) return;
    act(until(new Date(Date.now() + minutes * 60_000).toISOString()), "Nobody is told for now.");
  };
  return html`<label class="pick"><span class="unseen">Snooze</span><select disabled=${busy} value=""
    onChange=${choose}><option value="">Snooze…</option>${
    snoozes.map((minutes) =>
      html`<option key=${minutes} value=${minutes}>${minutesText(minutes)}</option>`
    )
  }</select></label>`;
}

function actionWord({ type, minutes }: { type: string; minutes?: number }): string {
  switch (type) {
    case "mute":
      return `Mute ${minutesText(minutes ?? 60)}`;
    case "resolve":
      return "Resolve";
    case "page":
      return "Page";
    default:
      return "Call the webhook";
  }
}
