// Which event ids were stored lately, so that what is sent twice is stored once. Two generations
// of 64-bit hashes: when the young one is full the old one is forgotten, so the window holds
// between `windowEvents` and twice as many of the newest events. Two ids share a hash once in 10^12
// events for a window of 4 million.

export class Seen {
  #seedLow = randomSeed();
  #seedHigh = randomSeed();
  #young: HashSet;
  #old: HashSet;
  /** Ids whose commit is under way: a second sender must wait for it, and a failure frees them. */
  #pending = new Set<string>();

  /** `windowEvents`: events that are remembered for certain. */
  constructor(readonly windowEvents: number) {
    this.#young = new HashSet();
    this.#old = new HashSet();
  }

  /** Claims an id for a commit; false when it is stored or under way. */
  claim(project_id: string, event_id: string): boolean {
    const key = keyOf(project_id, event_id);
    if (this.#pending.has(key)) return false;
    const low = Bun.hash.xxHash32(key, this.#seedLow);
    const high = Bun.hash.xxHash32(key, this.#seedHigh);
    if (this.#young.has(low, high) || this.#old.has(low, high)) return false;
    this.#pending.add(key);
    return true;
  }

  /** The commit failed: the id may be sent again. */
  release(project_id: string, event_id: string): void {
    this.#pending.delete(keyOf(project_id, event_id));
  }

  /** The commit is on disk, or the id was found there. */
  remember(project_id: string, event_id: string): void {
    const key = keyOf(project_id, event_id);
    this.#pending.delete(key);
    this.#young.add(Bun.hash.xxHash32(key, this.#seedLow), Bun.hash.xxHash32(key, this.#seedHigh));
    if (this.#young.size < this.windowEvents) return;
    this.#old = this.#young;
    this.#young = new HashSet();
  }
}

function keyOf(project_id: string, event_id: string): string {
  return `${project_id}\0${event_id}`;
}

/** Random, so that nobody can prepare ids that collide. */
function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]!;
}

/** Open addressing over pairs of 32-bit numbers; (0, 0) marks a free slot. */
class HashSet {
  size = 0;
  #slots = 1 << 12;
  #low = new Uint32Array(this.#slots);
  #high = new Uint32Array(this.#slots);

  has(low: number, high: number): boolean {
    return this.#occupied(this.#find(low, filled(high)));
  }

  add(low: number, high: number): void {
    const at = this.#find(low, filled(high));
    if (this.#occupied(at)) return;
    this.#low[at] = low;
    this.#high[at] = filled(high);
    this.size++;
    if (this.size * 2 > this.#slots) this.#grow();
  }

  #occupied(at: number): boolean {
    return this.#high[at] !== 0;
  }

  #find(low: number, high: number): number {
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
      const at = this.#find(low[from]!, high[from]!);
      this.#low[at] = low[from]!;
      this.#high[at] = high[from]!;
    }
  }
}

function filled(high: number): number {
  return high === 0 ? 1 : high;
}
