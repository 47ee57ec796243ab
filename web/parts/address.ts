// The address bar is the state of the page: what is shown can be reloaded, shared and gone back to.
import { computed, signal } from "@preact/signals";

/** Carried from page to page; the rest belongs to the page that set it. */
const shared = ["project", "since", "until"];

const current = signal(new URL(location.href));
export const path = computed(() => current.value.pathname);

globalThis.addEventListener("popstate", () => current.value = new URL(location.href));

/** A parameter of the address; null when absent. */
export function parameter(name: string): string | null {
  return current.value.searchParams.get(name);
}

export type Changes = Record<string, string | null>;

/** The address of another page, with project and time kept. */
export function linkTo(pathname: string, changes: Changes = {}): string {
  const params = new URLSearchParams();
  for (const name of shared) {
    const value = current.value.searchParams.get(name);
    if (value !== null) params.set(name, value);
  }
  return written(pathname, params, changes);
}

/** The address of this page with some parameters changed. */
export function here(changes: Changes): string {
  return written(current.value.pathname, new URLSearchParams(current.value.search), changes);
}

function written(pathname: string, params: URLSearchParams, changes: Changes): string {
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") params.delete(name);
    else params.set(name, value);
  }
  // Filters stay legible: colons and commas need no escape in a query.
  const query = params.toString().replaceAll("%3A", ":").replaceAll("%2C", ",");
  return query === "" ? pathname : `${pathname}?${query}`;
}

export function go(href: string): void {
  move(href, false);
}

/** As `go`, without a step to go back to: for what the page settles by itself. */
export function settle(href: string): void {
  move(href, true);
}

function move(href: string, replace: boolean): void {
  const next = new URL(href, location.href);
  if (next.href === current.value.href) return;
  if (replace) history.replaceState(null, "", next);
  else history.pushState(null, "", next);
  const left = next.pathname !== current.value.pathname;
  current.value = next;
  if (left) scrollTo(0, 0);
}

/** Makes links within the page change the address instead of loading it anew. */
export function followLinks(): void {
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element | null)?.closest?.("a[href]");
    if (!(link instanceof HTMLAnchorElement)) return;
    if (link.target !== "" || link.hasAttribute("download")) return;
    // A link of the page starts with a slash; any other came from data and opens as it says.
    if (!(link.getAttribute("href") ?? "").startsWith("/") || link.dataset.plain !== undefined) {
      return;
    }
    event.preventDefault();
    go(link.href);
  });
}
