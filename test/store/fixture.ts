// A real store in a folder of its own.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ingest, type IngestRefusal, type Receipt } from "../../src/ingest.ts";
import { Live } from "../../src/live.ts";
import { noSteps } from "../../src/receive/batch.ts";
import { parseBatch } from "../../src/receive/sdk.ts";
import { systemClock } from "../../src/std/clock.ts";
import { Store, type StoreOptions } from "../../src/store/store.ts";

export interface OpenStore {
  store: Store;
  ingest: Ingest;
  /** Sends events as a client would; throws when they are refused as a whole. */
  send(events: unknown[], project_id?: string): Promise<Receipt>;
  /** Event ids that a question sees, sorted. */
  ids(project_id?: string): Promise<string[]>;
  close(): Promise<void>;
}

export function temporaryFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "watchllm-test-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export async function openStore(
  dataDir: string,
  options: Partial<StoreOptions> = {},
): Promise<OpenStore> {
  const store = await Store.open({
    dataDir,
    cacheDir: join(dataDir, "cache"),
    memoryLimit: "512MB",
    threads: 2,
    queryConcurrency: 2,
    queryTimeoutMs: 30_000,
    dedupeEventsMin: 100_000,
    dedupePointsMin: 100_000,
    clock: systemClock,
    onError: (what, error) => {
      throw new Error(what, { cause: error });
    },
    ...options,
  });
  const ingest = new Ingest(store, new Live(), systemClock, {
    queueBytesMax: 64 * 1024 * 1024,
    unflushedBytesMax: 512 * 1024 * 1024,
    sampleRate: 1,
    steps: () => noSteps,
  });
  return {
    store,
    ingest,
    send: async (events, project_id = "shop") => {
      const body = new TextEncoder().encode(JSON.stringify(events));
      const values = parseBatch(body, "application/json");
      const result: Receipt | IngestRefusal = await ingest.take(project_id, values, body.length);
      if ("reason" in result) throw new Error(`${result.reason}: ${result.message}`);
      return result;
    },
    ids: async (project_id = "shop") => {
      const rows = await store.reader.snapshot(
        { project_id },
        (ask) => ask("SELECT event_id FROM events ORDER BY event_id", {}),
      );
      return rows.map((row) => String(row.event_id));
    },
    close: () => store.close(),
  };
}

/** `count` spans with ids made of a prefix and a number, a minute apart. */
export function spans(prefix: string, count: number, from = "2026-01-31T12:00:00Z") {
  return Array.from({ length: count }, (_, at) => ({
    event_id: `${prefix}${String(at).padStart(5, "0")}`,
    event_type: "span",
    timestamp: new Date(Date.parse(from) + at * 60_000).toISOString(),
    input: `text of ${prefix}${at}`,
  }));
}
