// The event list as it grows at both ends: older pages by cursor, newer events as they are stored.
import { useEffect, useRef, useState } from "preact/hooks";
import { api, type LightEvent, type Query } from "../api.ts";
import { type Filter, liveQuery, passes } from "./filter.ts";
import { project, range } from "./state.ts";
import { useThrottled } from "./ask.ts";

const pageEvents = 50;
/** Of a stream that is watched for long, the oldest rows leave at the end. */
const rowsMax = 1000;
/** Held back while the reader is further down; more than this is counted only. */
const heldMax = 500;
/** How long a new row is marked. */
const freshMs = 2500;
const refetchEveryMs = 2000;

export interface Feed {
  events: LightEvent[];
  total: number | null;
  more: boolean;
  loading: boolean;
  error: string | null;
  /** Newer events that wait until the reader is back at the top. */
  held: number;
  fresh: ReadonlySet<string>;
  live: "live" | "paused" | "off" | "lost";
  release(): void;
  loadMore(): void;
  again(): void;
}

interface State {
  events: LightEvent[];
  total: number | null;
  cursor: string | null;
  /** Rows have left at the end: the cursor is beyond them. */
  cut: boolean;
  loading: boolean;
  error: string | null;
}

const empty: State = {
  events: [],
  total: null,
  cursor: null,
  cut: false,
  loading: true,
  error: null,
};

