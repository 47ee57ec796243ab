// Monitors on a clock: due → check → store as a run → decide → tell. What is under way is on disk
// before it begins: a server that ends in between does not check twice, and says that it does not know.
import { endByHand } from "./alert/decide.ts";
import type { Alert } from "./alert/state.ts";
import { tell } from "./alert/tell.ts";
import { loggerOf } from "./logging.ts";
import type { Ingest } from "./ingest.ts";
import { type Alarm, ruleOf, silence, sound } from "./monitor/alarm.ts";
import { type Attempt, attempt, callOf, check, type CheckDeps } from "./monitor/check.ts";
import { eventsOf } from "./monitor/events.ts";
import { asksTheSame, type Monitor, type Secrets } from "./monitor/monitor.ts";
import { nextAfter, resumedAt } from "./monitor/schedule.ts";
import {
  after,
  type CheckResult,
  interrupted,
  type MonitorState,
  newMonitorState,
  resultOf,
} from "./monitor/state.ts";
import type { Notification } from "./notify/channel.ts";
import type { Prices } from "./price/pricer.ts";
import type { Clock } from "./std/clock.ts";
import type { AlertStore } from "./store/alerts.ts";
import type { StoredMonitor } from "./store/alerts/monitors.ts";
import { CannotUnseal, type Seal } from "./store/alerts/seal.ts";
import { deliveriesOf, eventDelivery } from "./watch/news.ts";

export interface MonitorsOptions
  extends Pick<CheckDeps, "allowInside" | "resolve" | "monotonicMs" | "random" | "ca"> {
  store: AlertStore;
  seal: Seal;
  ingest: Pick<Ingest, "take">;
  prices: Pick<Prices, "of">;
  hasProject(project_id: string): boolean;
  clock: Clock;
  newId(): string;
  /** There is something to deliver. */
  wake(): void;
  onError(what: string, error: unknown): void;
  /** Between two attempts; a timer unless told otherwise. */
  pause?: CheckDeps["pause"];
}

/** A check that could not be begun: one of this monitor is under way, or too many of all are. */
export type NotBegun = "under_way" | "busy";

interface Running {
  project_id: string;
  beganMs: number;
  abort: AbortController;
  done: Promise<CheckResult | null>;
}

const tickMs = 1000;
const checksMax = 64;
const checksOfProjectMax = 24;
/** What takes longer no longer stands in the way of others. */
const quickMsMax = 10_000;
const quickChecksMax = 16;
const triesMax = 8;
const stopMsMax = 2000;
/** Without a tick for so long, the machine slept or its clock was moved. */
const gapMsMax = 60_000;
/** After the disk refused to note that a check begins. */
const restMs = 30_000;

const log = loggerOf("monitors");

export class Monitors {
  #options: MonitorsOptions;
  #running = new Map<string, Running>();
  /** Monitors that this life of the server has looked at. */
  #known = new Set<string>();
  #resting = new Map<string, number>();
  #tries = 0;
  #lastTickMs: number | null = null;
  #timer: ReturnType<typeof setInterval> | null = null;
  #stopping = new AbortController();

  constructor(options: MonitorsOptions) {
    this.#options = options;
  }

