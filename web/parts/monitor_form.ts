// The form that sets a monitor, with a try before it is kept.
import { useState } from "preact/hooks";
import { api } from "../api.ts";
import { go, linkTo } from "./address.ts";
import { useAsk } from "./ask.ts";
import { html, type View } from "./html.ts";
import { icon } from "./icons.ts";
import { type Monitor, monitorLink, secretWord, typeWords } from "./monitor.ts";
import { AssertionRows } from "./monitor_assertions.ts";
import { emptyMonitor, fieldsOf, type TypedMonitor, typedOf, usualUrls } from "./monitor_fields.ts";
import { MonitorTry } from "./monitor_try.ts";
import { project } from "./state.ts";

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

type Texts = {
  [K in keyof TypedMonitor]: TypedMonitor[K] extends string ? K : never;
}[keyof TypedMonitor];

export function MonitorForm({ monitor }: { monitor: Monitor | null }): View {
  const [typed, setTyped] = useState(() => monitor === null ? emptyMonitor : typedOf(monitor));
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const change = (part: Partial<TypedMonitor>) => setTyped({ ...typed, ...part });
  const back = monitor === null ? linkTo("/monitors") : monitorLink(monitor.id);
  const save = async (event: Event) => {
    event.preventDefault();
    setProblem(null);
    setBusy(true);
    try {
      const fields = fieldsOf(typed, monitor);
      const saved = monitor === null
        ? await api.createMonitor({ project_id: project.value, ...fields })
        : await api.replaceMonitor(monitor.id, fields);
      go(monitorLink(saved.id));
    } catch (error) {
      setProblem((error as Error).message);
      setBusy(false);
    }
  };
  return html`
    <form class="monitor-form" onSubmit=${save} aria-label="Monitor">
      <div class="monitor-head">
        <a class="button quiet back" href=${back} aria-label="Back">${icon("back")}</a>
        <h1>${monitor === null ? "New monitor" : `Edit ${monitor.name}`}</h1>
      </div>
      <${WhatIsAsked} typed=${typed} change=${change} secrets=${monitor?.secrets ?? []} />
      <section>
        <h2>What must hold</h2>
        <p class="dim">Without a status here, one of 200 to 299 is needed.</p>
        <${AssertionRows} rows=${typed.assertions}
          change=${(assertions: TypedMonitor["assertions"]) => change({ assertions })} />
      </section>
      <${MonitorTry} typed=${typed} monitor=${monitor} />
      <${WhenAndWho} typed=${typed} change=${change} />
      <div class="save-bar">
        ${problem === null ? null : html`<p class="problem" role="alert">${problem}</p>`}
        <button type="submit" class="primary" disabled=${busy}>${monitor === null
          ? "Create"
          : "Save"}</button>
        <a class="button" href=${back}>Cancel</a>
        <span class="dim">${monitor === null ? "The first check begins at once." : ""}</span>
      </div>
    </form>
  `;
}

interface Part {
  typed: TypedMonitor;
  change: (part: Partial<TypedMonitor>) => void;
}

function field(
  { typed, change }: Part,
  name: Texts,
  label: string,
  more: Record<string, unknown> = {},
): View {
  return html`
    <label
      class=${more.wide === true ? "is-wide" : ""}>${label}<input value=${typed[
        name
      ]} autocomplete="off" autocapitalize="off" spellcheck=${false} ...${{
        ...more,
        wide: undefined,
      }}
        onInput=${(event: Event) =>
          change({ [name]: (event.target as HTMLInputElement).value })} /></label>
  `;
}

function area({ typed, change }: Part, name: Texts, label: string, rows: number, hint = ""): View {
  return html`<label class="is-wide">${label}<textarea rows=${rows} placeholder=${hint}
    spellcheck=${false} value=${typed[name]} onInput=${(event: Event) =>
    change({ [name]: (event.target as HTMLTextAreaElement).value })}></textarea></label>`;
}

