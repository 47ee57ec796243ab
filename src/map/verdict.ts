// What an evaluation found: a score; or, when its label says that the answer failed, a failed
// assertion or a hallucination. Numbers alone say neither which end of them is bad nor where it begins.
import type { EventType } from "../event.ts";

const failing =
  /^(fail(ed|s|ure)?|incorrect|wrong|irrelevant|unfaithful|ungrounded|unsupported|unsafe|toxic|hallucinat(ed|ion))$/;
const lacking = /^not[ _-](relevant|correct|faithful|grounded|supported|safe)$/;
const aboutTruth = /hallucinat|faithful|grounded/i;

/** By the name of the evaluation and its label. */
export function verdictOf(name: string, label: string): EventType {
  const word = label.trim().toLowerCase();
  if (!failing.test(word) && !lacking.test(word)) return "score";
  return aboutTruth.test(name) ? "hallucination_detected" : "assertion_failed";
}