/** `onNew` is told, now and then, that there is more than before. */
export function useFeed(
  query: Query,
  filter: Filter,
  options: { paused: boolean; atTop: () => boolean; onNew: () => void },
): Feed {
  const [state, setState] = useState<State>(empty);
  const [held, setHeld] = useState<LightEvent[]>([]);
  const [heldMore, setHeldMore] = useState(0);
  const [fresh, setFresh] = useState<ReadonlySet<string>>(new Set());
  const [lost, setLost] = useState(false);
  const [turn, setTurn] = useState(0);
  const now = useRef({ options, filter });
  now.current = { options, filter };
  const key = JSON.stringify(query);
  const asked = useRef<string | null>(null);
  // Only the newest first can grow at the top; an end in the past stands still.
  const canLive = range.value.until === null && (query.sort ?? "timestamp") === "timestamp" &&
    query.order !== "asc";
  const narrowed = JSON.stringify(liveQuery(filter));
  const again = () => setTurn((before) => before + 1);
  const onNew = useThrottled(refetchEveryMs, () => now.current.options.onNew());
  /** Asks for what the stream did not tell, and lets it in as the stream would have. */
  const catchUp = useThrottled(refetchEveryMs, () => {
    if (state.loading) return catchUp();
    api.events({ ...query, limit: pageEvents }).then(({ events }) => {
      if (asked.current !== key) return;
      const known = new Set([...state.events, ...held].map(({ event_id }) => event_id));
      const added = events.filter(({ event_id }) => !known.has(event_id));
      // Nothing of the newest page is known: between it and the list more may be missing.
      const isGap = added.length === pageEvents && state.events.length > 0;
      if (!isGap) arrive(added);
      else if (!now.current.options.paused && now.current.options.atTop()) again();
      else setHeldMore((count) => count + added.length);
      // A failure is told by the status line, and by the next question.
    }, () => {});
  });

  useEffect(() => {
    const abort = new AbortController();
    // The same question again brings news; only another one makes what is shown old.
    const isOther = asked.current !== key;
    asked.current = key;
    setState((before) => ({ ...before, loading: isOther || before.loading, error: null }));
    api.events({ ...query, limit: pageEvents }, abort.signal).then((page) => {
      setState({
        events: page.events,
        total: page.total,
        cursor: page.has_more ? page.next_cursor : null,
        cut: false,
        loading: false,
        error: null,
      });
      setHeld([]);
      setHeldMore(0);
    }, (error: Error) => {
      if (abort.signal.aborted) return;
      setState((before) => ({ ...before, loading: false, error: error.message }));
    });
    return () => abort.abort();
  }, [key, turn]);

  const put = (events: LightEvent[]) => {
    setState((before) => {
      const known = new Set(before.events.map(({ event_id }) => event_id));
      const added = events.filter(({ event_id }) => !known.has(event_id));
      if (added.length === 0) return before;
      // What comes in late still goes to its place in time.
      const sorted = [...added, ...before.events].sort((a, b) =>
        a.timestamp < b.timestamp ? 1 : a.timestamp > b.timestamp ? -1 : 0
      );
      const kept = Math.max(rowsMax, before.events.length);
      return {
        ...before,
        events: sorted.slice(0, kept),
        cut: before.cut || sorted.length > kept,
        total: before.total === null ? null : before.total + added.length,
      };
    });
    setFresh((before) => new Set([...before, ...events.map(({ event_id }) => event_id)]));
    setTimeout(() => setFresh(new Set()), freshMs);
  };

  /** At the top new rows show at once; further down they wait, so that nothing moves. */
  const arrive = (events: LightEvent[]) => {
    if (events.length === 0) return;
    const { options } = now.current;
    if (!options.paused && options.atTop()) return put(events);
    setHeld((before) => {
      const room = Math.max(0, heldMax - before.length);
      setHeldMore((count) => count + Math.max(0, events.length - room));
      return [...before, ...events.slice(0, room)];
    });
  };

  useEffect(() => {
    if (!canLive) return;
    const stream = api.live({ project_id: project.value, ...liveQuery(now.current.filter) });
    // Events arrive one by one, in bursts: one drawing a frame is enough.
    let waiting: LightEvent[] = [];
    let frame = 0;
    const flush = () => {
      frame = 0;
      const events = waiting;
      waiting = [];
      const { filter } = now.current;
      onNew();
      if (filter.text !== "") return catchUp();
      const matching = events.filter((event) => passes(filter, event));
      arrive(matching);
    };
    let resumable = false;
    stream.addEventListener("event", (message) => {
      resumable = true;
      try {
        waiting.push(JSON.parse((message as MessageEvent<string>).data) as LightEvent);
      } catch {
        return;
      }
      // A page in the background draws no frames, and must not let events pile up.
      frame ||= document.hidden
        ? setTimeout(flush, 250) as unknown as number
        : requestAnimationFrame(flush);
    });
    stream.addEventListener("gap", () => catchUp());
    stream.addEventListener("dropped", () => catchUp());
    stream.addEventListener("open", () => {
      setLost(false);
      // Without an event to resume from, what came in before the stream began is not told again.
      if (!resumable) catchUp();
    });
    stream.addEventListener("error", () => setLost(true));
    return () => {
      stream.close();
      cancelAnimationFrame(frame);
    };
  }, [project.value, canLive, narrowed]);

  const loadMore = () => {
    const { cursor, cut } = state;
    const last = state.events.at(-1);
    if ((cursor === null && !cut) || last === undefined || state.loading) return;
    // A millisecond later: events of the same moment come again, and are known.
    const place = cut
      ? { until: new Date(Date.parse(last.timestamp) + 1).toISOString() }
      : { cursor };
    setState((before) => ({ ...before, loading: true }));
    api.events({ ...query, limit: pageEvents, ...place }).then(
      (page) => {
        setState((before) => {
          if (before.cursor !== cursor) return { ...before, loading: false };
          const known = new Set(before.events.map(({ event_id }) => event_id));
          return {
            ...before,
            events: [
              ...before.events,
              ...page.events.filter((event) => !known.has(event.event_id)),
            ],
            cursor: page.has_more ? page.next_cursor : null,
            cut: false,
            loading: false,
          };
        });
      },
      (error: Error) => setState((before) => ({ ...before, loading: false, error: error.message })),
    );
  };

  return {
    events: state.events,
    total: state.total,
    more: state.cursor !== null || state.cut,
    loading: state.loading,
    error: state.error,
    held: held.length + heldMore,
    fresh,
    live: !canLive ? "off" : lost ? "lost" : options.paused ? "paused" : "live",
    release: () => {
      if (heldMore > 0) again();
      else put(held);
      setHeld([]);
      setHeldMore(0);
    },
    loadMore,
    again,
  };
}
