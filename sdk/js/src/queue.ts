// First in, first out, bounded by count and by bytes. Taking from the front costs nothing.

export interface Entry {
  event_id: string;
  /** Until it is written as JSON. */
  event: Record<string, unknown> | undefined;
  /** Made at the first attempt to send it, and kept for the next. */
  json: string | undefined;
  /** What it weighs in the queue and in a batch. */
  bytes: number;
}

export class Queue {
  bytes = 0;
  #entries: (Entry | undefined)[] = [];
  #head = 0;

  constructor(readonly entriesMax: number, readonly bytesMax: number) {}

  get count(): number {
    return this.#entries.length - this.#head;
  }

  hasRoom(bytes: number): boolean {
    return this.count < this.entriesMax && this.bytes + bytes <= this.bytesMax;
  }

  push(entry: Entry): void {
    this.#entries.push(entry);
    this.bytes += entry.bytes;
  }

  /** Back to the front, in their order; what was counted once has its room. */
  restore(entries: readonly Entry[]): void {
    this.#entries.splice(0, this.#head, ...entries);
    this.#head = 0;
    for (const entry of entries) this.bytes += entry.bytes;
  }

  shift(): Entry | undefined {
    const entry = this.#entries[this.#head];
    if (entry === undefined) return undefined;
    // Left in place, it would be kept from the garbage collector.
    this.#entries[this.#head++] = undefined;
    this.bytes -= entry.bytes;
    // Half of it is behind us: let it go.
    if (this.#head > 64 && this.#head * 2 > this.#entries.length) {
      this.#entries.splice(0, this.#head);
      this.#head = 0;
    }
    return entry;
  }

  /** A batch from the front; at least one entry when there is one, unless `strict`. */
  take(entriesMax: number, bytesMax: number, strict = false): Entry[] {
    const batch: Entry[] = [];
    let bytes = 0;
    while (batch.length < entriesMax) {
      const next = this.#entries[this.#head];
      if (next === undefined) break;
      bytes += next.bytes;
      if (bytes > bytesMax && (strict || batch.length > 0)) break;
      batch.push(this.shift()!);
    }
    return batch;
  }
}
