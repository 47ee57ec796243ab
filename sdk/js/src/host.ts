// What the program runs on: Node, Bun, Deno, a browser or a worker. Everything is asked for by
// `globalThis`, because each of these lacks some of it; an absent thing is `undefined`.

/** The part of AsyncLocalStorage that is used. */
export interface ContextStorage<T> {
  getStore(): T | undefined;
  run<R>(store: T, work: () => R): R;
}

interface Process {
  env?: Record<string, string | undefined>;
  platform?: string;
  arch?: string;
  pid?: number;
  versions?: Record<string, string | undefined>;
  on?(event: string, listener: () => void): unknown;
  removeListener?(event: string, listener: () => void): unknown;
  listenerCount?(event: string): number;
  kill?(pid: number, signal: string): unknown;
  getBuiltinModule?(name: string): Record<string, unknown> | undefined;
}

interface DenoLike {
  permissions?: {
    querySync?(descriptor: Record<string, string>): { state: string };
  };
}

type Listener = () => void;

interface Page {
  document?: { visibilityState?: string; addEventListener?: unknown };
  addEventListener?(event: string, listener: Listener, capture?: boolean): void;
  removeEventListener?(
    event: string,
    listener: Listener,
    capture?: boolean,
  ): void;
}

export const host = globalThis as unknown as {
  process?: Process;
  Deno?: DenoLike;
  navigator?: { userAgent?: string };
  AsyncLocalStorage?: new () => ContextStorage<never>;
} & Page;

/** Deno would stop the program and ask its user; what is not allowed already is left alone. */
function allowed(descriptor: Record<string, string>): boolean {
  if (host.Deno === undefined) return true;
  return host.Deno.permissions?.querySync?.(descriptor).state === "granted";
}

export function variable(name: string): string | undefined {
  try {
    if (!allowed({ name: "env", variable: name })) return undefined;
    const value = host.process?.env?.[name];
    return value === undefined || value === "" ? undefined : value;
  } catch {
    return undefined;
  }
}

/** Who sends, for the event's `client`. */
export function describeHost(): { hostname?: string; platform: string } {
  const versions = host.process?.versions;
  if (versions?.node === undefined) {
    return { platform: host.navigator?.userAgent ?? "unknown" };
  }
  const name = versions.bun !== undefined ? "bun" : versions.deno !== undefined ? "deno" : "node";
  const platform = `${name} ${versions[name]} (${host.process?.platform} ${host.process?.arch})`;
  try {
    if (!allowed({ name: "sys", kind: "hostname" })) return { platform };
    const os = host.process?.getBuiltinModule?.("node:os") as {
      hostname?(): string;
    } | undefined;
    const hostname = os?.hostname?.();
    return hostname === undefined ? { platform } : { hostname, platform };
  } catch {
    return { platform };
  }
}

/** Null where nothing follows a program across `await`: browsers, and Node before 20.16. */
export function contextStorage<T>(): ContextStorage<T> | null {
  try {
    const module = host.process?.getBuiltinModule?.("node:async_hooks");
    const Storage = (module?.AsyncLocalStorage ?? host.AsyncLocalStorage) as
      | (new () => ContextStorage<T>)
      | undefined;
    return Storage === undefined ? null : new Storage();
  } catch {
    return null;
  }
}

const vercel = Symbol.for("@vercel/request-context");

interface VercelContext {
  get?(): { waitUntil?(work: Promise<unknown>): void } | undefined;
}

function vercelContext(): VercelContext | undefined {
  return (globalThis as unknown as Record<symbol, VercelContext | undefined>)[
    vercel
  ];
}

export function isVercel(): boolean {
  return vercelContext() !== undefined;
}

/** Vercel keeps a function alive for promises that are given to the request it serves just now. */
export function vercelWaitUntil(work: Promise<unknown>): void {
  vercelContext()?.get?.()?.waitUntil?.(work);
}

/** Where nothing runs on after the answer. */
export function isServerless(): boolean {
  return ["AWS_LAMBDA_FUNCTION_NAME", "K_SERVICE", "VERCEL"].some(variable);
}

export type Timer = ReturnType<typeof setTimeout>;

/** A timer that does not keep the program running. */
export function quietTimer(work: () => void, ms: number): Timer {
  const timer = setTimeout(work, ms);
  (timer as { unref?(): void }).unref?.();
  return timer;
}

interface OpenTelemetryApi {
  context?: {
    active?(): {
      getValue(key: symbol): {
        spanContext?(): { traceId: string; spanId: string };
      } | undefined;
    };
  };
}

/** Of the OpenTelemetry span that the program is in, if it uses that. */
export function openTelemetryIds():
  | { trace_id: string; span_id: string }
  | undefined {
  const api = (globalThis as unknown as Record<symbol, OpenTelemetryApi | undefined>)[
    Symbol.for("opentelemetry.js.api.1")
  ];
  if (api === undefined) return undefined;
  try {
    const span = api.context?.active?.().getValue(
      Symbol.for("OpenTelemetry Context Key SPAN"),
    );
    const { traceId, spanId } = span?.spanContext?.() ??
      { traceId: "", spanId: "" };
    return /[1-9a-f]/.test(traceId) ? { trace_id: traceId, span_id: spanId } : undefined;
  } catch {
    return undefined;
  }
}
