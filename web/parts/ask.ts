// Questions to the server as the state of a component: answer, error, and whether one is under way.
import { useEffect, useRef, useState } from "preact/hooks";

export interface Asked<T> {
  /** The last answer; kept while the next one is awaited, so that nothing flickers. */
  data: T | null;
  /** Key of the question that `data` answers. */
  key: string | null;
  error: string | null;
  loading: boolean;
  again(): void;
}

/**
 * Asks when `key` changes, or is asked again; a question that is overtaken is aborted. A null key
 * asks nothing.
 */
export function useAsk<T>(
  key: string | null,
  ask: (signal: AbortSignal) => Promise<T>,
): Asked<T> {
  const [state, setState] = useState<Omit<Asked<T>, "again">>({
    data: null,
    key: null,
    error: null,
    loading: key !== null,
  });
  const [turn, setTurn] = useState(0);
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => {
    if (key === null) return;
    const abort = new AbortController();
    setState((before) => ({ ...before, loading: true }));
    latest.current(abort.signal).then(
      (data) => {
        if (!abort.signal.aborted) setState({ data, key, error: null, loading: false });
      },
      (error: Error) => {
        if (abort.signal.aborted) return;
        setState((before) => ({ ...before, error: error.message, loading: false }));
      },
    );
    return () => abort.abort();
  }, [key, turn]);
  return { ...state, again: () => setTurn((before) => before + 1) };
}

/** Calls at most once per `ms`, and once more at the end when it was called in between. */
export function useThrottled(ms: number, call: () => void): () => void {
  const latest = useRef(call);
  latest.current = call;
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  useEffect(() => () => {
    if (timer.current !== null) clearTimeout(timer.current);
  }, []);
  return () => {
    timer.current ??= setTimeout(() => {
      timer.current = null;
      latest.current();
    }, ms);
  };
}
