// `/alerts/channels`: where people are told; each can be tried.
import { useState } from "preact/hooks";
import { api } from "../api.ts";
import type { Channel } from "./alert.ts";
import { useAsk } from "./ask.ts";
import {
  type ChannelField,
  channelFields,
  channelKinds,
  type TypedChannel,
} from "./channel_kinds.ts";
import { plural } from "./format.ts";
import { html, type View } from "./html.ts";
import { Nothing, Problem, Skeleton } from "./notice.ts";
import { canAdmin, project } from "./state.ts";

export function ChannelList(): View {
  const project_id = project.value;
  const { data, error, again } = useAsk(
    project_id,
    (signal) => api.channels({ project_id }, signal),
  );
  const [open, setOpen] = useState<string | null>(null);
  if (data === null) {
    return error === null
      ? html`<${Skeleton} />`
      : html`<${Problem} reason=${error} again=${again} />`;
  }
  const close = () => {
    setOpen(null);
    again();
  };
  return html`
    <div class="monitors-head">
      <h1 class="unseen">Channels</h1>
      <p class="list-count">${plural(data.channels.length, "channel")}</p>
      <span class="grow"></span>
      ${canAdmin.value && open !== "new"
        ? html`<button type="button" class="primary" onClick=${() =>
          setOpen("new")}>New channel</button>`
        : null}
    </div>
    ${error === null ? null : html`<${Problem} reason=${error} again=${again} />`}
    ${open === "new" ? html`<${ChannelForm} channel=${null} close=${close} />` : null}
    ${data.channels.length === 0 && open === null
      ? html`
        <${Nothing} title="Nobody is told yet.">
          <p>A channel is where alerts go: Slack, e-mail, PagerDuty, a
                  signed webhook and others. Rules and monitors name the channels that they tell.</p>
          <//>
      `
      : html`<ul class="alert-rows">${
        data.channels.map((channel) =>
          open === channel.id
            ? html`
              <li key=${channel.id}>
                <${ChannelForm} channel=${channel} close=${close} />
              </li>
            `
            : html`<${Row} key=${channel.id} channel=${channel} edit=${() =>
              setOpen(channel.id)} />`
        )
      }</ul>`}
  `;
}

function Row({ channel, edit }: { channel: Channel; edit: () => void }): View {
  const [said, setSaid] = useState<{ good: boolean; text: string } | null>(null);
  const [busy, setBusy] = useState(false);
  const tryIt = async () => {
    setBusy(true);
    setSaid(null);
    try {
      const { delivered, error, status } = await api.testChannel(channel.id);
      setSaid({
        good: delivered,
        text: delivered
          ? `Delivered${status === null ? "" : ` (${status})`}.`
          : error ?? "It was not delivered.",
      });
    } catch (error) {
      setSaid({ good: false, text: (error as Error).message });
    } finally {
      setBusy(false);
    }
  };
  const kind = channelKinds[channel.type];
  const where = ["url", "host", "to"].map((name) => channel[name]).find((value) =>
    value !== undefined && value !== null
  );
  return html`
    <li class="alert-row">
      <div><span class="chip">${kind?.word ?? channel.type}</span></div>
      <div class="alert-what">
        <b>${channel.name}</b>
        <p class="dim">${Array.isArray(where)
          ? where.join(", ")
          : String(where ?? "")}${channel.secrets.length === 0
          ? ""
          : ` · secret: ${channel.secrets.join(", ")}`}</p>
        ${said === null
          ? null
          : html`<p class=${said.good ? "said-good" : "row-error"} role="status">${said.text}</p>`}
      </div>
      <div class="alert-when"></div>
      <div class="alert-actions">${canAdmin.value
        ? html`
          <button type="button" disabled=${busy} onClick=${tryIt}>${busy
            ? "Sending…"
            : "Send a test"}</button><button
            type="button" onClick=${edit}>Edit</button>
        `
        : null}</div>
    </li>
  `;
}

