// Whoever watches a result hands on the very same one: a promise, a promise of a library's own kind,
// a generator. What is seen on the way is told; what goes wrong meanwhile is the program's to see.
import type { Failure } from "./span.ts";

export interface Watcher {
  /** Called once. */
  end(failure?: Failure, value?: unknown): void;
}

const abandoned = typeof FinalizationRegistry === "undefined"
  ? undefined
  : new FinalizationRegistry<() => void>((end) => end());

/** Calls `end`, which must not hold the object, when nobody will read on. */
export function whenAbandoned(object: object, end: () => void): void {
  abandoned?.register(object, end);
}

type Thenable =
  & Promise<unknown>
  & Record<"then" | "catch" | "finally", (...args: unknown[]) => unknown>;

/** Calls `work` and tells how it ended. Its result, or what stands for it, is returned. */
export function follow<T>(work: () => T, watcher: Watcher): T {
  let result: T;
  try {
    result = work();
  } catch (thrown) {
    watcher.end({ thrown });
    throw thrown;
  }
  return followResult(result, watcher);
}

export function followResult<T>(result: T, watcher: Watcher): T {
  if (!isThenable(result)) {
    watcher.end(undefined, result);
    return result;
  }
  const seen = (value: unknown) => {
    watcher.end(undefined, value);
    return value;
  };
  const failed = (thrown: unknown) => {
    watcher.end({ thrown });
    throw thrown;
  };
  // A promise whose failure nobody handles must still be reported as such: this one is handed on.
  if (result.constructor === Promise) return result.then(seen, failed) as T;
  tap(result, seen, failed);
  whenAbandoned(result, () => watcher.end());
  return result;
}

function isThenable(value: unknown): value is Thenable {
  if (typeof value !== "object" || value === null) return false;
  try {
    return typeof (value as { then?: unknown }).then === "function";
  } catch {
    // What refuses to be looked at is a result like any other.
    return false;
  }
}

/**
 * A promise with abilities of its own, which may start its work only when awaited: it stays the
 * object that it is, and is awaited only by the program.
 */
function tap(
  promise: Thenable,
  seen: (value: unknown) => unknown,
  failed: (thrown: unknown) => never,
): void {
  const { then, catch: caught, finally: done } = promise;
  const define = (name: string, value: unknown) =>
    Object.defineProperty(promise, name, {
      value,
      configurable: true,
      writable: true,
    });
  try {
    define("then", function (this: unknown, ok: unknown, no: unknown) {
      return then.call(
        this,
        (
          value: unknown,
        ) => (seen(value), typeof ok === "function" ? ok(value) : value),
        (thrown: unknown) => {
          if (typeof no !== "function") return failed(thrown);
          try {
            failed(thrown);
          } catch {
            return no(thrown);
          }
        },
      );
    });
    if (typeof caught === "function") {
      define("catch", function (this: Thenable, no: unknown) {
        return this.then(undefined, no);
      });
    }
    if (typeof done === "function") {
      define("finally", function (this: unknown, work: unknown) {
        return (done.call(this, work) as Thenable).then(seen, failed);
      });
    }
  } catch {
    // A frozen promise is left alone.
  }
}

export interface TurnWatcher extends Watcher {
  /** Calls one turn of a generator where its events belong. */
  turn<T>(work: () => T): T;
  item(value: unknown): void;
}

type Generated = Iterator<unknown> | AsyncIterator<unknown>;

/** Whether it is what a generator function returns. */
export function isGenerator(value: unknown): value is Generated & object {
  try {
    const kind = Object.prototype.toString.call(value);
    return kind === "[object Generator]" || kind === "[object AsyncGenerator]";
  } catch {
    return false;
  }
}

/** The same generator; its turns are watched. What it is asked and answers passes through. */
export function watchGenerator(
  generator: Generated & object,
  watcher: TurnWatcher,
): void {
  const see = (result: IteratorResult<unknown>) => {
    if (result.done) watcher.end(undefined, result.value);
    else watcher.item(result.value);
    return result;
  };
  const fail = (thrown: unknown) => {
    watcher.end({ thrown });
    throw thrown;
  };
  whenAbandoned(generator, () => watcher.end());
  for (const name of ["next", "return", "throw"] as const) {
    const method = generator[name] as
      | ((...args: unknown[]) => unknown)
      | undefined;
    if (method === undefined) continue;
    const watched = function (this: unknown, ...args: unknown[]) {
      let result: unknown;
      try {
        result = watcher.turn(() => method.apply(this, args));
      } catch (thrown) {
        return fail(thrown);
      }
      return result instanceof Promise
        ? result.then(see as (value: unknown) => unknown, fail)
        : see(result as IteratorResult<unknown>);
    };
    Object.defineProperty(generator, name, {
      value: watched,
      configurable: true,
      writable: true,
    });
  }
}
