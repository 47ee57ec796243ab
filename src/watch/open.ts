// The parts of alerting, put together: the store of rules, the clock that looks at them, and the
// queue that tells.
import { join } from "node:path";
import type { Config } from "../config.ts";
import type { Ingest } from "../ingest.ts";
import { systemResolve } from "../notify/address.ts";
import type { Outcome } from "../notify/channel.ts";
import { Deliverer } from "../notify/deliver.ts";
import { failure } from "../notify/post.ts";
import { AlertStore } from "../store/alerts.ts";
import { openSeal, type Seal } from "../store/alerts/seal.ts";
import { type State, statePath } from "../store/state.ts";
import type { BacktestDeps } from "./backtest.ts";
import { Watch, type WatchOptions } from "../watch.ts";

export interface Alerting {
  store: AlertStore;
  seal: Seal;
  watch: Watch;
  deliverer: Deliverer;
  /** What the watch asks; a backtest asks the same. */
  questions: BacktestDeps;
  start(): void;
  stop(): Promise<void>;
}

type Given = Pick<WatchOptions, "reader" | "sandbox" | "source" | "clock" | "onError"> & {
  ingest: Pick<Ingest, "take">;
};

/** From connecting to the end of the answer. */
const sendMsMax = 10_000;

export async function openAlerting(
  config: Pick<
    Config,
    | "data_dir"
    | "database_url"
    | "alert_interval_s"
    | "allow_private_webhooks"
    | "sql_timeout_s"
  >,
  state: State,
  { ingest, ...given }: Given,
): Promise<Alerting> {
  const store = new AlertStore(statePath(config));
  const seal = await openSeal(join(config.data_dir, "channels.key"));
  const deliverer = new Deliverer({
    store,
    seal,
    record: (project_id, event) => record(ingest, project_id, event),
    clock: given.clock,
    random: Math.random,
    allowInside: config.allow_private_webhooks,
    resolve: systemResolve,
    timeoutMs: sendMsMax,
    onError: given.onError,
  });
  const watch = new Watch({
    ...given,
    store,
    hasProject: (project_id) => state.project(project_id) !== null,
    monotonicMs: () => performance.now(),
    intervalMs: config.alert_interval_s * 1000,
    timeoutMs: config.sql_timeout_s * 1000,
    wake: () => deliverer.wake(),
  });
  return {
    store,
    seal,
    watch,
    deliverer,
    questions: {
      reader: given.reader,
      sandbox: given.sandbox,
      source: given.source,
      timeoutMs: config.sql_timeout_s * 1000,
      baselines: watch.baselines,
    },
    start: () => {
      deliverer.wake();
      watch.start();
    },
    stop: async () => {
      await watch.stop();
      await deliverer.stop();
      store.close();
    },
  };
}

/** A firing as an event: its id is the alert's, so that it is stored once. */
export async function record(
  ingest: Pick<Ingest, "take">,
  project_id: string,
  event: Record<string, unknown>,
): Promise<Outcome> {
  const receipt = await ingest.take(project_id, [event], JSON.stringify(event).length);
  if ("reason" in receipt) return failure("unreachable", receipt.message);
  const [rejection] = receipt.rejected;
  if (rejection === undefined) return { ok: true, status: null };
  return failure("not_configured", rejection.message, { permanent: true });
}
