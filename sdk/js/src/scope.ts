// Which span the program is in. Where the host can follow a program across `await`, everything that
// is called from a span's function belongs to it; elsewhere, only its synchronous part does.
import { contextStorage } from "./host.ts";

/** Who is served; a run has its own, so that requests that are served at once do not mix. */
export interface Who {
  user_id?: string;
  session_id?: string;
  tags: readonly string[];
}

/** What a function works for. */
export interface Scope {
  readonly run_id: string;
  /** Parent of the events inside. */
  readonly span_id: string;
  readonly tracestate?: string;
  who: Who;
  /** The span itself, when it is one of this program. */
  readonly span?: unknown;
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
