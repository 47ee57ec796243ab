// Messages as cards, one a message, with tool calls and their arguments inside.
import { useState } from "preact/hooks";
import { blobIn, BlobView } from "./blob.ts";
import { Copy } from "./copy.ts";
import { html, type View } from "./html.ts";
import { icon } from "./icons.ts";
import { JsonTree } from "./json_tree.ts";
import { type Message, messageText, type Part } from "./messages.ts";
import { Prose } from "./prose.ts";

/** Of a longer conversation the middle is folded: its start and its end say most. */
const unfoldedMax = 12;
const keptAtStart = 2;
const keptAtEnd = 8;
/** Instructions are long and the same in every call: their beginning is enough until asked for. */
const systemCharactersMax = 500;

export function Conversation({ messages }: { messages: Message[] }): View {
  const [open, setOpen] = useState(false);
  const hidden = open || messages.length <= unfoldedMax
    ? 0
    : messages.length - keptAtStart - keptAtEnd;
  const card = (message: Message, index: number) =>
    html`<${MessageCard} key=${index} message=${message} />`;
  return html`<div class="conversation">${
    hidden === 0 ? messages.map(card) : [
      ...messages.slice(0, keptAtStart).map(card),
      html`<button type="button" class="fold" onClick=${() =>
        setOpen(true)}>${hidden} earlier messages</button>`,
      ...messages.slice(-keptAtEnd).map((message, index) => card(message, index + 1_000_000)),
    ]
  }</div>`;
}

const roleWords: ReadonlyMap<string, string> = new Map([
  ["system", "System"],
  ["user", "User"],
  ["assistant", "Assistant"],
  ["tool", "Tool"],
]);

export function MessageCard({ message, children }: { message: Message; children?: View }): View {
  const { role, name, parts } = message;
  const speaker = roleWords.get(role) ?? role;
  return html`<article class=${`message message-${roleWords.has(role) ? role : "other"}`}>
    <header><span class="role">${speaker}</span>${
    name === null ? null : html`<span class="dim">${name}</span>`
  }${children}<${Copy} text=${() =>
    messageText(message)} label=${`Copy this message of ${speaker}`} /></header>
    ${
    parts.length === 0
      ? html`<p class="dim">Empty.</p>`
      : parts.map((part, index) =>
        html`<${PartView} key=${index} part=${part} isSystem=${role === "system"} />`
      )
  }
  </article>`;
}

function PartView({ part, isSystem }: { part: Part; isSystem: boolean }): View {
  switch (part.kind) {
    case "text":
      return isSystem
        ? html`<${Prose} text=${part.text} charactersMax=${systemCharactersMax} />`
        : html`<${Prose} text=${part.text} />`;
    case "reasoning":
      return html`
        <details class="reasoning">
          <summary>Reasoning</summary>
          <${Prose} text=${part.text} />
        </details>
      `;
    case "tool_call":
      return html`
        <div class="tool">
          <div
            class="tool-head">${icon("tool_call")}<b>${part
              .name}</b><span class="dim">called with</span>${part.id === null
              ? null
              : html`<span class="dim id">${part.id}</span>`}</div>
          <${Value} value=${part.input} />
        </div>
      `;
    case "tool_result":
      return html`
        <div class="tool tool-result">
          <div
            class="tool-head">${icon("tool_call")}<b>${part.name ??
              "tool"}</b><span class="dim">returned</span>${part.id === null
              ? null
              : html`<span class="dim id">${part.id}</span>`}</div>
          <${Value} value=${part.output} />
        </div>
      `;
    case "media":
      return html`<${Media} type=${part.type} source=${part.source} />`;
    case "json":
      return html`<${Value} value=${part.value} />`;
  }
}

/** Only files of this server are loaded: an address in a prompt may tell its owner who reads it. */
function Media({ type, source }: { type: string; source: string | null }): View {
  const blob = blobIn(source);
  if (blob !== null) return html`<${BlobView} blob=${blob} />`;
  return html`<div class="media dim">${type}${
    source === null ? "" : html`: <${Prose} text=${shortened(source)} />`
  }</div>`;
}

function shortened(source: string): string {
  return source.startsWith("data:") ? `${source.slice(0, 60)}…` : source;
}

/** Any value: text as text, the rest as a tree. */
export function Value({ value }: { value: unknown }): View {
  if (value === undefined || value === null) return html`<span class="dim">nothing</span>`;
  const blob = blobIn(value);
  if (blob !== null) return html`<${BlobView} blob=${blob} />`;
  if (typeof value === "string") return html`<${Prose} text=${value} />`;
  return html`<${JsonTree} value=${value} />`;
}
