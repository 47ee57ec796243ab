// The part of a rule's form that says who is told, when nobody is, and what to do then.
import { api } from "../api.ts";
import { useAsk } from "./ask.ts";
import { html, type View } from "./html.ts";
import { RuleActions } from "./rule_actions.ts";
import { field, number, wrongAt } from "./rule_conditions.ts";
import type { RulePart, TypedRule } from "./rule_fields.ts";
import { project } from "./state.ts";

const days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

export function RuleTelling(
  { addChannel, ...part }: RulePart & { addChannel: () => void },
): View {
  const { typed, change, wrong } = part;
  const project_id = project.value;
  const { data, error } = useAsk(project_id, (signal) => api.channels({ project_id }, signal));
  const toggle = (id: string) =>
    change({
      channels: typed.channels.includes(id)
        ? typed.channels.filter((one) => one !== id)
        : [...typed.channels, id],
    });
  return html`
    <section>
      <h2>Who is told</h2>
      <fieldset class="bare choices-row"><legend class="unseen">Channels</legend>${error !== null
        ? html`<p class="problem">${error}</p>`
        : data === null
        ? null
        : data.channels.length === 0
        ? html`<p class="dim">There is none yet: an alert is shown on the page, and is stored as an event.</p>`
        : data.channels.map(({ id, name, type }) =>
          html`
            <label key=${id}
              class="check"><input type="checkbox" checked=${typed.channels.includes(
                id,
              )} onChange=${() => toggle(id)} />${name} <span class="dim">${type}</span></label>
          `
        )}</fieldset>
      ${wrongAt(wrong, "channels")}
      <p><button type="button" onClick=${addChannel}>Add a channel</button></p>
      <div class="monitor-fields is-narrow">
        ${field(part, "repeat_minutes", "Told again after, minutes (0: never)", {
          ...number,
          min: 0,
        })}
        ${field(part, "group_interval_minutes", "Groups told together, at most every, minutes", {
          ...number,
          min: 0,
        })}
      </div>
      <label
        class="check"><input type="checkbox" checked=${typed.notify_resolved} onChange=${() =>
          change({ notify_resolved: !typed.notify_resolved })} />Tell of the end too</label>
      <h2>When nobody is told</h2>
      <${MuteWindows} ...${part} />
      ${wrongAt(wrong, "mute")}
      <h2>Runbook</h2>
      <div class="monitor-fields">
        ${field(part, "url", "Link", { type: "url", placeholder: "https://", wide: true })}
        <label class="is-wide">Steps, one a line<textarea rows="3" value=${typed.steps} onInput=${(
          event: Event,
        ) => change({ steps: (event.target as HTMLTextAreaElement).value })}></textarea>${wrongAt(
          wrong,
          "runbook.steps",
        )}</label>
      </div>
      <${RuleActions} ...${part} channels=${data?.channels ?? []} />
    </section>
  `;
}

type MuteWindow = TypedRule["mute"][number];

function MuteWindows({ typed: { mute }, change }: RulePart): View {
  const set = (at: number, part: Partial<MuteWindow>) =>
    change({ mute: mute.map((one, index) => index === at ? { ...one, ...part } : one) });
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const add = () =>
    change({ mute: [...mute, { days: [], from: "22:00", until: "07:00", timezone: zone }] });
  return html`
    ${mute.map((window, at) =>
      html`
        <fieldset key=${at} class="bare mute-window">
          <legend class="unseen">Mute window ${at + 1}</legend>
          <label>From<input type="time" required value=${window.from} onInput=${(event: Event) =>
            set(at, { from: (event.target as HTMLInputElement).value })} /></label>
          <label>until<input type="time" required value=${window.until} onInput=${(event: Event) =>
            set(at, { until: (event.target as HTMLInputElement).value })} /></label>
          <span class="choices-row">${days.map((day) =>
            html`
              <label key=${day}
                class="check"><input type="checkbox" checked=${window.days.includes(
                  day,
                )} onChange=${() =>
                  set(at, {
                    days: window.days.includes(day)
                      ? window.days.filter((one) => one !== day)
                      : [...window.days, day],
                  })} />${day}</label>
            `
          )}</span>
          <span class="dim">${window.days.length === 0 ? "every day" : ""} ${window.timezone}</span>
          <button type="button" class="quiet" onClick=${() =>
            change({ mute: mute.filter((_, index) => index !== at) })}>Remove</button>
        </fieldset>
      `
    )}
    <p><button type="button" onClick=${add}>Add a mute window</button></p>
  `;
}
