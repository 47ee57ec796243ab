// `/`: every event, newest first and live, with its filter and the traffic over time above it.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { api } from "../api.ts";
import { go, here, linkTo, parameter, settle } from "../parts/address.ts";
import { useAsk } from "../parts/ask.ts";
import { EventDrawer } from "../parts/drawer.ts";
import { EventRow } from "../parts/event_rows.ts";
import { useFeed } from "../parts/feed.ts";
import { FilterBar, typedFilter } from "../parts/filter_bar.ts";
import { filterQuery, filterSql, parseFilter } from "../parts/filter.ts";
import { plural } from "../parts/format.ts";
import { html, type View } from "../parts/html.ts";
import { icon } from "../parts/icons.ts";
import { useKeys } from "../parts/keys.ts";
import { Nothing, Problem, Skeleton } from "../parts/notice.ts";
import { chooseBetween, chooseRange } from "../parts/range_picker.ts";
import { range, scope } from "../parts/state.ts";
import { Strip } from "../parts/strip.ts";

const sorts: readonly (readonly [string, string])[] = [
  ["timestamp", "newest first"],
  ["latency_ms", "slowest first"],
  ["cost", "costliest first"],
  ["tokens", "most tokens first"],
];
/** Scrolled by less than this, the list still grows at its top. */
const topPx = 80;

export function EventsPage(): View {
  const typed = typedFilter();
  const filter = useMemo(() => parseFilter(typed), [typed]);
  const sort = parameter("sort") ?? "timestamp";
  const open = parameter("event");
  const [paused, setPaused] = useState(false);
  const [selected, setSelected] = useState<string | null>(null);
  const asked = { ...scope.value, ...filterQuery(filter) };
  const strip = useAsk(
    JSON.stringify(asked),
    (signal) => api.metrics({ ...asked, group_by: "status" }, signal),
  );
  const feed = useFeed({ ...asked, sort }, filter, {
    paused,
    atTop: () => scrollY < topPx,
    onNew: strip.again,
  });
  const latest = useRef(feed);
  latest.current = feed;
  useEffect(() => {
    // Back at the top, what was held comes in by itself.
    const scrolled = () => {
      if (scrollY < topPx && latest.current.held > 0 && latest.current.live === "live") {
        latest.current.release();
      }
    };
    addEventListener("scroll", scrolled, { passive: true });
    return () => removeEventListener("scroll", scrolled);
  }, []);

  const at = open ?? selected;
  const step = (by: 1 | -1) => {
    const index = feed.events.findIndex(({ event_id }) => event_id === at);
    const next = feed.events[index < 0 ? 0 : index + by];
    if (next === undefined) {
      if (by === 1 && feed.more) feed.loadMore();
      return;
    }
    setSelected(next.event_id);
    if (open !== null) settle(here({ event: next.event_id }));
    document.getElementById(`event-${next.event_id}`)?.scrollIntoView({ block: "nearest" });
  };
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    Enter: () => {
      if (selected !== null) go(here({ event: selected }));
    },
  });
  const slowest = Math.max(1, ...feed.events.map(({ latency_ms }) => latency_ms ?? 0));
  const { since, until } = range.value;
  return html`<div class=${open === null ? "events" : "events has-drawer"}>
    <h1 class="unseen">Events</h1>
    <${FilterBar} />
    ${
    strip.data === null
      ? html`<div class="strip strip-waiting"></div>`
      : html`<${Strip} metrics=${strip.data} choose=${chooseBetween} />`
  }
    <div class="list-head">
      <span class="list-count" role="status">${
    feed.total === null ? "" : plural(feed.total, "event")
  }</span>
      <${LiveButton} live=${feed.live} toggle=${() => {
    if (paused) feed.release();
    setPaused(!paused);
  }} />
      <span class="grow"></span>
      <label class="sort"><span class="unseen">Order</span><select value=${sort} onChange=${(
    event: Event,
  ) => {
    const value = (event.target as HTMLSelectElement).value;
    go(here({ sort: value === "timestamp" ? null : value, event: null }));
  }}>${
    sorts.map(([value, word]) =>
      html`<option key=${value} value=${value} selected=${value === sort}>${word}</option>`
    )
  }</select></label>
      <a class="button" href=${linkTo("/sql", { sql: filterSql(filter, since, until) })}>${
    icon("sql")
  }View as SQL</a>
    </div>
    ${
    feed.held === 0 ? null : html`<button type="button" class="pill" onClick=${() => {
      feed.release();
      scrollTo({ top: 0 });
    }}>${icon("up")}${feed.held} new</button>`
  }
    ${feed.error === null ? null : html`<${Problem} reason=${feed.error} again=${feed.again} />`}
    ${
    feed.events.length === 0
      ? feed.loading ? html`<${Skeleton} />` : feed.error === null
        ? html`
          <${Nothing}
            title="No event matches.">${typed === ""
              ? null
              : html`<a href=${
                here({ filter: null })
              }>Clear the filter</a>`}<button type="button" class="as-link" onClick=${() =>
              chooseRange(null, null)}>Look at all time</button><//>
        `
        : null
      : html`<ol class=${
        feed.loading ? "rows event-list is-loading" : "rows event-list"
      } aria-label="Events" onClick=${openRow}>${
        feed.events.map((event) =>
          html`
            <${EventRow} key=${event
              .event_id} event=${event} slowest=${slowest} selected=${event.event_id === at}
              fresh=${feed.fresh.has(event.event_id)} />
          `
        )
      }</ol>`
  }
    ${
    feed.more
      ? html`
        <button type="button" class="load-more" disabled=${feed.loading}
          onClick=${feed.loadMore}>${feed.loading ? "Loading…" : "Load more"}</button>
      `
      : null
  }
    ${open === null ? null : html`<${EventDrawer} event_id=${open} step=${step} />`}
  </div>`;
}

/** The whole row opens the event; its links and buttons do what they say. */
function openRow(event: MouseEvent): void {
  const target = event.target as Element;
  if (target.closest("a, button") !== null || getSelection()?.toString() !== "") return;
  const row = target.closest<HTMLElement>("[data-event]");
  if (row?.dataset.event !== undefined) go(here({ event: row.dataset.event }));
}

const liveWords = {
  live: ["live", "Pause the list"],
  paused: ["paused", "Go on"],
  lost: ["reconnecting…", "The stream of new events is interrupted"],
  off: ["not live", "New events show in a range that ends now, newest first"],
} as const;

function LiveButton({ live, toggle }: { live: keyof typeof liveWords; toggle: () => void }): View {
  const [word, title] = liveWords[live];
  return html`
    <button type="button" class=${`live live-${live}`} title=${title} disabled=${live === "off" ||
      live === "lost"}
      aria-pressed=${live === "paused"} onClick=${toggle}>${live === "paused"
        ? icon("pause")
        : html`<i></i>`}${word}</button>
  `;
}
