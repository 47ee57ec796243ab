// Text from data: exactly as it was sent, with links that are safe to follow and code set apart.
import { useState } from "preact/hooks";
import { html, type View } from "./html.ts";
import { bytes } from "./format.ts";

/** Longer text is cut until asked for: a page of a megabyte cannot be read or scrolled. */
const shownCharactersMax = 12_000;
/** Text with more links than this is not searched for them. */
const linkedCharactersMax = 200_000;

export function Prose(
  { text, code = false, charactersMax = shownCharactersMax }: {
    text: string;
    code?: boolean;
    charactersMax?: number;
  },
): View {
  const [whole, setWhole] = useState(false);
  const isLong = text.length > charactersMax * 1.2;
  const shown = isLong && !whole ? `${text.slice(0, charactersMax).trimEnd()}…` : text;
  return html`<div class=${code ? "prose code" : "prose"}>${code ? shown : fenced(shown)}${
    isLong
      ? html`<div class="more"><button type="button" class="quiet" onClick=${() =>
        setWhole(!whole)}>${
        whole ? "Show less" : `Show all ${bytes(new Blob([text]).size)}`
      }</button></div>`
      : null
  }</div>`;
}

/** Blocks between lines of three backticks are code. */
function fenced(text: string): View {
  if (!text.includes("```")) return linked(text);
  const parts = text.split(/^```([^\n`]*)\n([\s\S]*?)^```[^\S\n]*\n?/m);
  // split() with two groups gives text, language, code, text, language, code …
  return parts.map((piece, index) => {
    if (index % 3 === 0) return piece === "" ? null : linked(piece);
    if (index % 3 === 1) return null;
    return html`<pre class="fence" data-language=${parts[index - 1]?.trim() || null}>${
      piece.replace(/\n$/, "")
    }</pre>`;
  });
}

const address = /https?:\/\/[^\s<>"'`)\]}]+[^\s<>"'`)\]}.,;:!?]/g;

/** Only http and https become links; anything else stays text. */
export function linked(text: string): View {
  if (text.length > linkedCharactersMax || !text.includes("://")) return text;
  const out: View[] = [];
  let from = 0;
  for (const match of text.matchAll(address)) {
    out.push(text.slice(from, match.index));
    out.push(html`<a href=${match[0]} target="_blank" rel="noopener noreferrer">${match[0]}</a>`);
    from = match.index + match[0].length;
  }
  out.push(text.slice(from));
  return out;
}
