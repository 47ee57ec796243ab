// A monitor tried before it is kept: the answer, and which assertions hold.
import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "../api.ts";
import { dollars, duration, exact, nothing } from "./format.ts";
import { html, type View } from "./html.ts";
import { icon } from "./icons.ts";
import { type Monitor, monitorMark, type MonitorTried } from "./monitor.ts";
import { fieldsOf, type TypedMonitor } from "./monitor_fields.ts";
import { project } from "./state.ts";

type State =
  | { at: "idle" }
  | { at: "asking" }
  | { at: "refused"; reason: string }
  | { at: "tried"; tried: MonitorTried };

export function MonitorTry(
  { typed, monitor }: { typed: TypedMonitor; monitor: Monitor | null },
): View {
  const [state, setState] = useState<State>({ at: "idle" });
  const abort = useRef<AbortController | null>(null);
  useEffect(() => () => abort.current?.abort(), []);
  const ask = async () => {
    abort.current?.abort();
    const { signal } = abort.current = new AbortController();
    setState({ at: "asking" });
    try {
      const fields = fieldsOf({ ...typed, name: typed.name.trim() || "Try" }, monitor);
      const id = monitor === null ? {} : { id: monitor.id };
      const tried = await api.tryMonitor({ project_id: project.value, ...id, ...fields }, signal);
      if (!signal.aborted) setState({ at: "tried", tried });
    } catch (error) {
      if (!signal.aborted) setState({ at: "refused", reason: (error as Error).message });
    }
  };
  return html`
    <section>
      <h2>Try it</h2>
      <p
        class="dim">One attempt with what is typed above. Nothing of it is stored, and nobody is told.</p>
      <button type="button" disabled=${state.at === "asking"} onClick=${ask}>${state.at === "asking"
        ? "Asking…"
        : "Try it now"}</button>
      <div class="tried" role="region" aria-label="What came of it" aria-live="polite">${state
          .at === "refused"
        ? html`<p class="problem">${state.reason}</p>`
        : state.at === "tried"
        ? html`<${Tried} tried=${state.tried} />`
        : null}</div>
    </section>
  `;
}

function Tried({ tried }: { tried: MonitorTried }): View {
  const { outcome, message, status, latency_ms, first_token_ms, cost_usd, answer, assertions } =
    tried;
  const tokens = tried.tokens_input === null && tried.tokens_output === null
    ? null
    : `${exact(tried.tokens_input)} tokens in, ${exact(tried.tokens_output)} out`;
  const facts = [
    status === null ? null : `status ${status}`,
    duration(latency_ms),
    first_token_ms === null ? null : `first token after ${duration(first_token_ms)}`,
    tried.model,
    tokens,
    status === null || tokens === null
      ? null
      : `cost ${cost_usd === null ? "unknown" : dollars(cost_usd)}`,
  ].filter((fact) => fact !== null);
  return html`
    <p class="tried-head">${monitorMark(outcome)} <span class="dim">${facts.join(" · ")}</span></p>
    ${message === null || tried.problem === "assertion_failed"
      ? null
      : html`<p class="problem">${message}</p>`}
    ${assertions.length === 0 ? null : html`<ul class="verdicts">${
      assertions.map((one, at) =>
        html`
          <li key=${at} class=${`verdict-${one.holds === null ? "unknown" : one.holds}`}>
            ${icon(one.holds === null ? "warning" : one.holds ? "success" : "failure")}
            <span>${one.text}${one.holds === true
              ? null
              : html`<span class="dim"> – ${one.holds === null ? "cannot be told: " : "instead: "}${
                (one.actual ?? nothing).slice(0, 200)
              }</span>`}</span>
          </li>
        `
      )
    }</ul>`}
    ${answer === null ? null : html`
      <pre class="block prose" tabindex="0">${answer}</pre>
      ${tried.answer_truncated
        ? html`<p class="dim">The answer is longer than what is shown.</p>`
        : null}
    `}
  `;
}
