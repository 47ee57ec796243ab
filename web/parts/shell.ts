// What stands around every page: navigation, project, range of time, how far the server is, theme.
import { useEffect, useRef, useState } from "preact/hooks";
import { api, type Status } from "../api.ts";
import { go, linkTo, path } from "./address.ts";
import { useAsk } from "./ask.ts";
import { exact, plural } from "./format.ts";
import { html, type View } from "./html.ts";
import { icon, type IconName } from "./icons.ts";
import { cheatSheet, useKeys } from "./keys.ts";
import { RangePicker } from "./range_picker.ts";
import {
  entry,
  logOut,
  now,
  project,
  projects,
  status,
  statusProblem,
  type Theme,
  theme,
} from "./state.ts";

const firingAskMs = 15_000;
const firingMax = 100;
/** How long `g` waits for the letter of a place. */
const goingMs = 1500;

/** Path, name, sign, and the letters after `g`. */
const places: readonly (readonly [string, string, IconName, string])[] = [
  ["/", "Events", "list", "e"],
  ["/runs", "Runs", "run", "r"],
  ["/charts", "Charts", "chart", "cm"],
  ["/alerts", "Alerts", "bell", "a"],
  ["/issues", "Issues", "error", "i"],
  ["/monitors", "Monitors", "clock", "w"],
  ["/sql", "SQL", "sql", "s"],
  ["/settings/prices", "Settings", "settings", "p"],
];

function isAt(place: string): boolean {
  const at = path.value;
  if (place.startsWith("/settings")) return at.startsWith("/settings");
  return place === "/" ? at === "/" : at === place || at.startsWith(`${place}/`);
}

export function Shell({ children }: { children: View }): View {
  const [help, setHelp] = useState(false);
  const [going, setGoing] = useState(false);
  useKeys({
    "?": () => setHelp(!help),
    g: () => setGoing(true),
    ...(going
      ? Object.fromEntries(places.flatMap(([place, , , letters]) => {
        const goThere = () => {
          setGoing(false);
          go(linkTo(place));
        };
        return [...letters].map((letter) => [letter, goThere] as const);
      }))
      : {}),
  });
  useEffect(() => {
    if (!going) return;
    const timer = setTimeout(() => setGoing(false), goingMs);
    return () => clearTimeout(timer);
  }, [going]);
  return html`<div class="shell">
    <a class="skip" href="#main" data-plain>Skip to the content</a>
    <nav class="nav" aria-label="Pages">
      <a class="brand" href=${linkTo("/")}><span class="mark">${
    icon("pulse")
  }</span><span>WatchLLM</span></a>
      ${
    places.map(([place, word, sign]) =>
      html`
        <a key=${place} class="place" href=${linkTo(place)}
          aria-current=${isAt(place) ? "page" : null}>${icon(
            sign,
          )}<span>${word}</span>${place === "/alerts" ? html`<${FiringCount} />` : null}</a>
      `
    )
  }
      <div class="nav-foot">
        <${UpToDate} />
        <div class="nav-tools">
          <${ThemeButton} />
          <button type="button" class="quiet" aria-label="Keys" title="Keys (?)" onClick=${() =>
    setHelp(true)}>${icon("keyboard")}</button>
          ${
    entry.value.state === "open" && !entry.value.session.local
      ? html`<button type="button" class="quiet" onClick=${() => void logOut()}>Log out</button>`
      : null
  }
        </div>
      </div>
    </nav>
    <div class="page">
      <header class="bar">
        <${ProjectPicker} />
        <span class="bar-status"><${UpToDate} /></span>
        ${
    ["/sql", "/settings/privacy", "/settings/data"].includes(path.value) ||
      /^\/(runs\/|monitors|alerts)/.test(path.value)
      ? null
      : html`<${RangePicker} />`
  }
        <span class="bar-theme"><${ThemeButton} /></span>
      </header>
      <main id="main" tabindex="-1">${children}</main>
    </div>
    ${help ? html`<${CheatSheet} close=${() => setHelp(false)} />` : null}
  </div>`;
}

function ProjectPicker(): View {
  const list = projects.value;
  const current = project.value;
  if (list.length <= 1) {
    return html`<span class="project"><b>${list[0]?.name ?? current}</b></span>`;
  }
  const choose = (event: Event) =>
    go(linkTo(/^\/(runs|issues|monitors|alerts)/.exec(path.value)?.[0] ?? path.value, {
      project: (event.target as HTMLSelectElement).value,
      since: null,
      until: null,
    }));
  return html`
    <label
      class="project"><span class="unseen">Project</span><select value=${current} onChange=${choose}>${list
        .map(({ project_id, name }) =>
          html`<option key=${project_id} value=${project_id} selected=${
            project_id === current
          }>${name}</option>`
        )}</select></label>
  `;
}

