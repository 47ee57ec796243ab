// What a page says when there is nothing to show: still loading, failed, or none.
import { html, type View } from "./html.ts";
import { icon } from "./icons.ts";

export function Problem({ reason, again }: { reason: string; again?: () => void }): View {
  return html`<div class="notice notice-problem" role="alert">${icon("error")}<p>${reason}</p>${
    again === undefined ? null : html`<button type="button" onClick=${again}>Try again</button>`
  }</div>`;
}

export function Nothing({ title, children }: { title: string; children?: View }): View {
  return html`<div class="notice"><p class="notice-title">${title}</p>${children}</div>`;
}

/** Grey lines in the place of rows; said once to those who do not see them. */
export function Skeleton({ rows = 8 }: { rows?: number }): View {
  return html`<div class="skeleton" role="status" aria-label="Loading">${
    Array.from({ length: rows }, (_, index) => html`<div key=${index}></div>`)
  }</div>`;
}
