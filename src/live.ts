// What was just stored, for those who watch. The newest events stay for readers that come back;
// a reader that does not keep up is dropped, and told so.
import { type Event, type Field, fields } from "./event.ts";

/** An event without its heavy text. */
export type LightEvent = Record<string, unknown>;

export interface LiveItem {
  /** Rises by one; unique together with the stream's `boot`. */
  number: number;
  event: LightEvent;
}

export interface Subscriber {
  project_id: string;
  push(item: LiveItem): void;
  /** The server ends. */
  end(): void;
}

const keptMax = 2000;
const heavy = new Set(
  (fields as readonly Field[])
    .filter((field) => field.payload || field.name === "json_fields")
    .map((field) => field.name),
);

export class Live {
  /** Tells a restart: numbers of another boot mean nothing. */
  readonly boot = Bun.randomUUIDv7().slice(-12);
  #next = 1;
  #kept: LiveItem[] = [];
  #subscribers = new Set<Subscriber>();

  get subscribers(): number {
    return this.#subscribers.size;
  }

  publish(events: readonly Event[]): void {
    for (const event of events) {
      const item = { number: this.#next++, event: lightOf(event) };
      this.#kept.push(item);
      for (const subscriber of this.#subscribers) {
        if (subscriber.project_id === event.project_id) subscriber.push(item);
      }
    }
    if (this.#kept.length > 2 * keptMax) this.#kept = this.#kept.slice(-keptMax);
  }

  /** Items after the given number, or null when some of them are no longer kept. */
  since(project_id: string, number: number): LiveItem[] | null {
    const oldest = this.#kept[0]?.number ?? this.#next;
    if (number + 1 < oldest || number >= this.#next) return null;
    return this.#kept.filter((item) =>
      item.number > number && item.event.project_id === project_id
    );
  }

  subscribe(subscriber: Subscriber): () => void {
    this.#subscribers.add(subscriber);
    return () => this.#subscribers.delete(subscriber);
  }

  close(): void {
    for (const subscriber of this.#subscribers) subscriber.end();
  }
}

/** The light form, as the list of events shows it. */
export function lightOf(event: Event): LightEvent {
  const light: LightEvent = {};
  for (const name in event) if (!heavy.has(name)) light[name] = event[name as keyof Event];
  return light;
}