  get #stopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  start(): void {
    this.#timer = setInterval(() => this.wake(), tickMs);
    this.wake();
  }

  /** Looks now rather than at the next tick. */
  wake(): void {
    // Nothing is begun before the clock runs, or after it has stopped.
    if (this.#timer === null) return;
    try {
      this.tick();
    } catch (error) {
      this.#options.onError("looking at the monitors", error);
    }
  }

  /** What is under way is given up; the next life tells that nothing is known of it. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, stopMsMax);
    for (const { abort } of this.#running.values()) abort.abort();
    const ends = [...this.#running.values()].map(({ done }) => done);
    await Promise.race([Promise.allSettled(ends), promise]);
    clearTimeout(timer);
  }

  isRunning(id: string): boolean {
    return this.#running.has(id);
  }

  /** Resolves when nothing is under way. */
  async settle(): Promise<void> {
    while (this.#running.size > 0) {
      await Promise.allSettled([...this.#running.values()].map(({ done }) => done));
    }
  }

  /** Begins every check that is due, as far as there is room; the earliest first. */
  tick(): void {
    if (this.#stopped) return;
    const { store, clock, hasProject, monotonicMs } = this.#options;
    store.refresh();
    const nowMs = clock.nowMs();
    const gapMs = this.#lastTickMs === null ? 0 : nowMs - this.#lastTickMs;
    this.#lastTickMs = nowMs;
    if (gapMs > gapMsMax || gapMs < 0) this.#known.clear();
    const due: { stored: StoredMonitor; nextAt: number }[] = [];
    for (const stored of store.monitors.all()) {
      const { id, project_id, monitor } = stored;
      if (!hasProject(project_id)) this.#running.get(id)?.abort.abort();
      if (this.#running.has(id) || !hasProject(project_id)) continue;
      if (!this.#known.has(id)) this.#resume(stored, nowMs);
      if (!monitor.enabled || (this.#resting.get(id) ?? 0) > monotonicMs()) continue;
      const nextAt = store.monitors.state(id).next_at ?? nowMs;
      if (nextAt <= nowMs) due.push({ stored, nextAt });
    }
    for (const id of this.#running.keys()) {
      if (store.monitors.get(id) === null) this.#running.get(id)!.abort.abort();
    }
    due.sort((one, other) => one.nextAt - other.nextAt);
    for (const { stored } of due) {
      if (!this.#hasRoom(stored.project_id)) continue;
      this.#begin(stored, "schedule").catch((error) =>
        this.#options.onError(`checking "${stored.monitor.name}"`, error)
      );
    }
  }

  /** Looked at for the first time: what an earlier life left, and when to go on. */
  #resume(stored: StoredMonitor, nowMs: number): void {
    const { store } = this.#options;
    const { id, monitor } = stored;
    let state = store.monitors.state(id);
    if (state.running !== null) {
      const result = interrupted(state.running);
      state = after(state, result);
      store.commit(() => {
        store.monitors.putState(id, state);
        store.checks.add(id, result);
      });
    }
    if (state.next_at !== null) {
      state = { ...state, next_at: resumedAt(id, monitor.interval_minutes, state.next_at, nowMs) };
    }
    store.monitors.remember(id, state);
    this.#known.add(id);
  }

  #hasRoom(project_id: string): boolean {
    const all = [...this.#running.values()];
    const nowMs = this.#options.monotonicMs();
    return all.length < checksMax &&
      all.filter((one) => one.project_id === project_id).length < checksOfProjectMax &&
      all.filter(({ beganMs }) => nowMs - beganMs < quickMsMax).length < quickChecksMax;
  }

  /** One check now, whatever the clock says; null when the monitor was changed or deleted meanwhile. */
  async runNow(stored: StoredMonitor): Promise<CheckResult | NotBegun | null> {
    if (this.#running.has(stored.id)) return "under_way";
    if (this.#stopped || !this.#hasRoom(stored.project_id)) return "busy";
    if (!this.#known.has(stored.id)) this.#resume(stored, this.#options.clock.nowMs());
    return await this.#begin(stored, "hand");
  }

  /** One attempt that is stored nowhere. */
  async try(
    project_id: string,
    monitor: Monitor,
    secrets: Secrets,
    signal: AbortSignal,
  ): Promise<Attempt | NotBegun> {
    if (this.#tries >= triesMax || this.#stopped) return "busy";
    this.#tries++;
    try {
      const either = AbortSignal.any([signal, this.#stopping.signal]);
      return await attempt(monitor, secrets, this.#deps(project_id), either);
    } finally {
      this.#tries--;
    }
  }

  async #begin(stored: StoredMonitor, by: CheckResult["by"]): Promise<CheckResult | null> {
    const { store, clock, random, newId, monotonicMs } = this.#options;
    const { id, project_id, monitor } = stored;
    const nowMs = clock.nowMs();
    const running = { id: `chk_${newId()}`, at: nowMs, by };
    const before = store.monitors.state(id);
    const next_at = by === "hand"
      ? before.next_at
      : nextAfter(id, monitor.interval_minutes, nowMs, random());
    const state: MonitorState = { ...before, running, next_at };
    try {
      store.commit(() => store.monitors.putState(id, state));
    } catch (error) {
      this.#resting.set(id, monotonicMs() + restMs);
      throw error;
    }
    store.monitors.remember(id, state);
    const abort = new AbortController();
    const done = this.#run(stored, running, abort.signal).finally(() => this.#running.delete(id));
    this.#running.set(id, { project_id, beganMs: monotonicMs(), abort, done });
    return await done;
  }

  async #run(
    stored: StoredMonitor,
    running: NonNullable<MonitorState["running"]>,
    signal: AbortSignal,
  ): Promise<CheckResult | null> {
    const { id, project_id, monitor } = stored;
    const { store, hasProject } = this.#options;
    const attempts = await check(monitor, this.#secretsOf(stored), this.#deps(project_id), signal);
    const isKnown = () => store.monitors.get(id) !== null && hasProject(project_id);
    if (this.#stopped || signal.aborted || !isKnown()) return null;
    const events = eventsOf({ id: running.id, monitor_id: id, monitor, attempts });
    const word = await this.#store(project_id, events);
    if (this.#stopped || !isKnown()) return null;
    const result = resultOf(running, attempts, word);
    this.#conclude(stored, result);
    return result;
  }

  /** As any program's events: masked, priced and on disk when this is over. */
  async #store(
    project_id: string,
    events: Record<string, unknown>[],
  ): Promise<CheckResult["stored"]> {
    const bytes = Buffer.byteLength(JSON.stringify(events));
    const receipt = await this.#options.ingest.take(project_id, events, bytes);
    const problem = "reason" in receipt ? receipt : receipt.rejected[0];
    if (problem !== undefined) {
      log.error("A check could not be stored: {reason}", { reason: problem.message });
      return "refused";
    }
    return "sampled_out" in receipt && receipt.sampled_out > 0 ? "sampled_out" : "stored";
  }

  #conclude(stored: StoredMonitor, result: CheckResult): void {
    const { store, clock } = this.#options;
    const { id, monitor, version } = stored;
    const at = clock.nowMs();
    const before = store.monitors.state(id);
    const isSame = store.monitors.get(id)?.version === version;
    // It was changed while it was under way: what came of it says nothing of what is asked now.
    const counted = isSame ? after(before, result) : { ...before, running: null };
    const { failures } = counted;
    const alarm = isSame ? sound(id, monitor, before.alarm, { failures, result, at }) : null;
    const state = alarm === null ? counted : { ...counted, alarm: alarm.state };
    store.commit(() => {
      store.checks.add(id, result);
      store.monitors.putState(id, state);
      if (alarm !== null) this.#record(stored, alarm);
    });
    store.monitors.remember(id, state);
    if (alarm !== null && alarm.notices.length + alarm.changed.length > 0) this.#options.wake();
  }

  /** Within a transaction. */
  #record(stored: StoredMonitor, { rule, changed, notices, text }: Alarm): void {
    const { store, clock } = this.#options;
    const { id, project_id, version, created_at, updated_at } = stored;
    const now = new Date(clock.nowMs()).toISOString();
    const asRule = { id, project_id, rule, version, created_at, updated_at };
    for (const alert of [...changed, ...notices.flatMap(({ alerts }) => alerts)]) {
      store.alerts.put({ project_id, rule_id: id, rule_name: rule.name, alert });
    }
    for (const alert of changed) {
      if (alert.resolved_at !== null) continue;
      const delivery = eventDelivery(asRule, alert);
      const body = delivery.body as { attributes: Record<string, unknown> };
      const attributes = { ...body.attributes, metric: "failures", text };
      store.outbox.add({ ...delivery, body: { ...body, attributes } }, now);
    }
    for (const notice of notices) {
      for (const delivery of deliveriesOf(asRule, notice, (one) => store.channels.get(one))) {
        const body = delivery.body as Notification;
        const alerts = body.alerts.map((alert) => ({ ...alert, text }));
        store.outbox.add({ ...delivery, body: { ...body, text, alerts } }, now);
      }
    }
  }

  /** Creates a monitor, or changes it; what fired by another question, or is paused now, is ended. */
  save(stored: StoredMonitor, before: StoredMonitor | null): void {
    const { store, clock } = this.#options;
    const { id, monitor } = stored;
    const nowMs = clock.nowMs();
    let state = before === null ? newMonitorState(nowMs) : { ...store.monitors.state(id) };
    let alarm: Alarm | null = null;
    if (before !== null) {
      const isSame = asksTheSame(before.monitor, monitor);
      if (!isSame || !monitor.enabled) {
        const reason = isSame ? "rule_disabled" : "rule_changed";
        alarm = silence(id, before.monitor, state.alarm, reason, nowMs);
        const last = isSame ? state.last : null;
        state = { ...state, last, failures: 0, since: null, alarm: alarm.state };
      }
      const isSooner = monitor.interval_minutes < before.monitor.interval_minutes;
      const isWoken = monitor.enabled && !before.monitor.enabled;
      if (!isSame || isWoken || isSooner) state = { ...state, next_at: nowMs };
    }
    store.commit(() => {
      if (alarm !== null) this.#record(before!, alarm);
      store.monitors.put(stored);
      store.monitors.putState(id, state);
    });
    store.monitors.remember(id, state);
    if (before === null) this.#known.add(id);
    this.#options.wake();
  }

  remove(stored: StoredMonitor): void {
    const { store, clock } = this.#options;
    const { id, monitor } = stored;
    const { alarm } = store.monitors.state(id);
    store.commit(() => {
      this.#record(stored, silence(id, monitor, alarm, "rule_deleted", clock.nowMs()));
      store.monitors.delete(id);
    });
    this.#running.get(id)?.abort.abort();
    this.#options.wake();
  }

  /** Ends an alert by hand; null when no monitor has such an open alert. */
  resolve(alert_id: string): Alert | null {
    const { store, clock } = this.#options;
    const stored = store.monitors.get(store.alerts.get(alert_id)?.rule_id ?? "");
    if (stored === null) return null;
    const at = clock.nowMs();
    const { id, monitor } = stored;
    const before = store.monitors.state(id);
    const alarm = structuredClone(before.alarm);
    const alert = endByHand(alarm, alert_id, at);
    if (alert === null) return null;
    const rule = ruleOf(id, monitor);
    const notices = tell(rule, alarm, at);
    const text = `The alert of "${monitor.name}" was resolved by hand.`;
    const state = { ...before, alarm };
    store.commit(() => {
      store.monitors.putState(id, state);
      this.#record(stored, { rule, state: alarm, changed: [alert], notices, text });
    });
    store.monitors.remember(id, state);
    this.#options.wake();
    return alert;
  }

  /** Null when they cannot be read any more. */
  #secretsOf({ id, sealed }: StoredMonitor): Secrets | null {
    if (sealed === null) return {};
    try {
      return this.#options.seal.open(sealed, id) as Secrets;
    } catch (error) {
      if (error instanceof CannotUnseal) return null;
      throw error;
    }
  }

  #deps(project_id: string): CheckDeps {
    const { allowInside, resolve, monotonicMs, random, ca, clock, prices, pause } = this.#options;
    return {
      allowInside,
      resolve,
      monotonicMs,
      random,
      ...(ca === undefined ? {} : { ca }),
      nowMs: () => clock.nowMs(),
      pause: pause ?? pauseByTimer,
      costOf: (read, monitor, atMs) => {
        const quote = prices.of(project_id).quote(callOf(read, monitor, atMs));
        return typeof quote === "string" ? read.cost_reported_usd ?? null : quote.usd;
      },
    };
  }
}

function pauseByTimer(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  signal.addEventListener("abort", () => {
    clearTimeout(timer);
    resolve();
  }, { once: true });
  return promise;
}
