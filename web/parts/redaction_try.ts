// A text tried on the settings in the form: what would be stored of it, and what was found.
import { useEffect, useState } from "preact/hooks";
import { api, type RedactionSettings, type RedactionTrial } from "../api.ts";
import { useAsk } from "./ask.ts";
import { html, type View } from "./html.ts";
import { icon } from "./icons.ts";
import { kindWord } from "./redaction_fields.ts";
import { project } from "./state.ts";

const askAfterMs = 250;
const example =
  `Please refund the card 4111 1111 1111 1111 of ann@example.com, phone +44 20 7946 0958.
export OPENAI_API_KEY=sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD`;

export function RedactionTry(
  { settings, isChanged }: { settings: RedactionSettings; isChanged: boolean },
): View {
  const [text, setText] = useState(example);
  const asked = useSettled(JSON.stringify({ text, settings }), askAfterMs);
  const { data, error, key } = useAsk(text.trim() === "" ? null : asked, (signal) => {
    const { text, settings } = JSON.parse(asked) as { text: string; settings: RedactionSettings };
    return api.tryRedaction(text, settings, { project_id: project.value }, signal);
  });
  const answered = data === null || key === null
    ? null
    : { trial: data, of: (JSON.parse(key) as { text: string }).text };
  return html`
    <section class="try">
      <h2>Try it</h2>
      <p class="dim">${isChanged
        ? "With the settings above, before they are saved. "
        : ""}Nothing that you type here is
        stored.</p>
      <div class="try-pair">
        <label class="lines"><b>A text</b><textarea rows="6" value=${text} spellcheck=${false}
          onInput=${(event: Event) =>
            setText((event.target as HTMLTextAreaElement).value)}></textarea></label>
        <div class="lines" role="region" aria-label="What would be stored" aria-live="polite">
          <b>What would be stored</b>
          ${text.trim() === ""
            ? html`<div class="block"></div>`
            : error !== null
            ? html`<p class="problem">${error}</p>`
            : answered === null
            ? html`<div class="block"></div>`
            : html`<${Stored} ...${answered} />`}
        </div>
      </div>
    </section>
  `;
}

function Stored({ trial: { text, counts, findings, policy }, of }: {
  trial: RedactionTrial;
  of: string;
}): View {
  const found = Object.entries(counts);
  return html`
    <div class="block prose">${text === of ? marked(of, findings) : text}</div>
    <p class="try-found">${found.length === 0
      ? html`<span class="dim">${
        findings.length === 0
          ? "Nothing was found."
          : "Nothing is masked as long as this is off; it would find what is marked."
      }</span>`
      : found.map(([kind, count]) => {
        const rules = [
          ...new Set(findings.flatMap((one) => one.kind === kind ? one.rule ?? [] : [])),
        ];
        return html`<span key=${kind} class="chip">${kindWord(kind)}${
          rules.length === 0 ? "" : ` (${rules.join(", ")})`
        } × ${count}</span>`;
      })}</p>
    ${policy.map((breach, index) =>
      html`
        <p key=${index}
          class="masked">${icon(
            "assertion_failed",
          )}<span>${breach.assertion_type === "content_filter"
            ? "A banned term"
            : "An attempt on a model’s instructions"}${breach.actual == null
            ? ""
            : html`: “${String(breach.actual)}”`}. An event of its own would say so, with the
                severity ${String(breach.severity)}.</span></p>
      `
    )}
  `;
}

/** A text that is stored as it is, with what was found set apart. */
function marked(text: string, findings: RedactionTrial["findings"]): View {
  const pieces: View[] = [];
  let from = 0;
  for (const { start, end, kind } of findings) {
    if (start < from) continue;
    pieces.push(text.slice(from, start));
    pieces.push(html`<mark title=${kindWord(kind)}>${text.slice(start, end)}</mark>`);
    from = end;
  }
  pieces.push(text.slice(from));
  return pieces;
}

/** The value once it has stood still for so long. */
function useSettled(value: string, ms: number): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}