function ChannelForm({ channel, close }: { channel: Channel | null; close: () => void }): View {
  const [type, setType] = useState(channel?.type ?? "slack");
  const [typed, setTyped] = useState<TypedChannel>(() => channel === null ? {} : typedOf(channel));
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const [sure, setSure] = useState(false);
  const attempt = async (work: () => Promise<unknown>) => {
    setBusy(true);
    setProblem(null);
    try {
      await work();
      close();
    } catch (error) {
      setProblem((error as Error).message);
      setBusy(false);
    }
  };
  const save = (event: Event) => {
    event.preventDefault();
    void attempt(() => {
      const fields = channelFields(type, typed);
      return channel === null
        ? api.createChannel({ project_id: project.value, ...fields })
        : api.replaceChannel(channel.id, fields);
    });
  };
  const set = (name: string, value: string) => setTyped({ ...typed, [name]: value });
  const isSet = (name: string) => channel?.secrets.includes(name) ?? false;
  return html`
    <form class="monitor-form channel-form" onSubmit=${save} aria-label="Channel">
      <div class="monitor-fields">
        <label>Kind<select value=${type} disabled=${channel !== null} onChange=${(event: Event) =>
          setType((event.target as HTMLSelectElement).value)}>${Object.entries(channelKinds).map((
            [name, { word }],
          ) =>
            html`<option key=${name} value=${name} selected=${name === type}>${word}</option>`
          )}</select></label>
        <label>Name<input required maxlength="200" value=${typed.name ?? ""} onInput=${(
          event: Event,
        ) => set("name", (event.target as HTMLInputElement).value)} /></label>
        ${(channelKinds[type]?.fields ?? []).map((field) =>
          html`
            <${Input} key=${field.name} field=${field} value=${typed[field.name] ?? ""}
              isSet=${isSet(field.name)} set=${(value: string) => set(field.name, value)} />
          `
        )}
      </div>
      <div class="form-buttons">
        <button type="submit" class="primary" disabled=${busy}>${channel === null
          ? "Add"
          : "Save"}</button>
        <button type="button" onClick=${close}>Cancel</button>
        ${channel === null ? null : html`
          <button type="button" class=${sure ? "danger" : "quiet"} disabled=${busy}
            onClick=${() =>
              sure ? void attempt(() => api.deleteChannel(channel.id)) : setSure(true)}>${sure
              ? "Delete for good"
              : "Delete"}</button>
        `}
        ${problem === null ? null : html`<p class="problem" role="alert">${problem}</p>`}
      </div>
    </form>
  `;
}

function Input({ field, value, isSet, set }: {
  field: ChannelField;
  value: string;
  isSet: boolean;
  set: (value: string) => void;
}): View {
  const { label, secret = false, required = false, type, hint, choices } = field;
  const take = (event: Event) => set((event.target as HTMLInputElement).value);
  if (choices !== undefined) {
    return html`<label>${label}<select value=${value} onChange=${take}>${
      choices.map((
        [name, word],
      ) => html`<option key=${name} value=${name} selected=${name === value}>${word}</option>`)
    }</select></label>`;
  }
  const placeholder = isSet ? "set; leave empty to keep it" : hint ?? "";
  const needed = required && !isSet;
  if (type === "headers" || type === "lines") {
    return html`<label class="is-wide">${label}<textarea rows="2" spellcheck=${false}
      placeholder=${placeholder} value=${value} onInput=${take}></textarea></label>`;
  }
  const kind = secret ? "password" : type === "list" || type === undefined ? "text" : type;
  return html`<label>${label}<input type=${kind} required=${needed} autocomplete=${
    secret ? "new-password" : "off"
  } spellcheck=${false} placeholder=${placeholder} value=${value} onInput=${take} /></label>`;
}

function typedOf(channel: Channel): TypedChannel {
  const typed: TypedChannel = { name: channel.name };
  for (const { name, secret } of channelKinds[channel.type]?.fields ?? []) {
    const value = channel[name];
    if (secret === true || value === undefined || value === null) continue;
    typed[name] = Array.isArray(value) ? value.join(", ") : String(value);
  }
  return typed;
}
