// Everything about one event: what happened, what went in and out, what it took, and the raw JSON.
import { useState } from "preact/hooks";
import type { FullEvent } from "../api.ts";
import { linkTo } from "./address.ts";
import { Conversation, Value } from "./conversation.ts";
import { Copy } from "./copy.ts";
import { Figures, priceOf } from "./event_figures.ts";
import { asText, moment } from "./format.ts";
import { type FilterKey, writeFilter } from "./filter.ts";
import { html, type View } from "./html.ts";
import { icon, statusMark, typeIcon, typeWord } from "./icons.ts";
import { JsonTree } from "./json_tree.ts";
import { Later } from "./later.ts";
import { callMessages, plain, responseMessages } from "./messages.ts";
import { Prose } from "./prose.ts";

const offeredNamesMax = 8;

/** What tells the event apart in one line. */
export function titleOf(event: object): string {
  const fields = event as Record<string, string | null>;
  return fields.name ?? fields.tool_name ?? fields.step_name ?? fields.assertion_name ??
    fields.model ?? fields.alert_type ?? fields.error_type ?? typeWord(fields.event_type ?? "");
}

export function EventDetail({ event, inRun = false }: { event: FullEvent; inRun?: boolean }): View {
  return html`
    <div class="detail">
      <div class="detail-title">
          ${typeIcon(event.event_type)}
          <h2>${titleOf(event)}</h2>
          ${statusMark(event.status)}
        </div>
      <p class="detail-line dim">
        ${line(event)}
        <time datetime=${event.timestamp}>${moment(event.timestamp)}</time>
        ${inRun ? null : html`${" · "}<a href=${runOf(event)}>Open its run</a>`}
      </p>
      <${Figures} event=${event} />
      <${Masked} event=${event} />
      <${Failure} event=${event} />
      <${Content} event=${event} />
      <${Facts} event=${event} />
      <${Origins} event=${event} />
      <${Rest} event=${event} />
    </div>
  `;
}

function line(event: FullEvent): string {
  const model = event.model && event.model !== titleOf(event) ? ` · ${event.model}` : "";
  return `${typeWord(event.event_type)}${model} · `;
}

function runOf({ run_id, event_id }: FullEvent): string {
  return linkTo(`/runs/${encodeURIComponent(run_id)}`, { at: event_id });
}

/** What was masked before the event was stored. */
function Masked({ event }: { event: FullEvent }): View {
  const found = Object.entries((event.redactions ?? {}) as Record<string, number>);
  if (found.length === 0) return null;
  const words = found.map(([kind, count]) =>
    `${kind.toLowerCase().replaceAll("_", " ")} × ${count}`
  );
  return html`<p class="masked">${icon("mask")}<span>Found before it was stored: ${
    words.join(", ")
  }</span></p>`;
}

function Failure({ event }: { event: FullEvent }): View {
  const { error } = event;
  const message = error?.message ?? event.error_message;
  const stack = error?.stack ?? event.stack_trace;
  if (message == null && stack == null && event.error_type == null) return null;
  const type = error?.type ?? event.error_type;
  const code = error?.code ?? event.error_code;
  return html`<section class="failure" aria-label="Error">
    <h3>${icon("error")}${type == null ? "Error" : String(type)}${
    code == null ? null : html`<span class="code">${String(code)}</span>`
  }<${Copy} text=${() =>
    [message, stack].filter(Boolean).map(asText).join("\n\n")} label="Copy the error" /></h3>
    ${message == null ? null : html`<${Value} value=${message} />`}
    ${
    stack == null ? null : html`
      <details>
        <summary>Stack</summary>
        <${Prose} code text=${asText(stack)} />
      </details>
    `
  }
  </section>`;
}

function Content({ event }: { event: FullEvent }): View {
  const prompt = callMessages(event.prompt, event.system_prompt);
  const response = responseMessages(event.response, event.tool_calls);
  const blocks: [string, unknown][] = [
    ["Input", event.input],
    ["Output", event.output],
    ["Step input", event.input_data],
    ["Reasoning", event.reasoning],
    ["Step output", event.output_data],
    ["Context", event.context],
    ["Expected", event.expected],
    ["Actual", event.actual],
    ["Flagged content", event.flagged_content],
    ["Ground truth", event.ground_truth],
    ["Recommendations", event.recommendations],
    ["Explanation", event.score_explanation],
  ];
  return html`<div>
    ${
    prompt.length === 0 ? null : html`
      <section>
        <h3>Prompt</h3>
        <${Conversation} messages=${prompt} />
      </section>
    `
  }
    <${Offered} tools=${plain(event.tool_definitions)} />
    ${
    response.length === 0 ? null : html`
      <section>
        <h3>Response${event.finish_reason == null
          ? null
          : html`<span class="dim">${event.finish_reason}</span>`}</h3>
        <${Conversation} messages=${response} />
      </section>
    `
  }
    ${
    blocks.filter(([, value]) => value != null).map(([name, value]) =>
      html`
        <section key=${name}>
          <h3>${name}<${Copy} text=${() => asText(value)} label=${`Copy: ${name}`} /></h3>
          <div class="block">
            <${Value} value=${plain(value)} />
          </div>
        </section>
      `
    )
  }
  </div>`;
}

