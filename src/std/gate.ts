// Lets so many through at a time and so many wait; one more is told at once.

export class Gate {
  #inside = 0;
  #waiting: (() => void)[] = [];

  constructor(readonly insideMax: number, readonly waitingMax: number) {}

  /** Resolves to true when there is room, with `leave` to be called later; false when it is full. */
  async enter(): Promise<boolean> {
    if (this.#inside < this.insideMax) {
      this.#inside++;
      return true;
    }
    if (this.#waiting.length >= this.waitingMax) return false;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return true;
  }

  leave(): void {
    const next = this.#waiting.shift();
    // The place passes on without becoming free.
    if (next === undefined) this.#inside--;
    else next();
  }
}
