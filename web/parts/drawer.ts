// A sheet over the list with one event in full; the list stays, and the address is its own.
import { useEffect, useRef } from "preact/hooks";
import { api } from "../api.ts";
import { go, here } from "./address.ts";
import { useAsk } from "./ask.ts";
import { EventDetail } from "./event_detail.ts";
import { html, type View } from "./html.ts";
import { icon } from "./icons.ts";
import { useKeys } from "./keys.ts";
import { Problem, Skeleton } from "./notice.ts";
import { project } from "./state.ts";

export function EventDrawer(
  { event_id, step }: { event_id: string; step: (by: 1 | -1) => void },
): View {
  const close = () => go(here({ event: null }));
  const box = useRef<HTMLElement>(null);
  const { data, error, key, again } = useAsk(
    event_id,
    (signal) => api.event(event_id, { project_id: project.value }, signal),
  );
  useKeys({ Escape: close });
  useEffect(() => {
    const before = document.activeElement;
    box.current?.focus({ preventScroll: true });
    return () => {
      if (before instanceof HTMLElement && before.isConnected) {
        before.focus({ preventScroll: true });
      }
    };
  }, []);
  useEffect(() => box.current?.querySelector(".drawer-body")?.scrollTo(0, 0), [key]);
  return html`
    <aside class="drawer" ref=${box} tabindex="-1" role="dialog" aria-label="Event">
      <div class="drawer-bar">
        <button type="button" class="quiet" aria-label="Close" title="Close (Esc)"
          onClick=${close}>${icon("close")}</button>
        <span class="dim id">${event_id}</span>
        <button type="button" class="quiet turn-up" aria-label="Previous event" title="Previous (k)"
          onClick=${() => step(-1)}>${icon("chevron")}</button>
        <button type="button" class="quiet turn-down" aria-label="Next event" title="Next (j)"
          onClick=${() => step(1)}>${icon("chevron")}</button>
      </div>
      <div class="drawer-body" aria-busy=${key !== event_id && error === null}>${error !== null
        ? html`<${Problem} reason=${error} again=${again} />`
        : data === null
        ? html`<${Skeleton} />`
        : html`<${EventDetail} key=${data.event_id} event=${data} />`}</div>
    </aside>
  `;
}
