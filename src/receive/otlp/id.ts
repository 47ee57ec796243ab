// Trace and span ids: lower-case hex, or why they are none.
import { ItemRefusal } from "./export.ts";

export const traceIdBytes = 16;
export const spanIdBytes = 8;

const zeros = /^0*$/;
const valid = {
  [traceIdBytes]: /^(?!0*$)[0-9a-f]{32}$/,
  [spanIdBytes]: /^(?!0*$)[0-9a-f]{16}$/,
};
type IdBytes = keyof typeof valid;

/** Throws ItemRefusal. */
export function requireTraceId(id: string): string {
  if (valid[traceIdBytes].test(id)) return id;
  throw new ItemRefusal("invalid_trace_id", wrong("trace_id", id, traceIdBytes));
}

/** Throws ItemRefusal. */
export function requireSpanId(id: string): string {
  if (valid[spanIdBytes].test(id)) return id;
  throw new ItemRefusal("invalid_span_id", wrong("span_id", id, spanIdBytes));
}

/** Null for a root. Throws ItemRefusal. */
export function parentOf(id: string): string | null {
  if (zeros.test(id)) return null;
  if (valid[spanIdBytes].test(id)) return id;
  throw new ItemRefusal("invalid_parent_span_id", wrong("parent_span_id", id, spanIdBytes));
}

/** For links, log records and exemplars, where an id that is not valid counts as absent. */
export function optionalId(id: string, bytes: IdBytes): string | null {
  return valid[bytes].test(id) ? id : null;
}

function wrong(name: string, id: string, bytes: IdBytes): string {
  const needed = `${bytes} bytes (${bytes * 2} hex digits) that are not all zero are needed`;
  return id === "" ? `${name} is missing; ${needed}.` : `${name} is "${id}"; ${needed}.`;
}
