// What one event took: time, tokens and money, each with its parts.
import type { FullEvent } from "../api.ts";
import { dollars, duration, exact } from "./format.ts";
import { html, type View } from "./html.ts";

/** As the server counts it: our estimate, else what the producer reported. */
export function costOf(event: object): number | null {
  const { cost_reported_usd, cost_estimate_usd } = event as Record<string, number | null>;
  return cost_estimate_usd ?? cost_reported_usd ?? null;
}

export function Figures({ event }: { event: FullEvent }): View {
  const figures: [string, string, [string, string][]][] = [];
  if (event.latency_ms != null) {
    const more: [string, string][] = event.time_to_first_token_ms == null
      ? []
      : [["first token", duration(event.time_to_first_token_ms)]];
    figures.push(["Latency", duration(event.latency_ms), more]);
  }
  const parts = (names: [string, number | undefined][]): [string, string][] =>
    names.flatMap(([name, count]) => count == null ? [] : [[name, exact(count)]]);
  if (event.tokens_input != null) {
    figures.push([
      "Input tokens",
      exact(event.tokens_input),
      parts([
        ["from cache", event.tokens_cache_read],
        ["into cache", event.tokens_cache_write],
        ["audio", event.tokens_audio_input],
      ]),
    ]);
  }
  if (event.tokens_output != null) {
    figures.push([
      "Output tokens",
      exact(event.tokens_output),
      parts([
        ["reasoning", event.tokens_reasoning],
        ["audio", event.tokens_audio_output],
      ]),
    ]);
  }
  if (event.event_type === "prompt_call" || costOf(event) !== null) {
    figures.push(["Cost", dollars(costOf(event)), costParts(event)]);
  }
  if (figures.length === 0) return null;
  return html`<dl class="figures">${
    figures.map(([name, value, more]) =>
      html`<div><dt>${name}</dt><dd>${value}</dd>${
        more.map(([part, amount]) => html`<dd class="part">${part} <b>${amount}</b></dd>`)
      }</div>`
    )
  }</dl>`;
}

const costWords: ReadonlyMap<string, string> = new Map([
  ["input", "input"],
  ["cache_read", "from cache"],
  ["cache_write", "into cache"],
  ["cache_write_1h", "into cache, 1 h"],
  ["output", "output"],
  ["reasoning", "reasoning"],
  ["audio_input", "audio in"],
  ["audio_output", "audio out"],
]);

/** What the cost is made of, and whose figure it is. */
function costParts(event: FullEvent): [string, string][] {
  const { cost_estimate_usd, cost_reported_usd, cost_original_usd, cost_details } = event;
  const rows: [string, string][] = [];
  const parts = (cost_details?.parts ?? {}) as Record<string, number | null>;
  for (const [name, usd] of Object.entries(parts)) {
    if (usd !== null && usd > 0) rows.push([costWords.get(name) ?? name, dollars(usd)]);
  }
  if (cost_original_usd != null) rows.push(["first estimate", dollars(cost_original_usd)]);
  if (cost_reported_usd != null) {
    rows.push(
      cost_estimate_usd != null
        ? ["reported", dollars(cost_reported_usd)]
        : ["reported by", "the producer"],
    );
  } else if (cost_estimate_usd == null) rows.push(["no price for", "this model"]);
  return rows;
}

/** Which price the estimate was made with. */
export function priceOf({ cost_details }: FullEvent): string | null {
  if (cost_details == null) return null;
  const { price, tier, source, valid_from } = cost_details as {
    price?: string;
    tier?: { service?: string; context_above?: number };
    source?: string;
    valid_from?: string | null;
  };
  const above = tier?.context_above ?? 0;
  return [
    price,
    tier?.service,
    above > 0 ? `above ${exact(above)} tokens` : null,
    valid_from == null ? null : `from ${valid_from}`,
    source,
  ].filter((part) => part != null).join(" · ");
}
