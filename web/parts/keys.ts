// Keys that work anywhere: a page says what each does while it is shown.
import { useLayoutEffect, useRef } from "preact/hooks";

export type KeyMap = Record<string, (event: KeyboardEvent) => void>;

/** Newest last: a dialog over a page answers before the page. */
const maps: { current: KeyMap }[] = [];

export function useKeys(map: KeyMap): void {
  const ref = useRef(map);
  ref.current = map;
  // With the drawing, not after it: a key may follow at once on what has just appeared.
  useLayoutEffect(() => {
    maps.push(ref);
    return () => {
      maps.splice(maps.indexOf(ref), 1);
    };
  }, []);
}

export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

export function listenToKeys(): void {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTyping(event.target) && event.key !== "Escape") return;
    for (const { current } of [...maps].reverse()) {
      const action = current[event.key];
      if (action === undefined) continue;
      event.preventDefault();
      action(event);
      return;
    }
  });
}

export const cheatSheet: readonly (readonly [string, string])[] = [
  ["/", "Search and filter"],
  ["j  k", "Next, previous"],
  ["Enter", "Open"],
  ["Esc", "Close, or leave a field"],
  ["← →", "Fold, unfold in a run’s tree"],
  ["n", "The next failure of a run"],
  ["[  ]", "Newer run, older run"],
  ["g e", "Events"],
  ["g r", "Runs"],
  ["g c", "Charts"],
  ["g a", "Alerts"],
  ["g w", "Monitors"],
  ["g s", "SQL"],
  ["g p", "Settings"],
  ["Ctrl Enter", "Run the SQL"],
  ["?", "This list"],
];
