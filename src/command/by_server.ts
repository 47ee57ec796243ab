// What commands share that are done by the server which holds the data directory, or by this process
// when none does.
import { systemClock } from "../std/clock.ts";
import { DataDirError, type DataDirLock, holderOf, lockDataDir } from "../store/lock.ts";
import { Store } from "../store/store.ts";
import { type Call, Failure } from "./command.ts";
import { say } from "./output.ts";

const requestMsMax = 30_000;

/** Where the server that holds the directory is reached; null when nobody holds it. */
export function serverOf(dataDir: string): string | null {
  const holder = holderOf(dataDir);
  if (holder === null) return null;
  const url = holder === "unknown" ? null : holder.url;
  if (url !== null) return url;
  throw new Failure(
    `Another process uses ${dataDir}, and does not say where it is reached. ` +
      "Name its address with --url, or try again in a moment.",
  );
}

/** The server of the call, and how it is asked; null when this process is to do it. */
export function askerOf({ config, options }: Call): Asker | null {
  const url = (options.get("url") ?? serverOf(config.data_dir))?.replace(/\/+$/, "") ?? null;
  // The key of the server's own settings stays on this machine.
  const key = options.get("key") ?? (options.has("url") ? null : config.init_key);
  return url === null ? null : {
    json: async (method, path, body) => await (await request(url, key, method, path, body)).json(),
    response: (path) => request(url, key, "GET", path, undefined, null),
  };
}

export interface Asker {
  json(method: string, path: string, body?: unknown): Promise<unknown>;
  response(path: string): Promise<Response>;
}

async function request(
  url: string,
  key: string | null,
  method: string,
  path: string,
  body?: unknown,
  msMax: number | null = requestMsMax,
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url + path, {
      method,
      headers: {
        ...key === null ? {} : { authorization: `Bearer ${key}` },
        ...body === undefined ? {} : { "content-type": "application/json" },
      },
      ...body === undefined ? {} : { body: JSON.stringify(body) },
      ...msMax === null ? {} : { signal: AbortSignal.timeout(msMax) },
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure(`${url} does not answer: ${reason}`);
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => null) as { detail?: string } | null;
  const hint = response.status === 401 ? " Give an admin key with --key." : "";
  throw new Failure(
    `${url} answers ${response.status}: ${problem?.detail ?? response.statusText}${hint}`,
  );
}

/** The data directory for this process. Throws Failure. */
export function takeDataDir(dataDir: string): DataDirLock {
  try {
    return lockDataDir(dataDir, new Date(systemClock.nowMs()));
  } catch (error) {
    throw error instanceof DataDirError ? new Failure(error.message) : error;
  }
}

/** A store that takes nothing in. */
export function openStore({ config }: Pick<Call, "config">): Promise<Store> {
  return Store.open({
    dataDir: config.data_dir,
    cacheDir: config.cache_dir,
    memoryLimit: config.memory_limit,
    threads: navigator.hardwareConcurrency,
    queryConcurrency: 1,
    queryTimeoutMs: config.query_timeout_s * 1000,
    dedupeEventsMin: 1,
    dedupePointsMin: 1,
    clock: systemClock,
    onError: (what, error) => say(`Failed: ${what}: ${error}`),
  });
}
