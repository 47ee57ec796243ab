// Watch and deliverer over a real store, with a clock that is set by hand, as one life of a server
// that may end at any step.
import { join } from "node:path";
import { type Rule, ruleSchema } from "../../src/alert/rule.ts";
import { Deliverer } from "../../src/notify/deliver.ts";
import { kindOf } from "../../src/notify/channels.ts";
import { AlertStore } from "../../src/store/alerts.ts";
import type { StoredRule } from "../../src/store/alerts/rules.ts";
import { openSeal } from "../../src/store/alerts/seal.ts";
import { openState } from "../../src/store/state.ts";
import { Watch, type WatchOptions } from "../../src/watch.ts";
import { record } from "../../src/watch/open.ts";
import { toLoopback } from "../notify/fixture.ts";
import { type OpenStore, openStore, temporaryFolder } from "../store/fixture.ts";

export type Step =
  | "before_commit"
  | "after_commit"
  | "before_send"
  | "after_send"
  | "after_record";

export const steps: readonly Step[] = [
  "before_commit",
  "after_commit",
  "before_send",
  "after_send",
  "after_record",
];

export class Crash extends Error {}

export interface Life {
  store: AlertStore;
  watch: Watch;
  deliverer: Deliverer;
  errors: string[];
  /** Looks at the rules and delivers what is due, until nothing is. */
  turn(): Promise<void>;
  /** As kill -9 would: nothing more is written. */
  end(): void;
}

export interface Place {
  lake: OpenStore;
  clock: { nowMs(): number; now: number };
  /** Another life on the same disk. */
  live(options?: Partial<WatchOptions> & { onStep?(step: Step): void }): Promise<Life>;
  addRule(fields: Record<string, unknown>, id?: string): StoredRule;
  addChannel(id: string, url: string): void;
  close(): Promise<void>;
}

export async function openPlace(startMs: number): Promise<Place> {
  const folder = temporaryFolder();
  const clock = { now: startMs, nowMs: () => clock.now };
  const lake = await openStore(folder.path);
  const statePath = join(folder.path, "state.db");
  const state = await openState(statePath);
  await state.createProject("shop");
  const seal = await openSeal(join(folder.path, "channels.key"));
  const setUp = new AlertStore(statePath);
  const time = new Date(startMs).toISOString();
  return {
    lake,
    clock,
    live: async ({ onStep, ...options } = {}) => {
      await Promise.resolve();
      const store = new AlertStore(statePath);
      const errors: string[] = [];
      const onError = (what: string, error: unknown) => {
        if (!(error instanceof Crash)) errors.push(`${what}: ${error}`);
      };
      const given = onStep === undefined ? {} : { onStep };
      const deliverer = new Deliverer({
        store,
        seal,
        record: (project_id, event) => record(lake.ingest, project_id, event),
        clock,
        random: () => 0.5,
        allowInside: true,
        resolve: toLoopback,
        timeoutMs: 2000,
        onError,
        ...given,
      });
      const watch = new Watch({
        store,
        reader: lake.store.reader,
        sandbox: {
          ask: () => Promise.resolve({ ok: false, reason: "busy", message: "No sandbox here." }),
        },
        source: (project_id) => lake.store.source(project_id),
        timeoutMs: 5000,
        hasProject: (project_id) => state.project(project_id) !== null,
        clock,
        monotonicMs: () => performance.now(),
        intervalMs: 30_000,
        wake: () => {},
        onError,
        ...given,
        ...options,
      });
      return {
        store,
        watch,
        deliverer,
        errors,
        turn: async () => {
          await watch.tick();
          await deliverer.settle();
        },
        end: () => {
          void deliverer.stop();
          store.close();
        },
      };
    },
    addRule: (fields, id = `rule_${Bun.randomUUIDv7()}`) => {
      const rule: Rule = ruleSchema.parse({ name: id, ...fields });
      const stored: StoredRule = {
        id,
        project_id: "shop",
        rule,
        version: 1,
        created_at: time,
        updated_at: time,
      };
      setUp.commit(() => setUp.rules.put(stored));
      return stored;
    },
    addChannel: (id, url) => {
      if (kindOf("webhook") === null) throw new Error("no webhooks");
      const channel = {
        id,
        project_id: "shop",
        name: id,
        type: "webhook",
        config: { url },
        sealed: null,
        created_at: time,
        updated_at: time,
      };
      setUp.commit(() => setUp.channels.put(channel));
    },
    close: async () => {
      setUp.close();
      await state.close();
      await lake.close();
      folder.remove();
    },
  };
}
