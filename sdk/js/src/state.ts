// The one client of the program, and what is said when there is none.
import type { Client } from "./client.ts";
import { Warnings } from "./warning.ts";

export const state: { client: Client | null; readonly warnings: Warnings } = {
  client: null,
  warnings: new Warnings(),
};

/** Nothing of ours may fail in the program's face: what does is said once. */
export function quietly<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (cause) {
    state.warnings.once("internal_error", `A call failed: ${cause}`);
    return undefined;
  }
}
