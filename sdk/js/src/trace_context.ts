// W3C trace context: a span's headers out, a run's ids in.
//
// A run whose ids are no trace and span ids travels with ids derived from its own, and with its own
// in `baggage`, so that a program that knows only W3C passes them on.
import { limits } from "./limits.ts";
import type { Scope } from "./scope.ts";
import { sha256 } from "./sha256.ts";

/** Ids of whoever sent a request. */
export interface Origin {
  run_id?: string;
  parent_span_id?: string;
  tracestate?: string;
}

const hexRun = /^[0-9a-f]{32}$/;
const hexSpan = /^[0-9a-f]{16}$/;
const idCharactersMax = 128;

/** traceparent, and where needed baggage and tracestate. */
export function headersOf(scope: Scope): Record<string, string> {
  const { run_id, span_id, tracestate } = scope;
  const [trace, parent] = [
    hexOf(run_id, hexRun, 32),
    hexOf(span_id, hexSpan, 16),
  ];
  const headers: Record<string, string> = {
    traceparent: `00-${trace}-${parent}-01`,
  };
  if (tracestate) headers.tracestate = tracestate;
  const own = [["run_id", run_id, trace], [
    "span_id",
    span_id,
    parent,
  ]] as const;
  const kept = own.filter(([, id, sent]) => id !== sent)
    .map(([key, id]) => `aisentry.${key}=${encodeURIComponent(id)}`);
  if (kept.length > 0) headers.baggage = kept.join();
  return headers;
}

/** Empty when the headers name none. */
export function originOf(headers: unknown): Origin {
  const text = headerOf(headers, "traceparent").trim().toLowerCase();
  const found = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/.exec(
    text,
  );
  const [, version, trace = "", parent = "", more] = found ?? [];
  const isWrong = version === "ff" || version === "00" && more !== undefined;
  if (found === null || isWrong || /^0+$/.test(trace) || /^0+$/.test(parent)) {
    return {};
  }
  const own = new Map<string, string>();
  for (const member of headerOf(headers, "baggage").split(",")) {
    const [, key, value] = /^\s*aisentry\.(\w+)\s*=\s*([^;\s]*)/.exec(member) ??
      [];
    if (key !== undefined) {
      own.set(key, decoded(value!).slice(0, idCharactersMax));
    }
  }
  // The baggage is believed where it belongs to these ids; a stale one is not.
  const run = own.get("run_id") ?? trace;
  const span = own.get("span_id") ?? parent;
  const tracestate = headerOf(headers, "tracestate").trim();
  return {
    run_id: hexOf(run, hexRun, 32) === trace ? run : trace,
    parent_span_id: hexOf(span, hexSpan, 16) === parent ? span : parent,
    ...(tracestate === "" ? {} : { tracestate }),
  };
}

function hexOf(id: string, form: RegExp, digits: number): string {
  return form.test(id) && !/^0+$/.test(id) ? id : sha256(id).slice(0, digits);
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/** Of `Headers`, a plain object as Node has it, or pairs, in any case; empty when absent. */
function headerOf(headers: unknown, name: string): string {
  if (typeof headers !== "object" || headers === null) return "";
  const pairs: Iterable<unknown> = Symbol.iterator in headers
    ? headers as Iterable<unknown>
    : Object.entries(headers);
  for (const pair of pairs) {
    const [key, value] = pair as [unknown, unknown];
    if (String(key).toLowerCase() !== name) continue;
    const text = String(value);
    return text.length <= limits.headerCharactersMax ? text : "";
  }
  return "";
}
