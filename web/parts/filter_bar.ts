// The filter bar: typed tokens with completion from what the data holds, and a problem told in place.
import { useEffect, useRef, useState } from "preact/hooks";
import { api, type Facets } from "../api.ts";
import { go, here, parameter, settle } from "./address.ts";
import { filterKeys, keyNamed, parseFilter, problemOf, quoted, toggled } from "./filter.ts";
import { html, type View } from "./html.ts";
import { icon } from "./icons.ts";
import { useKeys } from "./keys.ts";
import { short } from "./format.ts";
import { scope } from "./state.ts";

interface Choice {
  /** Replaces the token under the cursor. */
  text: string;
  label: string;
  count: number | null;
}

const choicesMax = 12;
/** Typing settles for this long before the list follows. */
const settleMs = 350;

export function typedFilter(): string {
  return parameter("filter") ?? "";
}

export function setFilter(text: string): void {
  go(here({ filter: text.trim() === "" ? null : text.trim(), event: null }));
}

export function FilterBar(): View {
  const typed = typedFilter();
  const [draft, setDraft] = useState(typed);
  const [cursor, setCursor] = useState(0);
  const [focused, setFocused] = useState(false);
  const [chosen, setChosen] = useState(-1);
  const [facets, setFacets] = useState<Facets | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  useEffect(() => {
    if (draft.trim() !== typed) setDraft(typed);
  }, [typed]);
  useEffect(() => setChosen(-1), [draft, cursor]);
  const key = JSON.stringify(scope.value);
  useEffect(() => {
    if (!focused) return;
    const abort = new AbortController();
    api.facets(scope.value, abort.signal).then(setFacets, () => {});
    return () => abort.abort();
  }, [focused, key]);
  useKeys({ "/": () => input.current?.focus() });

  const problem = problemOf(parseFilter(draft));
  const choices = focused ? choicesFor(draft, cursor, facets) : [];

  const follow = (text: string, now: boolean) => {
    if (timer.current !== null) clearTimeout(timer.current);
    // A filter that cannot be understood yet is still being typed.
    if (problemOf(parseFilter(text)) !== null) return;
    if (now) return setFilter(text);
    timer.current = setTimeout(() => {
      settle(here({ filter: text.trim() === "" ? null : text.trim(), event: null }));
    }, settleMs);
  };
  const edit = (text: string, at: number, now = false) => {
    setDraft(text);
    setCursor(at);
    follow(text, now);
  };
  const take = (choice: Choice) => {
    const [from, to] = tokenAt(draft, cursor);
    const isKey = choice.text.endsWith(":");
    const text = `${draft.slice(0, from)}${choice.text}${isKey ? "" : " "}${
      draft.slice(to).trimStart()
    }`;
    const at = from + choice.text.length + (isKey ? 0 : 1);
    edit(text, at, !isKey);
    requestAnimationFrame(() => {
      input.current?.focus();
      input.current?.setSelectionRange(at, at);
    });
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (choices.length === 0) return;
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      setChosen(
        (chosen + step + choices.length + (chosen < 0 && step < 0 ? 1 : 0)) % choices.length,
      );
    } else if (event.key === "Enter") {
      event.preventDefault();
      const choice = choices[chosen];
      if (choice === undefined) {
        follow(draft, true);
        setFocused(false);
      } else take(choice);
    } else if (event.key === "Tab" && choices[0] !== undefined && tokenOf(draft, cursor) !== "") {
      event.preventDefault();
      take(choices[Math.max(0, chosen)] ?? choices[0]);
    } else if (event.key === "Escape") {
      event.stopPropagation();
      input.current?.blur();
    }
  };
  const onInput = (event: Event) => {
    const field = event.target as HTMLInputElement;
    setFocused(true);
    edit(field.value, field.selectionStart ?? field.value.length);
  };
  const where = () => setCursor(input.current?.selectionStart ?? draft.length);
  return html`<div class="filter">
    <div class=${problem === null || focused ? "filter-box" : "filter-box invalid"}>
      ${icon("search")}
      <input ref=${input} id="filter" type="text" autocomplete="off" autocapitalize="off" spellcheck=${false}
        role="combobox" aria-label="Filter" aria-expanded=${
    choices.length > 0
  } aria-controls="filter-choices"
        aria-activedescendant=${chosen < 0 ? null : `choice-${chosen}`} aria-autocomplete="list"
        aria-invalid=${problem !== null} aria-describedby="filter-problem"
        placeholder="status:error  model:…  or words to find" value=${draft}
        onInput=${onInput} onKeyDown=${onKey} onKeyUp=${where} onClick=${where}
        onFocus=${() => setFocused(true)} onBlur=${() => setFocused(false)} />
      ${
    draft === "" ? html`<kbd aria-hidden="true">/</kbd>` : html`
      <button type="button" class="quiet" aria-label="Clear the filter"
        onClick=${() => {
          edit("", 0, true);
          input.current?.focus();
        }}>${icon("close")}</button>
    `
  }
    </div>
    ${
    choices.length === 0
      ? null
      : html`<ul id="filter-choices" class="choices" role="listbox" aria-label="Completions">${
        choices.map((choice, index) =>
          html`
            <li key=${choice
              .text} id=${`choice-${index}`} role="option" aria-selected=${index === chosen}
              onMouseDown=${(event: Event) => {
                // Before the field loses the focus, which closes the list.
                event.preventDefault();
                take(choice);
              }}><span>${choice.label}</span>${choice.count === null
                ? null
                : html`<span class="dim num">${short(choice.count)}</span>`}</li>
          `
        )
      }</ul>`
  }
    <p id="filter-problem" class="filter-problem" role="status">${
    problem === null || choices.length > 0 ? "" : problem
  }</p>
  </div>`;
}

/** A value that narrows the list when it is clicked. */
export function FilterLink(
  { of, value }: { of: (typeof filterKeys)[number]; value: string },
): View {
  return html`<button type="button" class="as-link" title=${`Filter by ${of}`} onClick=${(
    event: Event,
  ) => {
    event.stopPropagation();
    setFilter(toggled(typedFilter(), of, value));
  }}>${value}</button>`;
}

/** Start and end of the token under the cursor; spaces in quotes do not end it. */
function tokenAt(text: string, cursor: number): [number, number] {
  let from = 0;
  let inQuotes = false;
  for (let at = 0; at < cursor; at++) {
    if (text[at] === '"') inQuotes = !inQuotes;
    else if (/\s/.test(text[at] ?? "") && !inQuotes) from = at + 1;
  }
  return [from, cursor];
}

function tokenOf(text: string, cursor: number): string {
  return text.slice(...tokenAt(text, cursor));
}

export function choicesFor(text: string, cursor: number, facets: Facets | null): Choice[] {
  const token = tokenOf(text, cursor);
  const colon = token.indexOf(":");
  if (colon < 0) {
    return filterKeys.filter((key) => key.startsWith(token.toLowerCase()))
      .map((key) => ({ text: `${key}:`, label: `${key}:`, count: null })).slice(0, choicesMax);
  }
  const key = keyNamed(token.slice(0, colon));
  if (key === null || facets === null) return [];
  const list = token.slice(colon + 1);
  const comma = list.lastIndexOf(",");
  const before = list.slice(0, comma + 1);
  const begun = list.slice(comma + 1).replaceAll('"', "").toLowerCase();
  return (facets[key] ?? [])
    .filter(({ value }) =>
      value.toLowerCase().includes(begun) && quoted(value) !== list.slice(comma + 1)
    )
    .slice(0, choicesMax)
    .map(({ value, count }) => ({ text: `${key}:${before}${quoted(value)}`, label: value, count }));
}
