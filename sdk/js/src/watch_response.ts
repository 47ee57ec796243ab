// What a program reads of an HTTP response, seen on the way: the response stays the object that it
// is, nothing is read that the program does not read, and nothing later than it would be.
import { quietly } from "./state.ts";

export interface ReadingWatcher {
  /** The whole body, as JSON. */
  answered(answer: unknown): void;
}

export interface BodyWatcher {
  /** The JSON of one server-sent event. */
  piece(piece: unknown): void;
  ended(isWhole: boolean): void;
  failed(thrown: unknown): void;
}

/** Of a response that is read at once, by `json()` or `text()`. */
export function watchReading(response: object, watcher: ReadingWatcher): void {
  for (const name of ["json", "text"] as const) {
    const read = (response as Response)[name] as
      | (() => Promise<unknown>)
      | undefined;
    if (typeof read !== "function") continue;
    const value = function (this: unknown) {
      return read.call(response).then((body) => {
        quietly(() => watcher.answered(name === "text" ? parsed(body) : body));
        return body;
      });
    };
    Object.defineProperty(response, name, {
      value,
      configurable: true,
      writable: true,
    });
  }
}

function parsed(body: unknown): unknown {
  try {
    return JSON.parse(String(body));
  } catch {
    return undefined;
  }
}

/** Of a response that is streamed. */
export function watchBody(response: object, watcher: BodyWatcher): void {
  const { body } = response as {
    body: ReadableStream<Uint8Array> | AsyncIterable<unknown> | null;
  };
  if (body === null) return;
  const events = new Events(watcher);
  if (body instanceof ReadableStream) {
    const value = teeStream(body, events);
    Object.defineProperty(response, "body", {
      value,
      configurable: true,
      writable: true,
    });
  } else if (typeof body[Symbol.asyncIterator] === "function") {
    teeIterable(body, events);
  }
}

/** Server-sent events out of the bytes of their stream. */
class Events {
  readonly #decoder = new TextDecoder();
  #rest = "";
  #isOpen = true;

  constructor(readonly watcher: BodyWatcher) {}

  add(chunk: unknown): void {
    quietly(() => {
      this.#rest += typeof chunk === "string"
        ? chunk
        : this.#decoder.decode(chunk as Uint8Array, { stream: true });
      const lines = this.#rest.split(/\r\n|\n|\r/);
      this.#rest = lines.pop()!;
      for (const line of lines) {
        const [, data] = /^data: ?(.*)/.exec(line) ?? [];
        if (data === undefined || data === "[DONE]") continue;
        const piece = parsed(data);
        if (piece !== undefined) this.watcher.piece(piece);
      }
    });
  }

  end(isWhole: boolean): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    if (isWhole) this.add("\n");
    this.watcher.ended(isWhole);
  }

  fail(thrown: unknown): void {
    this.#isOpen = false;
    this.watcher.failed(thrown);
  }
}

/** Who watches a stream, whatever its chunks are. */
export interface StreamWatcher<T> {
  add(chunk: T): void;
  end(isWhole: boolean): void;
  fail(thrown: unknown): void;
}

/** The same chunks, each when it is asked for. */
export function teeStream<T>(
  body: ReadableStream<T>,
  events: StreamWatcher<T>,
): ReadableStream<T> {
  let reader: ReadableStreamDefaultReader<T> | undefined;
  return new ReadableStream<T>({
    async pull(controller) {
      try {
        reader ??= body.getReader();
        const { done, value } = await reader.read();
        if (done) {
          events.end(true);
          controller.close();
        } else {
          events.add(value);
          controller.enqueue(value);
        }
      } catch (thrown) {
        events.fail(thrown);
        controller.error(thrown);
      }
    },
    cancel(reason) {
      events.end(false);
      return reader === undefined ? body.cancel(reason) : reader.cancel(reason);
    },
    // It asks for nothing before it is asked.
  }, { highWaterMark: 0 });
}

/** Node's older streams. */
function teeIterable(body: AsyncIterable<unknown>, events: Events): void {
  const iterate = body[Symbol.asyncIterator];
  const value = function (this: unknown) {
    const source = iterate.call(body);
    const { next, return: stop } = source;
    return Object.assign(source, {
      next: (...args: []) =>
        next.apply(source, args).then((result) => {
          if (result.done) events.end(true);
          else events.add(result.value);
          return result;
        }, (thrown) => {
          events.fail(thrown);
          throw thrown;
        }),
      return: (...args: [unknown]) => {
        events.end(false);
        return stop === undefined
          ? Promise.resolve({ done: true, value: undefined })
          : stop.apply(source, args);
      },
    });
  };
  Object.defineProperty(body, Symbol.asyncIterator, {
    value,
    configurable: true,
    writable: true,
  });
}
