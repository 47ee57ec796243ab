// One warning of a kind, then silence: a program must not be talked over by its own telemetry.

export class Warnings {
  #said = new Set<string>();

  once(kind: string, text: string): void {
    if (this.#said.has(kind)) return;
    this.#said.add(kind);
    try {
      console.warn(`[aisentry] ${text}`);
    } catch {
      // A console that throws is not ours to mend.
    }
  }
}
