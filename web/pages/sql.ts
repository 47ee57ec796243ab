// `/sql`: a question in SQL over the events of the project, its answer, and the answer as a file.
import { useEffect, useRef, useState } from "preact/hooks";
import { api, type SqlAnswer } from "../api.ts";
import { here, parameter, settle } from "../parts/address.ts";
import { Copy } from "../parts/copy.ts";
import { exact, plural } from "../parts/format.ts";
import { html, type View } from "../parts/html.ts";
import { icon } from "../parts/icons.ts";
import { useKeys } from "../parts/keys.ts";
import { project, store, stored } from "../parts/state.ts";

type Column = [name: string, type: string, help: string];
/** Name, type and meaning of each column of the two views; put here by the build. */
declare const EVENT_COLUMNS: Column[];
declare const POINT_COLUMNS: Column[];

const draftKey = "watchllm.sql";
/** Rows drawn before asking for more. */
const shownRows = 200;
const cellCharactersMax = 300;

const examples: readonly (readonly [string, string])[] = [
  [
    "Cost by model",
    `SELECT model, count(*) AS calls,
  round(sum(coalesce(cost_estimate_usd, cost_reported_usd)), 6) AS cost_usd,
  count(*) FILTER (coalesce(cost_estimate_usd, cost_reported_usd) IS NULL
    AND coalesce(tokens_input, tokens_output) IS NOT NULL) AS unpriced
FROM events
WHERE event_type = 'prompt_call'
GROUP BY model
ORDER BY cost_usd DESC NULLS LAST`,
  ],
  [
    "Errors by type",
    `SELECT coalesce(error_type, status) AS reason, count(*) AS events,
  any_value(error_message) AS example
FROM events
WHERE status NOT IN ('success', 'warning')
GROUP BY reason
ORDER BY events DESC`,
  ],
  [
    "Slowest calls",
    `SELECT timestamp, name, model, latency_ms, tokens_output, run_id
FROM events
WHERE event_type = 'prompt_call'
ORDER BY latency_ms DESC NULLS LAST
LIMIT 50`,
  ],
  [
    "Latency by release",
    `SELECT release, count(*) AS calls,
  quantile_cont(latency_ms, 0.5) AS p50_ms,
  quantile_cont(latency_ms, 0.95) AS p95_ms
FROM events
WHERE event_type = 'prompt_call' AND latency_ms IS NOT NULL
GROUP BY release
ORDER BY p95_ms DESC`,
  ],
  [
    "Tokens by user and day",
    `SELECT date_trunc('day', timestamp) AS day, user_id,
  sum(tokens_input) AS tokens_input, sum(tokens_output) AS tokens_output
FROM events
WHERE event_type = 'prompt_call'
GROUP BY day, user_id
ORDER BY day DESC, tokens_input DESC
LIMIT 100`,
  ],
  [
    "Tools that fail",
    `SELECT tool_name, count(*) AS calls,
  count(*) FILTER (status <> 'success') AS failed,
  round(100.0 * failed / calls, 1) AS failed_percent
FROM events
WHERE event_type = 'tool_call'
GROUP BY tool_name
ORDER BY failed DESC`,
  ],
  [
    "Metrics by name",
    `SELECT name, type, unit, count(*) AS points,
  count(DISTINCT series_id) AS series,
  max(timestamp) AS last_seen
FROM metrics
GROUP BY name, type, unit
ORDER BY points DESC`,
  ],
];