function WhatIsAsked({ typed, change, secrets }: Part & { secrets: string[] }): View {
  const part = { typed, change };
  const isHttp = typed.type === "http";
  const choose = (type: TypedMonitor["type"]) =>
    // An address that was typed stays; a usual one makes way for the next.
    change({
      type,
      url: Object.values(usualUrls).includes(typed.url) ? usualUrls[type] : typed.url,
    });
  const kept = secrets.filter((name) => !typed.removed.includes(name));
  return html`
    <section>
      <h2>What is asked</h2>
      <div class="monitor-fields">
        <fieldset class="bare choices-row is-wide"><legend class="unseen">Endpoint</legend>${(Object
          .entries(typeWords) as [TypedMonitor["type"], string][]).map(([type, word]) =>
            html`
              <label key=${type}
                class="check"><input type="radio" name="type" checked=${typed.type ===
                  type} onChange=${() => choose(type)} />${word}</label>
            `
          )}</fieldset>
        ${field(part, "name", "Name", { required: true, placeholder: "Capital of France" })}
        ${field(part, "url", isHttp ? "URL" : "Base URL", { required: true, type: "url" })}
        ${isHttp
          ? null
          : field(part, "model", "Model", { required: true, placeholder: "gpt-5-mini" })}
        ${!isHttp ? null : html`<label>Method<select value=${typed.method} onChange=${(
          event: Event,
        ) => change({ method: (event.target as HTMLSelectElement).value })}>${
          methods.map((one) =>
            html`<option key=${one} value=${one} selected=${one === typed.method}>${one}</option>`
          )
        }</select></label>`}
        ${field(part, "api_key", isHttp ? "Bearer token" : "API key", {
          type: "password",
          autocomplete: "new-password",
          placeholder: kept.includes("api_key") ? "set; type to replace it" : "none",
        })}
        ${isHttp ? null : html`
          ${area(
            part,
            "prompt",
            typed.isMessages ? "Messages, as JSON" : "Prompt",
            4,
            "What is the capital of France? Answer with one word.",
          )}
          ${area(part, "system", "Instructions", 2)}
          ${area(
            part,
            "parameters",
            "Further fields of the request, as JSON",
            1,
            '{"temperature": 0, "max_tokens": 100}',
          )}
          <label class="check is-wide"><input type="checkbox" checked=${typed.stream}
            onChange=${() => change({ stream: !typed.stream })} />Ask for a stream, and measure the
            time to the first token</label>
        `}
        ${isHttp && !["GET", "HEAD"].includes(typed.method) ? area(part, "body", "Body", 4) : null}
        ${area(
          part,
          "headers",
          "Further headers, one a line; their values are not shown again",
          1,
          "x-team: shop",
        )}
        ${kept.length === 0 ? null : html`
          <p class="is-wide dim">Secrets that are set: ${kept.map((name) =>
            html`
              <span key=${name} class="chip">${secretWord(name)} <button type="button"
                class="as-link" aria-label=${`Remove ${secretWord(name)}`} onClick=${() =>
                  change({ removed: [...typed.removed, name] })}>×</button></span>
            `
          )}</p>
        `}
      </div>
    </section>
  `;
}

function WhenAndWho({ typed, change }: Part): View {
  const part = { typed, change };
  const project_id = project.value;
  const { data, error } = useAsk(project_id, (signal) => api.channels({ project_id }, signal));
  const number = (name: Texts, label: string, min: number, max: number) =>
    field(part, name, label, { type: "number", min, max, required: true, inputmode: "numeric" });
  const toggle = (id: string) =>
    change({
      channels: typed.channels.includes(id)
        ? typed.channels.filter((one) => one !== id)
        : [...typed.channels, id],
    });
  return html`
    <section>
      <h2>When, and who is told</h2>
      <div class="monitor-fields is-narrow">
        ${number("interval_minutes", "Every, minutes", 1, 10080)}
        ${number("timeout_seconds", "Time for an answer, s", 1, 60)}
        ${number("retries", "Further attempts", 0, 3)}
        ${number("failures_to_alert", "Alert after failures in a row", 1, 20)}
        ${field(part, "env", "Environment", { placeholder: "production" })}
        ${field(part, "tags", "Tags, with commas", { placeholder: "smoke, checkout" })}
      </div>
      <fieldset class="bare choices-row"><legend class="dim">Channels</legend>${error !== null
        ? html`<p class="problem">${error}</p>`
        : data === null
        ? null
        : data.channels.length === 0
        ? html`<p class="dim">There is none yet: an alert is shown on the page and stored as an event.</p>`
        : data.channels.map(({ id, name, type }) =>
          html`
            <label key=${id}
              class="check"><input type="checkbox" checked=${typed.channels.includes(
                id,
              )} onChange=${() => toggle(id)} />${name} <span class="dim">${type}</span></label>
          `
        )}</fieldset>
    </section>
  `;
}
