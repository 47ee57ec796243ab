// Starts the page and chooses what to show for an address. Pages that need more code load it then.
import { render } from "preact";
import { useEffect, useErrorBoundary } from "preact/hooks";
import { effect } from "@preact/signals";
import { EventsPage } from "./pages/events.ts";
import { LoginPage } from "./pages/login.ts";
import { RunsPage } from "./pages/runs.ts";
import { StartPage } from "./pages/start.ts";
import { followLinks, linkTo, path } from "./parts/address.ts";
import { html, type View } from "./parts/html.ts";
import { listenToKeys } from "./parts/keys.ts";
import { Later } from "./parts/later.ts";
import { Nothing, Problem, Skeleton } from "./parts/notice.ts";
import { Shell } from "./parts/shell.ts";
import {
  applyTheme,
  enter,
  entry,
  fit,
  fitProblem,
  isEmpty,
  project,
  rangeKnown,
  startState,
} from "./parts/state.ts";

function Content(): View {
  const at = path.value;
  // Another project is another page: nothing of the one before stays on it.
  const key = project.value;
  if (at === "/sql") return html`<${Later} key=${key} name="sql" />`;
  const setting = /^\/settings\/(prices|privacy|data)\/?$/.exec(at)?.[1];
  if (setting !== undefined) return html`<${Later} key=${key} name=${setting} />`;
  const alerts = /^\/alerts(\/.*)?$/.exec(at);
  if (alerts !== null) {
    return html`<${Later} key=${key} name="alerts" at=${alerts[1] ?? ""} />`;
  }
  const issues = /^\/issues(\/.*)?$/.exec(at);
  if (issues !== null) return html`<${Later} key=${key} name="issues" at=${issues[1] ?? ""} />`;
  const monitors = /^\/monitors(\/.*)?$/.exec(at);
  if (monitors !== null) {
    return html`<${Later} key=${key} name="monitors" at=${monitors[1] ?? ""} />`;
  }
  const run = /^\/runs\/([^/]+)\/?$/.exec(at)?.[1];
  if (run !== undefined) return html`<${Later} key=${key} name="run" run_id=${decoded(run)} />`;
  if (!["/", "/runs", "/charts", "/charts/metrics"].includes(at)) {
    return html`<${Nothing} title="There is no such page."><a href=${
      linkTo("/")
    }>See the events</a><//>`;
  }
  // Metrics may come without any event.
  if (isEmpty.value === true && at === "/charts/metrics") {
    return html`<${Later} key=${key} name="metrics" />`;
  }
  if (isEmpty.value === true) return html`<${StartPage} key=${key} />`;
  if (!rangeKnown.value) {
    return fitProblem.value === null
      ? html`<${Skeleton} />`
      : html`<${Problem} reason=${fitProblem.value} again=${() => void fit()} />`;
  }
  if (at === "/runs") return html`<${RunsPage} key=${key} />`;
  if (at === "/charts/metrics") return html`<${Later} key=${key} name="metrics" />`;
  if (at === "/charts") return html`<${Later} key=${key} name="charts" />`;
  return html`<${EventsPage} key=${key} />`;
}

/** A mistake in one page leaves the way to the others open. */
function Guarded(): View {
  const [error, reset] = useErrorBoundary((error: Error) => console.error(error));
  const at = path.value;
  useEffect(() => {
    if (error !== undefined) reset();
  }, [at]);
  if (error === undefined) return html`<${Content} />`;
  const reason = `This page failed: ${(error as Error).message}`;
  return html`<${Problem} reason=${reason} again=${reset} />`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function App(): View {
  switch (entry.value.state) {
    case "asking":
      return null;
    case "login":
      return html`<${LoginPage} />`;
    case "failed":
      return html`
        <main class="login">
          <${Problem} reason=${entry.value.reason} again=${() => void enter()} />
        </main>
      `;
    case "open":
      return html`
        <${Shell}>
          <${Guarded} />
          <//>
      `;
  }
}

const titles: Record<string, string> = {
  "/": "Events",
  "/runs": "Runs",
  "/charts": "Charts",
  "/charts/metrics": "Metrics",
  "/alerts": "Alerts",
  "/issues": "Issues",
  "/monitors": "Monitors",
  "/sql": "SQL",
  "/settings/prices": "Prices",
  "/settings/privacy": "Privacy",
  "/settings/data": "Data",
};

applyTheme();
followLinks();
listenToKeys();
startState();
effect(() => {
  const word = titles[path.value] ??
    (path.value.startsWith("/runs/")
      ? "Run"
      : path.value.startsWith("/issues/")
      ? "Issue"
      : path.value.startsWith("/monitors/")
      ? "Monitor"
      : path.value.startsWith("/alerts/")
      ? "Alerts"
      : null);
  document.title = word === null ? "WatchLLM" : `${word} · ${project.value} · WatchLLM`;
});
const root = document.getElementById("app");
if (root !== null) render(html`<${App} />`, root);
void enter();