export function SqlPage(): View {
  const given = parameter("sql");
  const [sql, setSql] = useState(given ?? stored(draftKey) ?? examples[0]?.[1] ?? "");
  const [answer, setAnswer] = useState<SqlAnswer | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const editor = useRef<HTMLTextAreaElement>(null);
  const asking = useRef<AbortController | null>(null);
  const isMac = /Mac|iP/.test(navigator.platform);

  const edit = (text: string) => {
    setSql(text);
    store(draftKey, text);
  };
  const run = async (text = sql) => {
    if (text.trim() === "") return;
    asking.current?.abort();
    const abort = new AbortController();
    asking.current = abort;
    setBusy(true);
    setProblem(null);
    try {
      setAnswer(await api.sql(text, project.value, abort.signal));
    } catch (error) {
      if (abort.signal.aborted) return;
      setAnswer(null);
      setProblem((error as Error).message);
    }
    if (asking.current === abort) setBusy(false);
  };
  const stop = () => {
    asking.current?.abort();
    setBusy(false);
  };
  const download = async (format: "csv" | "parquet") => {
    setProblem(null);
    try {
      const url = URL.createObjectURL(await api.sqlFile(sql, project.value, format));
      const link = document.createElement("a");
      link.href = url;
      link.download = `${project.value}.${format}`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  useEffect(() => {
    // "View as SQL" came with a question: it is answered, and then belongs to the editor.
    if (given === null) return;
    edit(given);
    void run(given);
    settle(here({ sql: null }));
  }, [given]);
  useEffect(() => () => asking.current?.abort(), []);
  useKeys({ "/": () => editor.current?.focus() });

  const insert = (name: string) => {
    const field = editor.current;
    if (field === null) return;
    const { selectionStart: from, selectionEnd: to } = field;
    edit(sql.slice(0, from) + name + sql.slice(to));
    requestAnimationFrame(() => {
      field.focus();
      field.setSelectionRange(from + name.length, from + name.length);
    });
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      void run();
    } else if (event.key === "Escape") editor.current?.blur();
  };
  const rows = sql.split("\n").length;
  return html`
    <div class="sql">
      <h1 class="unseen">SQL</h1>
      <div class="sql-main">
          <div class="sql-examples" aria-label="Examples">
            ${examples.map(([name, text]) =>
              html`<button key=${name} type="button" onClick=${() => {
                edit(text);
                void run(text);
              }}>${name}</button>`
            )}
          </div>
          <div class="sql-editor">
            <textarea ref=${editor} aria-label="SQL" wrap="off" spellcheck=${false} autocapitalize="off" autocomplete="off"
              rows=${Math.min(
                18,
                Math.max(7, rows + 1),
              )} value=${sql} aria-invalid=${problem !== null}
              onInput=${(event: Event) =>
                edit((event.target as HTMLTextAreaElement).value)} onKeyDown=${onKey}></textarea>
            <div class="sql-bar">
              ${busy
                ? html`<button type="button" onClick=${stop}>Stop</button>`
                : html`<button type="button" class="primary" onClick=${() =>
                  void run()}>Run</button>`}
              <kbd>${isMac ? "⌘" : "Ctrl"} Enter</kbd>
              <span class="dim sql-said" role="status">${busy
                ? "Asking…"
                : answer === null
                ? ""
                : summary(answer)}</span>
              <span class="grow"></span>
              <${Copy} text=${sql} label="Copy the SQL" />
              <button type="button" onClick=${() => void download("csv")}>${icon(
                "download",
              )}CSV</button>
              <button type="button" onClick=${() => void download("parquet")}>${icon(
                "download",
              )}Parquet</button>
            </div>
          </div>
          ${problem === null ? null : html`<pre class="sql-problem" role="alert">${problem}</pre>`}
          ${answer === null ? null : html`<${Answer} answer=${answer} />`}
        </div>
      <div class="sql-columns">
        <${Columns} view="events" columns=${EVENT_COLUMNS} open=${innerWidth >
          1000} insert=${insert} />
        <${Columns} view="metrics" columns=${POINT_COLUMNS} open=${false} insert=${insert} />
      </div>
    </div>
  `;
}

function Columns(
  { view, columns, open, insert }: {
    view: string;
    columns: Column[];
    open: boolean;
    insert: (name: string) => void;
  },
): View {
  return html`
    <details open=${open}>
      <summary>Columns of <code>${view}</code></summary>
      <ul>${columns.map(([name, type, help]) =>
        html`
          <li
            key=${name}><button type="button" class="as-link" title=${help} onClick=${() =>
              insert(name)}>${name}</button><span class="dim">${type.toLowerCase()}</span></li>
        `
      )}</ul>
    </details>
  `;
}

function summary({ row_count, truncated, elapsed_ms }: SqlAnswer): string {
  const rows = truncated
    ? `first ${plural(row_count, "row")}: the answer is longer, a file has all of it`
    : plural(row_count, "row");
  return `${rows} · ${elapsed_ms < 10 ? elapsed_ms.toFixed(1) : exact(elapsed_ms)} ms`;
}

const numeric = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT|DECIMAL.*)$/;

function Answer({ answer: { columns, rows } }: { answer: SqlAnswer }): View {
  const [shown, setShown] = useState(shownRows);
  useEffect(() => setShown(shownRows), [rows]);
  if (rows.length === 0) return html`<p class="notice">No rows.</p>`;
  const isNumber = columns.map(({ type }) => numeric.test(type));
  return html`
    <div class="table-box sql-answer" tabindex="0" role="region" aria-label="Answer">
      <table>
        <thead>
          <tr>${columns.map(({ name, type }, index) =>
            html`<th key=${index} scope="col" class=${
              isNumber[index] ? "num" : ""
            } title=${type}>${name}</th>`
          )}</tr>
        </thead>
        <tbody>${rows.slice(0, shown).map((row, index) =>
          html`<tr key=${index}>${
            row.map((value, at) =>
              html`<${Cell} key=${at} value=${value} isNumber=${isNumber[at] ?? false} />`
            )
          }</tr>`
        )}</tbody>
      </table>
    </div>
      ${rows.length > shown
        ? html`<button type="button" class="load-more" onClick=${() => setShown(shown + 1000)}>${
          plural(rows.length - shown, "more row")
        }</button>`
        : null}
  `;
}

function Cell({ value, isNumber }: { value: unknown; isNumber: boolean }): View {
  if (value === null) return html`<td class=${isNumber ? "num null" : "null"}>null</td>`;
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  const cut = text.length > cellCharactersMax ? `${text.slice(0, cellCharactersMax)}…` : text;
  return html`<td class=${isNumber ? "num" : ""} title=${
    text.length > 60 ? text.slice(0, 2000) : null
  }>${cut}</td>`;
}
