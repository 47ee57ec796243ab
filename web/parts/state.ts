// What every page shares: who is asking, which project, which stretch of time, how far the server is.
import { computed, effect, signal } from "@preact/signals";
import { api, ApiError, onUnauthorized, type Query, type Session, type Status } from "../api.ts";
import { here, parameter, settle } from "./address.ts";
import { allTime, fitRange, type TimeRange } from "./time_range.ts";

const statusEveryMs = 2000;
const clockEveryMs = 1000;
const projectKey = "watchllm.project";
const themeKey = "watchllm.theme";

export type Entry =
  | { state: "asking" }
  | { state: "login" }
  | { state: "failed"; reason: string }
  | { state: "open"; session: Session };

export const entry = signal<Entry>({ state: "asking" });
export const projects = computed(() =>
  entry.value.state === "open" ? entry.value.session.projects : []
);

/** The project shown: of the address, else the last one, else the first. */
export const project = computed(() => {
  const named = parameter("project");
  if (named !== null) return named;
  const known = projects.value.map(({ project_id }) => project_id);
  const last = stored(projectKey);
  return last !== null && known.includes(last) ? last : known[0] ?? "default";
});

/** Whether settings may be changed: by the local user, and with an admin key. */
export const canAdmin = computed(() =>
  entry.value.state === "open" &&
  (entry.value.session.local || entry.value.session.scopes.includes("admin"))
);

export const range = computed<TimeRange>(() => {
  const since = parameter("since");
  return { since: since === allTime ? null : since, until: parameter("until") };
});

/** False until a range is chosen or fitted: pages wait, so as not to ask twice. */
export const rangeKnown = computed(() =>
  parameter("since") !== null || parameter("until") !== null
);

/** Project and time, for every question of a page. */
export const scope = computed<Query>(() => ({ project_id: project.value, ...range.value }));

/** True while the project has no event at all; null when that is not known yet. */
export const isEmpty = signal<boolean | null>(null);
export const fitProblem = signal<string | null>(null);

/** Milliseconds since 1970, for "12 s ago". */
export const now = signal(Date.now());
export const status = signal<Status | null>(null);
/** Why the last status question failed; null when it did not. */
export const statusProblem = signal<string | null>(null);

export async function enter(): Promise<void> {
  try {
    const session = await api.session();
    const next: Entry = session.authenticated || session.local
      ? { state: "open", session }
      : { state: "login" };
    // Told the same again, nothing is drawn anew.
    if (JSON.stringify(next) !== JSON.stringify(entry.value)) entry.value = next;
  } catch (error) {
    const asked = error instanceof ApiError && error.status === 401;
    entry.value = asked
      ? { state: "login" }
      : { state: "failed", reason: (error as Error).message };
  }
}

export async function logIn(key: string): Promise<void> {
  await api.logIn(key);
  await enter();
}

export async function logOut(): Promise<void> {
  await api.logOut();
  await enter();
}

/** Sets a range of time that contains data, unless the project has none. */
export async function fit(force = false): Promise<void> {
  const project_id = project.value;
  try {
    const ask = (order: string) => api.events({ project_id, order, limit: 1 });
    const [first, last] = await Promise.all([ask("asc"), ask("desc")]);
    if (project.value !== project_id) return;
    const oldest = first.events[0];
    const newest = last.events[0];
    fitProblem.value = null;
    if (oldest !== undefined && newest !== undefined && (force || !rangeKnown.value)) {
      const { since, until } = fitRange(oldest.timestamp, newest.timestamp, Date.now());
      settle(here({ since: since ?? allTime, until }));
    }
    isEmpty.value = oldest === undefined;
  } catch (error) {
    if (project.value === project_id) fitProblem.value = (error as Error).message;
  }
}

async function askStatus(): Promise<void> {
  try {
    status.value = await api.status({ project_id: project.value });
    statusProblem.value = null;
  } catch (error) {
    statusProblem.value = (error as Error).message;
  }
}

/** Starts what goes on while the page is open. */
export function startState(): void {
  onUnauthorized.call = () => {
    if (entry.value.state === "open") entry.value = { state: "login" };
  };
  setInterval(() => {
    if (!document.hidden) now.value = Date.now();
  }, clockEveryMs);
  setInterval(() => {
    if (!document.hidden && entry.value.state === "open") void askStatus();
  }, statusEveryMs);
  effect(() => {
    if (entry.value.state === "open") void askStatus();
  });
  const isOpen = computed(() => entry.value.state === "open");
  effect(() => {
    if (!isOpen.value) return;
    store(projectKey, project.value);
    isEmpty.value = null;
    void fit();
  });
  effect(() => {
    if (entry.value.state !== "open" || isEmpty.value !== false || rangeKnown.value) return;
    void fit();
  });
}

export type Theme = "auto" | "light" | "dark";
export const theme = signal<Theme>((stored(themeKey) as Theme | null) ?? "auto");

/** Called before anything is drawn, so that the wrong colours never flash. */
export function applyTheme(): void {
  effect(() => {
    document.documentElement.dataset.theme = theme.value;
    store(themeKey, theme.value === "auto" ? null : theme.value);
  });
}

// A browser may forbid storage; the page works without.
export function stored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function store(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // Kept for this visit only.
  }
}
