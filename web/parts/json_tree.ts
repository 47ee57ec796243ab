// A JSON value as a tree that opens on demand: only what is open is drawn, so size does not matter.
import { useState } from "preact/hooks";
import { blobIn, BlobView } from "./blob.ts";
import { html, type View } from "./html.ts";
import { icon } from "./icons.ts";
import { linked } from "./prose.ts";

/** Entries drawn of one object or list before asking for more. */
const entriesMax = 100;
const textMax = 400;
/** Objects with few entries open by themselves, down to this depth. */
const openDepth = 2;
const openEntriesMax = 12;
const indentDepthMax = 10;

export function JsonTree({ value }: { value: unknown }): View {
  return html`<div class="json">${html`<${Node} name=${null} value=${value} depth=${0} />`}</div>`;
}

function Node(
  { name, value, depth }: { name: string | null; value: unknown; depth: number },
): View {
  const entries = entriesOf(value);
  const [open, setOpen] = useState(
    depth === 0 || (depth < openDepth && (entries?.length ?? 0) <= openEntriesMax),
  );
  const [shown, setShown] = useState(entriesMax);
  const label = name === null ? null : html`<span class="json-key">${name}</span>`;
  if (entries === null) {
    return html`<div class="json-row">${label}${html`<${Leaf} value=${value} />`}</div>`;
  }
  if (entries.length === 0) {
    return html`<div class="json-row">${label}<span class="dim">${
      Array.isArray(value) ? "[]" : "{}"
    }</span></div>`;
  }
  const count = Array.isArray(value) ? `[${entries.length}]` : `{${entries.length}}`;
  return html`<div class="json-node">
    ${
    depth === 0 && name === null ? null : html`
      <button type="button" class="json-fold" aria-expanded=${open}
        onClick=${() => setOpen(!open)}>${icon(
          "chevron",
        )}${label}<span class="dim">${count}</span></button>
    `
  }
    ${
    open
      ? html`<div class=${depth === 0 && name === null ? "" : "json-inside"} style=${
        indentOf(depth)
      }>${
        entries.slice(0, shown).map(([key, item]) =>
          html`<${Node} key=${key} name=${key} value=${item} depth=${depth + 1} />`
        )
      }${
        entries.length > shown
          ? html`<button type="button" class="quiet" onClick=${() =>
            setShown(shown + entriesMax * 5)}>${entries.length - shown} more</button>`
          : null
      }</div>`
      : null
  }
  </div>`;
}

/** Deep values stay as wide as shallow ones: a step that is too small to see is none. */
function indentOf(depth: number): Record<string, string> {
  return depth > indentDepthMax ? { paddingLeft: "0px" } : {};
}

function entriesOf(value: unknown): [string, unknown][] | null {
  if (Array.isArray(value)) return value.map((item, index) => [String(index), item]);
  return typeof value === "object" && value !== null ? Object.entries(value) : null;
}

function Leaf({ value }: { value: unknown }): View {
  const [whole, setWhole] = useState(false);
  if (typeof value !== "string") {
    return html`<span class=${`json-${value === null ? "null" : typeof value}`}>${
      String(value)
    }</span>`;
  }
  const blob = blobIn(value);
  if (blob !== null) return html`<${BlobView} blob=${blob} />`;
  const cut = !whole && value.length > textMax;
  return html`<span class="json-string">${linked(cut ? value.slice(0, textMax) : value)}${
    cut
      ? html`<button type="button" class="quiet" onClick=${() => setWhole(true)}>… ${
        value.length - textMax
      } more characters</button>`
      : null
  }</span>`;
}
