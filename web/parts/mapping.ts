// Which attribute each field of a span or log record came from, what lost, and what was left over.
import { useState } from "preact/hooks";
import { api, type Mapping as Explained, type Origin } from "../api.ts";
import { useAsk } from "./ask.ts";
import { plural } from "./format.ts";
import { html, type View } from "./html.ts";
import { icon } from "./icons.ts";
import { Problem, Skeleton } from "./notice.ts";
import { project } from "./state.ts";

const kindWords: ReadonlyMap<string, string> = new Map([
  ["model", "a model call"],
  ["embedding", "an embedding"],
  ["rerank", "a reranking"],
  ["retrieval", "a retrieval"],
  ["tool", "a tool call"],
  ["agent", "an agent"],
  ["step", "a step"],
  ["score", "a score"],
  ["error", "an error"],
  ["other", "a span of another kind"],
]);

const ruleWords: ReadonlyMap<string, string> = new Map([
  [
    "cache_added_to_input",
    "More tokens came from the cache than went in, so the input was without them: they were added.",
  ],
  [
    "reasoning_added_to_output",
    "There was more reasoning than output, so the output was without it: it was added.",
  ],
  [
    "aggregate_not_counted",
    "Its token counts sum up calls below it that are counted themselves: they count nowhere.",
  ],
]);

export function Mapping({ event_id }: { event_id: string }): View {
  const { data, error, again } = useAsk(
    event_id,
    (signal) => api.mapping(event_id, { project_id: project.value }, signal),
  );
  if (error !== null) return html`<${Problem} reason=${error} again=${again} />`;
  if (data === null) return html`<${Skeleton} rows=${3} />`;
  return html`
    <div class="mapping">
      <p>${sentence(data)}</p>
      ${data.rules.map((rule) =>
        html`<p key=${rule} class="mapping-rule">${icon("warning")}<span>${
          ruleWords.get(rule) ?? rule.replaceAll("_", " ")
        }</span></p>`
      )}
      <ul class="mapping-fields">
        ${data.fields.map((field) =>
          html`<${FieldRow} key=${field.field} field=${field} conventions=${data.conventions} />`
        )}
      </ul>
      ${data.left_over.length === 0 ? null : html`
        <details class="mapping-left">
          <summary>${plural(data.left_over.length, "attribute")} left over</summary>
          <p class="dim">No field was made of them. They are kept, under Attributes.</p>
          <ul>${data.left_over.map((key) => html`<li key=${key}><code>${key}</code></li>`)}</ul>
        </details>
      `}
    </div>
  `;
}

function sentence({ conventions, kind, kind_by }: Explained): View {
  const titles = conventions.map(({ id, title, source }, index) => [
    index === 0 ? "" : ", ",
    html`<a key=${id} href=${source} target="_blank" rel="noopener noreferrer">${title}</a>`,
  ]);
  const by = kind_by === null
    ? "by what it holds"
    : `as ${conventions.find(({ id }) => id === kind_by)?.title ?? kind_by} says`;
  const follows = conventions.length === 0 ? "It follows no known convention" : "It follows ";
  return html`${follows}${titles}. It was taken for ${kindWords.get(kind) ?? kind}, ${by}.`;
}

function FieldRow(
  { field: { field, others, ...won }, conventions }: {
    field: Explained["fields"][number];
    conventions: Explained["conventions"];
  },
): View {
  const [open, setOpen] = useState(false);
  const titleOf = (id: string) => conventions.find((one) => one.id === id)?.title ?? id;
  const place = ({ from, convention, value }: Origin) =>
    html`<span class="mapping-from"><code>${from}</code> <span
      class="dim">${titleOf(convention)}</span></span><span class="mapping-value">${value}</span>`;
  return html`
    <li>
      <b>${field}</b>
      <div class="mapping-place">${place(won)}</div>
      ${others.length === 0 ? null : html`
        <div class="mapping-others">
          <button type="button" class="as-link dim" aria-expanded=${open} onClick=${() =>
            setOpen(!open)}>${icon("chevron")}${plural(
              others.length,
              "other place",
            )} had a value</button>
          ${open
            ? html`<ul>${
              others.map((other, index) =>
                html`<li key=${index} class="mapping-place">${place(other)}</li>`
              )
            }</ul>`
            : null}
        </div>
      `}
    </li>
  `;
}
