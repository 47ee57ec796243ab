// Monitors over a real store, with a clock that is set by hand, as lives of a server that may end at
// any moment.
import { Database } from "bun:sqlite";
import { join } from "node:path";
import type { Monitor, Secrets } from "../../src/monitor/monitor.ts";
import { Monitors, type MonitorsOptions } from "../../src/monitors.ts";
import { Prices } from "../../src/price/pricer.ts";
import { AlertStore } from "../../src/store/alerts.ts";
import type { StoredMonitor } from "../../src/store/alerts/monitors.ts";
import { openSeal } from "../../src/store/alerts/seal.ts";
import { openState } from "../../src/store/state.ts";
import { openStore, temporaryFolder } from "../store/fixture.ts";
import { toLoopback } from "./endpoint.ts";

export interface Life {
  store: AlertStore;
  monitors: Monitors;
  errors: string[];
  /** Creates a monitor, or changes it. */
  save(id: string, monitor: Monitor, secrets?: Secrets, project_id?: string): StoredMonitor;
  /** One tick, and the end of what it began. */
  turn(): Promise<void>;
  /** As kill -9 would: nothing more is written. */
  end(): void;
}

export type Place = Awaited<ReturnType<typeof openPlace>>;

export async function openPlace(startMs: number) {
  const folder = temporaryFolder();
  const clock = { now: startMs, nowMs: () => clock.now };
  const lake = await openStore(folder.path, { clock });
  const statePath = join(folder.path, "state.db");
  const state = await openState(statePath);
  for (const project_id of ["shop", "bank"]) await state.createProject(project_id);
  const seal = await openSeal(join(folder.path, "channels.key"));
  const lives: Life[] = [];
  const live = (options: Partial<MonitorsOptions> = {}): Life => {
    const store = new AlertStore(statePath);
    const errors: string[] = [];
    const monitors = new Monitors({
      store,
      seal,
      ingest: lake.ingest,
      prices: new Prices(() => null),
      hasProject: (project_id) => state.project(project_id) !== null,
      clock,
      monotonicMs: () => performance.now(),
      random: () => 0.5,
      newId: Bun.randomUUIDv7,
      allowInside: true,
      resolve: toLoopback,
      wake: () => {},
      onError: (what, error) => errors.push(`${what}: ${error}`),
      pause: () => Promise.resolve(),
      ...options,
    });
    const life: Life = {
      store,
      monitors,
      errors,
      save: (id, monitor, secrets = {}, project_id = "shop") => {
        const before = store.monitors.get(id);
        const time = new Date(clock.now).toISOString();
        const sealed = Object.keys(secrets).length === 0 ? null : seal.seal({ ...secrets }, id);
        const stored: StoredMonitor = {
          id,
          project_id,
          monitor,
          sealed,
          version: (before?.version ?? 0) + 1,
          created_at: time,
          updated_at: time,
        };
        monitors.save(stored, before);
        return stored;
      },
      turn: async () => {
        monitors.tick();
        await monitors.settle();
      },
      end: () => {
        void monitors.stop();
        store.close();
      },
    };
    lives.push(life);
    return life;
  };
  return {
    clock,
    lake,
    live,
    /** As another process would: the rows are gone. */
    deleteProject: async (project_id: string) => {
      const database = new Database(statePath);
      database.run("PRAGMA foreign_keys = ON");
      database.run("PRAGMA busy_timeout = 5000");
      database.run("DELETE FROM projects WHERE project_id = ?", [project_id]);
      database.close();
      await state.load();
    },
    events: async (project_id = "shop") =>
      await lake.store.reader.snapshot(
        { project_id },
        (ask) => ask("SELECT * FROM events ORDER BY timestamp, event_id", {}),
      ),
    close: async () => {
      await state.close();
      await lake.close();
      folder.remove();
    },
  };
}
