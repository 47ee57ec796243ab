// The hidden verb `sql-child`: this program as a child of itself, with a user's SQL in it.
import { nativeFiles } from "../embedded.ts";
import { answerParent } from "../store/sandbox_child.ts";

export function run(): Promise<never> {
  return answerParent();
}

// From source the parent starts this file itself, which is faster than the whole program. In a
// compiled binary every module would think it is the main one.
if (nativeFiles === null && import.meta.main) await run();
