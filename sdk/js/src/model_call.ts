// One call of a model while it goes on, as whoever watches it tells of it. The same answer may be
// seen by two, a framework's hook and the client library beneath: its tokens are counted once.
import type { Scope } from "./scope.ts";
import { type Failure, type Fields, OpenSpan } from "./span.ts";

/** Of the newest calls it is remembered what they were answered. */
const answersMax = 256;
const answers = new Map<
  string,
  { event_id: string; watcher: string; startMs: number }
>();

export class ModelCall {
  readonly span: OpenSpan;
  #isOpen = true;
  #firstMs: number | undefined;

  /** `watcher` is who tells of it. */
  constructor(readonly watcher: string, fields: Fields, outer?: Scope) {
    this.span = new OpenSpan(fields, outer);
  }

  /** A piece of a streamed answer is there. */
  piece(): void {
    this.#firstMs ??= this.span.elapsed_ms;
  }

  /** Ends it, once. */
  end(fields: Fields, failure?: Failure): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const { span } = this;
    const known: Fields = {
      time_to_first_token_ms: this.#firstMs,
      ...present(fields),
    };
    const attributes = {
      ...span.get("attributes") as Fields,
      ...known.attributes as Fields,
    };
    const id = String(known.response_id);
    const inner = answers.get(id);
    if (
      inner !== undefined && inner.watcher !== this.watcher &&
      inner.startMs >= span.startMs
    ) {
      span.kind = "chain";
      attributes.same_answer_as = inner.event_id;
      for (const name in known) {
        if (/^(tokens|cost)_/.test(name)) delete known[name];
      }
    }
    if (Object.keys(attributes).length > 0) known.attributes = attributes;
    span.set(known);
    const event_id = span.end(failure);
    if (event_id === undefined || known.response_id === undefined) return;
    answers.set(id, { event_id, watcher: this.watcher, startMs: span.startMs });
    if (answers.size > answersMax) answers.delete(answers.keys().next().value!);
  }
}

export function present(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value != null),
  );
}
