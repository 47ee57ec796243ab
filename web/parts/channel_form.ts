// The form of a channel, made of what its kind is asked for; secrets go in, and are never shown again.
import { useEffect, useRef, useState } from "preact/hooks";
import { api, ApiError } from "../api.ts";
import type { Channel } from "./alert.ts";
import {
  type ChannelField,
  channelFields,
  channelKinds,
  type TypedChannel,
} from "./channel_kinds.ts";
import { html, type View } from "./html.ts";
import { project } from "./state.ts";

const messageTitle: ChannelField = { name: "title", label: "Title", hint: "{{level}}: {{rule}}" };
const messageText: ChannelField = {
  name: "text",
  label: "Text, for each alert",
  type: "lines",
  hint: "{{labels}} is at {{value}}; {{threshold}} is too much.",
};

/** `close` is given the channel that was saved, or null. */
export function ChannelForm({ channel, close }: {
  channel: Channel | null;
  close: (saved: Channel | null) => void;
}): View {
  const [type, setType] = useState(channel?.type ?? "slack");
  const [typed, setTyped] = useState<TypedChannel>(() => channel === null ? {} : typedOf(channel));
  const [problem, setProblem] = useState<ApiError | Error | null>(null);
  const [busy, setBusy] = useState(false);
  const [sure, setSure] = useState(false);
  const attempt = async (work: () => Promise<Channel | null>) => {
    setBusy(true);
    setProblem(null);
    try {
      close(await work());
    } catch (error) {
      setProblem(error as Error);
      setBusy(false);
    }
  };
  const save = (event: Event) => {
    event.preventDefault();
    void attempt(async () => {
      const fields = channelFields(type, typed, channel !== null);
      return await (channel === null
        ? api.createChannel({ project_id: project.value, ...fields })
        : api.changeChannel(channel.id, fields));
    });
  };
  const remove = () =>
    void attempt(async () => {
      await api.deleteChannel(channel!.id);
      return null;
    });
  const set = (name: string, value: string) => setTyped({ ...typed, [name]: value });
  const wrongOf = (name: string) =>
    problem instanceof ApiError && problem.field?.split(".")[0] === name ? problem.message : null;
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
              isSet=${isSet(field.name)} wrong=${wrongOf(field.name)} set=${(value: string) =>
                set(field.name, value)} />
          `
        )}
      </div>
      <details class="runbook" open=${typed.message_title || typed.message_text ? true : null}>
        <summary>Words of your own</summary>
        <p class="dim">Places such as ${"{{rule}} {{level}} {{value}} {{threshold}} {{labels}} {{project}} {{runbook}}"} are
          filled with what is told.</p>
        <div class="monitor-fields">
          <${Input} field=${messageTitle} value=${typed.message_title ?? ""} isSet=${false}
            wrong=${null} set=${(value: string) => set("message_title", value)} />
          <${Input} field=${messageText} value=${typed.message_text ?? ""} isSet=${false}
            wrong=${wrongOf("message")} set=${(value: string) => set("message_text", value)} />
        </div>
      </details>
      <div class="form-buttons">
        <button type="submit" class="primary" disabled=${busy}>${channel === null
          ? "Add"
          : "Save"}</button>
        <button type="button" onClick=${() => close(null)}>Cancel</button>
        ${channel === null ? null : html`
          <button type="button" class=${sure ? "danger" : "quiet"} disabled=${busy}
            onClick=${() => sure ? remove() : setSure(true)}>${sure
              ? "Delete for good"
              : "Delete"}</button>
        `}
        ${problem === null
          ? null
          : html`<p class="problem" role="alert">Not saved. ${problem.message}</p>`}
      </div>
    </form>
  `;
}

/** Beside a form that is typed into: what was typed there stays. */
export function NewChannel({ close }: { close: (saved: Channel | null) => void }): View {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.querySelector("select")?.focus(), []);
  return html`
    <div class="veil" onKeyDown=${(event: KeyboardEvent) => {
      if (event.key === "Escape") close(null);
    }}>
      <div class="panel sheet channel-sheet" role="dialog" aria-modal="true"
        aria-label="New channel" ref=${box}>
        <h2>New channel</h2>
        <${ChannelForm} channel=${null} close=${close} />
      </div>
    </div>
  `;
}

function Input({ field, value, isSet, wrong, set }: {
  field: ChannelField;
  value: string;
  isSet: boolean;
  wrong: string | null;
  set: (value: string) => void;
}): View {
  const { label, secret = false, required = false, type, hint, choices } = field;
  const take = (event: Event) => set((event.target as HTMLInputElement).value);
  const said = wrong === null ? null : html`<span class="problem">${wrong}</span>`;
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
      placeholder=${placeholder} value=${value} onInput=${take}></textarea>${said}</label>`;
  }
  const kind = secret ? "password" : type === "list" || type === undefined ? "text" : type;
  return html`<label>${label}<input type=${kind} required=${needed} autocomplete=${
    secret ? "new-password" : "off"
  } spellcheck=${false} placeholder=${placeholder} value=${value} onInput=${take} />${said}</label>`;
}

function typedOf(channel: Channel): TypedChannel {
  const typed: TypedChannel = { name: channel.name };
  const { title = "", text = "" } = (channel.message ?? {}) as { title?: string; text?: string };
  Object.assign(typed, { message_title: title, message_text: text });
  for (const { name, secret } of channelKinds[channel.type]?.fields ?? []) {
    const value = channel[name];
    if (secret === true || value === undefined || value === null) continue;
    typed[name] = Array.isArray(value) ? value.join(", ") : String(value);
  }
  return typed;
}
