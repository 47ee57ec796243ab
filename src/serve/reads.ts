// What every route that reads events is given.
import type { Reader } from "../query/question.ts";
import type { Clock } from "../std/clock.ts";

export interface ReadDeps {
  reader: Reader;
  clock: Clock;
}
