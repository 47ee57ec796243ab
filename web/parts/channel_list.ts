// `/alerts/channels`: where people are told; each can be tried.
import { useState } from "preact/hooks";
import { api } from "../api.ts";
import type { Channel } from "./alert.ts";
import { useAsk } from "./ask.ts";
import { ChannelForm } from "./channel_form.ts";
import { channelKinds } from "./channel_kinds.ts";
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

const secretWords: Record<string, string> = {
  url: "webhook URL",
  api_key: "API key",
  routing_key: "integration key",
};

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
  const shown = [
    ...where === undefined ? [] : [Array.isArray(where) ? where.join(", ") : String(where)],
    ...channel.secrets.map((name) => `${secretWords[name] ?? name.replaceAll("_", " ")} set`),
  ];
  return html`
    <li class="alert-row">
      <div><span class="chip">${kind?.word ?? channel.type}</span></div>
      <div class="alert-what">
        <b>${channel.name}</b>
        <p class="dim">${shown.join(" · ")}</p>
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
