// What a runbook offers on an alert by one click: set here, done on the alert.
import type { Channel } from "./alert.ts";
import { html, type View } from "./html.ts";
import { wrongAt } from "./rule_conditions.ts";
import type { RuleAction, RulePart } from "./rule_fields.ts";

const actionsMax = 10;

const words = {
  mute: "Mute for",
  resolve: "Resolve",
  page: "Tell a channel once more",
  webhook: "Call a webhook",
} as const;

export function RuleActions(
  { typed: { actions }, change, wrong, channels }: RulePart & { channels: Channel[] },
): View {
  const set = (at: number, action: RuleAction) =>
    change({ actions: actions.map((one, index) => index === at ? action : one) });
  const add = () => change({ actions: [...actions, { type: "mute", minutes: 60 }] });
  return html`
    ${actions.map((action, at) =>
      html`
        <fieldset key=${at} class="bare mute-window">
          <legend class="unseen">Action ${at + 1}</legend>
          <${Action} action=${action} channels=${channels} set=${(next: RuleAction) =>
            set(at, next)} />
          <button type="button" class="quiet" aria-label=${`Remove action ${at + 1}`}
            onClick=${() =>
              change({ actions: actions.filter((_, index) => index !== at) })}>Remove</button>
          ${wrongAt(wrong, `runbook.actions.${at}`)}
        </fieldset>
      `
    )}
    ${actions.length >= actionsMax
      ? null
      : html`<p><button type="button" onClick=${add}>Add a one-click action</button></p>`}
  `;
}

function Action({ action, channels, set }: {
  action: RuleAction;
  channels: Channel[];
  set: (action: RuleAction) => void;
}): View {
  const { type, label, minutes, channel } = action;
  const offered = type === "webhook" ? channels.filter((one) => one.type === "webhook") : channels;
  const named = label === undefined ? {} : { label };
  const choose = (next: string) => {
    if (next === "mute") return set({ type: next, ...named, minutes: 60 });
    if (next === "resolve") return set({ type: next, ...named });
    const of = next === "webhook" ? channels.filter((one) => one.type === "webhook") : channels;
    set({ type: next, ...named, channel: of[0]?.id ?? "" });
  };
  return html`
    <label>Does<select value=${type} onChange=${(event: Event) =>
      choose((event.target as HTMLSelectElement).value)}>${Object.entries(words).map((
        [name, word],
      ) =>
        html`<option key=${name} value=${name} selected=${name === type}>${word}</option>`
      )}</select></label>
    ${type !== "mute" ? null : html`
      <label>minutes<input type="number" min="1" required value=${minutes} onInput=${(
        event: Event,
      ) => set({ ...action, minutes: Number((event.target as HTMLInputElement).value) })} /></label>
    `}
    ${type !== "page" && type !== "webhook" ? null : html`
      <label>Channel<select required value=${channel} onChange=${(event: Event) =>
        set({
          ...action,
          channel: (event.target as HTMLSelectElement).value,
        })}>${offered.length === 0 ? html`<option value="">there is none</option>` : null}${offered
        .map(({ id, name }) =>
          html`<option key=${id} value=${id} selected=${id === channel}>${name}</option>`
        )}</select></label>
    `}
    <label>Button says<input maxlength="80" placeholder="as above" value=${label ?? ""} onInput=${(
      event: Event,
    ) => {
      const { label: _, ...rest } = action;
      const text = (event.target as HTMLInputElement).value;
      set(text === "" ? rest : { ...rest, label: text });
    }} /></label>
  `;
}
