// `/alerts/deliveries`: who was told what, how it went, and when it is tried again.
import { useState } from "preact/hooks";
import { api } from "../api.ts";
import type { Delivery } from "./alert.ts";
import { useAsk } from "./ask.ts";
import { ago, duration, moment, plural } from "./format.ts";
import { html, type View } from "./html.ts";
import { icon } from "./icons.ts";
import { Nothing, Problem, Skeleton } from "./notice.ts";
import { canAdmin, now, project } from "./state.ts";

const askEveryMs = 5000;
const atOnce = 100;

const words: Record<string, string> = {
  firing: "fires",
  escalated: "is critical now",
  reminder: "still fires",
  resolved: "is over",
  test: "test",
};

export function DeliveryList(): View {
  const project_id = project.value;
  const [status, setStatus] = useState("");
  const [limit, setLimit] = useState(atOnce);
  const [turn, setTurn] = useState(0);
  const { data, error, again } = useAsk(
    `${project_id} ${status} ${limit} ${Math.floor(now.value / askEveryMs)} ${turn}`,
    (signal) => api.deliveries({ project_id, status, limit }, signal),
  );
  if (data === null) {
    return error === null
      ? html`<${Skeleton} />`
      : html`<${Problem} reason=${error} again=${again} />`;
  }
  return html`
    <div class="monitors-head">
      <h1 class="unseen">Deliveries</h1>
      <p
        class="dim">Whoever cannot be reached is tried again with growing pauses; what waits survives a restart.</p>
      <span class="grow"></span>
      <label class="pick">Show <select value=${status} onChange=${(event: Event) =>
        setStatus((event.target as HTMLSelectElement).value)}>
        <option value="">all</option>${["waiting", "delivered", "failed", "cancelled"].map((one) =>
          html`<option key=${one} value=${one}>${one}</option>`
        )}</select></label>
    </div>
    ${error === null ? null : html`<${Problem} reason=${error} again=${again} />`}
    ${data.deliveries.length === 0
      ? html`
        <${Nothing} title="Nobody was told anything.">
          <//>
      `
      : html`
        <ul class="alert-rows">${data.deliveries.map((delivery) =>
          html`<${Row} key=${delivery.id} delivery=${delivery} refresh=${() =>
            setTurn(turn + 1)} />`
        )}</ul>
      `}
    ${data.next_cursor === null || limit >= 500
      ? null
      : html`<button type="button" class="load-more" onClick=${() =>
        setLimit(Math.min(500, limit + 100))}>Earlier deliveries</button>`}
  `;
}

const looks: Record<string, readonly ["success" | "failure" | "clock", string]> = {
  delivered: ["success", "success"],
  failed: ["failure", "error"],
  cancelled: ["failure", "paused"],
};

function Row({ delivery, refresh }: { delivery: Delivery; refresh: () => void }): View {
  const [problem, setProblem] = useState<string | null>(null);
  const { status, channel_name, channel_type, kind, title, attempts, next_attempt_at } = delivery;
  const [sign, look] = looks[status] ?? ["clock", "timeout"];
  const retry = async () => {
    setProblem(null);
    try {
      await api.retryDelivery(delivery.id);
      refresh();
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  const reason = delivery.last_error;
  return html`
    <li class="alert-row">
      <div><span class=${`status status-${look}`}>${icon(sign)}${status}</span></div>
      <div class="alert-what">
        <b>${channel_name}</b> <span class="dim">${channel_type}</span>
        <p>${title ?? words[kind] ?? kind}</p>
        ${reason === null || status === "delivered"
          ? null
          : html`<p class="row-error">${reason}</p>`}
        ${problem === null ? null : html`<p class="row-error" role="alert">${problem}</p>`}
      </div>
      <div class="alert-when">
        <p title=${moment(delivery.created_at)}>${ago(delivery.created_at, now.value)}</p>
        <p class="dim">${plural(attempts, "attempt")}${delivery.last_status === null
          ? ""
          : `, answer ${delivery.last_status}`}</p>
        ${next_attempt_at === null || status === "delivered"
          ? null
          : html`<p class="dim" title=${moment(next_attempt_at)}>${
            Date.parse(next_attempt_at) <= now.value
              ? "the next is due"
              : `next in ${duration(waitMs(next_attempt_at, now.value))}`
          }</p>`}
      </div>
      <div class="alert-actions">${status !== "delivered" && canAdmin.value
        ? html`<button type="button" onClick=${retry}>Try now</button>`
        : null}</div>
    </li>
  `;
}

/** In whole seconds: it is counted down. */
function waitMs(iso: string, nowMs: number): number {
  return Math.ceil((Date.parse(iso) - nowMs) / 1000) * 1000;
}
