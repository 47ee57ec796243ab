// One request: events in, what the server made of them out. Never throws, never takes longer than
// its limit, and never reads more of an answer than its bound.
import { host, quietTimer } from "./host.ts";
import { limits } from "./limits.ts";
import type { Target } from "./settings.ts";

export type Answer =
  | {
    kind: "receipt";
    accepted: number;
    duplicates: number;
    /** What the server's own sample rate left out. */
    sampledOut: number;
    rejected: number;
    detail: string;
  }
  | { kind: "too_large" }
  /** The server will not take this batch, however often it is asked. */
  | { kind: "refused"; detail: string }
  /** The key or the address is wrong: nothing of this program will be taken. */
  | { kind: "muted"; detail: string; forMs: number }
  | { kind: "retry"; attemptsMax: number; afterMs: number; detail: string };

export async function post(
  target: Target,
  body: string,
  drops: string,
  keepalive = false,
): Promise<Answer> {
  const stop = new AbortController();
  const timer = quietTimer(() => stop.abort(), limits.requestMsMax);
  try {
    const headers: Record<string, string> = {
      "authorization": `Bearer ${target.key}`,
      "content-type": "application/json",
    };
    if (drops !== "") headers["x-aisentry-drops"] = drops;
    // Compression is not finished before a page is gone.
    const zipped = keepalive ? null : await gzip(body);
    if (zipped !== null) headers["content-encoding"] = "gzip";
    const response = await fetch(target.endpoint, {
      method: "POST",
      headers,
      body: zipped ?? body,
      signal: stop.signal,
      // The key must not follow to another address.
      redirect: "manual",
      // Workers know neither of the two.
      ...(host.document === undefined ? {} : { credentials: "omit" as const, keepalive }),
    });
    return judge(response.status, response.headers, await read(response, stop));
  } catch (cause) {
    return unavailable(`cannot be reached: ${reason(cause)}`);
  } finally {
    clearTimeout(timer);
  }
}

async function gzip(body: string): Promise<ArrayBuffer | null> {
  if (
    body.length <= limits.gzipBytesMin ||
    typeof CompressionStream === "undefined"
  ) return null;
  try {
    const stream = new Blob([body]).stream().pipeThrough(
      new CompressionStream("gzip"),
    );
    return await new Response(stream).arrayBuffer();
  } catch {
    return null;
  }
}

/** The body as text, or as much of it as an answer of ours can have. */
async function read(
  response: Response,
  stop: AbortController,
): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return "";
  const decoder = new TextDecoder();
  let text = "";
  while (text.length < limits.answerBytesMax) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    text += decoder.decode(value, { stream: true });
  }
  stop.abort();
  return "";
}

function judge(status: number, headers: Headers, text: string): Answer {
  const body = parse(text);
  const detail = typeof body?.detail === "string" ? `: ${body.detail}` : "";
  if (
    (status >= 200 && status < 300) ||
    (status === 400 && Array.isArray(body?.rejected))
  ) {
    return receipt(body) ??
      unexpected(`answered ${status}, but not as WatchLLM does`);
  }
  if (status === 413) return { kind: "too_large" };
  if (status === 429 || status === 503) {
    return unavailable(`answered ${status}${detail}`, retryAfterMs(headers));
  }
  if (status === 408 || status >= 500) {
    return unexpected(`answered ${status}${detail}`, retryAfterMs(headers));
  }
  if (status === 401 || status === 403) {
    return {
      kind: "muted",
      detail: `refused the key of the DSN (${status})${detail}`,
      forMs: Infinity,
    };
  }
  // Status 0 is a browser's word for a redirect that it did not follow.
  if (status < 400 || status === 404 || status === 405) {
    const detail = `answered ${status}: the DSN's address may be wrong`;
    return { kind: "muted", detail, forMs: limits.mutedMs };
  }
  return { kind: "refused", detail: `answered ${status}${detail}` };
}

function receipt(body: Record<string, unknown> | null): Answer | null {
  if (body === null || typeof body.accepted !== "number") return null;
  const rejected: unknown[] = Array.isArray(body.rejected) ? body.rejected : [];
  const first = rejected[0] as
    | { message?: unknown; reason?: unknown }
    | undefined;
  return {
    kind: "receipt",
    accepted: body.accepted,
    duplicates: typeof body.duplicates === "number" ? body.duplicates : 0,
    sampledOut: typeof body.sampled_out === "number" ? body.sampled_out : 0,
    rejected: rejected.length,
    detail: String(first?.message ?? first?.reason ?? ""),
  };
}

function parse(text: string): Record<string, unknown> | null {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === "object" && body !== null ? body as Record<string, unknown> : null;
  } catch {
    return null;
  }
}

function unavailable(detail: string, afterMs = 0): Answer {
  return {
    kind: "retry",
    attemptsMax: limits.attemptsUnavailableMax,
    afterMs,
    detail,
  };
}

function unexpected(detail: string, afterMs = 0): Answer {
  return {
    kind: "retry",
    attemptsMax: limits.attemptsRefusedMax,
    afterMs,
    detail,
  };
}

/** Seconds or a date; 0 when there is none that makes sense. */
function retryAfterMs(headers: Headers): number {
  const value = headers.get("retry-after");
  if (value === null) return 0;
  const ms = /^\s*\d+\s*$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return ms > 0 ? Math.min(ms, limits.retryAfterMsMax) : 0;
}

function reason(cause: unknown): string {
  const error = cause as {
    name?: string;
    message?: string;
    cause?: { message?: string };
  } | null;
  if (error?.name === "AbortError") {
    return `no answer within ${limits.requestMsMax} ms`;
  }
  return error?.cause?.message ?? error?.message ?? String(cause);
}
