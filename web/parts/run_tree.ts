// The tree of a run: what happened inside what, for how long, with only the rows on screen drawn.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { RunEvent } from "../api.ts";
import { titleOf } from "./event_detail.ts";
import { costOf } from "./event_figures.ts";
import { dollars, duration, short } from "./format.ts";
import { html, type View } from "./html.ts";
import { icon, statusMark, typeIcon, typeWord } from "./icons.ts";
import { useKeys } from "./keys.ts";
import { barOf, parentRow, spanOf, type TreeRow, visibleRows, windowOf } from "./tree.ts";

const rowPx = 46;
/** Deeper events are indented no further: their depth is read to those who listen. */
const indentDepthMax = 14;

export function RunTree(
  { events, selected, select }: {
    events: RunEvent[];
    selected: string | null;
    select: (event_id: string) => void;
  },
): View {
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const [view, setView] = useState<[number, number]>([0, 60]);
  const box = useRef<HTMLDivElement>(null);
  const rows = useMemo(() => visibleRows(events, folded), [events, folded]);
  const span = useMemo(() => spanOf(events), [events]);
  const at = rows.findIndex(({ event }) => event.event_id === selected);

  const look = () => {
    const el = box.current;
    if (el === null) return;
    // Where the page itself scrolls, the tree is as tall as its rows and moves under the window.
    const own = el.scrollHeight > el.clientHeight + 1;
    const top = own ? el.scrollTop : Math.max(0, -el.getBoundingClientRect().top);
    const next = windowOf(top, own ? el.clientHeight : innerHeight, rowPx, rows.length);
    setView((before) => before[0] === next[0] && before[1] === next[1] ? before : next);
  };
  useLayoutEffect(look, [rows]);
  useLayoutEffect(() => {
    const el = box.current;
    if (el === null || at < 0) return;
    const y = at * rowPx;
    const isAway = y > el.scrollTop + el.clientHeight * 2 || y < el.scrollTop - el.clientHeight;
    // Of a jump the surroundings are shown too; a step moves no further than it must.
    if (isAway) el.scrollTop = y - el.clientHeight / 2;
    else if (y < el.scrollTop) el.scrollTop = y;
    else if (y + rowPx > el.scrollTop + el.clientHeight) el.scrollTop = y + rowPx - el.clientHeight;
    look();
  }, [selected]);
  useEffect(() => {
    addEventListener("resize", look);
    addEventListener("scroll", look, { passive: true });
    return () => {
      removeEventListener("resize", look);
      removeEventListener("scroll", look);
    };
  });

  const goTo = (index: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, index))];
    if (row === undefined) return;
    select(row.event.event_id);
  };
  const fold = (row: TreeRow | undefined, fold: boolean) => {
    if (row === undefined || !row.hasChildren) return;
    const next = new Set(folded);
    if (fold) next.add(row.event.event_id);
    else next.delete(row.event.event_id);
    setFolded(next);
  };
  const here = rows[at];
  const moves: Record<string, () => void> = {
    ArrowDown: () => goTo(at + 1),
    ArrowUp: () => goTo(at < 0 ? 0 : at - 1),
    Home: () => goTo(0),
    End: () => goTo(rows.length - 1),
    ArrowLeft: () =>
      here?.hasChildren && !here.folded ? fold(here, true) : goTo(parentRow(rows, at)),
    ArrowRight: () => here?.folded ? fold(here, false) : goTo(at + 1),
  };
  useKeys({ j: () => goTo(at + 1), k: () => goTo(at < 0 ? 0 : at - 1), ...moves });

  const [from, to] = view;
  return html`
    <div class="tree" ref=${box} role="tree" aria-label="Events of the run" tabindex="0"
      aria-activedescendant=${here === undefined ? null : `node-${here.index}`} onScroll=${look}>
      <div class="tree-all" style=${{ height: `${rows.length * rowPx}px` }}>${rows.slice(from, to)
        .map((row, offset) => {
          const { event } = row;
          const [left, width] = barOf(event, span);
          const indent = Math.min(event.depth, indentDepthMax);
          return html`
            <div key=${event.event_id} class=${event.event_id === selected
              ? "node selected"
              : "node"} id=${`node-${row.index}`}
              role="treeitem" aria-level=${event.depth +
                1} aria-selected=${event.event_id === selected}
              aria-expanded=${row.hasChildren ? !row.folded : null}
              aria-label=${`${typeWord(event.event_type)} ${titleOf(event)}, ${event.status}`}
              style=${{ top: `${(from + offset) * rowPx}px` }} onClick=${() =>
                select(event.event_id)}>
              <div class="node-name" style=${{ paddingLeft: `calc(${indent} * var(--indent))` }}>
                      ${row.hasChildren
                        ? html`
                          <button type="button" class="node-fold" tabindex="-1" aria-label=${row
                              .folded
                            ? "Unfold"
                            : "Fold"}
                            aria-expanded=${!row.folded} onClick=${(
                              click: Event,
                            ) => {
                              click.stopPropagation();
                              fold(row, !row.folded);
                            }}>${icon("chevron")}</button>
                        `
                        : html`<span class="node-fold"></span>`}
                      ${typeIcon(event.event_type)}
                      <div class="node-words">
                        <p><b>${titleOf(event)}</b>${event.status === "success"
                          ? null
                          : statusMark(event.status)}${event.parent_missing
                          ? html`<span class="orphan" title="Its parent has not come in, or was lost">parent missing</span>`
                          : null}</p>
                        <p class="dim">${figures(event)}</p>
                      </div>
                    </div>
              <div class="node-time" aria-hidden="true"><i class=${`node-bar bar-of-${event.status}`} style=${{
                left: `${left}%`,
                width: `${width}%`,
              }}></i></div>
            </div>
          `;
        })}</div>
    </div>
  `;
}

function figures(event: RunEvent): string {
  const tokens = event.tokens_input == null && event.tokens_output == null
    ? null
    : `${short(event.tokens_input)} → ${short(event.tokens_output)}`;
  const cost = costOf(event) === null
    ? event.event_type === "prompt_call" ? "cost unknown" : null
    : dollars(costOf(event));
  const time = event.latency_ms == null ? null : duration(event.latency_ms);
  return [time, tokens, cost].filter((part) => part !== null).join(" · ") ||
    typeWord(event.event_type);
}
