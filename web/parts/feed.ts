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
  loading: boolean;
  error: string | null;
}

const empty: State = { events: [], total: null, cursor: null, loading: true, error: null };

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
  const refetch = useThrottled(refetchEveryMs, again);

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
      return {
        ...before,
        events: sorted.slice(0, Math.max(rowsMax, before.events.length)),
        total: before.total === null ? null : before.total + added.length,
      };
    });
    setFresh((before) => new Set([...before, ...events.map(({ event_id }) => event_id)]));
    setTimeout(() => setFresh(new Set()), freshMs);
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
      const { options, filter } = now.current;
      onNew();
      if (filter.text !== "") return refetch();
      const matching = events.filter((event) => passes(filter, event));
      if (matching.length === 0) return;
      if (!options.paused && options.atTop()) return put(matching);
      setHeld((before) => {
        const room = Math.max(0, heldMax - before.length);
        setHeldMore((count) => count + Math.max(0, matching.length - room));
        return [...before, ...matching.slice(0, room)];
      });
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
    stream.addEventListener("gap", () => refetch());
    stream.addEventListener("dropped", () => refetch());
    stream.addEventListener("open", () => {
      setLost(false);
      // Without an event to resume from, what came in before the stream began is not told again.
      if (!resumable) refetch();
    });
    stream.addEventListener("error", () => setLost(true));
    return () => {
      stream.close();
      cancelAnimationFrame(frame);
    };
  }, [project.value, canLive, narrowed]);

  const loadMore = () => {
    const { cursor } = state;
    if (cursor === null || state.loading) return;
    setState((before) => ({ ...before, loading: true }));
    api.events({ ...query, limit: pageEvents, cursor }).then(
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
    more: state.cursor !== null,
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