/** The tools that the model could ask for, by name; their definitions on demand. */
function Offered({ tools }: { tools: unknown }): View {
  if (!Array.isArray(tools) || tools.length === 0) return null;
  const list = tools.map(plain);
  const names = list.map((tool) => {
    const { name, function: inner } = tool as { name?: unknown; function?: { name?: unknown } };
    return String(name ?? inner?.name ?? "tool");
  });
  return html`
    <details class="offered">
      <summary>${names.length === 1 ? "1 tool" : `${names.length} tools`} offered: ${names.slice(
        0,
        offeredNamesMax,
      ).join(", ")}${names.length > offeredNamesMax ? ", …" : ""}</summary>
      <div class="block">
        <${JsonTree} value=${list} />
      </div>
    </details>
  `;
}

/** Fields that lead to others alike, as links into the list. */
const linkedFacts: readonly (readonly [string, FilterKey, keyof FullEvent])[] = [
  ["Model", "model", "model"],
  ["Provider", "provider", "provider"],
  ["Tool", "tool_name", "tool_name"],
  ["Name", "name", "name"],
  ["Agent", "agent_name", "agent_name"],
  ["Service", "service", "service"],
  ["User", "user_id", "user_id"],
  ["Session", "session_id", "session_id"],
  ["Release", "release", "release"],
  ["Environment", "env", "env"],
];

const plainFacts: readonly (readonly [string, keyof FullEvent])[] = [
  ["Model asked for", "model_requested"],
  ["Model version", "model_version"],
  ["Service tier", "service_tier"],
  ["Response", "response_id"],
  ["Prompt template", "prompt_template_id"],
  ["Prompt version", "prompt_version"],
  ["Step", "step_number"],
  ["Step name", "step_name"],
  ["Step type", "step_type"],
  ["Assertion", "assertion_name"],
  ["Assertion type", "assertion_type"],
  ["Severity", "severity"],
  ["Detection", "detection_method"],
  ["Confidence", "confidence_score"],
  ["Alert", "alert_type"],
  ["Threshold", "threshold"],
  ["Actual value", "actual_value"],
  ["Window, minutes", "window_minutes"],
  ["Score", "score_value"],
  ["Score label", "score_label"],
  ["Tool call", "tool_call_id"],
  ["Run", "run_id"],
  ["Event", "event_id"],
  ["Span", "span_id"],
  ["Parent span", "parent_span_id"],
];

function Facts({ event }: { event: FullEvent }): View {
  const link = (key: FilterKey, value: string) =>
    html`<a href=${
      linkTo("/", { filter: writeFilter({ values: { [key]: [value] }, text: "" }) })
    }>${value}</a>`;
  const rows: [string, View][] = [];
  for (const [word, key, field] of linkedFacts) {
    const value = event[field];
    if (typeof value === "string") rows.push([word, link(key, value)]);
  }
  const tags = event.tags ?? [];
  if (tags.length > 0) {
    rows.push([
      "Tags",
      tags.map((tag) => html`<span class="chip">${link("tag", tag)}</span>`),
    ]);
  }
  for (const [word, field] of plainFacts) {
    const value = event[field];
    if (value != null) rows.push([word, String(value)]);
  }
  const price = priceOf(event);
  if (price !== null) rows.push(["Price", price]);
  if (event.received_at != null) rows.push(["Received", moment(event.received_at)]);
  return html`
    <section>
      <h3>Facts</h3>
      <dl class="facts">${rows.map(([word, value]) =>
        html`
          <div key=${word}>
            <dt>${word}</dt>
            <dd>${value}</dd>
          </div>
        `
      )}</dl>
    </section>
  `;
}

/** How a span or log record was read; asked for when it is opened. */
function Origins({ event }: { event: FullEvent }): View {
  const [open, setOpen] = useState(false);
  if (event.received_as == null) return null;
  return html`
    <section>
      <h3><button type="button" class="quiet fold-raw" aria-expanded=${open} onClick=${() =>
        setOpen(!open)}>${icon(
          "chevron",
        )}Where it came from</button><span class="dim">${event.received_as === "log"
        ? "a log record"
        : "a span"} of OpenTelemetry</span></h3>
      ${open ? html`<${Later} name="mapping" rows=${3} event_id=${event.event_id} />` : null}
    </section>
  `;
}

function Rest({ event }: { event: FullEvent }): View {
  const [raw, setRaw] = useState(false);
  const trees: [string, unknown][] = [
    ["Model parameters", event.model_parameters],
    ["Attributes", event.attributes],
    ["Span events", event.span_events],
    ["Span links", event.span_links],
    ["Resource", event.resource],
    ["Scope", event.scope],
    ["Response metadata", event.response_metadata],
    ["Client", event.client],
  ];
  return html`<div>
    ${
    trees.filter(([, value]) => value != null && Object.keys(value as object).length > 0).map((
      [name, value],
    ) =>
      html`
        <section key=${name}>
          <h3>${name}<${Copy} text=${() => asText(value)} label=${`Copy: ${name}`} /></h3>
          <div class="block">
            <${JsonTree} value=${value} />
          </div>
        </section>
      `
    )
  }
    <section><h3><button type="button" class="quiet fold-raw" aria-expanded=${raw} onClick=${() =>
    setRaw(!raw)}>${icon("chevron")}Raw JSON</button><${Copy} text=${() =>
    asText(event)} label="Copy the raw JSON" /></h3>
    ${
    raw
      ? html`
        <div class="block">
          <${Prose} code text=${asText(event)} />
        </div>
      `
      : null
  }</section>
  </div>`;
}
