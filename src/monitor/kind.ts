// What a kind of endpoint is: how it is asked, and how its answer is read. Pure; `kinds.ts` lists them.
import type { Monitor, Secrets } from "./monitor.ts";

export interface Asked {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string | null;
}

/** What a model said, and what it counted; of any other call, its body. */
export interface Read {
  text: string;
  model?: string;
  response_id?: string;
  finish_reason?: string;
  service_tier?: string;
  tool_calls?: unknown[];
  tokens_input?: number;
  tokens_output?: number;
  tokens_cache_read?: number;
  tokens_cache_write?: number;
  tokens_cache_write_1h?: number;
  tokens_reasoning?: number;
  cost_reported_usd?: number;
  /** Of a stream: bytes of the body that had come when there was a first word. */
  first_token_bytes?: number;
}

export interface Kind {
  ask(monitor: Monitor, secrets: Secrets): Asked;
  /** Of a response with a status that is right; a string says why it cannot be read. */
  read(body: string): Read | string;
}

export type Json = Record<string, unknown>;

export function objectOf(value: unknown): Json | null {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as Json
    : null;
}

/** A string of an answer that is worth keeping; undefined when there is none. */
export function wordOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value.slice(0, 1024) : undefined;
}

export function countOf(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? value as number : undefined;
}

export function parsed(body: string): Json | null {
  try {
    return objectOf(JSON.parse(body));
  } catch {
    return null;
  }
}

export function withoutUndefined<T extends object>(object: T): T {
  return Object.fromEntries(
    Object.entries(object).filter(([, value]) => value !== undefined),
  ) as T;
}

export function messagesOf({ prompt, system }: Monitor): { role: string; content: string }[] {
  const messages = typeof prompt === "string" ? [{ role: "user", content: prompt }] : prompt ?? [];
  return system === undefined ? [...messages] : [{ role: "system", content: system }, ...messages];
}

/** The path of an API below the base that was set, unless it was set whole. */
export function below(base: string, path: string): string {
  const url = new URL(base);
  const bare = url.pathname.replace(/\/+$/, "");
  if (!bare.endsWith(path)) url.pathname = bare + path;
  return url.href;
}

const depthMax = 32;

/** Not nested deeper than what an event holds. */
export function isShallow(value: unknown, depth = 0): boolean {
  if (typeof value !== "object" || value === null) return true;
  return depth < depthMax && Object.values(value).every((inner) => isShallow(inner, depth + 1));
}
