// What a look ends in: rules' states, alerts and what is to be told are decided and stored together, in
// one transaction.
import { decide, endAll, endByHand, type Look } from "../alert/decide.ts";
import type { Rule } from "../alert/rule.ts";
import { setBack } from "../alert/schedule.ts";
import type { Alert, ResolvedReason, RuleState } from "../alert/state.ts";
import { type Notice, tell } from "../alert/tell.ts";
import type { Clock } from "../std/clock.ts";
import type { AlertStore } from "../store/alerts.ts";
import type { StoredRule } from "../store/alerts/rules.ts";
import { deliveriesOf, eventDelivery } from "./news.ts";

export interface ConcludeOptions {
  store: AlertStore;
  clock: Clock;
  /** Never goes back. */
  monotonicMs(): number;
  /** There is something to deliver. */
  wake(): void;
  /** Called where a crash may come between; for tests. */
  onStep?(step: "before_commit" | "after_commit"): void;
}

/** What a look found, to be decided and stored. */
export interface Found {
  stored: StoredRule;
  looks: Look[];
}

/** A state that only got older is stored this often. */
const storedMsMax = 30_000;

export class Conclusions {
  #options: ConcludeOptions;
  /** By rule: the state as it is on disk, but for what changes with every look. */
  #stored = new Map<string, { at: number; print: string }>();

  constructor(options: ConcludeOptions) {
    this.#options = options;
  }

  /** Decides on what was found; states, alerts and what is to be told are stored together. */
  conclude(found: readonly Found[]): void {
    const { store, monotonicMs } = this.#options;
    const done: { id: string; state: RuleState }[] = [];
    let hasNews = false;
    const writes: (() => void)[] = [];
    for (const { stored, looks } of found) {
      const { id, version, rule } = stored;
      // It was changed or deleted while the question was under way.
      if (store.rules.get(id)?.version !== version) continue;
      const state = structuredClone(store.rules.state(id));
      const changed: Alert[] = [];
      const notices: Notice[] = [];
      for (const look of looks) {
        for (const alert of decide(id, rule, state, look)) changed.push({ ...alert });
        notices.push(...tell(rule, state, look.at));
      }
      Object.assign(state, { health: "ok", last_error: null, failures: 0 });
      done.push({ id, state });
      hasNews ||= changed.length > 0 || notices.length > 0;
      const print = printOf(state);
      const before = this.#stored.get(id);
      const isOld = before === undefined || monotonicMs() - before.at >= storedMsMax;
      if (isOld || before.print !== print) {
        writes.push(() => store.rules.putState(id, state));
        this.#stored.set(id, { at: monotonicMs(), print });
      }
      writes.push(() => this.#record(stored, changed, notices));
    }
    this.#options.onStep?.("before_commit");
    if (writes.length > 0) this.#commit(writes, done.map(({ id }) => id));
    for (const { id, state } of done) store.rules.remember(id, state);
    this.#options.onStep?.("after_commit");
    if (hasNews) this.#options.wake();
  }

  #commit(writes: readonly (() => void)[], ids: readonly string[]): void {
    try {
      this.#options.store.commit(() => {
        for (const write of writes) write();
      });
    } catch (error) {
      for (const id of ids) this.#stored.delete(id);
      throw error;
    }
  }

  /** Within a transaction. */
  #record(stored: StoredRule, changed: readonly Alert[], notices: readonly Notice[]): void {
    const { store, clock } = this.#options;
    const now = new Date(clock.nowMs()).toISOString();
    const { id: rule_id, project_id, rule: { name: rule_name } } = stored;
    const told = notices.flatMap(({ alerts }) => alerts);
    for (const alert of [...changed, ...told]) {
      store.alerts.put({ project_id, rule_id, rule_name, alert });
    }
    for (const alert of changed) {
      if (alert.resolved_at === null) store.outbox.add(eventDelivery(stored, alert), now);
    }
    for (const notice of notices) {
      const channelOf = (id: string) => store.channels.get(id);
      for (const delivery of deliveriesOf(stored, notice, channelOf)) {
        store.outbox.add(delivery, now);
      }
    }
  }

  fail(rules: readonly StoredRule[], error: unknown): void {
    const { store, clock, monotonicMs } = this.#options;
    const message = error instanceof Error ? error.message : String(error);
    const writes: (() => void)[] = [];
    const done: { id: string; state: RuleState }[] = [];
    for (const { id, version } of rules) {
      if (store.rules.get(id)?.version !== version) continue;
      const state = structuredClone(store.rules.state(id));
      state.health = "failing";
      state.last_error = message.slice(0, 1000);
      state.last_error_at = clock.nowMs();
      state.failures++;
      done.push({ id, state });
      writes.push(() => store.rules.putState(id, state));
      this.#stored.set(id, { at: monotonicMs(), print: printOf(state) });
    }
    this.#commit(writes, done.map(({ id }) => id));
    for (const { id, state } of done) store.rules.remember(id, state);
  }

  setBack(id: string, at: number): void {
    const { store } = this.#options;
    const state = structuredClone(store.rules.state(id));
    setBack(state, at);
    store.rules.remember(id, state);
  }

  /** Ends what fires by a rule, and tells of it; within a transaction of the caller. */
  endRule(stored: StoredRule, reason: ResolvedReason): RuleState {
    const { store, clock } = this.#options;
    const nowMs = clock.nowMs();
    const state = structuredClone(store.rules.state(stored.id));
    const changed = endAll(state, nowMs, reason);
    const notices = tell(withoutDelay(stored.rule), state, nowMs);
    this.#record(stored, changed, notices);
    this.#stored.delete(stored.id);
    return state;
  }

  /** Null when there is no such open alert. */
  resolve(alert_id: string): Alert | null {
    const { store, clock } = this.#options;
    const known = store.alerts.get(alert_id);
    const stored = known === null ? null : store.rules.get(known.rule_id);
    if (stored === null) return null;
    const nowMs = clock.nowMs();
    const state = structuredClone(store.rules.state(stored.id));
    const alert = endByHand(state, alert_id, nowMs);
    if (alert === null) return null;
    const notices = tell(stored.rule, state, nowMs);
    this.#commit([
      () => store.rules.putState(stored.id, state),
      () => this.#record(stored, [alert], notices),
    ], [stored.id]);
    store.rules.remember(stored.id, state);
    this.#options.wake();
    return alert;
  }
}

/** An end is told at once: there is no later tick of this rule. */
function withoutDelay(rule: Rule): Rule {
  return { ...rule, group_interval_minutes: 0, mute: [], snoozed_until: null };
}

/** What of a state is worth a write: not the value and the time of every look. */
function printOf({ evaluated_until: _, took_ms: __, series, ...rest }: RuleState): string {
  const lasting = Object.entries(series).map(([key, { value: _, valued_at: __, ...one }]) => [
    key,
    { ...one, alert: one.alert === null ? null : { ...one.alert, value: null } },
  ]);
  return JSON.stringify([rest, lasting]);
}
