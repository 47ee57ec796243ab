// The rows of the event list: what tells one event from the next, in two lines.
import type { LightEvent } from "../api.ts";
import { here } from "./address.ts";
import { costOf, titleOf } from "./event_detail.ts";
import { ago, dollars, duration, moment, nothing, short } from "./format.ts";
import { html, type View } from "./html.ts";
import { FilterLink } from "./filter_bar.ts";
import { statusMark, typeIcon, typeWord } from "./icons.ts";
import { now } from "./state.ts";

/** Previews are cut by the server; in a row even less fits. */
const previewCharactersMax = 160;

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
    <div class="cell-status">${statusMark(event.status)}</div>
    <div class="cell-latency num">${latencyBar(event.latency_ms, slowest)}<span>${
    duration(event.latency_ms)
  }</span></div>
    <div class="cell-tokens num" title="Tokens in → out">${
    tokens == null ? nothing : `${short(event.tokens_input)} → ${short(event.tokens_output)}`
  }</div>
    <div class="cell-cost num">${
    costOf(event) === null && !isCall ? nothing : dollars(costOf(event))
  }</div>
    <div class="cell-user">${
    event.user_id == null ? nothing : html`<${FilterLink} of="user_id" value=${event.user_id} />`
  }</div>
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
  { input_preview, output_preview, error_message }: {
    input_preview?: string | null;
    output_preview?: string | null;
    error_message?: string | null;
  },
): View {
  const cut = (text: string) => text.slice(0, previewCharactersMax).replace(/\s+/g, " ");
  const input = input_preview ? cut(input_preview) : null;
  if (error_message) {
    return html`${input}${
      input === null ? null : html`<span class="arrow"> → </span>`
    }<span class="row-error">${cut(error_message)}</span>`;
  }
  const output = output_preview ? cut(output_preview) : null;
  if (input === null && output === null) return html`<span class="dim">no content</span>`;
  return html`${input}${
    output === null
      ? null
      : html`<span class="arrow"> → </span><span class="row-output">${output}</span>`
  }`;
}
