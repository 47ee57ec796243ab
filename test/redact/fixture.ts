// Redactors for tests: a clock that stands still unless it is moved, a key, ids in order.
import { Redactor } from "../../src/redact/redactor.ts";
import {
  compileSettings,
  defaultSettings,
  type RedactionSettings,
} from "../../src/redact/settings.ts";

export interface Given extends Partial<RedactionSettings> {
  nowMs?: () => number;
  onSlow?: (name: string) => void;
}

export function redactorOf({ nowMs = () => 0, onSlow, ...settings }: Given): Redactor {
  const compiled = compileSettings({ ...defaultSettings("mask"), ...settings });
  if ("refused" in compiled) throw new Error(compiled.refused.message);
  let ids = 0;
  return new Redactor(compiled, { key: "a key", nowMs, newId: () => `id-${++ids}`, onSlow });
}

/** The event as it is kept, and what was found. */
export function redacted<V extends Record<string, unknown>>(value: V, given: Given = {}) {
  const kept = structuredClone(value);
  const found = redactorOf(given).redact(kept);
  return { kept, counts: found?.counts ?? null, events: found?.events ?? [] };
}
