// What a rule would have done over stored history: drawn while it is typed.
import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "../api.ts";
import { type Backtest, labelsText, levelMark, minutesText, valueText } from "./alert.ts";
import { Chart, type Line } from "./chart.ts";
import { duration, moment, plural } from "./format.ts";
import { html, type View } from "./html.ts";
import { project, theme } from "./state.ts";
import { countTick, durationTick } from "./unit.ts";

const typingMs = 500;
const alertsShown = 20;
const spans = [["-24h", "24 hours"], ["-7d", "7 days"], ["-30d", "30 days"]] as const;

/** `fields` is what would be sent, or why that cannot be said yet. */
export function RulePreview({ fields, found }: {
  fields: Record<string, unknown> | string;
  found: (error: Error | null) => void;
}): View {
  const [since, setSince] = useState("-7d");
  const [tried, setTried] = useState<Backtest | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const asked = useRef("");
  const project_id = project.value;
  const body = typeof fields === "string" ? "" : JSON.stringify({
    ...fields,
    name: "Preview",
    project_id,
    since,
  });
  useEffect(() => {
    if (body === "") return;
    const stop = new AbortController();
    const timer = setTimeout(async () => {
      asked.current = body;
      setBusy(true);
      try {
        const answer = await api.backtest(JSON.parse(body), stop.signal);
        if (stop.signal.aborted) return;
        setTried(answer);
        setProblem(null);
        found(null);
      } catch (error) {
        if (stop.signal.aborted) return;
        setTried(null);
        setProblem((error as Error).message);
        found(error as Error);
      } finally {
        if (!stop.signal.aborted) setBusy(false);
      }
    }, typingMs);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [body]);
  const said = typeof fields === "string" ? fields : problem;
  return html`
    <section class="rule-preview" aria-label="Preview" aria-busy=${busy}>
      <div class="monitors-head">
        <h2>What it would have done</h2>
        <span class="grow"></span>
        <label class="pick">In the last <select value=${since} onChange=${(event: Event) =>
          setSince((event.target as HTMLSelectElement).value)}>${spans.map(([value, word]) =>
            html`<option key=${value} value=${value} selected=${value === since}>${word}</option>`
          )}</select></label>
      </div>
      ${said !== null
        ? html`<p class="row-error" role="status">${said}</p>`
        : tried === null
        ? html`<p class="dim">Looking at what is stored…</p>`
        : html`<${Tried} tried=${tried} fields=${fields} />`}
    </section>
  `;
}

function Tried({ tried, fields }: { tried: Backtest; fields: Record<string, unknown> }): View {
  const metric = fields.metric as string | undefined;
  const { alerts_total, notifications, firing_minutes, values, alerts } = tried;
  const known = values.filter(({ value }) => value !== null).length;
  const times = values.map(({ at }) => Date.parse(at) / 1000);
  const level = (name: "warning" | "critical", color: string): Line[] =>
    typeof fields[name] !== "number" || fields.baseline !== undefined ? [] : [{
      label: name,
      color,
      isBare: true,
      values: times.map(() => fields[name] as number),
    }];
  const fired = values.map(({ at, value }) =>
    alerts.some(({ fired_at, resolved_at }) =>
        at >= fired_at && (resolved_at === null || at <= resolved_at)
      )
      ? value
      : null
  );
  const format = (value: number | null) => valueText(metric, value);
  const tick = metric?.endsWith("_ms")
    ? durationTick
    : metric === undefined || metric.startsWith("tokens") || metric === "requests"
    ? countTick
    : format;
  return html`
    <p class="rule-verdict" role="status">${alerts_total === 0
      ? "It would not have fired."
      : `It would have fired ${plural(alerts_total, "time")}, ${
        minutesText(Math.round(firing_minutes))
      } in all, and told people ${plural(notifications, "time")}.`}
      <span class="dim"> ${plural(tried.windows, "window")} looked at, ${duration(
        tried.step_seconds * 1000,
      )} apart${known === values.length
        ? ""
        : `; in ${values.length - known} nothing is known`}.</span></p>
    ${known === 0 ? html`<p class="dim">There is nothing stored to draw.</p>` : html`
      <${Chart} title=${metric === undefined ? "Value" : "The worst value of each window"}
        said=${alerts_total === 0 ? "never fired" : `fired ${plural(alerts_total, "time")}`}
        times=${times} as="lines" format=${format} tick=${tick} look=${theme.value}
        lines=${[
          { label: "value", color: "series-1", values: values.map(({ value }) => value) },
          ...level("warning", "timeout"),
          ...level("critical", "error"),
          { label: "fires", color: "text", values: fired },
        ]} choose=${() => {}} />
    `}
    ${alerts.length === 0 ? null : html`
      <ul class="alert-rows is-compact">${alerts.slice(0, alertsShown).map((alert, at) =>
        html`
          <li key=${at} class="alert-row">
            <div>${levelMark(alert.level)}</div>
            <div
              class="alert-what"><span title=${moment(alert.fired_at)}>${minuteOf(
                alert.fired_at,
              )}</span> <span class="dim">${labelsText(
                alert.labels,
              )}</span></div>
            <div class="alert-when">${alert.threshold === null
              ? ""
              : `threshold ${
                fields.baseline === undefined ? format(alert.threshold) : alert.threshold
              }`}${alert.expected === null ? "" : `, usually ${format(alert.expected)}`}${worstOf(
                tried,
                alert,
                fields,
              )}</div>
            <div class="alert-actions dim">${alert.resolved_at === null
              ? "to the end"
              : duration(Date.parse(alert.resolved_at) - Date.parse(alert.fired_at))}</div>
          </li>
        `
      )}</ul>
      ${alerts_total <= alertsShown
        ? null
        : html`<p class="dim">and ${alerts_total - alertsShown} more.</p>`}
    `}
  `;
}

/** "Mon 23 Nov 21:09", in the zone of whoever looks. */
function minuteOf(iso: string): string {
  return new Date(iso).toLocaleString("en-GB", {
    weekday: "short",
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
  });
}

/** The worst value while it fired; of one group among several it is not known. */
function worstOf(
  { values }: Backtest,
  { labels, fired_at, resolved_at }: Backtest["alerts"][number],
  { operator, metric }: Record<string, unknown>,
): string {
  if (Object.keys(labels).length > 0) return "";
  const during = values.flatMap(({ at, value }) =>
    value !== null && at >= fired_at && (resolved_at === null || at <= resolved_at) ? [value] : []
  );
  if (during.length === 0) return "";
  const looksForLess = String(operator).startsWith("<");
  const worst = looksForLess ? Math.min(...during) : Math.max(...during);
  return `, at worst ${valueText(metric as string | undefined, worst)}`;
}
