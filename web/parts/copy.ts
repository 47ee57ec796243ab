// A button that copies, and says that it did.
import { useState } from "preact/hooks";
import { html, type View } from "./html.ts";
import { icon } from "./icons.ts";

const saidMs = 1500;

export function Copy(
  { text, label = "Copy", word }: { text: string | (() => string); label?: string; word?: string },
): View {
  const [said, setSaid] = useState<string | null>(null);
  const copy = async () => {
    setSaid(await copied(typeof text === "string" ? text : text()) ? "Copied" : "Not copied");
    setTimeout(() => setSaid(null), saidMs);
  };
  return html`
    <button type="button" class="quiet copy" title=${label} aria-label=${label}
      onClick=${copy}>${icon(said === "Copied" ? "success" : "copy")}${word === undefined
        ? null
        : html`<span>${said ?? word}</span>`}<span class="unseen" role="status">${said ??
        ""}</span></button>
  `;
}

async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedBySelection(text);
  }
}

/** Without https the clipboard is closed to pages, and a server at home has no https. */
function copiedBySelection(text: string): boolean {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "unseen";
  document.body.append(area);
  area.select();
  try {
    return document.execCommand("copy");
  } finally {
    area.remove();
  }
}
