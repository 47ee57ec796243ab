// The head of the pages below /charts: charts of events, and of metrics where there are any.
import { api } from "../api.ts";
import { linkTo, path } from "./address.ts";
import { useAsk } from "./ask.ts";
import { html, type View } from "./html.ts";
import { project, status } from "./state.ts";

const tabs = [
  ["/charts", "Events"],
  ["/charts/metrics", "Metrics"],
] as const;

export function ChartTabs(): View {
  if (!useHasMetrics()) return null;
  return html`
    <div class="tabs chart-tabs" role="tablist" aria-label="Charts">${tabs.map(([place, word]) =>
      html`<a key=${place} role="tab" href=${linkTo(place)} aria-selected=${
        path.value === place
      }>${word}</a>`
    )}</div>
  `;
}

/** Whether the project has metrics of OpenTelemetry, at whatever time. */
export function useHasMetrics(): boolean {
  const project_id = project.value;
  // Of the whole server: with none there, there is nothing to ask.
  const some = (status.value?.points_total ?? 0) > 0;
  const { data } = useAsk(
    some ? `metrics of ${project_id}` : null,
    (signal) => api.pointNames({ project_id, limit: 1 }, signal),
  );
  return (data?.names.length ?? 0) > 0;
}