/** How many alerts fire, at a glance from any page. */
function FiringCount(): View {
  const turn = Math.floor(now.value / firingAskMs);
  const project_id = project.value;
  const { data } = useAsk(
    project_id === "" ? null : `firing ${project_id} ${turn}`,
    (signal) => api.alerts({ project_id, status: "firing", limit: firingMax }, signal),
  );
  const count = data?.alerts.length ?? 0;
  if (count === 0) return null;
  const text = count < firingMax ? String(count) : `${firingMax}+`;
  return html`<span class="badge" title=${`${text} firing`}>${text}<span class="unseen"> firing</span></span>`;
}

/** How far behind what is shown may be: never silent about it. */
function UpToDate(): View {
  const now = status.value;
  if (statusProblem.value !== null) {
    return html`<span class="fresh fresh-lost" role="status" title=${statusProblem.value}><i></i>no connection</span>`;
  }
  if (now === null) return html`<span class="fresh"><i></i>…</span>`;
  const title = `${exact(now.events_total)} events stored, version ${now.version}`;
  const fresh = now.pending_events === 0
    ? html`<span class="fresh fresh-now" title=${title}><i></i>up to date</span>`
    : html`
      <span class="fresh fresh-behind" role="status"
        title=${title}><i></i>${plural(now.pending_events, "event")} not yet visible</span>
    `;
  return html`${fresh}<${Damaged} status=${now} /><${Dropped} reasons=${now.client_drops} />`;
}

/** Parquet files that the disk spoiled: their rows are in none of the numbers of this page. */
function Damaged({ status: { damaged_files, damaged_rows } }: { status: Status }): View {
  if (damaged_files === 0) return null;
  const title = `${plural(damaged_rows, "row")} in ${
    plural(damaged_files, "file")
  } that are not what was written. They are kept in the folder quarantine; put them back from a backup to count again.`;
  return html`
    <span class="fresh fresh-lost" role="status"
      title=${title}><i></i><span>${exact(
        damaged_files,
      )} damaged <span class="fresh-more">${damaged_files === 1
        ? "file"
        : "files"}</span></span></span>
  `;
}

/** What SDKs had to drop before sending: it is in none of the numbers of this page. */
function Dropped({ reasons }: { reasons: Record<string, number> }): View {
  const list = Object.entries(reasons).filter(([, count]) => count > 0)
    .toSorted(([, a], [, b]) => b - a);
  if (list.length === 0) return null;
  const total = list.reduce((sum, [, count]) => sum + count, 0);
  const why = list.map(([reason, count]) => `${reason.replaceAll("_", " ")} ${exact(count)}`);
  return html`
    <span class="fresh fresh-behind fresh-dropped"
      title=${`Since the start of the server, by reason: ${why.join(", ")}`}><i></i><span>${exact(
        total,
      )} <span class="fresh-more">${total === 1
        ? "event"
        : "events"} </span>dropped<span class="fresh-more"> by SDKs</span></span></span>
  `;
}

const nextTheme: Record<Theme, Theme> = { auto: "light", light: "dark", dark: "auto" };

function ThemeButton(): View {
  const label = `Colours: ${theme.value === "auto" ? "as the system" : theme.value}`;
  return html`
    <button type="button" class="quiet" aria-label=${label} title=${label}
      onClick=${() => theme.value = nextTheme[theme.value]}>${icon("theme")}</button>
  `;
}

function CheatSheet({ close }: { close: () => void }): View {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => button.current?.focus(), []);
  useKeys({ Escape: close, "?": close });
  return html`
    <div class="veil" onClick=${close}>
      <div class="panel sheet" role="dialog" aria-modal="true" aria-label="Keys" onClick=${(
        event: Event,
      ) => event.stopPropagation()}>
        <h2>Keys<button type="button" class="quiet" aria-label="Close" ref=${button} onClick=${close}>${icon(
          "close",
        )}</button></h2>
        <dl>${cheatSheet.map(([keys, does]) =>
          html`
            <div key=${keys}>
              <dt>${keys.split(/\s+/).map((key) => html`<kbd>${key}</kbd>`)}</dt>
              <dd>${does}</dd>
            </div>
          `
        )}</dl>
      </div>
    </div>
  `;
}
