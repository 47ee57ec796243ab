// Which event ids were stored lately, so that what is sent twice is stored once. Two generations
// of 64-bit hashes: when the young one is full the old one is forgotten, so the window holds
// between `windowEvents` and twice as many of the newest events. Two ids share a hash once in 10^12
// events for a window of 4 million.

export class Seen {
  #seedLow = randomSeed();
  #seedHigh = randomSeed();
  #young: HashSet;
  #old: HashSet;
  /**
   * Ids whose commit is under way, with their hashes: a second sender must wait for it, and a
   * failure frees them.
   */
  #pending = new Map<string, Hash>();
  /** Called when a pending id is settled. Few wait, so they are kept apart. */
  #waiting = new Map<string, (() => void)[]>();

  /** `windowEvents`: events that are remembered for certain. */
  constructor(readonly windowEvents: number) {
    this.#young = new HashSet();
    this.#old = new HashSet();
  }

  /** Claims an id for a commit; false when it is stored or under way. */
  claim(project_id: string, event_id: string): boolean {
    const key = keyOf(project_id, event_id);
    if (this.#pending.has(key)) return false;
    const hash = this.#hash(key);
    if (this.#young.has(hash) || this.#old.has(hash)) return false;
    this.#pending.set(key, hash);
    return true;
  }

  /** The commit failed: the id may be sent again. */
  release(project_id: string, event_id: string): void {
    const key = keyOf(project_id, event_id);
    this.#pending.delete(key);
    this.#settle(key);
  }

  isPending(project_id: string, event_id: string): boolean {
    return this.#pending.has(keyOf(project_id, event_id));
  }

  /** Resolves when the id is not pending any more: it is stored, or may be claimed. */
  settled(project_id: string, event_id: string): Promise<void> {
    const key = keyOf(project_id, event_id);
    if (!this.#pending.has(key)) return Promise.resolve();
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(key);
      if (waiting === undefined) this.#waiting.set(key, [resolve]);
      else waiting.push(resolve);
    });
  }

  #settle(key: string): void {
    if (this.#waiting.size === 0) return;
    for (const resolve of this.#waiting.get(key) ?? []) resolve();
    this.#waiting.delete(key);
  }

  /** The commit is on disk, or the id was found there. */
  remember(project_id: string, event_id: string): void {
    const key = keyOf(project_id, event_id);
    const pending = this.#pending.get(key);
    if (pending !== undefined) this.#pending.delete(key);
    this.#young.add(pending ?? this.#hash(key));
    this.#settle(key);
    if (this.#young.size < this.windowEvents) return;
    this.#old = this.#young;
    this.#young = new HashSet();
  }

  #hash(key: string): Hash {
    return {
      low: Bun.hash.xxHash32(key, this.#seedLow),
      // Zero marks a free slot.
      high: Bun.hash.xxHash32(key, this.#seedHigh) || 1,
    };
  }
}

interface Hash {
  low: number;
  high: number;
}

function keyOf(project_id: string, event_id: string): string {
  return `${project_id}\0${event_id}`;
}

/** Random, so that nobody can prepare ids that collide. */
function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]!;
}

/** Open addressing over pairs of 32-bit numbers. */
class HashSet {
  size = 0;
  #slots = 1 << 12;
  #low = new Uint32Array(this.#slots);
  #high = new Uint32Array(this.#slots);

  has(hash: Hash): boolean {
    return this.#high[this.#find(hash)] !== 0;
  }

  add(hash: Hash): void {
    const at = this.#find(hash);
    if (this.#high[at] !== 0) return;
    this.#low[at] = hash.low;
    this.#high[at] = hash.high;
    this.size++;
    if (this.size * 2 > this.#slots) this.#grow();
  }

  #find({ low, high }: Hash): number {
    const mask = this.#slots - 1;
    let at = low & mask;
    while (this.#high[at] !== 0 && (this.#high[at] !== high || this.#low[at] !== low)) {
      at = (at + 1) & mask;
    }
    return at;
  }

  #grow(): void {
    const low = this.#low;
    const high = this.#high;
    this.#slots *= 2;
    this.#low = new Uint32Array(this.#slots);
    this.#high = new Uint32Array(this.#slots);
    for (let from = 0; from < high.length; from++) {
      if (high[from] === 0) continue;
      const at = this.#find({ low: low[from]!, high: high[from]! });
      this.#low[at] = low[from]!;
      this.#high[at] = high[from]!;
    }
  }
}
