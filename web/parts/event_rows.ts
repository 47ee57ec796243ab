// The rows of the event list: what tells one event from the next, in two lines.
import type { LightEvent } from "../api.ts";
import { here } from "./address.ts";
import { titleOf } from "./event_detail.ts";
import { costOf } from "./event_figures.ts";
import { ago, dollars, duration, moment, nothing, short } from "./format.ts";
import { html, type View } from "./html.ts";
import { FilterLink } from "./filter_bar.ts";
import { statusMark, typeIcon, typeWord } from "./icons.ts";
import { now } from "./state.ts";

/** Previews are cut by the server; in a row even less fits. */
const previewCharactersMax = 160;
/** An answer this short is shown whole, and leaves its room to the question. */
const wordsShown = 24;

export function EventRow(
  { event, slowest, selected, fresh }: {
    event: LightEvent;
    /** The latency that fills the bar. */
    slowest: number;
    selected: boolean;
    fresh: boolean;
  },
): View {
  const title = titleOf(event);
  const isCall = event.event_type === "prompt_call";
  const cost = costOf(event) === null && !isCall ? nothing : dollars(costOf(event));
  const tokens = event.tokens_input ?? event.tokens_output;
  return html`<li class=${`row event-row ${selected ? "selected" : ""} ${
    fresh ? "fresh-row" : ""
  }`} id=${`event-${event.event_id}`} data-event=${event.event_id}>
    ${typeIcon(event.event_type)}
    <div class="row-main">
      <p class="row-title"><a class="row-link" href=${
    here({ event: event.event_id })
  } aria-label=${`${typeWord(event.event_type)} ${title}, ${event.status}`}>${title}</a>${
    event.model && event.model !== title
      ? html`<span class="row-model"><${FilterLink} of="model" value=${event.model} /></span>`
      : null
  }</p>
      <p class="row-words">${words(event)}</p>
    </div>
    <div class="row-meta">
      <div class="cell-status">${statusMark(event.status)}</div>
      <div class=${event.latency_ms == null ? "cell-latency num none" : "cell-latency num"}>${
    latencyBar(event.latency_ms, slowest)
  }<span>${duration(event.latency_ms)}</span></div>
      <div class=${
    tokens == null ? "cell-tokens num none" : "cell-tokens num"
  } title="Tokens in → out">${
    tokens == null ? nothing : `${short(event.tokens_input)} → ${short(event.tokens_output)}`
  }</div>
      <div class=${cost === nothing ? "cell-cost num none" : "cell-cost num"}>${cost}</div>
      <div class="cell-user">${
    event.user_id == null ? nothing : html`<${FilterLink} of="user_id" value=${event.user_id} />`
  }</div>
    </div>
    <time class="cell-time num" datetime=${event.timestamp} title=${moment(event.timestamp)}>${
    ago(event.timestamp, now.value)
  }</time>
  </li>`;
}

export function latencyBar(ms: number | null | undefined, slowest: number): View {
  if (ms == null || slowest <= 0) return null;
  const share = Math.min(1, Math.sqrt(ms / slowest));
  return html`<i class="latency-bar" aria-hidden="true"><i style=${{
    width: `${Math.max(2, share * 100)}%`,
  }}></i></i>`;
}

/** First words of what went in → what came out; of a failure, why. */
export function words(
  event: {
    input_preview?: string | null;
    output_preview?: string | null;
    error_message?: string | null;
  },
): View {
  const input = event.input_preview
    ? html`<span class="row-input">${glance(event.input_preview)}</span>`
    : null;
  const arrow = input === null ? null : html`<span class="arrow">${" → "}</span>`;
  if (event.error_message) {
    const reason = glance(event.error_message);
    return [input, arrow, html`<span class="row-error">${reason}</span>`];
  }
  const output = event.output_preview ? glance(event.output_preview) : null;
  if (input === null && output === null) {
    return gist(event as Partial<LightEvent>) ?? html`<span class="dim">no content</span>`;
  }
  if (output === null) return input;
  const size = output.length <= wordsShown ? "row-output brief" : "row-output";
  return [input, arrow, html`<span class=${size}>${output}</span>`];
}

/** On one line, and JSON without its punctuation: names and values are what the eye looks for. */
export function glance(text: string): string {
  const cut = text.slice(0, previewCharactersMax).replace(/\s+/g, " ");
  if (!/^[[{]/.test(cut)) return cut;
  return cut.replace(/"([^"]{1,60})":\s?/g, "$1: ").replace(/,(?=[^\s])/g, ", ")
    .replace(/[{}[\]"\\]/g, "");
}

/** What an event without input and output has to say. */
function gist(event: Partial<LightEvent>): string | null {
  if (event.event_type === "score") {
    const said = [event.score_label, event.score_value, event.score_explanation];
    return said.filter((part) => part != null).join(" · ") || null;
  }
  if (event.actual_value != null) {
    const limit = event.threshold == null ? "" : `, threshold ${event.threshold}`;
    return `${(event.alert_type ?? "value").replaceAll("_", " ")}: ${event.actual_value}${limit}`;
  }
  const said = [event.assertion_type, event.severity, event.detection_method]
    .filter((part) => part != null);
  return said.length === 0 ? null : said.join(" · ").replaceAll("_", " ");
}
