// Parts of the page whose code loads when they are first shown.
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { html, type View } from "./html.ts";
import { Problem, Skeleton } from "./notice.ts";

// deno-lint-ignore ban-types -- each part knows its own properties.
export type Part = ComponentType<{}>;

const parts: Record<string, () => Promise<Part>> = {
  alerts: async () => (await import("../pages/alerts.ts")).AlertsPage as Part,
  run: async () => (await import("../pages/run.ts")).RunPage as Part,
  charts: async () => (await import("../pages/charts.ts")).ChartsPage,
  data: async () => (await import("../pages/data.ts")).DataPage,
  issues: async () => (await import("../pages/issues.ts")).IssuesPage as Part,
  mapping: async () => (await import("./mapping.ts")).Mapping as Part,
  metrics: async () => (await import("../pages/metrics.ts")).MetricsPage,
  monitors: async () => (await import("../pages/monitors.ts")).MonitorsPage as Part,
  prices: async () => (await import("../pages/prices.ts")).PricesPage,
  privacy: async () => (await import("../pages/privacy.ts")).PrivacyPage,
  sql: async () => (await import("../pages/sql.ts")).SqlPage,
};
const loaded = new Map<string, Part>();

export function Later(
  { name, rows, ...rest }: { name: string; rows?: number } & Record<string, unknown>,
): View {
  const [, drawAgain] = useState(0);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    if (loaded.has(name)) return;
    setProblem(null);
    parts[name]?.().then((part) => {
      loaded.set(name, part);
      drawAgain((turn) => turn + 1);
    }, () => setProblem("This part of the page could not be loaded. Reload to try again."));
  }, [name]);
  const part = loaded.get(name);
  if (part !== undefined) return html`<${part} ...${rest} />`;
  return problem === null
    ? html`<${Skeleton} rows=${rows} />`
    : html`<${Problem} reason=${problem} />`;
}
