// Functions in, functions out that behave alike: each call is a span, with what the function was
// given and what it returned.
import { followResult, isGenerator, watchGenerator } from "./follow.ts";
import { limits } from "./limits.ts";
import { within } from "./scope.ts";
import { Frozen } from "./snapshot.ts";
import { type Failure, type Fields, OpenSpan, type SpanFields } from "./span.ts";
import { quietly, state } from "./state.ts";

export interface ObserveOptions extends SpanFields {
  /** False leaves out what the function is given. */
  capture_input?: boolean;
  /** False leaves out what it returns or yields. */
  capture_output?: boolean;
}

// deno-lint-ignore no-explicit-any -- a function of any kind, as TypeScript itself spells it
export type AnyFunction = (...args: any[]) => any;

/** One call of a watched function. */
class Call {
  readonly #items: unknown[] = [];
  #span: OpenSpan | undefined;

  constructor(readonly fields: Fields, readonly keepsOutput: boolean) {}

  /** Begun at the first turn: a generator that nobody reads did nothing. */
  get span(): OpenSpan {
    return this.#span ??= new OpenSpan(this.fields);
  }

  turn<T>(work: () => T): T {
    return within(this.span.scope, work);
  }

  item(value: unknown): void {
    if (this.keepsOutput && this.#items.length < limits.itemsMax) {
      this.#items.push(value);
    }
  }

  end(failure?: Failure, value?: unknown): void {
    if (this.#span === undefined) return;
    quietly(() => {
      const items = this.#items;
      // Pieces of text are read as one.
      const isText = items.every((item) => typeof item === "string");
      const output = items.length === 0 ? value : isText ? items.join("") : items;
      if (this.keepsOutput && output !== undefined) {
        this.span.setDefaults({ output });
      }
      this.span.end(failure);
    });
  }
}

export function watch<F extends AnyFunction>(
  work: F,
  options: ObserveOptions,
): F {
  const { capture_input = true, capture_output = true, ...given } = options;
  const name = work.name || "anonymous";
  const begin = (args: unknown[]) => {
    const fields: Fields = { name, ...given };
    if (capture_input && args.length > 0) {
      // As it is now: the function may change what it was given.
      fields.input ??= new Frozen(args.length === 1 ? args[0] : args);
    }
    return new Call(fields, capture_output);
  };
  // Name, length and properties stay; as a constructor it is left alone.
  return new Proxy(work, {
    apply(target, self, args) {
      const call = state.client === null ? undefined : quietly(() => begin(args));
      if (call === undefined) return Reflect.apply(target, self, args);
      let result: unknown;
      try {
        result = call.turn(() => Reflect.apply(target, self, args));
      } catch (thrown) {
        call.end({ thrown });
        throw thrown;
      }
      if (!isGenerator(result)) return followResult(result, call);
      watchGenerator(result, call);
      return result;
    },
  });
}

interface MethodContext {
  kind: string;
  name: string | symbol;
}

/** What `@observe` and `observe(…)` are called with. */
export function decorate(
  options: ObserveOptions,
  work: unknown,
  context: unknown,
  descriptor?: PropertyDescriptor,
): unknown {
  // Of TypeScript's older decorators: (prototype, name, descriptor).
  if (descriptor !== undefined && typeof descriptor.value === "function") {
    const named = { name: String(context), ...options };
    return {
      ...descriptor,
      value: watch(descriptor.value as AnyFunction, named),
    };
  }
  if (typeof work !== "function") return work;
  const named = quietly(() => {
    const { kind, name } = (context ?? {}) as Partial<MethodContext>;
    return kind === undefined ? options : { name: String(name), ...options };
  });
  return watch(work as AnyFunction, named ?? {});
}
