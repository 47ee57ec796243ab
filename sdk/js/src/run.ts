// Which run the program is in. Where the host can follow a program across `await`, everything that
// is called from a run's function belongs to it; elsewhere, only its synchronous part does.
import { contextStorage } from "./host.ts";

/** Who is served; a run has its own, so that requests that are served at once do not mix. */
export interface Who {
  user_id?: string;
  session_id?: string;
  tags: readonly string[];
}

/** The run that a function works for. */
export interface Run {
  readonly run_id: string;
  /** The span that events inside have as their parent. */
  readonly span_id: string;
}

export interface Scope extends Run {
  who: Who;
}

const storage = contextStorage<Scope>();
let synchronous: Scope | undefined;

export function currentScope(): Scope | undefined {
  return storage === null ? synchronous : storage.getStore();
}

/** Calls `work` within `scope`. */
export function within<T>(scope: Scope, work: () => T): T {
  if (storage !== null) return storage.run(scope, work);
  const outer = synchronous;
  synchronous = scope;
  try {
    return work();
  } finally {
    synchronous = outer;
  }
}

/**
 * Calls `work`, tells `onEnd` how it ended, and passes on its result or its error, the very same.
 * A promise is followed; of a kind of its own (a query that starts when awaited), it is not touched.
 */
export function follow<T>(
  work: () => T,
  onEnd: (failure?: { thrown: unknown }) => void,
): T {
  let result: T;
  try {
    result = work();
  } catch (thrown) {
    onEnd({ thrown });
    throw thrown;
  }
  if (!(result instanceof Promise) || result.constructor !== Promise) {
    onEnd();
    return result;
  }
  return result.then(
    (value: unknown) => {
      onEnd();
      return value;
    },
    (thrown: unknown) => {
      onEnd({ thrown });
      throw thrown;
    },
  ) as T;
}
